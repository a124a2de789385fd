//! Signatures of cosign that a registry has of one image.

use plimsoll_registry::{Descriptor, Manifest, Repository};

use crate::artifacts::{self, Artifact, MAX_SIGNATURES};
use crate::outcome::bad;
use crate::{ImageDigest, Refusal};

/// What kind of artifact a bundle is, before its version.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// What kind of artifact the older form is beside an image (OCI 1.1).
const SIGNATURES: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// Media type of a payload of the older form.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where a payload's signature is, and what tells who made it and when.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// One signature, or why it could not be got.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Where it is, for reports.
    pub(super) place: String,
    pub(super) signature: Result<Signature, Refusal>,
}

/// A signature, nothing of it verified but its digest.
#[derive(Debug)]
pub(super) enum Signature {
    Simple(Simple),
    Bundle(Vec<u8>),
}

/// A payload, and what is beside it.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) payload: Vec<u8>,
    /// In base64; empty where it is in the payload.
    pub(super) signature: String,
    /// In PEM.
    pub(super) certificate: Option<String>,
    /// Of a log, in JSON.
    pub(super) entry: Option<String>,
    /// In JSON.
    pub(super) timestamp: Option<String>,
}

/// Every signature that a registry has of an image.
///
/// # Errors
/// When that cannot be told. That there is none is an empty list.
pub(super) fn collect(repository: &Repository, digest: &ImageDigest) -> Result<Vec<Candidate>, Refusal> {
    let mut found = Vec::new();
    let is_wanted = |kind: &str| kind == SIGNATURES || kind.starts_with(BUNDLE);
    for Artifact { place, manifest, .. } in artifacts::referring(repository, digest, &is_wanted)? {
        match manifest {
            Ok(manifest) => add_layers(repository, &place, &manifest, &mut found)?,
            Err(refusal) => push(&mut found, &place, Err(refusal))?,
        }
    }
    // cosign names the tag after digests of SHA-256 only.
    let tag = format!("{}-{}.sig", digest.algorithm(), digest.sum());
    if digest.algorithm() == "sha256"
        && let Some(manifest) = artifacts::manifest(repository, &tag)?
    {
        add_layers(repository, &format!("signature in tag {tag}"), &manifest, &mut found)?;
    }
    Ok(found)
}

/// Each layer of such an artifact is a signature.
fn add_layers(
    repository: &Repository,
    place: &str,
    manifest: &Manifest,
    found: &mut Vec<Candidate>,
) -> Result<(), Refusal> {
    for layer in &manifest.layers {
        if layer.media_type == SIMPLE_SIGNING || layer.media_type.starts_with(BUNDLE) {
            push(found, place, signature(repository, layer))?;
        }
    }
    Ok(())
}

fn signature(repository: &Repository, layer: &Descriptor) -> Result<Signature, Refusal> {
    if layer.media_type != SIMPLE_SIGNING {
        return Ok(Signature::Bundle(artifacts::bytes(repository, layer)?));
    }
    let simple = Simple::beside(layer, artifacts::bytes(repository, layer)?);
    match simple.signature.is_empty() {
        true => Err(bad("a payload without a signature")),
        false => Ok(Signature::Simple(simple)),
    }
}

impl Simple {
    /// A payload, with what its layer has beside it.
    pub(super) fn beside(layer: &Descriptor, payload: Vec<u8>) -> Self {
        let beside = |name: &str| layer.annotations.get(name).filter(|text| !text.is_empty()).cloned();
        Self {
            payload,
            signature: beside(SIGNATURE).unwrap_or_default(),
            certificate: beside(CERTIFICATE),
            entry: beside(ENTRY),
            timestamp: beside(TIMESTAMP),
        }
    }
}

fn push(
    found: &mut Vec<Candidate>,
    place: &str,
    signature: Result<Signature, Refusal>,
) -> Result<(), Refusal> {
    if found.len() == MAX_SIGNATURES {
        return Err(artifacts::too_many());
    }
    found.push(Candidate { place: place.to_owned(), signature });
    Ok(())
}
