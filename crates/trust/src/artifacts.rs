//! What a registry has beside an image: those who may push may add any number of artifacts, of any size.

use plimsoll_registry::{Descriptor, Document, Error, Manifest, Repository};

use crate::{ImageDigest, Refusal, RefusalKind};

/// The most signatures of one image. Past it nothing is verified, rather than a part.
pub(crate) const MAX_SIGNATURES: usize = 32;
/// The largest signature or signed payload, in bytes.
const MAX_SIGNATURE: u64 = 1 << 20;
/// The largest statement about an image, in bytes: some list every file of it.
const MAX_STATEMENT: u64 = 32 << 20;

/// An artifact that refers to an image, or why it could not be got.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// Where it is, for reports.
    pub(crate) place: String,
    /// As it is listed.
    pub(crate) referrer: Descriptor,
    pub(crate) manifest: Result<Manifest, Refusal>,
}

/// The artifacts of the wanted kinds that refer to an image.
///
/// # Errors
/// When that cannot be told. That there is none is an empty list.
pub(crate) fn referring(
    repository: &Repository,
    digest: &ImageDigest,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Artifact>, Refusal> {
    let mut found = Vec::new();
    for referrer in repository.referrers(digest, None)? {
        if !referrer.artifact_type.as_deref().is_some_and(is_wanted) {
            continue;
        }
        if found.len() == MAX_SIGNATURES {
            return Err(too_many());
        }
        let manifest = match manifest(repository, &referrer.digest.to_string()) {
            Ok(Some(manifest))
                if manifest.subject.as_ref().is_none_or(|subject| subject.digest != *digest) =>
            {
                Err(Refusal::new(RefusalKind::BadSignature, "it is about another image"))
            }
            Ok(Some(manifest)) => Ok(manifest),
            Ok(None) => {
                let reason = "the registry lists it and does not have it";
                Err(Refusal::new(RefusalKind::Unavailable, reason))
            }
            Err(refusal) => Err(refusal),
        };
        found.push(Artifact { place: format!("signature {}", referrer.digest), referrer, manifest });
    }
    Ok(found)
}

/// The manifest of an artifact; `None` where the registry does not have it.
pub(crate) fn manifest(repository: &Repository, target: &str) -> Result<Option<Manifest>, Refusal> {
    let document = document(repository, target)?;
    document.map(|document| Manifest::parse(target, &document.bytes)).transpose().map_err(refusal)
}

/// A manifest or an index; `None` where the registry does not have it.
pub(crate) fn document(repository: &Repository, target: &str) -> Result<Option<Document>, Refusal> {
    match repository.manifest(target) {
        Err(Error::NotFound { .. }) => Ok(None),
        other => other.map(Some).map_err(refusal),
    }
}

/// The bytes of a signature.
pub(crate) fn bytes(repository: &Repository, layer: &Descriptor) -> Result<Vec<u8>, Refusal> {
    repository.blob_bytes(layer, MAX_SIGNATURE).map_err(refusal)
}

/// The bytes of a statement, or of what it is signed in.
pub(crate) fn statement(repository: &Repository, layer: &Descriptor) -> Result<Vec<u8>, Refusal> {
    repository.blob_bytes(layer, MAX_STATEMENT).map_err(refusal)
}

pub(crate) fn too_many() -> Refusal {
    let reason = format!("there are more than {MAX_SIGNATURES} signatures, so none is looked at");
    Refusal::new(RefusalKind::Unavailable, reason)
}

/// What is wrong with the bytes of a signature is wrong with the signature.
fn refusal(error: Error) -> Refusal {
    match error {
        Error::Content { .. } => Refusal::new(RefusalKind::BadSignature, error.to_string()),
        other => other.into(),
    }
}
