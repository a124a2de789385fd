//! What is asked about.

use plimsoll_registry::{Options, Reference, Repository};

use crate::outcome::worst;
use crate::{ImageDigest, Refusal, Verified};

/// The tag of names that name none.
pub(crate) const DEFAULT_TAG: &str = "latest";

/// An image that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name.
    pub name: Reference,
    /// The digests under which what is here was pulled from the repository of that name; none asks for what the
    /// registry would give.
    pub here: Vec<ImageDigest>,
}

impl Image {
    /// The digests in question, where they are known without asking.
    pub(crate) fn known(&self) -> Option<Vec<ImageDigest>> {
        match self.name.digest() {
            Some(digest) => Some(vec![digest.clone()]),
            None => (!self.here.is_empty()).then(|| self.here.clone()),
        }
    }

    /// The digests in question, or the one that the registry would give.
    pub(crate) fn digests(&self, repository: &Repository) -> Result<Vec<ImageDigest>, Refusal> {
        match self.known() {
            Some(known) => Ok(known),
            None => Ok(vec![repository.resolve(&self.name.target())?.digest]),
        }
    }

    /// What somebody vouches for, of the digests in question: the first; else the worst of the reasons.
    pub(crate) fn verify(
        &self,
        registry: &Options,
        ask: impl Fn(&Repository, &ImageDigest) -> Result<Verified<ImageDigest>, Refusal>,
    ) -> Result<Verified<ImageDigest>, Refusal> {
        let repository = Repository::open(&self.name, registry)?;
        let mut refusals = Vec::new();
        for digest in self.digests(&repository)? {
            match ask(&repository, &digest) {
                Ok(verified) => return Ok(verified),
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(worst(refusals))
    }
}
