//! What is known about the wall between containers and host: `knowledge/` at the root of the repository, compiled in.

mod entry;
mod judge;
#[cfg(test)]
mod knowledge;
mod upstream;

use std::sync::LazyLock;

pub use entry::*;
pub use judge::judge;
pub use upstream::UpstreamVersion;

use crate::{Severity, cvss};

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/boundary.postcard"));

/// Why the compiled-in knowledge cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the boundary knowledge of this build is damaged")]
pub struct KnowledgeError {
    source: postcard::Error,
}

/// Every boundary advisory, by component and id. Decoded when first asked for.
///
/// # Errors
/// When the build packed something else than it reads.
pub fn all() -> Result<&'static [BoundaryAdvisory], &'static KnowledgeError> {
    static DECODED: LazyLock<Result<Vec<BoundaryAdvisory>, KnowledgeError>> =
        LazyLock::new(|| postcard::from_bytes(PACKED).map_err(|source| KnowledgeError { source }));
    DECODED.as_ref().map(Vec::as_slice)
}

impl BoundaryAdvisory {
    /// How bad it is by its score, else by its vector.
    pub fn severity(&self) -> Severity {
        let tenths = self.score.map(|score| (score * 10.0).round().clamp(0.0, 100.0));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100")]
        let tenths = tenths.map(|tenths| tenths as u8);
        let by_vector = || self.vector.as_deref().and_then(cvss::base_score);
        tenths.or_else(by_vector).map_or(Severity::Unknown, Severity::of_score)
    }
}

#[cfg(test)]
impl BoundaryAdvisory {
    /// An advisory that says nothing but its id and component.
    fn named(id: &str, component: &str) -> Self {
        toml::from_str(&format!(
            "id = \"{id}\"\ntitle = \"\"\ncomponent = \"{component}\"\nsources = []\n[upstream]"
        ))
        .unwrap()
    }
}
