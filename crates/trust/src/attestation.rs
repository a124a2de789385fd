//! What somebody who is trusted says about an image, beyond vouching for it.

use jiff::Timestamp;
use plimsoll_facts::AttestationKind;

use crate::ImageDigest;

/// A statement about an image (in-toto, "Statement") that somebody trusted signed. Only this crate makes it, after the
/// signature held and the statement named the image. What it says in detail was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    predicate_type: String,
    signers: Vec<String>,
    digest: ImageDigest,
    signed_at: Option<Timestamp>,
}

impl Attestation {
    pub(crate) fn new(
        predicate_type: String,
        digest: ImageDigest,
        signers: Vec<String>,
        signed_at: Option<Timestamp>,
    ) -> Self {
        Self { predicate_type, signers, digest, signed_at }
    }

    /// What kind of statement it is, as it says itself (`https://slsa.dev/provenance/v1`).
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What it is about, where that is known of its type.
    pub fn kind(&self) -> AttestationKind {
        AttestationKind::of(&self.predicate_type)
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
            signed_at: attestation.signed_at.map(Timestamp::as_second),
        }
    }
}
