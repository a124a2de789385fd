//! What a certificate says: whose key, from when until when (RFC 5280).

use x509_cert::Certificate as Parsed;
use x509_cert::der::Encode;
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::ext::pkix::name::DirectoryString;

use crate::key::{KeyError, PublicKey};

/// A chain of ten certificates has some 20,000 bytes.
const LARGEST_PEM: usize = 64 << 10;
/// Signature algorithms that rest on SHA-1: with RSA, DSA and ECDSA (RFC 3279).
const SHA1_ALGORITHMS: [&str; 3] = ["1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];

/// The first certificate of a PEM file.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The subject's common name, where it has exactly one.
    pub(crate) common_name: Option<String>,
    /// First second of its validity, since the Unix epoch.
    pub(crate) not_before: i64,
    /// Last second of its validity, since the Unix epoch.
    pub(crate) not_after: i64,
    /// Whether its own signature rests on SHA-1.
    pub(crate) sha1: bool,
    /// Its SubjectPublicKeyInfo, in DER.
    pub(crate) spki: Vec<u8>,
    /// The key that it is about.
    pub(crate) key: PublicKey,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        if pem.len() > LARGEST_PEM {
            return Err(KeyError::Malformed(format!("a certificate larger than {LARGEST_PEM} bytes")));
        }
        let malformed = |error: x509_cert::der::Error| KeyError::Malformed(format!("a certificate: {error}"));
        let chain = Parsed::load_pem_chain(pem).map_err(malformed)?;
        let first =
            chain.first().ok_or_else(|| KeyError::Malformed("no certificate in the PEM".to_owned()))?;
        let subject = first.tbs_certificate();
        let validity = subject.validity();
        let spki = subject.subject_public_key_info().to_der().map_err(malformed)?;
        Ok(Self {
            common_name: common_name(first),
            not_before: seconds(validity.not_before.to_unix_duration()),
            not_after: seconds(validity.not_after.to_unix_duration()),
            sha1: SHA1_ALGORITHMS.contains(&first.signature_algorithm().oid.to_string().as_str()),
            key: PublicKey::from_spki(&spki)?,
            spki,
        })
    }
}

fn common_name(certificate: &Parsed) -> Option<String> {
    let mut names = certificate.tbs_certificate().subject().iter().filter(|part| part.oid == COMMON_NAME);
    let (name, None) = (names.next()?, names.next()) else { return None };
    DirectoryString::try_from(&name.value).ok().map(|name| name.value().into_owned())
}

fn seconds(since_epoch: std::time::Duration) -> i64 {
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}
