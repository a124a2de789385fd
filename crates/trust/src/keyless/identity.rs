//! Who a certificate says signed, and who said so (Fulcio, `docs/oid-info.md`).

use regex_lite::{Regex, RegexBuilder};
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

use crate::link::Link;
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// Who identified the signer: as UTF8String, and in older certificates as bare bytes.
const ISSUER: &str = "1.3.6.1.4.1.57264.1.8";
const OLDER_ISSUER: &str = "1.3.6.1.4.1.57264.1.1";
/// Names that are neither a mail address nor a URI.
const USERNAME: &str = "1.3.6.1.4.1.57264.1.7";
/// The longest expression, and the most memory of it, in bytes.
const LONGEST: usize = 4096;
const LARGEST: usize = 1 << 20;

/// Somebody who is trusted.
#[derive(Clone, Debug)]
pub struct Identity {
    name: Pattern,
    issuer: String,
}

#[derive(Clone, Debug)]
enum Pattern {
    Exact(String),
    Like(Regex),
}

/// Why an identity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdentityError(String);

impl Identity {
    /// Who is called so (a mail address, or the URI of a workflow) by this OpenID Connect issuer.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn exact(name: &str, issuer: &str) -> Result<Self, IdentityError> {
        Self::new(Pattern::Exact(name.to_owned()), name, issuer)
    }

    /// Everybody whose whole name matches a regular expression, by this issuer.
    ///
    /// # Errors
    /// When one of them is empty, or it is no regular expression.
    pub fn like(expression: &str, issuer: &str) -> Result<Self, IdentityError> {
        if expression.len() > LONGEST {
            return Err(IdentityError(format!("an expression longer than {LONGEST} bytes")));
        }
        let build = |text: &str| {
            let built = RegexBuilder::new(text).size_limit(LARGEST).build();
            built.map_err(|error| IdentityError(format!("{expression:?}: {error}")))
        };
        // By itself it must be one too, or its parentheses could reach out of those around it.
        build(expression)?;
        let whole = build(&format!("^(?:{expression})$"))?;
        Self::new(Pattern::Like(whole), expression, issuer)
    }

    fn new(pattern: Pattern, name: &str, issuer: &str) -> Result<Self, IdentityError> {
        match name.is_empty() || issuer.is_empty() {
            true => Err(IdentityError("an identity has a name and an issuer".to_owned())),
            false => Ok(Self { name: pattern, issuer: issuer.to_owned() }),
        }
    }

    fn is_of(&self, name: &str, issuer: &str) -> bool {
        let is_named = match &self.name {
            Pattern::Exact(exact) => exact == name,
            Pattern::Like(expression) => expression.is_match(name),
        };
        is_named && self.issuer == issuer
    }
}

/// The signer that a certificate names, where it is one of the identities.
pub(super) fn require(leaf: &Link, identities: &[Identity]) -> Result<String, Refusal> {
    let name = name(leaf)?;
    let issuer = issuer(leaf)?;
    let shown = format!("{name} ({issuer})");
    match identities.iter().any(|identity| identity.is_of(&name, &issuer)) {
        true => Ok(shown),
        false => {
            let reason = format!("it is signed by {shown:?}, who is not trusted");
            Err(Refusal::new(RefusalKind::UntrustedKey, reason))
        }
    }
}

/// The name in a certificate, which must be its only one.
fn name(leaf: &Link) -> Result<String, Refusal> {
    let found = leaf.certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let names = found.map_err(|error| bad(format!("the names of the certificate: {error}")))?;
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    let [only] = names.as_slice() else {
        return Err(bad(format!("the certificate has {} names, not one", names.len())));
    };
    let name = match only {
        GeneralName::Rfc822Name(address) => Some(address.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        GeneralName::OtherName(other) => username(other),
        _ => None,
    };
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| bad("the name of the certificate is neither a mail address, nor a URI, nor a user's"))
}

fn username(other: &OtherName) -> Option<String> {
    if other.type_id.to_string() != USERNAME {
        return None;
    }
    let der = other.value.to_der().ok()?;
    Some(Utf8StringRef::from_der(&der).ok()?.as_str().to_owned())
}

/// The issuer in a certificate. Where it stands twice, it must be the same.
fn issuer(leaf: &Link) -> Result<String, Refusal> {
    let newer = extension(leaf, ISSUER)?.map(|der| {
        let text = Utf8StringRef::from_der(der).map(|text| text.as_str().to_owned());
        text.map_err(|error| bad(format!("the issuer in the certificate: {error}")))
    });
    let older = extension(leaf, OLDER_ISSUER)?.map(|bytes| {
        let text = str::from_utf8(bytes).map(str::to_owned);
        text.map_err(|error| bad(format!("the issuer in the certificate: {error}")))
    });
    match (newer.transpose()?, older.transpose()?) {
        (Some(newer), Some(older)) if newer != older => {
            Err(bad(format!("the certificate names two issuers, {newer:?} and {older:?}")))
        }
        (Some(issuer), _) | (None, Some(issuer)) => Ok(issuer),
        (None, None) => Err(bad("the certificate does not say who identified the signer")),
    }
}

/// The bytes of an extension, which must not stand twice.
fn extension<'a>(leaf: &'a Link, oid: &str) -> Result<Option<&'a [u8]>, Refusal> {
    let all = leaf.certificate.tbs_certificate().extensions().into_iter().flatten();
    let mut named = all.filter(|extension| extension.extn_id.to_string() == oid);
    match (named.next(), named.next()) {
        (found, None) => Ok(found.map(|extension| extension.extn_value.as_bytes())),
        _ => Err(bad(format!("the extension {oid} stands twice in the certificate"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_the_whole_name() {
        let identity =
            Identity::like("https://github.com/shop/.*|x@example.org", "https://i.example").unwrap();
        assert!(identity.is_of("https://github.com/shop/db", "https://i.example"));
        assert!(identity.is_of("x@example.org", "https://i.example"));
        assert!(!identity.is_of("x@example.org.evil", "https://i.example"));
        assert!(!identity.is_of("https://evil/?https://github.com/shop/db", "https://i.example"));
        assert!(!identity.is_of("x@example.org\n", "https://i.example"));
        assert!(!identity.is_of("x@example.org", "https://other.example"));
    }

    #[test]
    fn an_identity_has_a_name_and_an_issuer() {
        assert!(Identity::exact("", "i").is_err());
        assert!(Identity::exact("n", "").is_err());
        assert!(Identity::like("(", "i").is_err());
        assert!(Identity::like("a)|(?:b", "i").is_err());
        assert!(Identity::like(&"a".repeat(LONGEST + 1), "i").is_err());
        assert!(Identity::like("(a{1000}){1000}", "i").is_err());
    }
}
