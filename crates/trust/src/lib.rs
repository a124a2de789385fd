//! Who vouches for what: Docker Content Trust, cosign and Notation, verified by the digest that runs.
//!
//! [`Verified`] is made nowhere else, and only after every check: whoever holds a `Verified<ImageDigest>` need not ask
//! again. What is not verified is a [`Refusal`], whose kinds are kept apart: a server that cannot be reached says
//! nothing about signatures.

mod artifacts;
mod attestation;
mod certificate;
mod content_trust;
mod cosign;
mod crl;
mod demand;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod image;
mod key;
mod keyless;
mod link;
mod notation;
mod outcome;
mod requirement;
mod store;
mod timestamp;
pub mod tuf;

pub use attestation::Attestation;
pub use content_trust::{ContentTrust, Settings};
pub use cosign::{Attestations, Cosign, CosignKey, CosignKeyError, LeftOut};
pub use demand::Demands;
pub use image::Image;
pub use keyless::{Identity, IdentityError, Keyless, TrustedRoot, TrustedRootError};
pub use notation::Notation;
pub use outcome::{Refusal, RefusalKind, Verified};
pub use plimsoll_registry::Digest as ImageDigest;
pub use requirement::{Requirement, Verifier};
pub use store::{Accepted, AcceptedTag, Held, Pins, Store, StoreError};

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}
