//! What is said about an image, and what of that a policy may demand.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A statement about an image that somebody trusted signed (in-toto, "Statement").
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Attestation {
    /// What it is about.
    pub kind: AttestationKind,
    /// What kind of statement it is, as it says itself (`https://slsa.dev/provenance/v1`).
    pub predicate_type: String,
    /// Keys or identities that signed it.
    pub signers: Vec<String>,
    /// Digest of the manifest or index that it names.
    pub digest: String,
    /// What built the image, where it is SLSA provenance and says so.
    pub builder: Option<String>,
    /// When it was signed, in seconds since the Unix epoch, where that is known for sure.
    pub signed_at: Option<i64>,
    /// Which demands of the policy it fulfils, as they are written there.
    pub fulfils: Vec<String>,
}

/// What a statement about an image is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AttestationKind {
    /// How it was built.
    SlsaProvenance,
    /// Whether it was built as it should be.
    SlsaVerificationSummary,
    /// What is in it, as SPDX.
    Spdx,
    /// What is in it, as CycloneDX.
    #[serde(rename = "cyclonedx")]
    CycloneDx,
    /// Which flaws it has, or has not (OpenVEX).
    Vex,
    /// Something else.
    #[default]
    Other,
}

impl AttestationKind {
    /// The kind of a predicate type, which ends in a version or not.
    pub fn of(predicate_type: &str) -> Self {
        const KINDS: [(&str, AttestationKind); 5] = [
            ("https://slsa.dev/provenance", AttestationKind::SlsaProvenance),
            ("https://slsa.dev/verification_summary", AttestationKind::SlsaVerificationSummary),
            ("https://spdx.dev/Document", AttestationKind::Spdx),
            ("https://cyclonedx.org/bom", AttestationKind::CycloneDx),
            ("https://openvex.dev/ns", AttestationKind::Vex),
        ];
        let is_of = |base: &str| {
            let rest = predicate_type.strip_prefix(base);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        KINDS.iter().find(|(base, _)| is_of(base)).map_or(Self::Other, |(_, kind)| *kind)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::SlsaProvenance => "SLSA provenance",
            Self::SlsaVerificationSummary => "SLSA verification summary",
            Self::Spdx => "SPDX SBOM",
            Self::CycloneDx => "CycloneDX SBOM",
            Self::Vex => "OpenVEX",
            Self::Other => "statement",
        }
    }
}

/// A statement that a policy demands of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttestationDemand {
    /// One of these kinds, and the word for it.
    Kind(&'static str, &'static [AttestationKind]),
    /// Exactly this predicate type.
    Type(String),
}

/// Words for kinds of statements.
const WORDS: [(&str, &[AttestationKind]); 6] = [
    ("slsa-provenance", &[AttestationKind::SlsaProvenance]),
    ("slsa-verification-summary", &[AttestationKind::SlsaVerificationSummary]),
    ("sbom", &[AttestationKind::Spdx, AttestationKind::CycloneDx]),
    ("spdx", &[AttestationKind::Spdx]),
    ("cyclonedx", &[AttestationKind::CycloneDx]),
    ("vex", &[AttestationKind::Vex]),
];

impl AttestationDemand {
    /// Every word that stands for kinds.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, _)| *word)
    }

    /// The demand of a word, or of a predicate type, which is a URI.
    pub fn parse(text: &str) -> Option<Self> {
        match WORDS.iter().find(|(word, _)| *word == text) {
            Some((word, kinds)) => Some(Self::Kind(word, kinds)),
            None => text.contains(':').then(|| Self::Type(text.to_owned())),
        }
    }

    /// Whether a statement of this type is what is demanded.
    pub fn covers(&self, predicate_type: &str) -> bool {
        match self {
            Self::Kind(_, kinds) => kinds.contains(&AttestationKind::of(predicate_type)),
            Self::Type(exact) => exact == predicate_type,
        }
    }

    /// Whether it is SLSA provenance that is demanded, which names a builder.
    pub fn is_provenance(&self) -> bool {
        match self {
            Self::Kind(_, kinds) => kinds.contains(&AttestationKind::SlsaProvenance),
            Self::Type(exact) => AttestationKind::of(exact) == AttestationKind::SlsaProvenance,
        }
    }
}

impl fmt::Display for AttestationDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(word, _) => f.write_str(word),
            Self::Type(exact) => f.write_str(exact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AttestationDemand;

    #[test]
    fn a_demand_covers_its_kind_or_exactly_its_type() {
        let covers = |demand: &str, kind: &str| AttestationDemand::parse(demand).unwrap().covers(kind);
        for (demand, kind) in [
            ("slsa-provenance", "https://slsa.dev/provenance/v0.2"),
            ("slsa-provenance", "https://slsa.dev/provenance/v1"),
            ("sbom", "https://spdx.dev/Document"),
            ("sbom", "https://cyclonedx.org/bom/v1.6"),
            ("vex", "https://openvex.dev/ns/v0.2.0"),
            ("https://example.org/tests/v1", "https://example.org/tests/v1"),
        ] {
            assert!(covers(demand, kind), "{demand}: {kind}");
        }
        for (demand, kind) in [
            ("slsa-provenance", "https://slsa.dev/provenance-of-another/v1"),
            ("slsa-provenance", "https://slsa.dev/verification_summary/v1"),
            ("spdx", "https://cyclonedx.org/bom"),
            ("vex", "https://openvex.dev/nsx"),
            ("https://example.org/tests/v1", "https://example.org/tests/v1.1"),
            ("https://example.org/tests/v1", "https://example.org/tests/v1/"),
            ("https://example.org/tests/v1", "HTTPS://example.org/tests/v1"),
        ] {
            assert!(!covers(demand, kind), "{demand}: {kind}");
        }
        assert_eq!(AttestationDemand::parse("provenance"), None);
    }
}
