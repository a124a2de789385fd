//! What somebody who is trusted says about an image, beyond vouching for it.

use jiff::Timestamp;
use plimsoll_facts::AttestationKind;

use crate::ImageDigest;

/// A statement about an image (in-toto, "Statement") that somebody trusted signed. Only this crate makes it, after the
/// signature held and the statement named the image. Of what it says only what built the image was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    pub(crate) predicate_type: String,
    pub(crate) builder: Option<String>,
    pub(crate) signers: Vec<String>,
    pub(crate) digest: ImageDigest,
    pub(crate) signed_at: Option<Timestamp>,
}

impl Attestation {
    /// What kind of statement it is, as it says itself (`https://slsa.dev/provenance/v1`).
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What it is about, where that is known of its type.
    pub fn kind(&self) -> AttestationKind {
        AttestationKind::of(&self.predicate_type)
    }

    /// What built the image, where it is SLSA provenance and says so.
    pub fn builder(&self) -> Option<&str> {
        self.builder.as_deref()
    }

    /// Keys or identities that signed it; at least one.
    pub fn signers(&self) -> &[String] {
        &self.signers
    }

    /// The manifest or index that it names: the one that was asked about, or an image in that index.
    pub fn digest(&self) -> &ImageDigest {
        &self.digest
    }
}

impl From<Attestation> for plimsoll_facts::Attestation {
    fn from(attestation: Attestation) -> Self {
        Self {
            kind: attestation.kind(),
            predicate_type: attestation.predicate_type,
            signers: attestation.signers,
            digest: attestation.digest.to_string(),
            builder: attestation.builder,
            signed_at: attestation.signed_at.map(Timestamp::as_second),
            fulfils: Vec::new(),
        }
    }
}
