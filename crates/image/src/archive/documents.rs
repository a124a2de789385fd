//! Which images an archive holds: Docker's `manifest.json` (moby, `image/tarexport`), or an OCI layout (OCI image
//! specification, "Image Layout", "Image Index", "Image Manifest").

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::blobs::{Blobs, blob_name, is_sum};
use super::stream::sha256;
use crate::error::{Error, Result};

/// Bound of one document, in bytes.
pub(super) const MAX_DOCUMENT: u64 = 16 << 20;
/// Bound of the images of one archive.
const MAX_IMAGES: usize = 1_000;
/// Bound of the layers of one image; Linux mounts at most 500.
pub(super) const MAX_LAYERS: usize = 1_000;
/// Indexes inside each other.
const MAX_DEPTH: usize = 4;

/// One image of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveImage {
    /// Names that the archive gives it.
    pub names: Vec<String>,
    /// `os/architecture`, where the archive has images for several.
    pub platform: Option<String>,
    /// Image id: the digest of its configuration.
    pub id: String,
    /// Its configuration (OCI image specification, "Image Configuration"), as it is.
    pub config: Vec<u8>,
    /// Layers, lowest first.
    pub(super) layers: Vec<LayerName>,
}

impl ArchiveImage {
    /// Digests of its unpacked layers, lowest first, as its configuration tells them; none where it tells none.
    pub fn diff_ids(&self) -> Vec<String> {
        diff_ids(&self.config).unwrap_or_default()
    }
}

/// What matters of an image's configuration.
#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// Digests of the unpacked layers that a configuration names, lowest first.
pub(super) fn diff_ids(config: &[u8]) -> Result<Vec<String>> {
    parse::<Config>("the image's configuration", config).map(|config| config.rootfs.diff_ids)
}

/// Where a layer is, and what it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LayerName {
    pub(super) name: String,
    /// SHA-256 of the blob; `None` where the archive does not say.
    pub(super) sum: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

/// What tells an index from a manifest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    #[serde(default)]
    media_type: String,
    manifests: Option<IgnoredAny>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

/// The images of a docker-archive; `None` where it is none.
pub(super) fn docker(blobs: &Blobs) -> Result<Option<Vec<ArchiveImage>>> {
    let json = match blobs.read("manifest.json", MAX_DOCUMENT) {
        Err(error) if error.is_not_found() => return Ok(None),
        other => other?,
    };
    let listed: Vec<DockerImage> = parse("manifest.json", &json)?;
    let mut images = Vec::new();
    for image in listed.into_iter().take(MAX_IMAGES) {
        let config = blobs.read(&image.config, MAX_DOCUMENT)?;
        let sum = sha256(&config);
        // The file is named after its sum; where it is not, nothing says what it should be.
        let stem = image.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        if is_sum(stem) && stem != sum {
            return Err(Error::Digest { digest: format!("sha256:{stem}") });
        }
        images.push(ArchiveImage {
            names: image.repo_tags.unwrap_or_default(),
            platform: None,
            id: format!("sha256:{sum}"),
            config,
            layers: layers(image.layers.into_iter().map(|name| Ok(LayerName { name, sum: None })))?,
        });
    }
    Ok(Some(images))
}

/// The images of an OCI layout.
pub(super) fn oci(blobs: &Blobs) -> Result<Vec<ArchiveImage>> {
    let index: Index = parse("index.json", &blobs.read("index.json", MAX_DOCUMENT)?)?;
    let mut images = Vec::new();
    for descriptor in &index.manifests {
        let name = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
            .iter()
            .find_map(|key| descriptor.annotations.get(*key));
        add(blobs, descriptor, name, 0, &mut images)?;
    }
    Ok(images)
}

/// The images behind one digest, which is that of an index or of a manifest.
pub(super) fn stored(blobs: &Blobs, digest: &str) -> Result<Vec<ArchiveImage>> {
    let json = blobs.read_verified(digest, MAX_DOCUMENT)?;
    let Typed { media_type, manifests } = parse(digest, &json)?;
    // Both fields are optional in OCI's documents; an index has manifests.
    let media_type = if manifests.is_some() { "index".to_owned() } else { media_type };
    let descriptor =
        Descriptor { media_type, digest: digest.to_owned(), platform: None, annotations: BTreeMap::new() };
    let mut images = Vec::new();
    add(blobs, &descriptor, None, 0, &mut images)?;
    Ok(images)
}

fn add(
    blobs: &Blobs,
    descriptor: &Descriptor,
    name: Option<&String>,
    depth: usize,
    images: &mut Vec<ArchiveImage>,
) -> Result<()> {
    // An index may list platforms that were never pulled, and attestations about images.
    let is_attestation = descriptor.annotations.contains_key("vnd.docker.reference.type");
    if is_attestation || !blobs.has(&blob_name(&descriptor.digest)?.0) {
        return Ok(());
    }
    if depth == MAX_DEPTH || images.len() == MAX_IMAGES {
        return Err(Error::Document {
            what: "more images, or deeper indexes, than any archive has".to_owned(),
        });
    }
    let json = blobs.read_verified(&descriptor.digest, MAX_DOCUMENT)?;
    if descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list") {
        let index: Index = parse(&descriptor.digest, &json)?;
        for descriptor in &index.manifests {
            add(blobs, descriptor, name, depth + 1, images)?;
        }
        return Ok(());
    }
    let manifest: Manifest = parse(&descriptor.digest, &json)?;
    // Signatures, charts and other artifacts are kept the same way.
    let is_image =
        ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
    if !is_image.contains(&manifest.config.media_type.as_str()) {
        return Ok(());
    }
    let layer = |layer: Descriptor| {
        if layer.media_type.contains("encrypted") {
            return Err(Error::Document { what: format!("layer {} is encrypted", layer.digest) });
        }
        let (name, sum) = blob_name(&layer.digest)?;
        Ok(LayerName { sum: Some(sum.to_owned()), name })
    };
    images.push(ArchiveImage {
        names: name.into_iter().cloned().collect(),
        platform: descriptor
            .platform
            .as_ref()
            .map(|platform| format!("{}/{}", platform.os, platform.architecture)),
        config: blobs.read_verified(&manifest.config.digest, MAX_DOCUMENT)?,
        id: manifest.config.digest,
        layers: layers(manifest.layers.into_iter().map(layer))?,
    });
    Ok(())
}

fn layers(layers: impl Iterator<Item = Result<LayerName>>) -> Result<Vec<LayerName>> {
    let layers: Vec<_> = layers.take(MAX_LAYERS + 1).collect::<Result<_>>()?;
    if layers.len() > MAX_LAYERS {
        return Err(Error::Document { what: format!("an image of more than {MAX_LAYERS} layers") });
    }
    Ok(layers)
}

fn parse<'a, T: Deserialize<'a>>(name: &str, json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| Error::Document { what: format!("{name}: {error}") })
}
