//! What is remembered of a repository between two looks at it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Role;

/// What was accepted of one repository. The versions are numbers of our own: the notary client reads them from its
/// copies of the files, and can be made to forget one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositoryState {
    /// The repository's name with its registry (`docker.io/library/alpine`), as the notary knows it.
    pub gun: String,
    /// Ids of the root keys with which trust began, and of the bare keys of these.
    pub anchor: Vec<String>,
    /// Whether they were pinned, or the first that the server showed.
    pub first_use: bool,
    /// When trust began.
    pub since: Timestamp,
    /// When the server was last reached and believed.
    pub checked_at: Timestamp,
    /// The highest version accepted of each role.
    pub versions: BTreeMap<Role, u64>,
    /// The files as they were last accepted, for servers that cannot be reached.
    pub files: BTreeMap<Role, String>,
}

impl RepositoryState {
    /// The highest version seen of a role; 0 where none was.
    pub(super) fn version(&self, role: Role) -> u64 {
        self.versions.get(&role).copied().unwrap_or(0)
    }

    /// The last accepted file of a role.
    pub(super) fn file(&self, role: Role) -> Option<&[u8]> {
        self.files.get(&role).map(|text| text.as_bytes())
    }
}
