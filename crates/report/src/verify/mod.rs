//! What a verification found: who vouches for which image, or why nobody does.

pub mod json;
pub mod sarif;
pub mod terminal;

use std::borrow::Cow;

use plimsoll_facts::{Attestation, Authenticity, TrustMethod, TrustOutcome, Voucher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Tool, words};

/// Version of the document that this build writes.
pub const VERIFY_SCHEMA: &str = "plimsoll.verify/1";

/// One verification of one or several images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Always [`VERIFY_SCHEMA`].
    pub schema: Cow<'static, str>,
    /// What verified.
    pub tool: Tool,
    /// When, RFC 3339, UTC.
    pub verified_at: String,
    /// What was asked about, in the order of the question.
    pub subjects: Vec<VerifiedSubject>,
}

/// An image, or a container or service that runs from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedSubject {
    /// What it is.
    pub kind: VerifiedKind,
    /// Its name.
    pub name: String,
    /// What came out.
    #[serde(flatten)]
    pub authenticity: Authenticity,
}

/// What was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerifiedKind {
    /// An image, of the engine or of a registry.
    Image,
    /// A container, by what it runs from.
    Container,
    /// A service of a compose file.
    Service,
}

impl VerifiedKind {
    /// The identifier, as in JSON.
    pub fn id(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Service => "service",
        }
    }
}

impl Verification {
    /// A verification of nothing yet.
    pub fn new(verified_at: String, subjects: Vec<VerifiedSubject>) -> Self {
        Self { schema: Cow::Borrowed(VERIFY_SCHEMA), tool: Tool::default(), verified_at, subjects }
    }

    /// Whether nobody vouches for something.
    pub fn has_findings(&self) -> bool {
        self.outcomes().any(|outcome| outcome != TrustOutcome::Verified && !outcome.is_unknown())
    }

    /// Whether it could not be found out for something.
    pub fn has_unknown(&self) -> bool {
        self.outcomes().any(TrustOutcome::is_unknown)
    }

    fn outcomes(&self) -> impl Iterator<Item = TrustOutcome> {
        self.subjects.iter().map(|subject| subject.authenticity.outcome)
    }

    /// `3 images and containers: 1 verified, 2 unsigned`.
    fn summary(&self) -> String {
        let mut counts = std::collections::BTreeMap::new();
        self.outcomes().for_each(|outcome| *counts.entry(outcome).or_insert(0_usize) += 1);
        let counts: Vec<_> =
            counts.iter().map(|(outcome, count)| format!("{count} {}", outcome.id())).collect();
        format!("{}: {}", words::count(self.subjects.len(), "subject"), counts.join(", "))
    }
}

/// `attested: SLSA provenance (https://slsa.dev/provenance/v1) signed by NAME on 2026-11-24, built by BUILDER, as the policy
/// demands (slsa-provenance)`.
fn attestation(attestation: &Attestation) -> String {
    let at = attestation.signed_at.map_or(String::new(), |at| format!(" on {}", words::day(at)));
    let built = attestation.builder.as_ref().map_or(String::new(), |builder| format!(", built by {builder}"));
    let demanded = match attestation.fulfils.as_slice() {
        [] => String::new(),
        demands => format!(", as the policy demands ({})", demands.join(", ")),
    };
    let (kind, signers) = (attestation.kind.title(), attestation.signers.join(", "));
    format!("attested: {kind} ({}) signed by {signers}{at}{built}{demanded}", attestation.predicate_type)
}

/// `signed by KEY in the role targets, holds until 2026-12-08`.
fn voucher(voucher: &Voucher) -> String {
    // Of an id of a key its beginning is enough; other names are told whole.
    let is_id = |signer: &str| signer.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short = |signer: &String| signer.chars().take(if is_id(signer) { 16 } else { usize::MAX }).collect();
    let keys: Vec<String> = voucher.signers.iter().map(short).collect();
    let role = voucher.role.as_ref().map_or(String::new(), |role| format!(" ({role})"));
    let at = voucher.signed_at.map_or(String::new(), |at| format!(" on {}", words::day(at)));
    let expires = voucher.expires.map_or(String::new(), |at| format!(", holds until {}", words::day(at)));
    let stale = voucher.stale_since.map_or(String::new(), |at| {
        format!("; stale: the server could not be reached, this is what it said on {}", words::day(at))
    });
    let method = voucher.method.id();
    if voucher.method == TrustMethod::Digest {
        return format!("{method}: {} is named by digest, which is enough", voucher.subject);
    }
    format!("{method}: {} is signed by {}{role}{at}{expires}{stale}", voucher.subject, keys.join(", "))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Attestation, AttestationKind};

    use super::attestation;

    #[test]
    fn an_attestation_names_who_signed_it_and_what_it_fulfils() {
        let found = Attestation {
            kind: AttestationKind::SlsaProvenance,
            predicate_type: "https://slsa.dev/provenance/v1".to_owned(),
            signers: vec!["release.pub".to_owned()],
            builder: Some("https://ci.example.org".to_owned()),
            signed_at: Some(1_795_478_400),
            fulfils: vec!["slsa-provenance".to_owned()],
            ..Attestation::default()
        };
        assert_eq!(
            attestation(&found),
            "attested: SLSA provenance (https://slsa.dev/provenance/v1) signed by release.pub on 2026-11-24, built by \
             https://ci.example.org, as the policy demands (slsa-provenance)"
        );
    }
}
