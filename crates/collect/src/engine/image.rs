//! Images: `GET /images/json`, `GET /images/{id}/json`, `GET /images/{id}/history`.

use std::collections::BTreeMap;

use plimsoll_facts::{HistoryStep, Image, ImageConfig};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::declared::Healthcheck;
use super::environment::{Environment, looks_like_secret};
use super::graph::GraphDriver;
use super::json::{cut, epoch_seconds, lenient, or_default};

/// The most history steps that are kept.
pub(super) const MAX_STEPS: usize = 1024;
/// The longest instruction that is kept, in bytes.
const MAX_INSTRUCTION: usize = 64 << 10;
/// The most labels whose keys are kept.
const MAX_LABELS: usize = 512;

/// One row of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireImage {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    repo_digests: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    created: i64,
    #[serde(default, deserialize_with = "lenient")]
    size: u64,
}

impl WireImage {
    /// The image as far as the list tells.
    pub(super) fn into_facts(self) -> Image {
        Image {
            id: self.id,
            tags: names(self.repo_tags),
            digests: names(self.repo_digests),
            created_at: (self.created > 0).then_some(self.created),
            size: self.size,
            ..Image::default()
        }
    }
}

/// An image as its inspection tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireInspect {
    pub(super) id: String,
    config: Option<WireConfig>,
    #[serde(default, deserialize_with = "lenient")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    repo_digests: Vec<String>,
    #[serde(default, deserialize_with = "lenient")]
    created: String,
    #[serde(default, deserialize_with = "lenient")]
    size: u64,
    #[serde(default, deserialize_with = "lenient")]
    architecture: String,
    #[serde(default, deserialize_with = "lenient")]
    os: String,
    #[serde(default, deserialize_with = "lenient")]
    graph_driver: GraphDriver,
    #[serde(default, rename = "RootFS", deserialize_with = "lenient")]
    root_fs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireConfig {
    #[serde(deserialize_with = "or_default")]
    user: String,
    #[serde(deserialize_with = "lenient")]
    entrypoint: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    cmd: Vec<String>,
    env: Environment,
    #[serde(deserialize_with = "or_default")]
    exposed_ports: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "or_default")]
    volumes: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "lenient")]
    working_dir: String,
    #[serde(deserialize_with = "lenient")]
    stop_signal: String,
    #[serde(deserialize_with = "or_default")]
    healthcheck: Healthcheck,
    #[serde(deserialize_with = "lenient")]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct RootFs {
    #[serde(deserialize_with = "lenient")]
    pub(super) layers: Vec<String>,
}

/// One step of the history, newest first.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireStep {
    #[serde(deserialize_with = "lenient")]
    created: i64,
    #[serde(deserialize_with = "or_default")]
    created_by: String,
    #[serde(deserialize_with = "lenient")]
    size: u64,
    #[serde(deserialize_with = "lenient")]
    comment: String,
}

impl WireInspect {
    /// The image and its configuration, without its history.
    pub(super) fn into_facts(self) -> (Image, ImageConfig) {
        let config = ImageConfig {
            layer_dirs: self.graph_driver.layer_dirs(),
            storage_driver: self.graph_driver.name,
            architecture: self.architecture,
            os: self.os,
            ..self.config.unwrap_or_default().into_facts(self.root_fs)
        };
        let image = Image {
            id: self.id,
            tags: names(self.repo_tags),
            digests: names(self.repo_digests),
            created_at: epoch_seconds(&self.created),
            size: self.size,
            ..Image::default()
        };
        (image, config)
    }
}

impl WireConfig {
    /// What containers start with, and the layers.
    pub(super) fn into_facts(self, root_fs: RootFs) -> ImageConfig {
        let base = ["org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"]
            .iter()
            .find_map(|key| self.labels.get(*key).cloned());
        ImageConfig {
            user: self.user,
            entrypoint: self.entrypoint,
            cmd: self.cmd,
            environment: self.env.names,
            secret_like_environment: self.env.secret_like,
            exposed_ports: self.exposed_ports.into_keys().collect(),
            volumes: self.volumes.into_keys().collect(),
            working_dir: self.working_dir,
            stop_signal: self.stop_signal,
            healthcheck: self.healthcheck.into_test(),
            secret_like_labels: secret_like(&self.labels),
            labels: self.labels.into_keys().take(MAX_LABELS).collect(),
            base,
            layers: root_fs.layers,
            ..ImageConfig::default()
        }
    }
}

