//! Entrances for the fuzz targets of `/fuzz`: what a registry, or whoever names one, sends. They must neither panic nor
//! take more than a little time and memory, whatever the bytes are.

use crate::challenge::Challenge;
use crate::credentials::Credentials;
use crate::documents::{self, Index, MANIFEST_TYPES, Manifest, Platform};
use crate::reference::Reference;
use crate::referrers;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 4] = [
    ("registry_challenge", challenge),
    ("registry_documents", documents),
    ("registry_reference", reference),
    ("registry_referrers", referrers),
];

/// `WWW-Authenticate`.
pub fn challenge(bytes: &[u8]) {
    let _ = Challenge::parse(&String::from_utf8_lossy(bytes));
}

/// Manifests, indexes, and docker's config.json.
pub fn documents(bytes: &[u8]) {
    let _ = documents::media_type("x", MANIFEST_TYPES[0], bytes);
    let _ = Manifest::parse("x", bytes);
    let _ = Index::parse("x", bytes).map(|index| index.for_platform(&Platform::of_this_host()).is_some());
    let _ = Credentials::parse(bytes, "docker.io");
}

/// A page of referrers: its header `Link` in the first line, its body in the rest.
pub fn referrers(bytes: &[u8]) {
    let (link, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default());
    referrers::page(link, body);
}

/// Image references: what is taken must be taken again in full, and mean the same.
pub fn reference(bytes: &[u8]) {
    if let Ok(reference) = String::from_utf8_lossy(bytes).parse::<Reference>() {
        assert_eq!(reference.to_string().parse(), Ok(reference));
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
