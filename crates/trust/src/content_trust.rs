//! Docker Content Trust of images: one update a repository, however many of its images are asked about.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use plimsoll_facts::{Authenticity, TrustMethod, Voucher};
use plimsoll_registry::{Notary, Reference};

use crate::image::DEFAULT_TAG;
use crate::outcome::authenticity;
use crate::tuf::{Repository, RootTrust, SignedTag, TufError, Update};
use crate::{Image, ImageDigest, Pins, Refusal, RefusalKind, Store, StoreError, Verified};

/// How notary servers are spoken to, and what is believed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The time.
    pub now: Timestamp,
    /// Whether the first root that a server shows is believed, where nothing is known of its keys.
    pub first_use: bool,
    /// Ids of root keys that are trusted for every repository that is asked about; none leaves that to the pins of the
    /// store.
    pub pins: Vec<String>,
    /// The server instead of the one that the docker client would ask (`DOCKER_CONTENT_TRUST_SERVER`).
    pub server: Option<String>,
    /// Where docker keeps authorities of notary servers: `DIRECTORY/HOST[:PORT]/*.crt`.
    pub authorities: PathBuf,
    /// How registries are spoken to.
    pub registry: plimsoll_registry::Options,
}

/// Verifies images. May be used by several threads.
pub struct ContentTrust {
    store: Store,
    pins: Pins,
    settings: Settings,
    repositories: Mutex<HashMap<String, Arc<OnceLock<Believed>>>>,
}

type Believed = Result<Repository, Refusal>;

impl ContentTrust {
    /// A verifier over what is known so far.
    ///
    /// # Errors
    /// When the pins cannot be read.
    pub fn new(store: Store, settings: Settings) -> Result<Self, StoreError> {
        let pins = store.pins()?;
        Ok(Self { store, pins, settings, repositories: Mutex::default() })
    }

    /// What comes out for an image, in the words of facts.
    pub fn judge(&self, image: &Image) -> Authenticity {
        authenticity(image, self.verify(image))
    }

    /// Whether the owner of the repository signed exactly these bytes under this name: for a name with a tag, for this
    /// tag; for one with a digest alone, for any tag.
    ///
    /// # Errors
    /// Why nobody vouches for it.
    pub fn verify(&self, image: &Image) -> Result<Verified<ImageDigest>, Refusal> {
        let repository = self.repository(&image.name)?;
        let registry = plimsoll_registry::Repository::open(&image.name, &self.settings.registry)?;
        let found = image.digests(&registry)?;
        let (tag, signed) = match (image.name.tag(), image.name.digest()) {
            (None, Some(digest)) => by_digest(&repository, digest)?,
            (tag, _) => {
                let tag = tag.unwrap_or(DEFAULT_TAG);
                (tag.to_owned(), repository.tag(tag)?)
            }
        };
        if !found.contains(&signed.digest) {
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            let reason =
                format!("{} is signed for the tag {tag:?}, and this is {}", signed.digest, found.join(", "));
            return Err(Refusal {
                signed: Some(signed.digest),
                ..Refusal::new(RefusalKind::Unsigned, reason)
            });
        }
        let mut verified = Verified::new(signed.digest.clone(), voucher(&repository, &tag, &signed));
        if let Some(note) = self.check_size(image, &registry, &signed)? {
            verified.note(note);
        }
        Ok(verified)
    }

    /// Holds the manifest against the signed size. Answers what could not be looked at: bytes that are here have the
    /// signed digest already.
    fn check_size(
        &self,
        image: &Image,
        registry: &plimsoll_registry::Repository,
        signed: &SignedTag,
    ) -> Result<Option<String>, Refusal> {
        match registry.manifest(&signed.digest.to_string()) {
            Ok(manifest) => signed.require_size(manifest.bytes.len() as u64)?,
            Err(error) if !image.here.is_empty() || self.settings.registry.offline => {
                return Ok(Some(format!("the size of the manifest was not compared: {error}")));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(None)
    }

    /// The trust data of the repository of this name, read and verified once.
    fn repository(&self, name: &Reference) -> Believed {
        let gun = format!("{}/{}", name.registry(), name.repository());
        let cell = {
            let mut repositories = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(repositories.entry(gun.clone()).or_default())
        };
        cell.get_or_init(|| self.update(&gun, name)).clone()
    }

    fn update(&self, gun: &str, name: &Reference) -> Believed {
        let mut held = self.store.hold(gun)?;
        let Settings { server, authorities, registry, .. } = &self.settings;
        let notary = Notary::open(name, server.as_deref(), authorities, registry)?;
        let pins = match self.settings.pins.is_empty() {
            true => self.pins.get(gun).cloned().unwrap_or_default(),
            false => self.settings.pins.clone(),
        };
        let trust = RootTrust { pins, first_use: self.settings.first_use };
        let update = Update { gun, server: &notary, trust: &trust, now: self.settings.now };
        let (repository, state) = update.run(held.state())?;
        held.keep(state)?;
        Ok(repository)
    }
}

fn by_digest(repository: &Repository, digest: &ImageDigest) -> Result<(String, SignedTag), Refusal> {
    let tag = repository.tag_of(digest).ok_or_else(|| {
        let reason = format!("the repository is signed, and {digest} for none of its tags");
        Refusal::new(RefusalKind::Unsigned, reason)
    })?;
    let signed = repository.tag(&tag)?;
    Ok((tag, signed))
}

fn voucher(repository: &Repository, tag: &str, signed: &SignedTag) -> Voucher {
    Voucher {
        method: TrustMethod::ContentTrust,
        signers: signed.signers.clone(),
        subject: format!("{}:{tag}", repository.gun()),
        role: Some(signed.role.name().to_owned()),
        signed_at: None,
        expires: Some(repository.expires().as_second()),
        stale_since: repository.offline_since().map(Timestamp::as_second),
    }
}

impl From<TufError> for Refusal {
    fn from(error: TufError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::new(RefusalKind::Unavailable, format!("what was seen before cannot be told: {error}"))
    }
}

impl From<plimsoll_registry::Error> for Refusal {
    fn from(error: plimsoll_registry::Error) -> Self {
        let kind = match &error {
            plimsoll_registry::Error::Unsupported { .. } => RefusalKind::Unsupported,
            _ => RefusalKind::Unavailable,
        };
        Self::new(kind, error.to_string())
    }
}
