//! The roles of Docker Content Trust, each with one file of metadata.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who signs a file of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Names the keys of all roles.
    #[serde(rename = "root")]
    Root,
    /// Names the newest snapshot.
    #[serde(rename = "timestamp")]
    Timestamp,
    /// Names the newest root and targets.
    #[serde(rename = "snapshot")]
    Snapshot,
    /// Names the digest of each tag.
    #[serde(rename = "targets")]
    Targets,
    /// The one delegation whose tags the docker client takes, before those of [`Role::Targets`].
    #[serde(rename = "targets/releases")]
    Releases,
}

impl Role {
    /// Its name in URLs and in metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Timestamp => "timestamp",
            Self::Snapshot => "snapshot",
            Self::Targets => "targets",
            Self::Releases => "targets/releases",
        }
    }

    /// `_type` of its files.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Root => "Root",
            Self::Timestamp => "Timestamp",
            Self::Snapshot => "Snapshot",
            Self::Targets | Self::Releases => "Targets",
        }
    }

    /// The largest file that is read, in bytes. Targets hold some 200 a tag.
    pub(crate) fn largest(self) -> u64 {
        match self {
            Self::Timestamp => 64 << 10,
            Self::Root | Self::Snapshot => 4 << 20,
            Self::Targets | Self::Releases => 32 << 20,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
