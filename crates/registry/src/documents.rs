//! Manifests and indexes (OCI image specification; docker's manifest schema 2).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::digest::Digest;
use crate::error::{Error, Result};

/// Media types of manifests of one image or artifact.
pub const MANIFEST_TYPES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// Media types of lists of manifests.
pub const INDEX_TYPES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// What a blob or manifest is, and what it must be (OCI image specification, "Descriptor").
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type; empty where the document does not say.
    #[serde(default)]
    pub media_type: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Size in bytes.
    pub size: u64,
    /// What kind of artifact a manifest is.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// What an image runs on.
    #[serde(default)]
    pub platform: Option<Platform>,
    /// What its author notes about it.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Its own media type, where it says.
    #[serde(default)]
    pub media_type: String,
    /// The manifests.
    #[serde(default, deserialize_with = "or_default")]
    pub manifests: Vec<Descriptor>,
}

/// A manifest of one image or artifact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Its own media type, where it says.
    #[serde(default)]
    pub media_type: String,
    /// What kind of artifact it is, where that is not the configuration's media type.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// Layers, lowest first.
    #[serde(default, deserialize_with = "or_default")]
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default)]
    pub subject: Option<Descriptor>,
    /// What its author notes about it.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Platform {
    /// Operating system, as Go calls it.
    #[serde(default)]
    pub os: String,
    /// Architecture, as Go calls it.
    #[serde(default)]
    pub architecture: String,
    /// Variant of the architecture, such as `v7`.
    #[serde(default, deserialize_with = "or_default")]
    pub variant: String,
}

/// Go writes an empty list or map as `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Platform {
    /// Linux on the architecture of this program.
    pub fn of_this_host() -> Self {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64le",
            other => other,
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: String::new() }
    }

    /// Whether what runs on `other` is meant, of which a variant may be left open. arm64 has one variant, `v8`.
    fn admits(&self, other: &Self) -> bool {
        let variant = |platform: &Self| match (platform.architecture.as_str(), platform.variant.as_str()) {
            ("arm64", "") => "v8".to_owned(),
            (_, variant) => variant.to_owned(),
        };
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_empty() || variant(self) == variant(other))
    }
}

impl FromStr for Platform {
    type Err = String;

    /// `os/architecture[/variant]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        match (parts.next().filter(is_word), parts.next().filter(is_word), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant, None) if variant.is_none_or(|v| is_word(&v)) => {
                Ok(Self {
                    os: os.to_owned(),
                    architecture: architecture.to_owned(),
                    variant: variant.unwrap_or_default().to_owned(),
                })
            }
            _ => Err("os/architecture or os/architecture/variant, such as linux/arm64".to_owned()),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

impl Index {
    /// Reads an index; `what` names it in errors.
    ///
    /// # Errors
    /// When it is none, or could be taken for a manifest as well (CVE-2021-41190).
    pub fn parse(what: &str, json: &[u8]) -> Result<Self> {
        let found: Shape = parse(what, json)?;
        if found.layers.is_some() || found.config.is_some() {
            return Err(content(what, "it is an index and a manifest at the same time".to_owned()));
        }
        parse(what, json)
    }

    /// The manifest for a platform: the first that runs on it.
    pub fn for_platform(&self, platform: &Platform) -> Option<&Descriptor> {
        let fits = |found: &&Descriptor| found.platform.as_ref().is_some_and(|found| platform.admits(found));
        self.manifests.iter().find(fits)
    }
}

impl Manifest {
    /// Reads a manifest; `what` names it in errors.
    ///
    /// # Errors
    /// When it is none, or could be taken for an index as well (CVE-2021-41190).
    pub fn parse(what: &str, json: &[u8]) -> Result<Self> {
        let found: Shape = parse(what, json)?;
        if found.manifests.is_some() {
            return Err(content(what, "it is an index and a manifest at the same time".to_owned()));
        }
        parse(what, json)
    }
}

/// What tells the kinds of documents apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    #[serde(default)]
    schema_version: u32,
    #[serde(default)]
    media_type: String,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
}