/// Keys of labels whose key or value looks like a secret.
fn secret_like(labels: &BTreeMap<String, String>) -> Vec<String> {
    let telling = labels.iter().filter(|(key, value)| looks_like_secret(key, value));
    telling.map(|(key, _)| key.clone()).take(MAX_LABELS).collect()
}

/// The history, oldest first.
pub(super) fn history(steps: Vec<WireStep>) -> Vec<HistoryStep> {
    let kept = steps.into_iter().take(MAX_STEPS).map(|step| {
        let created_by = instruction(step.created_by);
        HistoryStep { created_at: step.created, created_by, size: step.size, comment: step.comment }
    });
    let mut oldest_first: Vec<HistoryStep> = kept.collect();
    oldest_first.reverse();
    oldest_first
}

/// An instruction within its bound.
pub(super) fn instruction(mut text: String) -> String {
    text.truncate(cut(&text, MAX_INSTRUCTION).len());
    text
}

/// Old engines write `<none>:<none>` for an image without a name.
fn names(list: Vec<String>) -> Vec<String> {
    list.into_iter().filter(|name| !name.starts_with("<none>")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a real MariaDB image on Docker 20.10.24, shortened.
    const INSPECT: &str = r#"{
        "Id": "sha256:5b86", "RepoTags": ["plimsoll-test/mariadb:bookworm"], "RepoDigests": [],
        "Created": "2026-11-24T06:08:29.289213263Z", "Size": 617786730, "Architecture": "amd64", "Os": "linux",
        "Config": {"User": "mysql", "ExposedPorts": {"3306/tcp": {}}, "Env": ["PATH=/usr/bin", "A_TOKEN=x"],
                   "Cmd": ["mariadbd", "--bind-address=0.0.0.0"], "Volumes": {"/var/lib/mysql": {}},
                   "Entrypoint": null, "OnBuild": null, "Labels": {"org.opencontainers.image.base.name": "debian"},
                   "Healthcheck": {"Test": ["NONE"]}},
        "GraphDriver": {"Name": "fuse-overlayfs", "Data": {"LowerDir": "/l/b/diff:/l/a/diff", "UpperDir": "/l/c/diff"}},
        "RootFS": {"Type": "layers", "Layers": ["sha256:03f8", "sha256:d002"]}}"#;

    #[test]
    fn an_image_is_read_whole() {
        let (image, config) = serde_json::from_str::<WireInspect>(INSPECT).unwrap().into_facts();
        assert_eq!(image.name(), "plimsoll-test/mariadb:bookworm");
        assert_eq!(image.created_at, Some(1_795_500_509));
        assert_eq!(config.user, "mysql");
        assert_eq!(config.exposed_ports, ["3306/tcp"]);
        assert_eq!(config.volumes, ["/var/lib/mysql"]);
        assert_eq!(config.environment, ["PATH", "A_TOKEN"]);
        assert_eq!(config.secret_like_environment, ["A_TOKEN"]);
        assert_eq!(config.healthcheck, Some(vec!["NONE".to_owned()]));
        assert_eq!(config.base.as_deref(), Some("debian"));
        assert_eq!(config.layer_dirs, ["/l/c/diff", "/l/b/diff", "/l/a/diff"]);
        assert_eq!(config.layers.len(), 2);
    }

    #[test]
    fn an_image_of_docker_29_leaves_out_what_is_not_set() {
        let json = r#"{"Id": "sha256:1", "Config": {"Cmd": ["sh"]}, "RootFS": {"Type": "layers"}}"#;
        let (image, config) = serde_json::from_str::<WireInspect>(json).unwrap().into_facts();
        assert_eq!((image.created_at, config.cmd), (None, vec!["sh".to_owned()]));
        assert_eq!((config.healthcheck, config.layer_dirs.len()), (None, 0));
    }

    #[test]
    fn history_is_turned_round_and_bounded() {
        let long = "x".repeat(MAX_INSTRUCTION + 1);
        let json = format!(
            r#"[{{"Created": 2, "CreatedBy": "{long}", "Size": 3, "Comment": "", "Tags": null}},
                {{"Created": 1, "CreatedBy": "", "Comment": "Imported from -"}}]"#
        );
        let steps = history(serde_json::from_str(&json).unwrap());
        assert_eq!((steps[0].created_at, steps[0].comment.as_str()), (1, "Imported from -"));
        assert_eq!((steps[1].size, steps[1].created_by.len()), (3, MAX_INSTRUCTION));
    }
}
