//! Statements about an image: as bundles beside it, in the older tag `sha256-….att`, and in the manifests that builders put
//! beside an image and that are signed as a whole (`built`).

use plimsoll_registry::{Descriptor, Repository};

use super::built::PREDICATE_TYPE;
use super::collect::{BUNDLE, Simple};
use super::dsse::Envelope;
use super::signers::Makers;
use super::statement::{SIGNATURE, Statement, claimed_type};
use super::{Cosign, Subject, bundle, simple};
use crate::artifacts::{self, Artifact, MAX_SIGNATURES};
use crate::outcome::bad;
use crate::{Attestation, Image, ImageDigest, Refusal};

/// Media type of an envelope of the older form.
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// What is said about an image, and why some of what is there does not count.
#[derive(Debug, Default)]
pub struct Attestations {
    /// What somebody trusted signed.
    pub found: Vec<Attestation>,
    /// What does not count, and why.
    pub left_out: Vec<LeftOut>,
    /// The images for which the digest stands that was asked about: those of an index, where their builder put something
    /// beside them.
    pub images: Vec<ImageDigest>,
}

/// Statements that do not count.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Why.
    pub why: Refusal,
    /// What kinds of statements they say that they are, for which nobody vouches; none where that is not known.
    claims: Vec<String>,
}

impl LeftOut {
    pub(super) fn claiming(why: Refusal, claims: impl IntoIterator<Item = String>) -> Self {
        Self { why, claims: claims.into_iter().collect() }
    }

    /// Whether there may be such a statement among them, by its predicate type.
    pub(crate) fn may_be(&self, is_wanted: impl Fn(&str) -> bool) -> bool {
        self.claims.is_empty() || self.claims.iter().any(|claim| is_wanted(claim))
    }

    fn at(self, place: &str) -> Self {
        Self { why: self.why.at(place), ..self }
    }
}

impl From<Refusal> for LeftOut {
    fn from(why: Refusal) -> Self {
        Self { why, claims: Vec::new() }
    }
}

impl Cosign {
    /// Every statement about an image that one of the keys or identities signed.
    ///
    /// # Errors
    /// When it cannot be told which there are.
    pub fn attestations(&self, image: &Image) -> Result<Attestations, Refusal> {
        let repository = Repository::open(&image.name, &self.registry)?;
        let mut all = Attestations::default();
        for digest in image.digests(&repository)? {
            self.add_bundles(&repository, &digest, &mut all)?;
            self.add_older(&repository, &digest, &mut all)?;
            self.add_built(image, &repository, &digest, &mut all)?;
        }
        Ok(all)
    }

    fn add_bundles(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
        all: &mut Attestations,
    ) -> Result<(), Refusal> {
        for Artifact { place, manifest, .. } in
            artifacts::referring(repository, digest, &|kind| kind.starts_with(BUNDLE))?
        {
            let layers = match manifest {
                Ok(manifest) => manifest.layers,
                Err(refusal) => {
                    all.left_out.push(refusal.at(&place).into());
                    continue;
                }
            };
            for layer in layers.iter().filter(|layer| layer.media_type.starts_with(BUNDLE)) {
                let subject =
                    Subject { digest, repository: "", manifest: &|| Err(bad("it is no statement")) };
                let said = artifacts::statement(repository, layer)
                    .map_err(LeftOut::from)
                    .and_then(|json| bundle::attested(&json, &subject, &self.signers));
                all.add(&place, digest, said)?;
            }
        }
        Ok(())
    }

    fn add_older(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
        all: &mut Attestations,
    ) -> Result<(), Refusal> {
        let tag = format!("{}-{}.att", digest.algorithm(), digest.sum());
        if digest.algorithm() != "sha256" {
            return Ok(());
        }
        let Some(manifest) = artifacts::manifest(repository, &tag)? else { return Ok(()) };
        for layer in manifest.layers.iter().filter(|layer| layer.media_type == ENVELOPE) {
            all.add(&format!("attestation in tag {tag}"), digest, self.older(repository, layer, digest))?;
        }
        Ok(())
    }

    /// An envelope of the older form, with what is beside it.
    fn older(
        &self,
        repository: &Repository,
        layer: &Descriptor,
        digest: &ImageDigest,
    ) -> Result<Option<(Statement, Makers)>, LeftOut> {
        let beside = Simple::beside(layer, artifacts::statement(repository, layer)?);
        let envelope: Envelope = serde_json::from_slice(&beside.payload)
            .map_err(|error| bad(format!("the envelope cannot be read: {error}")))?;
        let envelope = envelope.open()?;
        let said = simple::proof(&beside, &self.signers)
            .and_then(|proof| bundle::of_envelope(&envelope, proof, digest, &self.signers));
        said.map(Some).map_err(|why| LeftOut::claiming(why, claimed_type(&envelope.payload)))
    }

    fn add_built(
        &self,
        image: &Image,
        repository: &Repository,
        digest: &ImageDigest,
        all: &mut Attestations,
    ) -> Result<(), Refusal> {
        let Some(built) = self.built(repository, digest)? else { return Ok(()) };
        all.images.extend(built.images.into_iter().map(|image| image.digest));
        for (about, manifest) in built.manifests {
            let place = format!("attestation {}", manifest.digest);
            let (statements, makers) = match self.signed_manifest(image, repository, &about, &manifest) {
                Ok(signed) => signed,
                Err(left_out) => {
                    all.left_out.push(left_out.at(&place));
                    continue;
                }
            };
            for layer in &statements {
                let said = artifacts::statement(repository, layer)
                    .and_then(|payload| Statement::read(&payload, &about.digest))
                    .map(|statement| Some((statement, makers.clone())))
                    .map_err(|why| LeftOut::claiming(why, layer.annotations.get(PREDICATE_TYPE).cloned()));
                all.add(&place, &about.digest, said)?;
            }
        }
        Ok(())
    }
}

impl Attestations {
    fn add(
        &mut self,
        place: &str,
        digest: &ImageDigest,
        said: Result<Option<(Statement, Makers)>, LeftOut>,
    ) -> Result<(), Refusal> {
        if self.found.len() + self.left_out.len() >= MAX_SIGNATURES {
            return Err(artifacts::too_many());
        }
        match said {
            Ok(Some((statement, makers))) if statement.predicate_type != SIGNATURE => {
                let Statement { predicate_type, builder, .. } = statement;
                let Makers { signers, signed_at } = makers;
                let digest = digest.clone();
                self.found.push(Attestation { predicate_type, builder, signers, digest, signed_at });
            }
            Ok(_) => {}
            Err(left_out) => self.left_out.push(left_out.at(place)),
        }
        Ok(())
    }
}
