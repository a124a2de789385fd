//! Entrances for the fuzz targets of `/fuzz`: what notary servers and registries answer.

use jiff::Timestamp;

use crate::certificate::Certificate;
use crate::cosign;
use crate::crl::{self, About};
use crate::key::PublicKey;
use crate::keyless;
use crate::link::Link;
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

/// A certificate in PEM and in DER, a timestamp, a public key in DER, and a list of revoked certificates.
pub fn x509(bytes: &[u8]) {
    let _ = Certificate::from_pem(bytes);
    let _ = PublicKey::from_spki(bytes);
    let _ = PublicKey::from_pkcs1(bytes);
    keyless::fuzzing::certificate(bytes);
    crl(bytes);
}

/// A list, asked about the certificate of the seed `signer.der`.
fn crl(bytes: &[u8]) {
    let signer = Link::parse(include_bytes!("../../../fuzz/seeds/trust_x509/signer.der"));
    let addresses = ["http://lists.example/a.crl".to_owned()];
    let now = Timestamp::from_second(1_800_000_000).unwrap_or_default();
    let _ = signer.map(|link| {
        let about = About { link: &link, issuer: &link, addresses: &addresses, now };
        let _ = crl::ask(bytes, &about);
        crl::fuzz(bytes, &about);
    });
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
