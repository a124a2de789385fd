//! Storage drivers: which directories on the host hold a file system.

use serde::Deserialize;

use super::json::lenient;

/// The most layers that are kept; overlayfs itself takes at most 500.
const MAX_LAYERS: usize = 512;

/// `GraphDriver`. Engines that keep images in containerd leave it out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct GraphDriver {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(deserialize_with = "lenient")]
    data: Directories,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Directories {
    #[serde(deserialize_with = "lenient")]
    upper_dir: String,
    #[serde(deserialize_with = "lenient")]
    lower_dir: String,
}

impl GraphDriver {
    /// Overlay directories, topmost first; none where the driver is no overlay.
    pub(super) fn layer_dirs(&self) -> Vec<String> {
        if !matches!(self.name.as_str(), "overlay2" | "overlay" | "fuse-overlayfs") {
            return Vec::new();
        }
        std::iter::once(self.data.upper_dir.as_str())
            .chain(self.data.lower_dir.split(':'))
            .filter(|dir| dir.starts_with('/'))
            .take(MAX_LAYERS)
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_are_listed_from_the_top() {
        let json = r#"{"Name": "overlay2", "Data": {"LowerDir": "/l/c-init/diff:/l/b/diff", "UpperDir": "/l/c/diff"}}"#;
        let driver: GraphDriver = serde_json::from_str(json).unwrap();
        assert_eq!(driver.layer_dirs(), ["/l/c/diff", "/l/c-init/diff", "/l/b/diff"]);
        let single = r#"{"Name": "overlay2", "Data": {"UpperDir": "/l/c/diff"}}"#;
        assert_eq!(serde_json::from_str::<GraphDriver>(single).unwrap().layer_dirs(), ["/l/c/diff"]);
        for other in
            [r#"{"Name": "vfs", "Data": null}"#, r#"{"Name": "btrfs", "Data": {"UpperDir": "/x"}}"#, "{}"]
        {
            assert!(serde_json::from_str::<GraphDriver>(other).unwrap().layer_dirs().is_empty());
        }
    }
}
