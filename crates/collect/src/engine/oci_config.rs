//! The configuration of an image as archives and registries hold it (OCI image specification, "Image Configuration").

use plimsoll_facts::{Fact, HistoryStep, Image, ImageConfig};
use serde::Deserialize;

use super::image::{MAX_STEPS, RootFs, WireConfig, instruction};
use super::json::{epoch_seconds, lenient, or_default};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OciImage {
    #[serde(deserialize_with = "lenient")]
    created: String,
    #[serde(deserialize_with = "lenient")]
    architecture: String,
    #[serde(deserialize_with = "lenient")]
    os: String,
    #[serde(deserialize_with = "or_default")]
    config: WireConfig,
    #[serde(deserialize_with = "lenient")]
    rootfs: OciRootFs,
    #[serde(deserialize_with = "or_default")]
    history: Vec<OciStep>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OciRootFs {
    #[serde(deserialize_with = "lenient")]
    diff_ids: Vec<String>,
}

/// One step, oldest first. How many bytes it added is not told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OciStep {
    #[serde(deserialize_with = "lenient")]
    created: String,
    #[serde(deserialize_with = "or_default")]
    created_by: String,
    #[serde(deserialize_with = "lenient")]
    comment: String,
}

/// An image as its configuration tells: without names, size and files. `source` says where the document was read.
pub fn image_of_config(document: &[u8], source: &str) -> Image {
    match serde_json::from_slice::<OciImage>(document) {
        Ok(wire) => {
            let created_at = epoch_seconds(&wire.created);
            Image { created_at, config: Fact::known(wire.into_config(), source), ..Image::default() }
        }
        Err(error) => Image {
            config: Fact::unreadable(source, format!("not the configuration of an image: {error}")),
            ..Image::default()
        },
    }
}

impl OciImage {
    fn into_config(self) -> ImageConfig {
        let steps = self.history.into_iter().take(MAX_STEPS).map(|step| HistoryStep {
            created_at: epoch_seconds(&step.created).unwrap_or_default(),
            created_by: instruction(step.created_by),
            size: 0,
            comment: step.comment,
        });
        ImageConfig {
            history: steps.collect(),
            architecture: self.architecture,
            os: self.os,
            ..self.config.into_facts(RootFs { layers: self.rootfs.diff_ids })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_of_an_archive() {
        // As `docker save` of 20.10 writes it, shortened.
        let json = r#"{"architecture": "amd64", "os": "linux", "created": "2026-11-24T06:08:29Z",
            "config": {"User": "mysql", "Env": ["PATH=/usr/bin", "A_TOKEN=x1y2"], "Cmd": ["mariadbd"],
                       "Volumes": {"/var/lib/mysql": {}}, "Healthcheck": {"Test": ["NONE"]}, "OnBuild": null},
            "container_config": {"User": "root"}, "rootfs": {"type": "layers", "diff_ids": ["sha256:03f8"]},
            "history": [{"created": "2026-11-24T06:00:00Z", "comment": "Imported from -"},
                        {"created": "2026-11-24T06:08:29Z", "created_by": "/bin/sh -c make", "empty_layer": true}]}"#;
        let image = image_of_config(json.as_bytes(), "docker-archive");
        let config = image.config.value().unwrap();
        assert_eq!((image.created_at, config.user.as_str()), (Some(1_795_500_509), "mysql"));
        assert_eq!(config.secret_like_environment, ["A_TOKEN"]);
        assert_eq!((config.volumes.len(), config.layers.len()), (1, 1));
        assert_eq!(config.history[0].comment, "Imported from -");
        assert_eq!(config.history[1].created_by, "/bin/sh -c make");
    }

    #[test]
    fn what_is_none_is_a_gap() {
        for document in [&b"7"[..], b"", br#"{"config": {"User": 7}}"#, br#"{"history": "x"}"#] {
            assert!(image_of_config(document, "x").config.get().is_err());
        }
        assert!(image_of_config(b"{}", "x").config.value().is_some());
    }
}
