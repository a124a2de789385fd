//! cosign's signatures with a key (sigstore): bundles beside the image, and the older tag `sha256-….sig`.
//!
//! The keys are those that whoever asks names: no key, hint or log entry that comes with a signature makes it trusted.
//! What is signed is looked at only after the signature holds, and counts only where it is of the right kind and names
//! exactly the digest in question.

mod bundle;
mod collect;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod key;
mod simple;

use plimsoll_facts::{Authenticity, TrustMethod, Voucher};
use plimsoll_registry::Options;

pub use key::{CosignKey, CosignKeyError};

use crate::outcome::{authenticity, worst};
use crate::{Image, ImageDigest, Refusal, RefusalKind, Verified};

use collect::{Candidate, Signature, collect};

/// Verifies images by keys. May be used by several threads.
pub struct Cosign {
    keys: Vec<CosignKey>,
    registry: Options,
}

/// What one signature must be about.
pub(crate) struct Subject<'a> {
    pub(crate) digest: &'a ImageDigest,
    /// Registry and repository.
    pub(crate) repository: &'a str,
    /// Gets the manifest itself, which only signatures over it alone need.
    pub(crate) manifest: &'a dyn Fn() -> Result<Vec<u8>, Refusal>,
}

/// Who made a signature, and what is odd about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) signers: Vec<String>,
    pub(crate) note: Option<String>,
}

impl Cosign {
    /// A verifier that trusts these keys, and whatever one of them signed.
    pub fn new(keys: Vec<CosignKey>, registry: Options) -> Self {
        Self { keys, registry }
    }

    /// What comes out for an image, in the words of facts.
    pub fn judge(&self, image: &Image) -> Authenticity {
        authenticity(image, self.verify(image))
    }

    /// Whether one of the keys signed exactly these bytes.
    ///
    /// # Errors
    /// Why nobody vouches for it.
    pub fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        let repository = plimsoll_registry::Repository::open(&image.name, &self.registry)?;
        let mut refusals = Vec::new();
        for digest in image.digests(&repository)? {
            match self.verify_digest(image, &repository, &digest) {
                Ok(verified) => return Ok(verified),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(worst(refusals))
    }

    fn verify_digest(
        &self,
        image: &Image,
        repository: &plimsoll_registry::Repository,
        digest: &ImageDigest,
    ) -> Result<Verified<ImageDigest>, Refusal> {
        let name = format!("{}/{}", image.name.registry(), image.name.repository());
        let manifest = || Ok(repository.manifest(&digest.to_string())?.bytes);
        let subject = Subject { digest, repository: &name, manifest: &manifest };
        let mut verified: Option<Verified<ImageDigest>> = None;
        let mut refusals = Vec::new();
        for Candidate { place, signature } in collect(repository, digest)? {
            let signed = signature.and_then(|signature| match signature {
                Signature::Simple { payload, signature } => {
                    simple::verify(&payload, &signature, &subject, &self.keys)
                }
                Signature::Bundle(json) => bundle::verify(&json, &subject, &self.keys),
            });
            match signed {
                Ok(signed) => add(&mut verified, digest, &name, signed),
                Err(refusal) => refusals.push(refusal.at(&place)),
            }
        }
        verified.ok_or_else(|| match refusals.is_empty() {
            true => Refusal::new(RefusalKind::Unsigned, format!("there is no signature of {digest}")),
            false => worst(refusals),
        })
    }
}

fn add(verified: &mut Option<Verified<ImageDigest>>, digest: &ImageDigest, name: &str, signed: Signed) {
    let voucher = Voucher {
        method: TrustMethod::Cosign,
        signers: signed.signers,
        subject: format!("{name}@{digest}"),
        ..Voucher::default()
    };
    let verified = match verified {
        Some(verified) => {
            verified.add(voucher);
            verified
        }
        none => none.insert(Verified::new(digest.clone(), voucher)),
    };
    if let Some(note) = signed.note {
        verified.note(note);
    }
}

/// The keys that made a signature over a message.
fn signers(keys: &[CosignKey], message: &[u8], signature: &[u8]) -> Vec<String> {
    keys.iter().filter(|key| key.made(message, signature)).map(|key| key.name().to_owned()).collect()
}

fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::BadSignature, reason)
}
