//! Every key of `plimsoll.toml`: the parser takes these and no others, and the JSON Schema is made from them.

/// The keys of one table.
pub(crate) type Keys = &'static [Key];

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) is_mandatory: bool,
    /// A sentence for whoever writes the file.
    pub(crate) about: &'static str,
}

/// What a key may hold.
pub(crate) enum Value {
    Text,
    Texts,
    Flag,
    /// A whole number from 1 to the bound.
    Number(u32),
    /// A day of the calendar.
    Day,
    Severity,
    OneOf(&'static [&'static str]),
    Table(Keys),
    Tables(Keys),
    /// A table of tables, by the id of a rule.
    ByRule(Keys),
    /// The same by the id of a concern.
    ByConcern(Keys),
}

/// The most days of `max-age-days`.
pub(crate) const MOST_DAYS: u32 = 36_500;

const fn key(name: &'static str, value: Value, about: &'static str) -> Key {
    Key { name, value, is_mandatory: false, about }
}

const fn mandatory(name: &'static str, value: Value, about: &'static str) -> Key {
    Key { name, value, is_mandatory: true, about }
}

pub(crate) const TOP: Keys = &[
    key("policy", Value::Table(POLICY), "What this policy stands on, and when an audit fails."),
    key("rules", Value::ByRule(RULE), "Settings of single rules, by id."),
    key("concerns", Value::ByConcern(CONCERN), "Settings of all rules of a concern."),
    key("exceptions", Value::Tables(EXCEPTION), "What is accepted for a while."),
    key("connections", Value::Tables(CONNECTION), "Connections of containers that are expected."),
    key("trust", Value::Tables(TRUST), "Who must vouch for images, by repository."),
];

pub(crate) const POLICY: Keys = &[
    key("extends", Value::Text, "A ready-made name, or a path relative to this file."),
    key("fail-on", Value::Severity, "The severity from which the audit fails."),
    key("controls", Value::OneOf(&["cis-docker"]), "Ask only rules that answer a control of this catalogue."),
];

pub(crate) const RULE: Keys = &[
    key("enabled", Value::Flag, "Ask this rule, or leave it out."),
    key("severity", Value::Severity, "The severity of every finding of this rule."),
];

pub(crate) const CONCERN: Keys =
    &[key("enabled", Value::Flag, "Ask the rules of this concern, or leave them out.")];

pub(crate) const EXCEPTION: Keys = &[
    key("rule", Value::Text, "The rule whose failures are covered."),
    key("vulnerability", Value::Text, "The published flaw that is covered."),
    key(
        "package",
        Value::Text,
        "The package whose flaws are covered; * is any run of characters, ? any one.",
    ),
    key("subject", Value::Text, "The name or id of what it is about, as a pattern."),
    mandatory("owner", Value::Text, "Who answers for it."),
    mandatory("reason", Value::Text, "Why it is acceptable."),
    mandatory("expires", Value::Day, "The last day on which it holds."),
];

pub(crate) const CONNECTION: Keys = &[
    mandatory("from", Value::Text, "Who connects, as a pattern."),
    mandatory("to", Value::Text, "To whom, as a pattern."),
    key("port", Value::Number(u16::MAX as u32), "Port of the listener; without it, any."),
    mandatory("reason", Value::Text, "Why."),
];

pub(crate) const TRUST: Keys = &[
    mandatory(
        "repository",
        Value::Text,
        "Registry and repository in full, as a pattern. The most specific one decides.",
    ),
    key("signers", Value::Tables(SIGNER), "Who may vouch, each by one method."),
    key(
        "require",
        Value::OneOf(&["all", "any"]),
        "Whether every signer must vouch, or one of them is enough.",
    ),
    key(
        "digest-only",
        Value::Flag,
        "Whether images must be named by digest; without signers the digest is enough.",
    ),
    key(
        "max-age-days",
        Value::Number(MOST_DAYS),
        "How old the signature, or an image that tells no time of signing, may be.",
    ),
    key(
        "rollback-guard",
        Value::Flag,
        "Whether a tag may not go back behind what was accepted for it before.",
    ),
    key(
        "attestations",
        Value::Texts,
        "Statements about the image that a cosign or keyless signer must have signed: slsa-provenance, \
         slsa-verification-summary, sbom, spdx, cyclonedx, vex, or the whole URI of a predicate type.",
    ),
    key("builder", Value::Text, "What must have built the image, by the SLSA provenance that is demanded."),
];

pub(crate) const SIGNER: Keys = &[
    mandatory("method", Value::OneOf(&["dct", "cosign", "keyless", "notation"]), "How the signer vouches."),
    key(
        "pins",
        Value::Texts,
        "dct: ids of root keys, of which one must be the repository's. Without them, `plimsoll trust pin` decides.",
    ),
    key("trust-on-first-use", Value::Flag, "dct: whether the first root that a server shows is believed."),
    key(
        "keys",
        Value::Texts,
        "cosign: files of public keys, of which one must have signed; relative to this file.",
    ),
    key("identity", Value::Text, "keyless: whom the certificate must name."),
    key("issuer", Value::Text, "keyless: who must have told the certificate's authority who that is."),
    key(
        "trusted-root",
        Value::Text,
        "keyless: the file of trusted authorities and logs (trusted_root.json); relative to this file.",
    ),
    key(
        "directory",
        Value::Text,
        "notation: the directory of its trust policy and trust store; relative to this file. Without it, Notation's own.",
    ),
];
