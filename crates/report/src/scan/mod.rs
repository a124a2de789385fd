//! What a scan found: packages, and the flaws that they have.

pub mod html;
pub mod json;
pub mod markdown;
pub mod sarif;
pub mod terminal;

use std::borrow::Cow;
use std::collections::BTreeMap;

use plimsoll_facts::{
    AdvisorySource, Gap, OsRelease, PackageVerdict, Verdict, Vulnerabilities, Vulnerability,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Tool, escape, words};

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
    /// Statements of VEX documents that are about nothing that was found.
    #[serde(default)]
    pub vex_unmatched: Vec<String>,
    /// Exceptions of the policy that would cover something, if their day were not over.
    #[serde(default)]
    pub exceptions_expired: Vec<String>,
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
    /// Since when fixes come from its long-term support alone, `YYYY-MM-DD`, where that has begun and not ended.
    #[serde(default)]
    pub long_term_since: Option<String>,
}

impl ScannedImage {
    /// The subject of gaps of this image.
    pub fn gap_subject(&self) -> String {
        format!("image {}", self.name)
    }
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
            vex_unmatched: Vec::new(),
            exceptions_expired: Vec::new(),
        }
    }

    /// Adds an image and what was found in it.
    pub fn add(&mut self, image: ScannedImage, found: Vulnerabilities) {
        let of = |name: &str| name.to_owned();
        for mut gap in found.gaps {
            gap.subject = image.gap_subject();
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

    /// Flaws that count: those about which no VEX document says that they do no harm, and which the policy does not accept.
    pub fn counted(&self) -> impl Iterator<Item = &OfImage<Vulnerability>> {
        self.vulnerabilities.iter().filter(|flaw| !flaw.item.is_suppressed())
    }

    /// How many flaws that count there are, by severity, worst first, in words.
    pub(crate) fn verdict(&self) -> String {
        const WORST_FIRST: [&str; 6] = ["critical", "high", "medium", "low", "negligible", "unknown"];
        let count = |word: &str| self.counted().filter(|flaw| flaw.item.severity == word).count();
        let told: Vec<String> = WORST_FIRST
            .iter()
            .map(|word| (count(word), word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if told.is_empty() { words::count(0, "flaw") } else { told.join(", ") }
    }

    /// How the packages came out, in words.
    pub(crate) fn coverage(&self) -> String {
        let counts = [
            (Verdict::FixAvailable, "to update"),
            (Verdict::NoFix, "without a fix"),
            (Verdict::Fixed, "fixed"),
            (Verdict::NotAffected, "not affected"),
            (Verdict::NotCovered, "not covered"),
        ];
        let counts: Vec<String> =
            counts.iter().map(|(verdict, text)| format!("{} {text}", self.count(*verdict))).collect();
        format!("{}: {}", words::count(self.packages.len(), "package"), counts.join(", "))
    }

    /// Why packages are not covered, and how many for each reason, most first.
    pub(crate) fn not_covered(&self, image: Option<&str>) -> Vec<(&str, usize)> {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for package in &self.packages {
            if package.item.verdict == Verdict::NotCovered && image.is_none_or(|it| it == package.image) {
                let reason = package.item.reason.as_deref().unwrap_or("no source speaks about it");
                *reasons.entry(reason).or_default() += 1;
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(*count), *reason));
        reasons
    }

    /// Whether any source spoke about any package of an image. One without packages has nothing to cover.
    pub fn is_covered(&self, image: &ScannedImage) -> bool {
        let mut packages = self.packages.iter().filter(|package| package.image == image.name).peekable();
        packages.peek().is_none() || packages.any(|package| package.item.verdict != Verdict::NotCovered)
    }

    /// How many packages came out in this way.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.packages.iter().filter(|package| package.item.verdict == verdict).count()
    }
}

/// What can be done about a flaw.
pub(crate) fn remedy(flaw: &Vulnerability) -> String {
    match (&flaw.fixed, &flaw.state) {
        (Some(fixed), Some(state)) => format!("fixed in {fixed} ({state})"),
        (Some(fixed), None) => format!("fixed in {fixed}"),
        (None, Some(state)) => format!("no fix ({state})"),
        (None, None) => "no fix yet".to_owned(),
    }
}

/// What the owner, and a VEX document, say about a flaw.
pub(crate) fn said(flaw: &Vulnerability) -> Option<String> {
    let accepted = flaw.exception.as_ref().map(words::exception);
    let vex = flaw.vex.as_ref().map(|note| {
        let because = note.justification.as_ref().map_or(String::new(), |why| format!(": {why}"));
        format!("{}{because} ({})", note.status, note.source)
    });
    let said: Vec<String> = accepted.into_iter().chain(vex).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What follows from a distribution's end.
pub(crate) fn end_of_life(day: &str) -> String {
    format!("its distribution gets no fixes since {day}: what is found since then is not known here")
}

/// Where OSV shows a record.
pub(crate) fn record_url(advisory: &str) -> String {
    format!("https://osv.dev/vulnerability/{}", escape::uri_segment(advisory))
}

/// The class that colours a flaw: colours exist for the severities of findings.
pub(crate) fn class(flaw: &Vulnerability) -> &'static str {
    match flaw.severity.as_str() {
        "critical" => "critical",
        "high" => "high",
        "medium" => "medium",
        "low" => "low",
        "negligible" => "info",
        _ => "unknown",
    }
}
