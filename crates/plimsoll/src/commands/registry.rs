//! Images of registries, read layer by layer as they come; nothing is written.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use plimsoll_collect::engine::DockerEnvironment;
use plimsoll_image::{LayerBlob, ReadImage, read_layers};
use plimsoll_registry::{Options, Platform, Reference, Repository};

use crate::cli::RegistryArgs;
use crate::exit::Usage;
use crate::progress::Progress;

/// How often progress is told, in bytes.
const STEP: u64 = 4 << 20;

/// An image of a registry.
pub(super) struct RegistryImage {
    pub(super) id: String,
    /// Its configuration, as it is.
    pub(super) config: Vec<u8>,
    pub(super) read: ReadImage,
}

/// Reads the image that a reference names.
pub(super) fn read(reference: &str, args: &RegistryArgs, progress: &Progress) -> Result<RegistryImage> {
    let reference: Reference = reference.parse().map_err(|error| Usage(format!("{error}")))?;
    let repository = Repository::open(&reference, &options(&args.plain_http))?;
    let platform = args.platform.clone().unwrap_or_else(Platform::of_this_host);
    let image = repository.image(&reference.target(), &platform)?;
    let blob = |layer: &plimsoll_registry::Descriptor| LayerBlob {
        name: layer.digest.to_string(),
        size: layer.size,
    };
    let layers: Vec<_> = image.layers.iter().map(blob).collect();
    let told = Told {
        progress,
        what: reference.to_string(),
        all: layers.iter().fold(0, |all, layer| all.saturating_add(layer.size)),
        done: AtomicU64::new(0),
    };
    let open = |index: usize| {
        let blob = repository.blob(&image.layers[index]).map_err(io::Error::other)?;
        Ok(Telling { told: &told, stream: blob })
    };
    let source = format!("registry, manifest {}", image.digest);
    let read = read_layers(&image.config, &layers, &source, open)?;
    Ok(RegistryImage { id: image.id.to_string(), config: image.config, read })
}

/// How to read from a registry what the engine does not have; nothing for what is no name, such as an id.
pub(super) fn hint(name: &str) -> Option<String> {
    let sum = name.strip_prefix("sha256:").unwrap_or(name);
    let is_id = (12..=64).contains(&sum.len()) && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let reference: Reference = name.parse().ok().filter(|_| !is_id)?;
    let is_pinned = reference.tag().is_some() || reference.digest().is_some();
    let tag = if is_pinned { String::new() } else { format!(":{}", reference.target()) };
    Some(format!("registry:{reference}{tag} would read it from its registry"))
}

/// TLS and credentials as docker's own client has them.
pub(super) fn options(plain_http: &[String]) -> Options {
    let config = DockerEnvironment::of_this_process().config_dir();
    Options {
        plain_http: plain_http.to_vec(),
        docker_config: config.map(|directory| directory.join("config.json")),
        ..Options::default()
    }
}

/// What was told of how far it is.
struct Told<'a> {
    progress: &'a Progress,
    what: String,
    all: u64,
    done: AtomicU64,
}

/// A stream that tells how far it is.
struct Telling<'a, R> {
    told: &'a Told<'a>,
    stream: R,
}

impl<R: Read> Read for Telling<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        let before = self.told.done.fetch_add(read as u64, Ordering::Relaxed);
        let done = before + read as u64;
        if before / STEP != done / STEP {
            let Told { progress, what, all, .. } = self.told;
            progress.tell(&format!("{what}: {} of {} MiB", done >> 20, all >> 20));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn the_hint_can_be_used_as_it_is() {
        assert!(hint("mariadb").unwrap().starts_with("registry:docker.io/library/mariadb:latest "));
        assert!(hint("r.example/a:1").unwrap().starts_with("registry:r.example/a:1 "));
        assert_eq!(hint("sha256:5b86d92fb66df998f12f1d9530937cf77c49d496393573bddca2311748244904"), None);
    }
}
