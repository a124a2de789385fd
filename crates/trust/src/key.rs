//! Public keys, and what they signed.

use std::fmt;

use p256::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use signature::Verifier;
use signature::hazmat::PrehashVerifier;
use x509_cert::der::Decode;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// RSA keys below it can be broken.
const SMALLEST_RSA_BITS: u32 = 2048;
/// A public key of 8,192 bits of RSA has 1,100 bytes.
const LARGEST_KEY: usize = 4096;

/// A public key of an algorithm that plimsoll verifies.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa(rsa::PublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// How a signature was made. All of them hash with SHA-256, but Ed25519, which hashes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// ECDSA, as r and s of fixed width one after the other.
    EcdsaFixed,
    /// RSASSA-PSS with 32 bytes of salt.
    RsaPss,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1v15,
    /// Ed25519.
    Ed25519,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    Unsupported(String),
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > LARGEST_KEY {
            return Err(KeyError::Malformed(format!("a public key larger than {LARGEST_KEY} bytes")));
        }
        let malformed = |error: &dyn fmt::Display| KeyError::Malformed(format!("a public key: {error}"));
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|error| malformed(&error))?;
        match info.algorithm.oid.to_string().as_str() {
            "1.2.840.10045.2.1" => Self::elliptic(der, &info),
            "1.2.840.113549.1.1.1" => {
                let key = rsa::PublicKey::from_public_key_der(der).map_err(|error| malformed(&error))?;
                match key.n().bit_width() {
                    bits if bits < SMALLEST_RSA_BITS => Err(KeyError::Malformed(format!(
                        "an RSA key of {bits} bits; {SMALLEST_RSA_BITS} are the least"
                    ))),
                    _ => Ok(Self::Rsa(key)),
                }
            }
            "1.3.101.112" => Self::ed25519(info.subject_public_key.raw_bytes()),
            other => Err(KeyError::Unsupported(format!("keys of algorithm {other}"))),
        }
    }

    fn elliptic(der: &[u8], info: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let curve = info.algorithm.parameters_oid().map(|oid| oid.to_string()).unwrap_or_default();
        let key = match curve.as_str() {
            "1.2.840.10045.3.1.7" => p256::ecdsa::VerifyingKey::from_public_key_der(der).map(Self::P256),
            "1.3.132.0.34" => p384::ecdsa::VerifyingKey::from_public_key_der(der).map(Self::P384),
            other => return Err(KeyError::Unsupported(format!("keys on the curve {other:?}"))),
        };
        key.map_err(|error| KeyError::Malformed(format!("a public key: {error}")))
    }

    /// Reads the 32 bytes of an Ed25519 key.
    pub(crate) fn ed25519(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes =
            bytes.try_into().map_err(|_| KeyError::Malformed("an Ed25519 key has 32 bytes".to_owned()))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
        key.map(Self::Ed25519).map_err(|error| KeyError::Malformed(format!("an Ed25519 key: {error}")))
    }

    /// What is the same for two names of one key: its point, or its modulus and exponent.
    pub(crate) fn identity(&self) -> Vec<u8> {
        match self {
            Self::P256(key) => key.to_sec1_point(true).as_bytes().to_vec(),
            Self::P384(key) => key.to_sec1_point(true).as_bytes().to_vec(),
            Self::Rsa(key) => [key.n_bytes(), key.e_bytes()].concat(),
            Self::Ed25519(key) => key.as_bytes().to_vec(),
        }
    }

    /// Whether this key made the signature over the message. A scheme of another kind of key is a no.
    pub(crate) fn verifies(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match (self, scheme) {
            (Self::P256(key), Scheme::EcdsaFixed) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha256::digest(message), &signature).is_ok()),
            (Self::P384(key), Scheme::EcdsaFixed) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&Sha256::digest(message), &signature).is_ok()),
            (Self::Rsa(key), Scheme::RsaPss) => {
                rsa::pss::Signature::try_from(signature).is_ok_and(|signature| {
                    rsa::pss::VerifyingKey::<Sha256>::new(key.clone()).verify(message, &signature).is_ok()
                })
            }
            (Self::Rsa(key), Scheme::RsaPkcs1v15) => {
                rsa::pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
                    rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key.clone())
                        .verify(message, &signature)
                        .is_ok()
                })
            }
            (Self::Ed25519(key), Scheme::Ed25519) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            _ => false,
        }
    }
}
