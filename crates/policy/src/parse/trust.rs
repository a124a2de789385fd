//! `[[trust]]`: who must vouch for the images of which repositories.

use std::path::{Path, PathBuf};

use plimsoll_facts::AttestationDemand;
use toml::Spanned;
use toml::de::DeValue;

use super::{LONGEST_PATTERN, mandatory, optional};
use crate::error::did_you_mean;
use crate::keys::{MOST_DAYS, SIGNER, TRUST};
use crate::table::{Source, Table, wrong_type};
use crate::{Method, MistakeKind, Policy, RepositoryPattern, Require, TrustRule};

/// The most signers and attestations of one rule, and the most keys of one signer.
const MOST: usize = 64;

pub(super) fn rules(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, policy: &mut Policy) {
    let Some(all) = value.get_ref().as_array() else {
        return wrong_type(source, "trust", "a list of tables ([[trust]])", value);
    };
    for value in all {
        let Some(table) = Table::of(source, "[[trust]]", value, TRUST) else { continue };
        let Some(rule) = rule(source, &table) else { continue };
        match policy.trust.iter().any(|known| known.repository == rule.repository) {
            true => unfit(source, table.span(), "repository", "the same pattern stands in another [[trust]]"),
            false => policy.trust.push(rule),
        }
    }
}

fn rule(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<TrustRule> {
    let repository = mandatory(source, table, "repository", LONGEST_PATTERN);
    let repository = repository.and_then(|text| {
        RepositoryPattern::new(text.get_ref())
            .map_err(|why| unfit(source, &text.span(), "repository", &why))
            .ok()
    });
    let signers = signers(source, table);
    let choices = [("all", Require::All), ("any", Require::Any)];
    let require = table.choice(source, "require", &choices).unwrap_or_default();
    let digest_only = table.bool(source, "digest-only").unwrap_or_default();
    let max_age_days = table.number(source, "max-age-days", MOST_DAYS, "a number of days from 1 to 36500");
    let rollback_guard = table.bool(source, "rollback-guard").unwrap_or_default();
    let attestations = attestations(source, table);
    let builder = optional(source, table, "builder", LONGEST_PATTERN);
    let signers = signers?;
    if signers.is_empty() && !digest_only {
        let hint = Some("[[trust.signers]] with method = …, or digest-only = true");
        table.missing(source, "signers", hint);
        return None;
    }
    require_attesters(source, table, &signers);
    require_provenance(source, builder.as_ref(), &attestations);
    Some(TrustRule {
        repository: repository?,
        signers,
        require,
        digest_only,
        max_age_days,
        rollback_guard,
        attestations,
        builder: builder.map(|builder| (*builder.get_ref()).to_owned()),
        place: source.place(table.span()),
    })
}

fn attestations(source: &mut Source<'_>, table: &Table<'_, '_>) -> Vec<AttestationDemand> {
    let texts = table.texts(source, "attestations", MOST).unwrap_or_default();
    let mut demands = Vec::new();
    for text in texts {
        if let Some(demand) = AttestationDemand::parse(text.get_ref()) {
            demands.push(demand);
            continue;
        }
        let hint = did_you_mean(text.get_ref(), AttestationDemand::words()).unwrap_or_else(|| {
            let words: Vec<_> = AttestationDemand::words().collect();
            format!("one of {}, or the URI of a predicate type", words.join(", "))
        });
        let kind = MistakeKind::UnknownValue { key: "attestations", value: (*text.get_ref()).to_owned() };
        source.mistake(&text.span(), kind, Some(hint));
    }
    demands
}

/// Who demands attestations must trust somebody who can sign such.
fn require_attesters(source: &mut Source<'_>, table: &Table<'_, '_>, signers: &[Method]) {
    if let Some(value) = table.get("attestations")
        && !signers.iter().any(Method::signs_attestations)
    {
        let why = "none of the signers can sign attestations; those of method \"cosign\" or \"keyless\" can";
        unfit(source, &value.span(), "attestations", why);
    }
}

/// Who demands a builder must demand the statement that names it.
fn require_provenance(
    source: &mut Source<'_>,
    builder: Option<&Spanned<&str>>,
    attestations: &[AttestationDemand],
) {
    if let Some(builder) = builder
        && !attestations.iter().any(AttestationDemand::is_provenance)
    {
        let why =
            "no SLSA provenance is demanded, which would name it; add \"slsa-provenance\" to attestations";
        unfit(source, &builder.span(), "builder", why);
    }
}

fn signers(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Vec<Method>> {
    let Some(value) = table.get("signers") else { return Some(Vec::new()) };
    let all = value.get_ref().as_array().filter(|all| all.len() <= MOST);
    let Some(all) = all else {
        wrong_type(source, "signers", "a list of at most 64 tables ([[trust.signers]])", value);
        return None;
    };
    all.iter()
        .map(|value| {
            let table = Table::of(source, "[[trust.signers]]", value, SIGNER)?;
            method(source, &table)
        })
        .collect()
}

fn method(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Method> {
    table.missing(source, "method", None);
    let known = ["dct", "cosign", "keyless", "notation"].map(|name| (name, name));
    let name = table.choice(source, "method", &known)?;
    let own: &[&str] = match name {
        "dct" => &["pins", "trust-on-first-use"],
        "cosign" => &["keys"],
        "keyless" => &["identity", "issuer", "trusted-root"],
        _ => &["directory"],
    };
    for key in SIGNER.iter().map(|key| key.name).filter(|key| *key != "method" && !own.contains(key)) {
        if let Some(value) = table.get(key) {
            source.mistake(&value.span(), MistakeKind::Excludes { key, other: name }, None);
        }
    }
    match name {
        "dct" => Some(Method::ContentTrust {
            pins: pins(source, table)?,
            first_use: table.bool(source, "trust-on-first-use").unwrap_or_default(),
        }),
        "cosign" => {
            table.missing(source, "keys", None);
            let keys = table.texts(source, "keys", MOST)?;
            Some(Method::Cosign { keys: keys.into_iter().map(|key| beside(source, key.get_ref())).collect() })
        }
        "keyless" => {
            let [identity, issuer, root] = ["identity", "issuer", "trusted-root"]
                .map(|key| mandatory(source, table, key, LONGEST_PATTERN));
            let (identity, issuer, root) = (identity?, issuer?, root?);
            Some(Method::Keyless {
                identity: (*identity.get_ref()).to_owned(),
                issuer: (*issuer.get_ref()).to_owned(),
                trusted_root: beside(source, root.get_ref()),
            })
        }
        _ => {
            let directory = table.text(source, "directory");
            Some(Method::Notation { directory: directory.map(|text| beside(source, text.get_ref())) })
        }
    }
}

fn pins(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Vec<String>> {
    if table.get("pins").is_none() {
        return Some(Vec::new());
    }
    let mut pins = Vec::new();
    for pin in table.texts(source, "pins", MOST)? {
        let text = *pin.get_ref();
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            unfit(source, &pin.span(), "pins", "an id of a key is 64 hexadecimal digits, in lower case");
            return None;
        }
        pins.push(text.to_owned());
    }
    Some(pins)
}

/// A path as it stands in the file, from the file's own folder.
fn beside(source: &Source<'_>, path: &str) -> PathBuf {
    Path::new(source.path).parent().unwrap_or(Path::new("")).join(path)
}

fn unfit(source: &mut Source<'_>, span: &std::ops::Range<usize>, key: &'static str, why: &str) {
    source.mistake(span, MistakeKind::Unfit { key, why: why.to_owned() }, None);
}
