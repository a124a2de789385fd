//! cosign's signatures (sigstore): bundles beside the image, and the older tag `sha256-….sig`.
//!
//! The keys or identities are those that whoever asks names: no key, hint, certificate or log entry that comes with a
//! signature makes it trusted.
//! What is signed is looked at only after the signature holds, and counts only where it is of the right kind and names
//! exactly the digest in question.

mod bundle;
mod collect;
mod dsse;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod key;
mod signers;
mod simple;
mod statement;

use jiff::Timestamp;
use plimsoll_facts::{Authenticity, TrustMethod, Voucher};
use plimsoll_registry::Options;

pub use key::{CosignKey, CosignKeyError};

use crate::outcome::{authenticity, worst};
use crate::{Image, ImageDigest, Keyless, Refusal, RefusalKind, Verified};

use collect::{Candidate, Signature, collect};
use signers::{Makers, Signers};

/// Verifies images. May be used by several threads.
pub struct Cosign {
    signers: Signers,
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
struct Signed {
    makers: Makers,
    note: Option<String>,
}

impl Cosign {
    /// A verifier that trusts these keys, and whatever one of them signed.
    pub fn new(keys: Vec<CosignKey>, registry: Options) -> Self {
        Self { signers: Signers::Keys(keys), registry }
    }

    /// A verifier that trusts identities by their certificates, and whatever one of them signed.
    pub fn keyless(keyless: Keyless, registry: Options) -> Self {
        Self { signers: Signers::Keyless(keyless), registry }
    }

    /// What comes out for an image, in the words of facts.
    pub fn judge(&self, image: &Image) -> Authenticity {
        authenticity(image, self.verify(image))
    }

    /// Whether one of the keys or identities signed exactly these bytes.
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
                Signature::Simple(simple) => simple::verify(&simple, &subject, &self.signers),
                Signature::Bundle(json) => bundle::verify(&json, &subject, &self.signers),
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
        signers: signed.makers.signers,
        subject: format!("{name}@{digest}"),
        signed_at: signed.makers.signed_at.map(Timestamp::as_second),
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
