//! The scan as one self-contained HTML page, without scripts.

use std::io::{self, Write};

use askama::Template;
use plimsoll_facts::Vulnerability;

use super::{Scan, ScannedImage};
use crate::html::{STYLE, STYLE_HASH, show};
use crate::words;

/// Writes the scan as one HTML page.
///
/// # Errors
/// What the writer answers.
pub fn write(scan: &Scan, out: &mut dyn Write) -> io::Result<()> {
    let page = Page {
        title: match scan.images.as_slice() {
            [image] => show(&image.name).into_owned(),
            images => words::count(images.len(), "image"),
        },
        images: scan.images.iter().map(|image| Section::of(scan, image)).collect(),
        lists: lists(scan),
        style: STYLE,
        style_hash: STYLE_HASH,
        scan,
    };
    page.write_into(out)
}

#[derive(Template)]
#[template(path = "scan.html")]
struct Page<'a> {
    title: String,
    scan: &'a Scan,
    images: Vec<Section<'a>>,
    lists: [(&'static str, Vec<String>); 5],
    style: &'static str,
    style_hash: &'static str,
}

struct Section<'a> {
    image: &'a ScannedImage,
    os: &'a str,
    end: Option<String>,
    flaws: Vec<&'a Vulnerability>,
}

impl<'a> Section<'a> {
    fn of(scan: &'a Scan, image: &'a ScannedImage) -> Self {
        Self {
            image,
            os: image.os.as_ref().and_then(|os| os.pretty_name.as_deref()).unwrap_or("unknown distribution"),
            end: image.end_of_life.as_deref().map(super::end_of_life),
            flaws: scan
                .vulnerabilities
                .iter()
                .filter(|flaw| flaw.image == image.name)
                .map(|flaw| &flaw.item)
                .collect(),
        }
    }
}

fn lists(scan: &Scan) -> [(&'static str, Vec<String>); 5] {
    let reasons = scan.not_covered(None);
    let sources = scan.sources.iter().map(|source| {
        let limits = source.limits.as_ref().map_or(String::new(), |limits| format!("; {limits}"));
        format!("{}: {} advisories{limits}", source.release, source.advisories)
    });
    [
        (
            "Not covered",
            reasons
                .iter()
                .map(|(reason, count)| format!("{}: {reason}", words::count(*count, "package")))
                .collect(),
        ),
        (
            "Could not be read",
            scan.gaps.iter().map(|gap| format!("{}: {}", gap.subject, words::gap(gap))).collect(),
        ),
        ("VEX about nothing that was found", scan.vex_unmatched.clone()),
        ("Exceptions that have expired", scan.exceptions_expired.clone()),
        ("Sources", sources.collect()),
    ]
}
