//! Entrance for a fuzz target: a file of metadata.

use super::Role;
use super::document::Document;

/// A file of any role, and everything that is asked of it.
pub fn document(bytes: &[u8]) {
    for role in [Role::Root, Role::Timestamp, Role::Snapshot, Role::Targets] {
        let Ok(document) = Document::parse(role, bytes) else { continue };
        for named in [Role::Root, Role::Timestamp, Role::Snapshot, Role::Targets, Role::Releases] {
            if let Ok(authority) = document.authority(named) {
                let _ = document.signers(&authority);
            }
            let _ = document.meta(named);
        }
        let _ = document.releases();
        let tags: Vec<_> = document.tags().map(str::to_owned).collect();
        for tag in tags {
            let _ = document.target(&tag);
        }
    }
}
