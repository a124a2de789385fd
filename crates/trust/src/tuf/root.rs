//! Which root is believed: by pinned keys, by an explicit first use, or by the root before it.

use jiff::Timestamp;

use super::document::{Authority, Document};
use super::key::Key;
use super::{Role, TufError};

/// A certificate may begin this much later than now: signers' clocks run ahead.
const CLOCK_AHEAD: i64 = 86_400;

/// By what the first root of a repository is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootTrust {
    /// Ids of root keys: those of the metadata, or those of the bare keys.
    pub pins: Vec<String>,
    /// Whether the first root that the server shows is believed where nothing is pinned.
    pub first_use: bool,
}

/// Believes a root of which nothing is known: its keys have certificates for the repository that are valid now, and
/// are the pinned ones, or the first use is allowed.
pub(super) fn first(
    bytes: &[u8],
    gun: &str,
    now: Timestamp,
    trust: &RootTrust,
) -> Result<Document, TufError> {
    let root = Document::parse(Role::Root, bytes)?;
    let mut own = certified(&root, gun, Some(now))?;
    if !trust.pins.is_empty() {
        let ids = own.ids();
        own.retain(|key| is_pinned(key, trust));
        if own.ids().is_empty() {
            return Err(TufError::OtherThanPinned { ids });
        }
    }
    root.require_signatures(&own, "its own keys")?;
    root.require_fresh(now)?;
    if trust.pins.is_empty() && !trust.first_use {
        return Err(TufError::NotPinned { ids: own.ids() });
    }
    Ok(root)
}

/// Believes a root because the one before it does. `now` for the newest root alone: those on the way to it may have
/// expired.
pub(super) fn next(
    before: &Document,
    bytes: &[u8],
    gun: &str,
    now: Option<Timestamp>,
) -> Result<Document, TufError> {
    let root = Document::parse(Role::Root, bytes)?;
    if root.version < before.version {
        return Err(TufError::Rollback { role: Role::Root, found: root.version, seen: before.version });
    }
    if root.version == before.version && !root.says_the_same(before) {
        return Err(TufError::AnotherRoot { version: root.version });
    }
    let old = certified(before, gun, None)?;
    let valid = root.signers(&old)?.ids.len();
    if valid < old.threshold {
        return Err(TufError::NotRotated { version: root.version, valid, threshold: old.threshold });
    }
    root.require_signatures(&certified(&root, gun, now)?, "its own keys")?;
    if let Some(now) = now {
        root.require_fresh(now)?;
    }
    Ok(root)
}

/// Whether a root of which trust began is one that the pins allow.
pub(super) fn allows(trust: &RootTrust, anchor: &[String]) -> bool {
    trust.pins.is_empty() || anchor.iter().any(|id| trust.pins.contains(id))
}

/// All names of the keys of a root's own role.
pub(super) fn names(root: &Document) -> Result<Vec<String>, TufError> {
    Ok(root.authority(Role::Root)?.keys().flat_map(|key| key.names()).collect())
}

fn is_pinned(key: &Key, trust: &RootTrust) -> bool {
    key.names().iter().any(|name| trust.pins.contains(name))
}

/// The keys of a root's own role whose certificate is for the repository, and, where `now` is told, valid.
fn certified(root: &Document, gun: &str, now: Option<Timestamp>) -> Result<Authority, TufError> {
    let mut authority = root.authority(Role::Root)?;
    let why = authority.keys().find_map(|key| objection(&key, gun, now).err());
    authority.retain(|key| objection(key, gun, now).is_ok());
    if authority.ids().is_empty() {
        let why = why.unwrap_or_else(|| "none can be read".to_owned());
        return Err(TufError::NoCertificate { gun: gun.to_owned(), why });
    }
    Ok(authority)
}

fn objection(key: &Key, gun: &str, now: Option<Timestamp>) -> Result<(), String> {
    let certificate = key.certificate.as_ref().ok_or("a bare key")?;
    let name = certificate.common_name.as_deref().ok_or("no single common name")?;
    let matches = match name.strip_suffix('*') {
        Some(prefix) => gun.starts_with(prefix),
        None => gun == name,
    };
    if !matches {
        return Err(format!("it is for {name:?}"));
    }
    if certificate.sha1 {
        return Err("it is signed with SHA-1".to_owned());
    }
    match now.map(Timestamp::as_second) {
        Some(now) if now < certificate.not_before - CLOCK_AHEAD => Err("it is not valid yet".to_owned()),
        Some(now) if now > certificate.not_after => Err("it has expired".to_owned()),
        _ => Ok(()),
    }
}
