//! Entrances for the fuzz targets of `/fuzz`: what notary servers and registries answer.

use crate::certificate::Certificate;
use crate::cosign;
use crate::key::PublicKey;
use crate::keyless;
pub use crate::notation::fuzzing::{cose, jws};
pub use crate::tuf::fuzzing::document;

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 5] = [
    ("trust_bundle", bundle),
    ("trust_cose", cose),
    ("trust_jws", jws),
    ("trust_tuf", document),
    ("trust_x509", x509),
];

/// A bundle by keys and by certificates, what is signed in it, and the entry of a log.
pub fn bundle(bytes: &[u8]) {
    cosign::fuzzing::bundle(bytes);
    keyless::fuzzing::entry(bytes);
}

/// A certificate in PEM and in DER, a timestamp, and a public key in DER.
pub fn x509(bytes: &[u8]) {
    let _ = Certificate::from_pem(bytes);
    let _ = PublicKey::from_spki(bytes);
    let _ = PublicKey::from_pkcs1(bytes);
    keyless::fuzzing::certificate(bytes);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
