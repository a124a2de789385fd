//! Notation's signatures (Notary Project specifications 1.1), by Notation's own trust policy and trust store.
//!
//! What is verified is what the level `strict` asks for, whatever the policy says: integrity, a chain of certificates to a
//! root of the named stores that holds now, or when an authority that is trusted says it signed, the identity, and the
//! expiry. What the policy says of revocation is kept to, because that needs others to answer.

mod chain;
mod cose;
mod countersignature;
mod envelope;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod identity;
mod jws;
mod policy;
mod revocation;
mod store;

use std::path::PathBuf;

use jiff::Timestamp;
use plimsoll_facts::{Authenticity, TrustMethod, Voucher};
use plimsoll_registry::{Options, Repository};

use self::envelope::Asked;
use self::policy::Policy;
use self::revocation::Revocation;
use crate::artifacts::{self, Artifact, MAX_SIGNATURES};
use crate::outcome::{authenticity, worst};
use crate::{Image, ImageDigest, Refusal, RefusalKind, Verified};

/// What kind of artifact a signature is.
const ARTIFACT: &str = "application/vnd.cncf.notary.signature";
/// Media types of the envelopes.
const JWS: &str = "application/jose+json";
const COSE: &str = "application/cose";

/// Verifies images. May be used by several threads.
pub struct Notation {
    directory: PathBuf,
    policy: Policy,
    revocation: Revocation,
    registry: Options,
    now: Timestamp,
}

impl Notation {
    /// A verifier by the policy and the trust store in Notation's directory (`~/.config/notation`). Lists of revoked
    /// certificates are looked for in its cache (`~/.cache/notation/crl`) first, if one is named.
    ///
    /// # Errors
    /// A sentence that names the file that cannot be used.
    pub fn open(
        directory: PathBuf,
        cache: Option<PathBuf>,
        registry: Options,
        now: Timestamp,
    ) -> Result<Self, String> {
        let policy = Policy::read(&directory)?;
        let revocation = Revocation::new(cache, registry.clone(), now);
        Ok(Self { directory, policy, revocation, registry, now })
    }

    /// What comes out for an image, in the words of facts.
    pub fn judge(&self, image: &Image) -> Authenticity {
        authenticity(image, self.verify(image))
    }

    /// Whether somebody whom the policy trusts signed exactly these bytes.
    ///
    /// # Errors
    /// Why nobody vouches for it.
    pub fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        let name = format!("{}/{}", image.name.registry(), image.name.repository());
        let statement = self.policy.of(&name)?;
        let roots = |kind| {
            store::roots(&self.directory, &statement.trust_stores, kind)
                .map_err(|why| Refusal::new(RefusalKind::Unavailable, why))
        };
        let (signers, authorities) = (roots(store::OF_SIGNERS)?, roots(store::OF_AUTHORITIES)?);
        let stampers = roots(store::OF_TIMESTAMPS)?;
        image.verify(&self.registry, |repository, digest| {
            let asked = Asked {
                digest,
                roots: &signers,
                authority_roots: &authorities,
                timestamp_roots: &stampers,
                timestamps: statement.timestamps(),
                identities: &statement.trusted_identities,
                revocation: &self.revocation,
                if_revoked: statement.revocation(),
                now: self.now,
            };
            let mut verified = verify_digest(repository, &name, &asked)?;
            if let Some(level) = statement.weaker_level() {
                verified.note(format!("the trust policy {:?} asks for less: {level}", statement.name));
            }
            Ok(verified)
        })
    }
}

fn verify_digest(
    repository: &Repository,
    name: &str,
    asked: &Asked<'_>,
) -> Result<Verified<ImageDigest>, Refusal> {
    let mut refusals = Vec::new();
    let artifacts = artifacts::referring(repository, asked.digest, &|kind| kind == ARTIFACT)?;
    let mut count = 0;
    for Artifact { place, manifest, .. } in artifacts {
        let layers = manifest.map(|manifest| manifest.layers).unwrap_or_else(|refusal| {
            refusals.push(refusal.at(&place));
            Vec::new()
        });
        for layer in layers {
            count += 1;
            if count > MAX_SIGNATURES {
                return Err(artifacts::too_many());
            }
            let open = match layer.media_type.as_str() {
                JWS => jws::open,
                COSE => cose::open,
                other => {
                    let reason = format!("an envelope of type {other:?}");
                    refusals.push(Refusal::new(RefusalKind::Unsupported, reason).at(&place));
                    continue;
                }
            };
            let envelope = artifacts::bytes(repository, &layer).and_then(|bytes| open(&bytes));
            match envelope.and_then(|envelope| envelope.verify(asked)) {
                Ok(signed) => return Ok(vouched(asked.digest, name, signed)),
                Err(refusal) => refusals.push(refusal.at(&place)),
            }
        }
    }
    if refusals.is_empty() {
        let reason = format!("there is no signature of {}", asked.digest);
        return Err(Refusal::new(RefusalKind::Unsigned, reason));
    }
    Err(worst(refusals))
}

fn vouched(digest: &ImageDigest, name: &str, signed: envelope::Signed) -> Verified<ImageDigest> {
    let voucher = Voucher {
        method: TrustMethod::Notation,
        signers: vec![signed.signer],
        subject: format!("{name}@{digest}"),
        signed_at: signed.at.map(Timestamp::as_second),
        expires: signed.expires.map(Timestamp::as_second),
        ..Voucher::default()
    };
    let mut verified = Verified::new(digest.clone(), voucher);
    signed.notes.into_iter().for_each(|note| verified.note(note));
    verified
}
