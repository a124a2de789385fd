//! Signatures that registries keep beside images: cosign's and Notation's.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code, reason = "helpers of tests")]

mod attestations;
mod authority;
mod bad_servers;
mod cosign;
mod demands;
mod envelopes;
mod forged;
mod keyless;
mod notation;
mod registry;
mod requirement;
mod revocation;
#[path = "../../../registry/tests/hostile/server.rs"]
mod server;
mod signer;
mod world;

use plimsoll_trust::RefusalKind;

/// Who signed, or which refusal and why.
type Judged = Result<Vec<String>, (RefusalKind, String)>;

#[track_caller]
fn refused(judged: Judged, kind: RefusalKind, words: &str) {
    let (found, reason) = judged.unwrap_err();
    assert_eq!(found, kind, "{reason}");
    assert!(reason.contains(words), "{reason}");
}
