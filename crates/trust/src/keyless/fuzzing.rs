//! What comes with a signature with a certificate, taken as if everything before it held.

use std::sync::OnceLock;

use jiff::Timestamp;

use super::log::{self, BundleEntry, Inclusion};
use super::{Identity, TrustedRoot, body, identity, parse_legacy, sct};
use crate::link::Link;
use crate::timestamp::Token;

/// The trusted root of the tests, read once.
pub(crate) fn own_root() -> Option<TrustedRoot> {
    static ROOT: OnceLock<Option<TrustedRoot>> = OnceLock::new();
    let json = include_bytes!("../../tests/signatures/keyless/trusted_root.json");
    ROOT.get_or_init(|| TrustedRoot::parse(json).ok()).clone()
}

/// A trusted root, an entry of a log in both forms, and what it is about.
pub(crate) fn entry(bytes: &[u8]) {
    let Some(root) = TrustedRoot::parse(bytes).ok().or_else(own_root) else { return };
    let text = String::from_utf8_lossy(bytes);
    let bundled =
        serde_json::from_slice(bytes).ok().and_then(|entry: BundleEntry| entry.read(Inclusion::Proof).ok());
    for entry in bundled.into_iter().chain(parse_legacy(&text)) {
        let _ = log::verify(&entry, &root.logs);
        log::fuzz(&entry);
        let _ = body::read(&entry);
    }
}

/// A certificate of a signer, and a timestamp.
pub(crate) fn certificate(bytes: &[u8]) {
    let anybody = Identity::like(".*", "https://accounts.example.org");
    if let (Ok(link), Ok(anybody)) = (Link::parse(bytes), anybody) {
        let _ = link.check_issuer(&link);
        let _ = link.check_signer();
        let _ = link.check_authority(0);
        let _ = link.not_at(Timestamp::UNIX_EPOCH);
        let _ = identity::require(&link, &[anybody]);
        let _ = sct::of(&link).map(|timestamp| sct::message(&link, &link, &timestamp));
    }
    let _ = Token::parse(bytes).map(|token| (token.range(), token.certificates()));
}
