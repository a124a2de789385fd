//! Programs that listen in containers, and the packages that they consist of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Gap, InstalledPackage};

/// A program that listens on a network, and what it consists of. Containers in which the same program consists of the same
/// share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ListeningProgram {
    /// Its path (`/proc/PID/exe`), as seen inside the container.
    pub path: String,
    /// The package that it belongs to.
    pub package: Option<PackageName>,
    /// Further packages that are in it: of the libraries that it has mapped (`/proc/PID/maps`), the modules that it is built
    /// from, and, of an interpreter, packages of the distribution that it may run.
    pub parts: Vec<PackageName>,
    /// Languages that it interprets: it may run every package of them that is installed beside it.
    pub runs: Vec<Ecosystem>,
    /// Why more may be in it than is named here, and of which file (`source`) that is so. `None`: all is named.
    pub gap: Option<Gap>,
}

/// A package by name and version, as its manager writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PackageName {
    /// Whose notation they are in.
    pub ecosystem: Ecosystem,
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

impl From<&InstalledPackage> for PackageName {
    fn from(package: &InstalledPackage) -> Self {
        Self { ecosystem: package.ecosystem, name: package.name.clone(), version: package.version.clone() }
    }
}
