//! One image of a registry: its configuration and where its layers are.

use crate::digest::Digest;
use crate::documents::{Descriptor, INDEX_TYPES, Index, Manifest, Platform};
use crate::error::{Error, Result};
use crate::repository::{Document, Repository};

/// Indexes inside each other.
const MAX_DEPTH: usize = 4;
/// Bound of the layers of one image; Linux mounts at most 500.
const MAX_LAYERS: usize = 1_000;
/// The largest configuration, in bytes.
const MAX_CONFIG: u64 = 16 << 20;
/// Media types of the configurations of images.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// One image of a registry, for one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// Digest of its manifest.
    pub digest: Digest,
    /// Its id: the digest of its configuration.
    pub id: Digest,
    /// Its configuration (OCI image specification, "Image Configuration"), as it is.
    pub config: Vec<u8>,
    /// Its layers, lowest first.
    pub layers: Vec<Descriptor>,
}

impl Repository {
    /// The image that `target`, a tag or a digest, names: of an index, that for `platform`.
    ///
    /// # Errors
    /// When there is none, none for the platform, or it is not an image.
    pub fn image(&self, target: &str, platform: &Platform) -> Result<Image> {
        let what = self.what("image", target);
        let mut document = self.manifest(target)?;
        for _ in 0..MAX_DEPTH {
            if !INDEX_TYPES.contains(&document.descriptor.media_type.as_str()) {
                return self.of_manifest(&what, &document);
            }
            let index = Index::parse(&what, &document.bytes)?;
            let Some(chosen) = index.for_platform(platform) else {
                let there: Vec<_> =
                    index.manifests.iter().filter_map(|found| found.platform.as_ref()).collect();
                let there: Vec<_> = there.iter().take(20).map(ToString::to_string).collect();
                let what = format!("{what} for {platform} (it is there for {})", there.join(", "));
                return Err(Error::NotFound { what });
            };
            document = self.manifest(&chosen.digest.to_string())?;
        }
        Err(Error::Content { what, why: format!("it is more than {MAX_DEPTH} indexes deep") })
    }

    fn of_manifest(&self, what: &str, document: &Document) -> Result<Image> {
        let manifest = Manifest::parse(what, &document.bytes)?;
        let unsupported = |why: String| Error::Unsupported { what: what.to_owned(), why };
        let kind = &manifest.config.media_type;
        if !IMAGE_CONFIGS.contains(&kind.as_str()) {
            return Err(unsupported(format!("it is no image, but {kind:?}")));
        }
        if let Some(layer) = manifest.layers.iter().find(|layer| layer.media_type.contains("encrypted")) {
            return Err(unsupported(format!("layer {} is encrypted", layer.digest)));
        }
        if manifest.layers.len() > MAX_LAYERS {
            return Err(unsupported(format!("it has more than {MAX_LAYERS} layers")));
        }
        Ok(Image {
            digest: document.descriptor.digest.clone(),
            id: manifest.config.digest.clone(),
            config: self.blob_bytes(&manifest.config, MAX_CONFIG)?,
            layers: manifest.layers,
        })
    }
}
