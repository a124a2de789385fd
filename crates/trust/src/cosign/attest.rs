//! Statements about an image: as bundles beside it, in the older tag `sha256-….att`, and in the manifests that builders put
//! beside an image and that are signed as a whole (`built`).

use plimsoll_registry::{Descriptor, Repository};

use super::collect::{BUNDLE, Simple};
use super::dsse::Envelope;
use super::signers::{Made, Makers};
use super::statement::{SIGNATURE, Statement};
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
    pub refused: Vec<Refusal>,
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
                    all.refused.push(refusal.at(&place));
                    continue;
                }
            };
            for layer in layers.iter().filter(|layer| layer.media_type.starts_with(BUNDLE)) {
                let subject =
                    Subject { digest, repository: "", manifest: &|| Err(bad("it is no statement")) };
                let said = artifacts::statement(repository, layer)
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
    ) -> Result<Option<(Statement, Makers)>, Refusal> {
        let beside = Simple::beside(layer, artifacts::statement(repository, layer)?);
        let envelope: Envelope = serde_json::from_slice(&beside.payload)
            .map_err(|error| bad(format!("the envelope cannot be read: {error}")))?;
        let envelope = envelope.open()?;
        let made = Made {
            message: &envelope.message,
            payload: Some(&envelope.payload),
            signature: &envelope.signature,
            by: simple::proof(&beside, &self.signers)?,
        };
        let makers = self.signers.require(made)?;
        envelope.require_kind()?;
        Ok(Some((Statement::read(&envelope.payload, digest)?, makers)))
    }

    fn add_built(
        &self,
        image: &Image,
        repository: &Repository,
        digest: &ImageDigest,
        all: &mut Attestations,
    ) -> Result<(), Refusal> {
        for (about, manifest) in self.built(repository, digest)?.into_iter().flat_map(|built| built.manifests)
        {
            let place = format!("attestation {}", manifest.digest);
            let signed = self.signed_manifest(image, repository, &about, &manifest);
            let (statements, makers) = match signed {
                Ok(signed) => signed,
                Err(refusal) => {
                    all.refused.push(refusal.at(&place));
                    continue;
                }
            };
            for layer in &statements {
                let said = artifacts::statement(repository, layer)
                    .and_then(|payload| Statement::read(&payload, &about.digest))
                    .map(|statement| Some((statement, makers.clone())));
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
        said: Result<Option<(Statement, Makers)>, Refusal>,
    ) -> Result<(), Refusal> {
        if self.found.len() + self.refused.len() >= MAX_SIGNATURES {
            return Err(artifacts::too_many());
        }
        match said {
            Ok(Some((statement, makers))) if statement.predicate_type != SIGNATURE => {
                let Makers { signers, signed_at } = makers;
                let found = Attestation::new(statement.predicate_type, digest.clone(), signers, signed_at);
                self.found.push(found);
            }
            Ok(_) => {}
            Err(refusal) => self.refused.push(refusal.at(place)),
        }
        Ok(())
    }
}