/// The media type of a manifest or index: the document's own and that which the registry names must not differ.
///
/// # Errors
/// When they do, or it is none that is covered; docker's schema 1 is named.
pub(crate) fn media_type(what: &str, named: &str, json: &[u8]) -> Result<String> {
    let named = named.split(';').next().unwrap_or_default().trim();
    if named.starts_with("application/vnd.docker.distribution.manifest.v1+") {
        return Err(schema_1(what));
    }
    let shape: Shape = parse(what, json)?;
    if shape.schema_version == 1 {
        return Err(schema_1(what));
    }
    if !shape.media_type.is_empty() && shape.media_type != named {
        let why = format!("it calls itself {:?}, and the registry calls it {named:?}", shape.media_type);
        return Err(content(what, why));
    }
    if MANIFEST_TYPES.contains(&named) || INDEX_TYPES.contains(&named) {
        return Ok(named.to_owned());
    }
    Err(Error::Unsupported { what: what.to_owned(), why: format!("media type {named:?} is not covered") })
}

fn schema_1(what: &str) -> Error {
    let why =
        "it is of docker's manifest schema 1, which is not covered: push it again with a docker of today";
    Error::Unsupported { what: what.to_owned(), why: why.to_owned() }
}

fn content(what: &str, why: String) -> Error {
    Error::Content { what: what.to_owned(), why }
}

fn parse<'a, T: Deserialize<'a>>(what: &str, json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| content(what, format!("not as specified: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn index(platforms: &[&str]) -> Index {
        let entry = |(size, platform): (usize, &&str)| {
            let (os, rest) = platform.split_once('/').unwrap();
            let (architecture, variant) = rest.split_once('/').unwrap_or((rest, ""));
            format!(
                r#"{{"digest":"{SUM}","size":{size},"platform":{{"os":"{os}","architecture":"{architecture}","variant":"{variant}"}}}}"#
            )
        };
        let entries: Vec<_> = platforms.iter().enumerate().map(entry).collect();
        Index::parse("x", format!(r#"{{"manifests":[{}]}}"#, entries.join(",")).as_bytes()).unwrap()
    }

    #[test]
    fn the_platform_decides() {
        let index = index(&[
            "unknown/unknown",
            "windows/amd64",
            "linux/arm/v5",
            "linux/arm/v7",
            "linux/arm64/v8",
            "linux/amd64",
        ]);
        let chosen = |platform: &str| index.for_platform(&platform.parse().unwrap()).map(|found| found.size);
        assert_eq!(chosen("linux/amd64"), Some(5));
        assert_eq!(chosen("linux/arm64"), Some(4));
        assert_eq!(chosen("linux/arm/v7"), Some(3));
        assert_eq!(chosen("linux/arm"), Some(2));
        assert_eq!(chosen("linux/arm64/v9"), None);
        assert_eq!(chosen("linux/s390x"), None);
        for wrong in ["", "linux", "linux/", "linux/arm/", "linux/arm/v7/x", "lin ux/arm"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_document_is_one_kind() {
        let both = format!(r#"{{"manifests":[],"layers":[],"config":{{"digest":"{SUM}","size":0}}}}"#);
        assert!(Index::parse("x", both.as_bytes()).is_err());
        assert!(Manifest::parse("x", both.as_bytes()).is_err());
        let manifest =
            format!(r#"{{"layers":null,"config":{{"digest":"{SUM}","size":0,"annotations":null}}}}"#);
        assert_eq!(Manifest::parse("x", manifest.as_bytes()).unwrap().layers, []);
    }

    #[test]
    fn media_types_must_agree() {
        let [oci, docker] = MANIFEST_TYPES;
        let body = format!(r#"{{"schemaVersion":2,"mediaType":"{oci}"}}"#);
        assert_eq!(media_type("x", oci, body.as_bytes()), Ok(oci.to_owned()));
        assert_eq!(media_type("x", &format!("{oci}; charset=utf-8"), body.as_bytes()), Ok(oci.to_owned()));
        assert!(matches!(media_type("x", docker, body.as_bytes()), Err(Error::Content { .. })));
        assert!(matches!(media_type("x", "text/html", b"{}"), Err(Error::Unsupported { .. })));
        let old = media_type("x", "application/vnd.docker.distribution.manifest.v1+prettyjws", b"{}");
        assert!(old.unwrap_err().to_string().contains("schema 1"));
        let old = media_type("x", oci, br#"{"schemaVersion":1,"fsLayers":[]}"#);
        assert!(old.unwrap_err().to_string().contains("schema 1"));
    }
}
