//! cosign's signatures (sigstore): bundles beside the image, and the older tag `sha256-….sig`.
//!
//! The keys or identities are those that whoever asks names: no key, hint, certificate or log entry that comes with a
//! signature makes it trusted.
//! What is signed is looked at only after the signature holds, and counts only where it is of the right kind and names
//! exactly the digest in question.

mod attest;
mod built;
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

pub use attest::{Attestations, LeftOut};
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

    /// The same, with what is said about the image.
    pub fn judge_with_attestations(&self, image: &Image) -> Authenticity {
        // A name that is asked about twice could mean something else the second time.
        let repository = plimsoll_registry::Repository::open(&image.name, &self.registry);
        let digests = repository.map_err(Into::into).and_then(|repository| image.digests(&repository));
        let image = match digests {
            Ok(here) => &Image { here, ..image.clone() },
            Err(refusal) => return authenticity(image, Err(refusal)),
        };
        let mut found = self.judge(image);
        match self.attestations(image) {
            Ok(said) => {
                found.attestations = said.found.into_iter().map(Into::into).collect();
                let told = |left_out: &LeftOut| format!("an attestation does not count: {}", left_out.why);
                found.notes.extend(said.left_out.iter().map(told));
            }
            Err(refusal) => found.notes.push(format!("the attestations are not known: {refusal}")),
        }
        found
    }

    /// Whether one of the keys or identities signed exactly these bytes.
    ///
    /// # Errors
    /// Why nobody vouches for it.
    pub fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        image.verify(&self.registry, |repository, digest| self.verify_digest(image, repository, digest))
    }

    /// Whether somebody vouches for a digest, directly or by way of what its builder put beside it.
    fn verify_digest(
        &self,
        image: &Image,
        repository: &plimsoll_registry::Repository,
        digest: &ImageDigest,
    ) -> Result<Verified<ImageDigest>, Refusal> {
        let refusal = match self.direct(image, repository, digest) {
            Err(refusal) if refusal.kind != RefusalKind::Unavailable => refusal,
            other => return other,
        };
        match self.by_build(image, repository, digest) {
            Ok(None) => Err(refusal),
            Ok(Some(makers)) => {
                let note = "what is signed is how it was built, in a manifest beside it that names it";
                let signed = Signed { makers, note: Some(note.to_owned()) };
                Ok(vouched(digest, &name(image), signed))
            }
            Err(other) => Err(worst(vec![refusal, other])),
        }
    }

    /// Whether somebody signed a digest.
    fn direct(
        &self,
        image: &Image,
        repository: &plimsoll_registry::Repository,
        digest: &ImageDigest,
    ) -> Result<Verified<ImageDigest>, Refusal> {
        let name = name(image);
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
                Ok(signed) => match &mut verified {
                    Some(verified) => verified.join(vouched(digest, &name, signed)),
                    none => *none = Some(vouched(digest, &name, signed)),
                },
                Err(refusal) => refusals.push(refusal.at(&place)),
            }
        }
        verified.ok_or_else(|| match refusals.is_empty() {
            true => Refusal::new(RefusalKind::Unsigned, format!("there is no signature of {digest}")),
            false => worst(refusals),
        })
    }
}

fn name(image: &Image) -> String {
    format!("{}/{}", image.name.registry(), image.name.repository())
}

fn vouched(digest: &ImageDigest, name: &str, signed: Signed) -> Verified<ImageDigest> {
    let voucher = Voucher {
        method: TrustMethod::Cosign,
        signers: signed.makers.signers,
        subject: format!("{name}@{digest}"),
        signed_at: signed.makers.signed_at.map(Timestamp::as_second),
        ..Voucher::default()
    };
    let mut verified = Verified::new(digest.clone(), voucher);
    signed.note.into_iter().for_each(|note| verified.note(note));
    verified
}
