//! Manifests that a builder puts beside an image (BuildKit, "Image attestation storage"), and that are signed instead of it,
//! as Docker does with its Hardened Images: the signature names the manifest, and the manifest names the image.

use plimsoll_registry::{Descriptor, INDEX_TYPES, Index, MANIFEST_TYPES, Repository};

use super::Cosign;
use super::attest::LeftOut;
use super::signers::Makers;
use super::statement::Statement;
use crate::artifacts::{self, Artifact, MAX_SIGNATURES};
use crate::outcome::{bad, worst};
use crate::{Image, ImageDigest, Refusal, RefusalKind};

/// How such a manifest is marked in an index, and about which other one it is.
const TYPE: &str = "vnd.docker.reference.type";
const ATTESTATION: &str = "attestation-manifest";
const ABOUT: &str = "vnd.docker.reference.digest";
/// What kind of artifact it is, where it refers to the image.
const ARTIFACTS: [&str; 2] =
    ["application/vnd.in-toto+json", "application/vnd.docker.attestation.manifest.v1+json"];
/// Media type of a statement in it, and where its type is told.
const STATEMENT: &str = "application/vnd.in-toto+json";
pub(super) const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// Statements on how an image was built, before their version.
const PROVENANCE: &str = "https://slsa.dev/provenance/";

/// The images that a digest stands for, and the manifests beside each.
pub(super) struct Built {
    pub(super) images: Vec<Descriptor>,
    /// About which image, and the manifest.
    pub(super) manifests: Vec<(Descriptor, Descriptor)>,
}

impl Cosign {
    /// Who vouches for every image that a digest stands for by way of such manifests; `None` where there are none for one of
    /// them. Each must hold a statement on how the image was built: another, such as which flaws it has, does not vouch
    /// for it.
    ///
    /// # Errors
    /// Why nobody does.
    pub(super) fn by_build(
        &self,
        image: &Image,
        repository: &Repository,
        digest: &ImageDigest,
    ) -> Result<Option<Makers>, Refusal> {
        let Some(built) = self.built(repository, digest)? else { return Ok(None) };
        let mut all: Option<Makers> = None;
        for about in &built.images {
            let mut refusals = Vec::new();
            let manifests = built.manifests.iter().filter(|(image, _)| image.digest == about.digest);
            let found = manifests.into_iter().find_map(|(_, manifest)| {
                let makers = self.build_of(image, repository, about, manifest);
                makers.map_err(|refusal| refusals.push(refusal)).ok()
            });
            match (found, &mut all) {
                (Some(makers), Some(all)) => all.join(makers),
                (Some(makers), all) => *all = Some(makers),
                (None, _) if refusals.is_empty() => return Ok(None),
                (None, _) => return Err(worst(refusals)),
            }
        }
        Ok(all)
    }

    /// Who signed such a manifest, where it says how the image was built.
    fn build_of(
        &self,
        image: &Image,
        repository: &Repository,
        about: &Descriptor,
        manifest: &Descriptor,
    ) -> Result<Makers, Refusal> {
        let (statements, makers) = self
            .signed_manifest(image, repository, about, manifest)
            .map_err(|left_out| left_out.why.at(&format!("attestation {}", manifest.digest)))?;
        let is_provenance = |layer: &&Descriptor| {
            layer.annotations.get(PREDICATE_TYPE).is_some_and(|kind| kind.starts_with(PROVENANCE))
        };
        let layer = statements.iter().find(is_provenance);
        let layer = layer.ok_or_else(|| {
            let reason = "what is signed says nothing on how the image was built";
            Refusal::new(RefusalKind::Unsigned, reason)
        })?;
        let statement = Statement::read(&artifacts::statement(repository, layer)?, &about.digest)?;
        match statement.predicate_type.starts_with(PROVENANCE) {
            true => Ok(makers),
            false => Err(bad("what is signed is of another kind than it is said to be")),
        }
    }

    /// The images that a digest stands for, and what is beside them; `None` where the registry does not have it.
    pub(super) fn built(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
    ) -> Result<Option<Built>, Refusal> {
        let Some(document) = artifacts::document(repository, &digest.to_string())? else { return Ok(None) };
        if !INDEX_TYPES.contains(&document.descriptor.media_type.as_str()) {
            let image = document.descriptor;
            let referring =
                artifacts::referring(repository, digest, &|kind| ARTIFACTS.contains(&kind))?.into_iter();
            let manifests = referring.map(|Artifact { referrer, .. }| (image.clone(), referrer)).collect();
            return Ok(Some(Built { images: vec![image], manifests }));
        }
        let index = Index::parse(&digest.to_string(), &document.bytes)?;
        let is_attestation =
            |entry: &&Descriptor| entry.annotations.get(TYPE).is_some_and(|kind| kind == ATTESTATION);
        let (beside, images): (Vec<_>, Vec<_>) = index.manifests.iter().partition(is_attestation);
        if beside.is_empty() {
            return Ok(None);
        }
        if images.len() + beside.len() > 2 * MAX_SIGNATURES {
            return Err(artifacts::too_many());
        }
        let about = |entry: &&Descriptor| {
            let named = entry.annotations.get(ABOUT)?;
            let image = images.iter().find(|image| image.digest.to_string() == *named)?;
            Some(((*image).clone(), (*entry).clone()))
        };
        let manifests = beside.iter().filter_map(about).collect();
        Ok(Some(Built { images: images.into_iter().cloned().collect(), manifests }))
    }

    /// The statements in such a manifest, and who signed it.
    pub(super) fn signed_manifest(
        &self,
        image: &Image,
        repository: &Repository,
        about: &Descriptor,
        listed: &Descriptor,
    ) -> Result<(Vec<Descriptor>, Makers), LeftOut> {
        let manifest = artifacts::manifest(repository, &listed.digest.to_string())?
            .ok_or_else(|| Refusal::new(RefusalKind::Unavailable, "the registry does not have it"))?;
        let is_image = |subject: &Descriptor| {
            let kind = subject.media_type.as_str();
            subject.digest == about.digest
                && subject.size == about.size
                && (MANIFEST_TYPES.contains(&kind) || INDEX_TYPES.contains(&kind))
        };
        if !manifest.subject.as_ref().is_some_and(is_image) {
            return Err(bad("it is not about this image").into());
        }
        let is_statement = |layer: &Descriptor| layer.media_type == STATEMENT;
        let statements: Vec<_> = manifest.layers.into_iter().filter(is_statement).collect();
        let claims = || statements.iter().map(|layer| layer.annotations.get(PREDICATE_TYPE).cloned());
        match self.direct(image, repository, &listed.digest) {
            Ok(verified) => Ok((statements, Makers::of(verified.vouchers()))),
            Err(why) => Err(LeftOut::claiming(why, claims().collect::<Option<Vec<_>>>().unwrap_or_default())),
        }
    }
}
