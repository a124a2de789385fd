//! Who signed, and whether a policy trusts them (Notary Project, "Trusted identities").

use std::fmt::Write;

use x509_cert::ext::pkix::name::DirectoryString;
use x509_cert::name::Name;

use crate::{Refusal, RefusalKind};

/// Attributes of a name (RFC 4514, section 3): object identifier, and what it is called.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
];
/// Attributes that an identity must name.
const REQUIRED: [&str; 3] = ["C", "ST", "O"];
/// The longest identity, in bytes.
const LONGEST: usize = 4096;

type Attributes = Vec<(String, String)>;

/// The name of a signer that one of the identities admits, `*` being everybody.
pub(super) fn require(subject: &Name, identities: &[String]) -> Result<String, Refusal> {
    let own = attributes(subject);
    let mut shown = String::new();
    for (name, value) in &own {
        let separator = if shown.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(shown, "{separator}{name}={value}");
    }
    let admits = |identity: &String| {
        identity == "*"
            || parse(identity).is_ok_and(|wanted| wanted.iter().all(|wanted| is_once(&own, wanted)))
    };
    match identities.iter().any(admits) {
        true => Ok(shown),
        false => {
            let reason = format!("it is signed by {shown:?}, whom the trust policy does not name");
            Err(Refusal::new(RefusalKind::UntrustedKey, reason))
        }
    }
}

/// Whether a name has this attribute with this value, and no other of its kind.
fn is_once(own: &Attributes, (name, value): &(String, String)) -> bool {
    let mut found = own.iter().filter(|(own, _)| own == name).map(|(_, value)| value);
    found.next() == Some(value) && found.next().is_none()
}

fn attributes(subject: &Name) -> Attributes {
    let attribute = |part: &x509_cert::attr::AttributeTypeAndValue| {
        let oid = part.oid.to_string();
        let name = ATTRIBUTES.iter().find(|(known, _)| *known == oid).map_or(oid.as_str(), |(_, name)| name);
        let value = DirectoryString::try_from(&part.value).ok()?.value().into_owned();
        Some((name.to_owned(), value))
    };
    subject.iter().filter_map(attribute).collect()
}

/// Takes `x509.subject: C=…, ST=…, O=…` apart (RFC 4514).
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(identity: &str) -> Result<Attributes, String> {
    let text = identity.strip_prefix("x509.subject:").ok_or("it does not begin with x509.subject:")?;
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut found = Attributes::new();
    for part in split(text)? {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is no attribute"))?;
        let name = name.trim().to_ascii_uppercase();
        let name = if name == "S" { "ST".to_owned() } else { name };
        let value = value.trim();
        // CVE-2023-25656: a value in hexadecimal BER means what its decoder makes of it.
        if value.is_empty() || value.starts_with('#') {
            return Err(format!("{name} has no plain value"));
        }
        if !ATTRIBUTES.iter().any(|(_, known)| *known == name)
            || found.iter().any(|(known, _)| *known == name)
        {
            return Err(format!("{name} is not known, or stands twice"));
        }
        found.push((name, value.to_owned()));
    }
    match REQUIRED.into_iter().find(|required| !found.iter().any(|(name, _)| name == required)) {
        Some(missing) => Err(format!("it does not name {missing}")),
        None => Ok(found),
    }
}

/// Splits at commas and plus signs that are not escaped, and takes the escapes away.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let escaped = match character {
            ',' | '+' => {
                parts.push(String::new());
                continue;
            }
            '\\' => {
                characters.next().filter(|c| " \"#+,;<=>\\".contains(*c)).ok_or("an escape that is none")?
            }
            '"' | ';' | '<' | '>' => return Err(format!("{character:?} must be escaped")),
            other => other,
        };
        if let Some(last) = parts.last_mut() {
            last.push(escaped);
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_taken_apart() {
        let attributes = parse("x509.subject: C=DE, ST=Berlin, O=a\\, b, S=x").unwrap_err();
        assert!(attributes.contains("stands twice"), "{attributes}");
        let found = parse("x509.subject: C=DE, ST=Berlin,O=a\\, b+CN=c").unwrap();
        assert_eq!(found[2], ("O".to_owned(), "a, b".to_owned()));
        for wrong in [
            "C=DE, ST=Berlin, O=a",
            "x509.subject: C=DE, O=a",
            "x509.subject: C=DE, ST=Berlin, O=",
            "x509.subject: C=DE, ST=Berlin, O=a, X=y",
            "x509.subject: C=DE, ST=Berlin, O=a\\",
            "x509.subject: C=DE, ST=Berlin, O=\"a\"",
            "x509.subject: C=DE, ST=Berlin, O=a, ",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cve_2023_25656_value_in_hexadecimal() {
        assert!(parse("x509.subject: C=DE, ST=Berlin, O=#040141").is_err());
        let long = format!("x509.subject: C=DE, ST=Berlin, O={}", "a".repeat(5000));
        assert!(parse(&long).is_err());
    }
}
