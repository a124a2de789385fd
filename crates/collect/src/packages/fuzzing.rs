//! What package managers write.

use std::collections::{BTreeMap, BTreeSet};

use lz4_flex::frame::FrameDecoder;
use plimsoll_facts::Package;

use super::paragraphs::each;
use super::{Owner, apk, apt_lists, dpkg};

/// Largest text that is read: what is packed must not cost more.
const LIMIT: u64 = 1 << 22;

/// dpkg's status and diversions, apk's database, and apt's lists, plain and packed.
pub(crate) fn databases(bytes: &[u8]) {
    let paths = BTreeSet::from(["/usr/bin/runc".to_owned()]);
    let diversions = String::from_utf8_lossy(bytes);
    let wanted = dpkg::Wanted::new(&paths, &diversions, true);
    for line in bytes.split(|byte| *byte == b'\n') {
        let _ = wanted.find(line);
    }
    let _ = each(bytes, LIMIT, |paragraph| {
        let _ = dpkg::owner(paragraph);
        let _ = (apk::owner(paragraph), apk::files(paragraph).count());
    });
    let package = Package { name: "runc".to_owned(), version: "1.1".to_owned(), ..Package::default() };
    let owner = Owner { package, architecture: "amd64".to_owned() };
    let mut best = BTreeMap::from([("runc", (&owner, apt_lists::Best::default()))]);
    let mut consider = |paragraph: &[u8]| {
        apt_lists::consider(paragraph, &apt_lists::Suite::Normal, &mut best);
    };
    let _ = each(bytes, LIMIT, &mut consider);
    let _ = each(FrameDecoder::new(bytes), LIMIT, &mut consider);
    for (_, best) in best.into_values() {
        let _ = best.newer_than("1.1");
    }
}
