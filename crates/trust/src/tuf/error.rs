//! Why trust data is not believed.

use jiff::Timestamp;

use super::Role;
use crate::RefusalKind;

/// Why a tag could not be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TufError {
    /// The server knows no trust data of this repository, and nothing was known of it before.
    #[error("no trust data for the repository")]
    NoTrustData,
    /// The repository is signed, and this tag is not.
    #[error("the repository is signed, the tag {tag:?} is not")]
    TagNotSigned {
        /// The tag.
        tag: String,
    },
    /// A file is not what the format allows.
    #[error("{role}: {why}")]
    Malformed {
        /// Whose file.
        role: Role,
        /// What is wrong.
        why: String,
    },
    /// A file needs something that plimsoll cannot verify.
    #[error("{role}: {why} are not supported")]
    Unsupported {
        /// Whose file.
        role: Role,
        /// What it needs.
        why: String,
    },
    /// Fewer keys signed than must.
    #[error("{role}: {valid} of {threshold} signatures by {by}")]
    TooFewSignatures {
        /// Whose file.
        role: Role,
        /// Whose signatures.
        by: &'static str,
        /// Distinct keys with a good signature.
        valid: usize,
        /// Distinct keys that must sign.
        threshold: usize,
    },
    /// The repository was never seen, no key of its root is pinned, and trust on first use is not allowed.
    #[error("nothing is known of its root keys ({}): pin one, or allow trust on first use", ids.join(", "))]
    NotPinned {
        /// Ids of the root keys that the server shows.
        ids: Vec<String>,
    },
    /// Keys are pinned, and the root that is there is not of them.
    #[error("its root keys ({}) are not the pinned ones", ids.join(", "))]
    OtherThanPinned {
        /// Ids of the root keys.
        ids: Vec<String>,
    },
    /// No certificate of a root key is for this repository and valid now.
    #[error("root: no key has a certificate for {gun} that is valid now: {why}")]
    NoCertificate {
        /// The repository.
        gun: String,
        /// What is wrong with them.
        why: String,
    },
    /// The server shows another root under the version that is known.
    #[error("root: another root of the known version {version}")]
    AnotherRoot {
        /// The version.
        version: u64,
    },
    /// A new root is not signed by the keys of the one before.
    #[error("root {version}: {valid} of {threshold} signatures by the keys of the root before it")]
    NotRotated {
        /// Version of the new root.
        version: u64,
        /// Distinct keys with a good signature.
        valid: usize,
        /// Distinct keys that must sign.
        threshold: usize,
    },
    /// A file is not the one that its parent names.
    #[error("{role}: its {what} is not the one that {parent} names")]
    Mismatch {
        /// Whose file.
        role: Role,
        /// `length`, `sha256` or `sha512`.
        what: &'static str,
        /// The file that names it.
        parent: Role,
    },
    /// A file is older than one that was accepted before.
    #[error("{role}: version {found} after version {seen} was seen")]
    Rollback {
        /// Whose file.
        role: Role,
        /// Version that is served.
        found: u64,
        /// Version that was accepted.
        seen: u64,
    },
    /// The releases role was there, targets still delegates to it, and the snapshot does not name it any more.
    #[error("targets/releases was there before and is gone from the snapshot")]
    ReleasesVanished,
    /// A file is past its date.
    #[error("{role}: expired at {at}")]
    Expired {
        /// Whose file.
        role: Role,
        /// Its date.
        at: Timestamp,
    },
    /// The server does not have a file that must be there.
    #[error("{file}: not on the server")]
    Missing {
        /// The file's name.
        file: String,
    },
    /// The server cannot be reached, and this file was not kept from the last time.
    #[error("{role}: not kept from the last time")]
    NotKept {
        /// Whose file.
        role: Role,
    },
    /// The server could not be asked.
    #[error("{file}: {why}")]
    Unavailable {
        /// The file's name.
        file: String,
        /// What went wrong.
        why: String,
    },
    /// The server was reached, and its answer cannot be taken.
    #[error("{file}: {why}")]
    Answer {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The clock went back: what has expired cannot be told.
    #[error("it is {now} here, and the repository was last checked at {checked_at}: a clock is off")]
    ClockBack {
        /// The time.
        now: Timestamp,
        /// When the server was last believed.
        checked_at: Timestamp,
    },
    /// The manifest is not of the signed size.
    #[error("the manifest has {found} bytes, {signed} are signed")]
    ManifestSize {
        /// Its size.
        found: u64,
        /// The signed size.
        signed: u64,
    },
}

impl TufError {
    /// Which outcome it is.
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::NoTrustData | Self::TagNotSigned { .. } => RefusalKind::Unsigned,
            Self::Malformed { .. }
            | Self::TooFewSignatures { .. }
            | Self::Mismatch { .. }
            | Self::Rollback { .. }
            | Self::ReleasesVanished
            | Self::ManifestSize { .. } => RefusalKind::BadSignature,
            Self::NotPinned { .. }
            | Self::OtherThanPinned { .. }
            | Self::NoCertificate { .. }
            | Self::AnotherRoot { .. }
            | Self::NotRotated { .. } => RefusalKind::UntrustedKey,
            Self::Expired { .. } => RefusalKind::Stale,
            Self::Missing { .. }
            | Self::NotKept { .. }
            | Self::Unavailable { .. }
            | Self::Answer { .. }
            | Self::ClockBack { .. } => RefusalKind::Unavailable,
            Self::Unsupported { .. } => RefusalKind::Unsupported,
        }
    }
}
