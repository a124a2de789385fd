//! What a scan found: packages, and the flaws that they have.

pub mod json;
pub mod terminal;

use std::borrow::Cow;

use plimsoll_facts::{
    AdvisorySource, Gap, OsRelease, PackageVerdict, Verdict, Vulnerabilities, Vulnerability,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Tool;

/// Version of the scan document that this build writes.
pub const SCAN_SCHEMA: &str = "plimsoll.scan/1";

/// One scan of one or several images. Packages and flaws stand in flat lists, each with the image that it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// Always [`SCAN_SCHEMA`].
    pub schema: Cow<'static, str>,
    /// What scanned.
    pub tool: Tool,
    /// When, RFC 3339, UTC.
    pub scanned_at: String,
    /// What was scanned.
    pub images: Vec<ScannedImage>,
    /// The sources of advisories that were asked.
    pub sources: Vec<AdvisorySource>,
    /// What could not be known.
    pub gaps: Vec<Gap>,
    /// Flaws, worst first within each image.
    pub vulnerabilities: Vec<OfImage<Vulnerability>>,
    /// Every package with its verdict.
    pub packages: Vec<OfImage<PackageVerdict>>,
}

/// One image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScannedImage {
    /// The name by which it was asked for.
    pub name: String,
    /// Its id (a digest), where it has one.
    pub id: Option<String>,
    /// How it was read.
    pub source: String,
    /// Distribution inside.
    pub os: Option<OsRelease>,
    /// When the distribution's release gets no fixes any more, `YYYY-MM-DD`, where that day has passed.
    pub end_of_life: Option<String>,
}

/// Something of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfImage<T> {
    /// The image's name, as in [`ScannedImage::name`].
    pub image: String,
    /// What it is.
    #[serde(flatten)]
    pub item: T,
}

impl Scan {
    /// A scan without images yet.
    pub fn new(scanned_at: String) -> Self {
        Self {
            schema: Cow::Borrowed(SCAN_SCHEMA),
            tool: Tool::default(),
            scanned_at,
            images: Vec::new(),
            sources: Vec::new(),
            gaps: Vec::new(),
            vulnerabilities: Vec::new(),
            packages: Vec::new(),
        }
    }

    /// Adds an image and what was found in it.
    pub fn add(&mut self, image: ScannedImage, found: Vulnerabilities) {
        let of = |name: &str| name.to_owned();
        for mut gap in found.gaps {
            gap.subject = format!("image {}", image.name);
            self.gaps.push(gap);
        }
        for source in found.sources {
            if !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        let flaws = found.vulnerabilities.into_iter().map(|item| OfImage { image: of(&image.name), item });
        self.vulnerabilities.extend(flaws);
        self.packages.extend(found.packages.into_iter().map(|item| OfImage { image: of(&image.name), item }));
        self.images.push(image);
    }

    /// How many packages came out in this way.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.packages.iter().filter(|package| package.item.verdict == verdict).count()
    }
}
