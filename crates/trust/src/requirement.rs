//! What the owner of a host demands of an image: who must vouch for it, how old that may be, what must be said about it,
//! and that no tag goes back.

use jiff::{SignedDuration, Timestamp};
use plimsoll_facts::{Authenticity, TrustMethod, Voucher};
use plimsoll_registry::{Options, Platform, Repository};
use serde::Deserialize;

use crate::image::DEFAULT_TAG;
use crate::outcome::{authenticity, together};
use crate::store::AcceptedTag;
use crate::{
    Attestations, ContentTrust, Cosign, Demands, Image, ImageDigest, Notation, Refusal, RefusalKind, Store,
    Verified,
};

/// Clocks of signers may be ahead by so much.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(10);

/// Somebody who can tell who vouches for an image, by one method.
pub trait Verifier: Send + Sync {
    /// By which.
    fn method(&self) -> TrustMethod;

    /// Whether somebody trusted vouches for exactly these bytes.
    ///
    /// # Errors
    /// Why nobody does.
    fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal>;

    /// Every statement about an image that somebody trusted signed; `None` where the method has no such.
    fn attestations(&self, _image: &Image) -> Option<Result<Attestations, Refusal>> {
        None
    }
}

/// What is demanded of images. May be used by several threads.
pub struct Requirement {
    /// Who may vouch. None is enough only for what is named by digest, where that is demanded.
    pub signers: Vec<Box<dyn Verifier>>,
    /// Whether every signer must vouch, or one is enough.
    pub all: bool,
    /// Whether images must be named by digest.
    pub digest_only: bool,
    /// How old a signature may be; where it tells no time, the image.
    pub max_age: Option<SignedDuration>,
    /// What must be said about the image, by any of the signers.
    pub demands: Demands,
    /// Where it is remembered what was accepted for a tag, so that it cannot go back.
    pub guard: Option<Store>,
    /// How registries are spoken to.
    pub registry: Options,
    /// The time.
    pub now: Timestamp,
}

impl Requirement {
    /// What comes out for an image, in the words of facts.
    pub fn judge(&self, image: &Image) -> Authenticity {
        authenticity(image, self.verify(image))
    }

