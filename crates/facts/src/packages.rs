//! The packages of an image: what is installed, by which package manager, and where that is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Gap, OsRelease};

/// Every package that was found in one image, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PackageInventory {
    /// How the image was read: `overlay directories`, `docker-archive` …
    pub source: String,
    /// Distribution inside the image.
    pub os: Option<OsRelease>,
    /// Packages, by ecosystem, name, version and place.
    pub packages: Vec<InstalledPackage>,
    /// Where the package managers of the image take packages from.
    pub repositories: Vec<PackageRepository>,
    /// Content sets of Red Hat's build information: the repositories of which advisories apply.
    pub content_sets: Vec<String>,
    /// What could not be read, and why; `source` is the path inside the image. An inventory with gaps is not whole.
    pub gaps: Vec<Gap>,
}

/// One installed package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct InstalledPackage {
    /// Whose notation name and version are in.
    pub ecosystem: Ecosystem,
    /// Name: of the binary package, the module, the crate; `group:artifact` for Java.
    pub name: String,
    /// Version as the manager writes it; an rpm's is `epoch:version-release`, without an epoch of 0. Empty where it is
    /// written down nowhere, as in a Java archive without a manifest that names it.
    pub version: String,
    /// Source package; the package itself where it records none. `None`: not known (chiselled images), or a language
    /// package.
    pub source_name: Option<String>,
    /// Version of the source package, which may differ from the binary package's. An rpm's has no epoch.
    pub source_version: Option<String>,
    /// Architecture as the manager writes it.
    pub architecture: Option<String>,
    /// Maintainer (dpkg, apk) or vendor (rpm), as recorded.
    pub vendor: Option<String>,
    /// Module that an rpm belongs to (`MODULARITYLABEL`, `name:stream:version:context`).
    pub module: Option<String>,
    /// Where it is written down.
    pub location: PackageLocation,
    /// The distribution's package that this language package's file belongs to: its advisories count, not upstream's.
    pub owned_by: Option<String>,
}

/// Whose notation a package's name and version are in.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Debian and its kin.
    #[default]
    Dpkg,
    /// Alpine, Wolfi and their kin.
    Apk,
    /// Red Hat, SUSE and their kin.
    Rpm,
    /// Modules in a program's build information; the standard library is `stdlib`.
    Go,
    /// Crates in a program's `cargo auditable` section.
    Cargo,
    /// Distributions as Python calls them.
    Python,
    /// Packages below `node_modules`.
    Npm,
    /// Artifacts in Java archives.
    Java,
}

/// Where a package is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PackageLocation {
    /// Path inside the image; `outer.jar!/inner.jar` inside an archive.
    pub path: String,
    /// Which part of that file: a line number, or the number of a record. `None`: the file as a whole.
    pub stanza: Option<u64>,
}

/// A place that an image's package manager takes packages from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PackageRepository {
    /// The file that names it, inside the image.
    pub path: String,
    /// URI, without user name and password.
    pub uri: String,
    /// Suite, branch or repository id, where the notation has one.
    pub suite: Option<String>,
}
