//! Entrances for the fuzz targets of `/fuzz`: what notary servers and registries answer.

use crate::certificate::Certificate;
pub use crate::cosign::fuzzing::bundle;
use crate::key::PublicKey;
pub use crate::notation::fuzzing::jws;
pub use crate::tuf::fuzzing::document;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 4] =
    [("trust_bundle", bundle), ("trust_jws", jws), ("trust_tuf", document), ("trust_x509", x509)];

/// A certificate in PEM, and a public key in DER.
pub fn x509(bytes: &[u8]) {
    let _ = Certificate::from_pem(bytes);
    let _ = PublicKey::from_spki(bytes);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