    /// Whether an image meets everything that is demanded. Its name is resolved once; every signer is asked about the
    /// same digest.
    ///
    /// # Errors
    /// What it does not meet.
    pub fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        if self.digest_only && image.name.digest().is_none() {
            let reason = "the policy admits only images that are named by digest";
            return Err(Refusal::new(RefusalKind::Denied, reason));
        }
        image.verify(&self.registry, |repository, digest| {
            self.verify_digest(image, repository, digest.clone())
        })
    }

    fn verify_digest(
        &self,
        image: &Image,
        repository: &Repository,
        digest: ImageDigest,
    ) -> Result<Verified<ImageDigest>, Refusal> {
        let asked = Image { name: image.name.clone(), here: vec![digest.clone()] };
        let mut verified = self.vouched(&asked)?;
        let time = || self.time(repository, &verified);
        if let Some(bound) = self.max_age {
            let time = time()?;
            if self.now.duration_since(time) > bound {
                let reason = format!(
                    "it is of {time}, and the policy admits nothing that is older than {} days",
                    bound.as_hours() / 24
                );
                return Err(Refusal::new(RefusalKind::Stale, reason));
            }
        }
        let attestations = self.demands.require(&asked, &digest, &self.signers)?;
        if let (Some(store), None) = (&self.guard, image.name.digest()) {
            self.require_no_rollback(store, image, digest, time)?;
        }
        verified.attest(attestations);
        Ok(verified)
    }

    /// Asks the signers.
    fn vouched(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        let mut found: Option<Verified<ImageDigest>> = None;
        let mut refusals = Vec::new();
        for signer in &self.signers {
            match (signer.verify(image), &mut found) {
                (Ok(verified), Some(found)) => found.join(verified),
                (Ok(verified), none) => *none = Some(verified),
                (Err(refusal), _) => refusals.push(refusal.at(signer.method().id())),
            }
            if found.is_some() && !self.all {
                break;
            }
        }
        if self.signers.is_empty() && self.digest_only {
            found = by_name(image);
        }
        match found {
            Some(verified) if !self.all => Ok(refusals.iter().fold(verified, |mut verified, refusal| {
                verified.note(format!("does not vouch for it: {refusal}"));
                verified
            })),
            Some(verified) if refusals.is_empty() => Ok(verified),
            _ => Err(together(refusals)),
        }
    }

    /// When it was signed, as far as its signers tell; else when the image says that it was made, which the verified
    /// digest covers.
    fn time(&self, repository: &Repository, verified: &Verified<ImageDigest>) -> Result<Timestamp, Refusal> {
        #[derive(Deserialize)]
        struct Config {
            created: Option<Timestamp>,
        }
        let unknown = |why: &str| {
            Refusal::new(RefusalKind::Unavailable, format!("how old it is cannot be told: {why}"))
        };
        let signed = verified.vouchers().iter().filter_map(|voucher| voucher.signed_at).max();
        let time = match signed.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(time) => time,
            None => {
                let image = repository.image(&verified.get().to_string(), &Platform::of_this_host());
                let config = serde_json::from_slice::<Config>(
                    &image.map_err(|error| unknown(&error.to_string()))?.config,
                );
                let created = config.map_err(|error| unknown(&error.to_string()))?.created;
                created.ok_or_else(|| unknown("neither a signature nor the image tells a time"))?
            }
        };
        match time.duration_since(self.now) > CLOCKS_DIFFER {
            true => Err(unknown(&format!("it says {time}, and here it is {}: a clock is off", self.now))),
            false => Ok(time),
        }
    }

    /// Holds the digest of a tag against the one that was accepted last, and remembers it.
    fn require_no_rollback(
        &self,
        store: &Store,
        image: &Image,
        digest: ImageDigest,
        time: impl Fn() -> Result<Timestamp, Refusal>,
    ) -> Result<(), Refusal> {
        let tag = image.name.tag().unwrap_or(DEFAULT_TAG);
        let mut held =
            store.hold_accepted(&format!("{}/{}", image.name.registry(), image.name.repository()))?;
        let mut accepted = held.state().cloned().unwrap_or_default();
        let known = accepted.tags.get(tag);
        if known.is_some_and(|known| known.digest == digest.to_string()) {
            return Ok(());
        }
        let time = time()?;
        if let Some(known) = known.filter(|known| time <= known.time) {
            let before = format!(
                "{} of {} was accepted for the tag {tag:?} on {}",
                known.digest, known.time, known.at
            );
            return Err(match time < known.time {
                true => Refusal::new(RefusalKind::Stale, format!("it is of {time}: {before}")),
                false => {
                    let reason = format!("which is newer cannot be told, both are of {time}: {before}");
                    Refusal::new(RefusalKind::Unavailable, reason)
                }
            });
        }
        accepted.tags.insert(tag.to_owned(), AcceptedTag { digest: digest.to_string(), time, at: self.now });
        Ok(held.keep(accepted)?)
    }
}

/// What the name alone vouches for: the digest that whoever wrote it put there.
fn by_name(image: &Image) -> Option<Verified<ImageDigest>> {
    let digest = image.name.digest()?;
    let voucher =
        Voucher { method: TrustMethod::Digest, subject: image.name.to_string(), ..Voucher::default() };
    Some(Verified::new(digest.clone(), voucher))
}

impl Verifier for Cosign {
    fn method(&self) -> TrustMethod {
        TrustMethod::Cosign
    }

    fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        Self::verify(self, image)
    }

    fn attestations(&self, image: &Image) -> Option<Result<Attestations, Refusal>> {
        Some(Self::attestations(self, image))
    }
}

macro_rules! verifier {
    ($type:ty, $method:expr) => {
        impl Verifier for $type {
            fn method(&self) -> TrustMethod {
                $method
            }

            fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
                Self::verify(self, image)
            }
        }
    };
}

verifier!(ContentTrust, TrustMethod::ContentTrust);
verifier!(Notation, TrustMethod::Notation);
