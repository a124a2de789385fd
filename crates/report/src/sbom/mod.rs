//! Bills of materials: what is in images, with or without the flaws that were found.

pub mod cyclonedx;
pub mod spdx;

use plimsoll_facts::{Gap, InstalledPackage, Vulnerability};

use crate::Tool;
use crate::scan::{Scan, ScannedImage};

/// What a bill lists.
#[derive(Debug)]
pub struct Bill<'a> {
    tool: Tool,
    made_at: &'a str,
    images: Vec<BillImage<'a>>,
}

/// One image with what is in it.
#[derive(Debug)]
struct BillImage<'a> {
    image: &'a ScannedImage,
    packages: Vec<&'a InstalledPackage>,
    flaws: Vec<&'a Vulnerability>,
    gaps: Vec<&'a Gap>,
}

impl<'a> Bill<'a> {
    /// The bill of a scan, with the flaws that it found.
    pub fn of(scan: &'a Scan) -> Self {
        let of_image = |image: &'a ScannedImage| {
            let subject = image.gap_subject();
            BillImage {
                image,
                packages: scan
                    .packages
                    .iter()
                    .filter(|package| package.image == image.name)
                    .map(|package| &package.item.package)
                    .collect(),
                flaws: scan
                    .vulnerabilities
                    .iter()
                    .filter(|flaw| flaw.image == image.name)
                    .map(|flaw| &flaw.item)
                    .collect(),
                gaps: scan.gaps.iter().filter(|gap| gap.subject == subject).collect(),
            }
        };
        Self {
            tool: scan.tool.clone(),
            made_at: &scan.scanned_at,
            images: scan.images.iter().map(of_image).collect(),
        }
    }
}

impl BillImage<'_> {
    /// The places, among the image's packages, of those that a flaw is in.
    fn affected_by(&self, flaw: &Vulnerability) -> impl Iterator<Item = usize> {
        self.packages
            .iter()
            .enumerate()
            .filter(|(_, package)| {
                package.ecosystem == flaw.ecosystem && flaw.installed_as.contains(&package.name)
            })
            .map(|(place, _)| place)
    }
}

/// Fraction of a second is what neither format's schema wants.
fn whole_seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}
