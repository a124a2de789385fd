//! A repository that is believed, and what it says of a tag.

use jiff::Timestamp;

use super::document::Document;
use super::{Role, TufError};
use crate::{ImageDigest, hex};

/// The trust data of one repository, verified whole.
#[derive(Clone, Debug)]
pub struct Repository {
    pub(super) gun: String,
    pub(super) root_keys: Vec<String>,
    pub(super) expires: Timestamp,
    pub(super) offline_since: Option<Timestamp>,
    pub(super) targets: Signed,
    pub(super) releases: Option<(Signed, Vec<String>)>,
}

/// A file, and the keys whose signatures on it are good.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub(super) document: Document,
    pub(super) signers: Vec<String>,
}

/// What is signed for a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTag {
    /// Digest of the manifest or index.
    pub digest: ImageDigest,
    /// Its size in bytes.
    pub length: u64,
    /// Who signed.
    pub role: Role,
    /// Ids of the keys that did.
    pub signers: Vec<String>,
}

impl Repository {
    /// The repository's name with its registry.
    pub fn gun(&self) -> &str {
        &self.gun
    }

    /// Ids of its root keys.
    pub fn root_keys(&self) -> &[String] {
        &self.root_keys
    }

    /// When the first of its files expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When the server was last reached, where it could not be reached now.
    pub fn offline_since(&self) -> Option<Timestamp> {
        self.offline_since
    }

    /// A tag for which this digest is signed, where there is one.
    pub fn tag_of(&self, digest: &ImageDigest) -> Option<String> {
        let releases = self.releases.as_ref().map(|(releases, _)| releases);
        let names = releases.into_iter().chain([&self.targets]).flat_map(|signed| signed.document.tags());
        let signs = |tag: &&str| self.tag(tag).is_ok_and(|signed| signed.digest == *digest);
        names.filter(signs).map(str::to_owned).next()
    }

    /// What is signed for a tag: the releases role decides where it may, else the top-level targets, as in the docker
    /// client.
    ///
    /// # Errors
    /// When nothing is, or what is signed has no digest.
    pub fn tag(&self, tag: &str) -> Result<SignedTag, TufError> {
        if let Some((releases, paths)) = &self.releases
            && paths.iter().any(|path| tag.starts_with(path.as_str()))
            && let Some(found) = releases.tag(tag)?
        {
            return Ok(found);
        }
        self.targets.tag(tag)?.ok_or_else(|| TufError::TagNotSigned { tag: tag.to_owned() })
    }
}

impl Signed {
    fn tag(&self, tag: &str) -> Result<Option<SignedTag>, TufError> {
        let signed = self.document.target(tag)?;
        Ok(signed.map(|meta| SignedTag {
            digest: digest(&meta.sha256),
            length: meta.length,
            role: self.document.role,
            signers: self.signers.clone(),
        }))
    }
}

fn digest(sha256: &[u8; 32]) -> ImageDigest {
    // The text is a digest whatever the bytes are.
    format!("sha256:{}", hex(sha256)).parse().unwrap_or_else(|_| ImageDigest::of(b""))
}

impl SignedTag {
    /// That a manifest has the signed size. The docker client does not look at it.
    ///
    /// # Errors
    /// When it has another one.
    pub fn require_size(&self, found: u64) -> Result<(), TufError> {
        match found == self.length {
            true => Ok(()),
            false => Err(TufError::ManifestSize { found, signed: self.length }),
        }
    }
}
