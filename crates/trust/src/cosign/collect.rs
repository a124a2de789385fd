//! Signatures that a registry has of one image: those who may push may add any number of them, of any size.

use plimsoll_registry::{Descriptor, Error, Manifest, Repository};

use super::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// The most signatures of one image. Past it nothing is verified, rather than a part.
const MAX_SIGNATURES: usize = 32;
/// The largest signature or signed payload, in bytes.
const MAX_SIGNATURE: u64 = 1 << 20;
/// What kind of artifact a bundle is, before its version.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// What kind of artifact the older form is beside an image (OCI 1.1).
const SIGNATURES: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
/// Media type of a payload of the older form.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Where a payload's signature is.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// One signature, or why it could not be got.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Where it is, for reports.
    pub(crate) place: String,
    pub(crate) signature: Result<Signature, Refusal>,
}

/// A signature, nothing of it verified but its digest.
#[derive(Debug)]
pub(crate) enum Signature {
    /// A payload, and the signature over it in base64.
    Simple { payload: Vec<u8>, signature: String },
    /// A bundle.
    Bundle(Vec<u8>),
}

/// Every signature that a registry has of an image.
///
/// # Errors
/// When that cannot be told. That there is none is an empty list.
pub(crate) fn collect(repository: &Repository, digest: &ImageDigest) -> Result<Vec<Candidate>, Refusal> {
    let mut found = Vec::new();
    for referrer in repository.referrers(digest, None)? {
        let kind = referrer.artifact_type.as_deref().unwrap_or_default();
        if kind != SIGNATURES && !kind.starts_with(BUNDLE) {
            continue;
        }
        let place = format!("signature {}", referrer.digest);
        match manifest(repository, &referrer.digest.to_string()) {
            Ok(Some(manifest))
                if manifest.subject.as_ref().is_none_or(|subject| subject.digest != *digest) =>
            {
                push(&mut found, &place, Err(bad("it is about another image")))?;
            }
            Ok(Some(manifest)) => add_layers(repository, &place, &manifest, &mut found)?,
            Ok(None) => {
                let reason = "the registry lists it and does not have it";
                push(&mut found, &place, Err(Refusal::new(RefusalKind::Unavailable, reason)))?;
            }
            Err(refusal) => push(&mut found, &place, Err(refusal))?,
        }
    }
    // cosign names the tag after digests of SHA-256 only.
    let tag = format!("{}-{}.sig", digest.algorithm(), digest.sum());
    if digest.algorithm() == "sha256"
        && let Some(manifest) = manifest(repository, &tag)?
    {
        add_layers(repository, &format!("signature in tag {tag}"), &manifest, &mut found)?;
    }
    Ok(found)
}

fn manifest(repository: &Repository, target: &str) -> Result<Option<Manifest>, Refusal> {
    let document = match repository.manifest(target) {
        Err(Error::NotFound { .. }) => return Ok(None),
        other => other.map_err(refusal)?,
    };
    Manifest::parse(target, &document.bytes).map(Some).map_err(refusal)
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
    let bytes = || repository.blob_bytes(layer, MAX_SIGNATURE).map_err(refusal);
    if layer.media_type != SIMPLE_SIGNING {
        return Ok(Signature::Bundle(bytes()?));
    }
    let signature = layer.annotations.get(SIGNATURE).ok_or_else(|| bad("a payload without a signature"))?;
    Ok(Signature::Simple { payload: bytes()?, signature: signature.clone() })
}

fn push(
    found: &mut Vec<Candidate>,
    place: &str,
    signature: Result<Signature, Refusal>,
) -> Result<(), Refusal> {
    if found.len() == MAX_SIGNATURES {
        let reason = format!("there are more than {MAX_SIGNATURES} signatures, so none is looked at");
        return Err(Refusal::new(RefusalKind::Unavailable, reason));
    }
    found.push(Candidate { place: place.to_owned(), signature });
    Ok(())
}

/// What is wrong with the bytes of a signature is wrong with the signature.
fn refusal(error: Error) -> Refusal {
    match error {
        Error::Content { .. } => bad(error.to_string()),
        other => other.into(),
    }
}
