//! Public keys, and what they signed.

use std::fmt;

use p256::pkcs8::DecodePublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384, Sha512};
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
    P521(p521::ecdsa::VerifyingKey),
    Rsa(rsa::PublicKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// ECDSA, as r and s of fixed width one after the other.
    EcdsaFixed(Hash),
    /// ECDSA, as r and s in ASN.1.
    EcdsaDer(Hash),
    /// RSASSA-PSS with a salt as long as the hash.
    RsaPss(Hash),
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1v15(Hash),
    /// Ed25519, which hashes by itself.
    Ed25519,
}

/// A hash function of SHA-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash of bytes.
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// The function of this object identifier (RFC 5754, section 2).
    pub(crate) fn of_oid(oid: &str) -> Option<Self> {
        match oid {
            "2.16.840.1.101.3.4.2.1" => Some(Self::Sha256),
            "2.16.840.1.101.3.4.2.2" => Some(Self::Sha384),
            "2.16.840.1.101.3.4.2.3" => Some(Self::Sha512),
            _ => None,
        }
    }
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
                Self::rsa(rsa::PublicKey::from_public_key_der(der).map_err(|error| malformed(&error))?)
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
            "1.3.132.0.35" => p521::ecdsa::VerifyingKey::from_public_key_der(der).map(Self::P521),
            other => return Err(KeyError::Unsupported(format!("keys on the curve {other:?}"))),
        };
        key.map_err(|error| KeyError::Malformed(format!("a public key: {error}")))
    }

    /// Reads an RSAPublicKey (RFC 8017, appendix A.1.1) in DER.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > LARGEST_KEY {
            return Err(KeyError::Malformed(format!("a public key larger than {LARGEST_KEY} bytes")));
        }
        let key = rsa::PublicKey::from_pkcs1_der(der);
        Self::rsa(key.map_err(|error| KeyError::Malformed(format!("a public key: {error}")))?)
    }

    fn rsa(key: rsa::PublicKey) -> Result<Self, KeyError> {
        match key.n().bit_width() {
            bits if bits < SMALLEST_RSA_BITS => Err(KeyError::Malformed(format!(
                "an RSA key of {bits} bits; {SMALLEST_RSA_BITS} are the least"
            ))),
            _ => Ok(Self::Rsa(key)),
        }
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
            Self::P521(key) => key.to_sec1_point(true).as_bytes().to_vec(),
            Self::Rsa(key) => [key.n_bytes(), key.e_bytes()].concat(),
            Self::Ed25519(key) => key.as_bytes().to_vec(),
        }
    }

    /// Whether this key made a signature as sigstore makes them. How is said by the key alone: ECDSA in ASN.1 over SHA-256,
    /// on larger curves also over the hash of their size; RSASSA-PKCS1-v1_5 over SHA-256; Ed25519.
    pub(crate) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        let schemes: &[Scheme] = match self {
            Self::P256(_) => &[Scheme::EcdsaDer(Hash::Sha256)],
            Self::P384(_) => &[Scheme::EcdsaDer(Hash::Sha256), Scheme::EcdsaDer(Hash::Sha384)],
            Self::P521(_) => &[Scheme::EcdsaDer(Hash::Sha512)],
            Self::Rsa(_) => &[Scheme::RsaPkcs1v15(Hash::Sha256)],
            Self::Ed25519(_) => &[Scheme::Ed25519],
        };
        schemes.iter().any(|scheme| self.verifies(*scheme, message, signature))
    }

    /// Whether this key made the signature over the message. A scheme of another kind of key is a no.
    pub(crate) fn verifies(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        /// Verifies on one curve.
        macro_rules! ecdsa {
            ($curve:ident, $key:expr, $read:ident, $hash:expr) => {
                $curve::ecdsa::Signature::$read(signature)
                    .is_ok_and(|made| $key.verify_prehash(&$hash.of(message), &made).is_ok())
            };
        }
        match (self, scheme) {
            (Self::P256(key), Scheme::EcdsaFixed(hash)) => ecdsa!(p256, key, from_slice, hash),
            (Self::P256(key), Scheme::EcdsaDer(hash)) => ecdsa!(p256, key, from_der, hash),
            (Self::P384(key), Scheme::EcdsaFixed(hash)) => ecdsa!(p384, key, from_slice, hash),
            (Self::P384(key), Scheme::EcdsaDer(hash)) => ecdsa!(p384, key, from_der, hash),
            (Self::P521(key), Scheme::EcdsaFixed(hash)) => ecdsa!(p521, key, from_slice, hash),
            (Self::P521(key), Scheme::EcdsaDer(hash)) => ecdsa!(p521, key, from_der, hash),
            (Self::Rsa(key), Scheme::RsaPss(hash)) => pss(key.clone(), hash, message, signature),
            (Self::Rsa(key), Scheme::RsaPkcs1v15(hash)) => pkcs1v15(key.clone(), hash, message, signature),
            (Self::Ed25519(key), Scheme::Ed25519) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            _ => false,
        }
    }
}

fn pss(key: rsa::PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let Ok(made) = rsa::pss::Signature::try_from(signature) else { return false };
    match hash {
        Hash::Sha256 => rsa::pss::VerifyingKey::<Sha256>::new(key).verify(message, &made).is_ok(),
        Hash::Sha384 => rsa::pss::VerifyingKey::<Sha384>::new(key).verify(message, &made).is_ok(),
        Hash::Sha512 => rsa::pss::VerifyingKey::<Sha512>::new(key).verify(message, &made).is_ok(),
    }
}

fn pkcs1v15(key: rsa::PublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let Ok(made) = rsa::pkcs1v15::Signature::try_from(signature) else { return false };
    match hash {
        Hash::Sha256 => rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &made).is_ok(),
        Hash::Sha384 => rsa::pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &made).is_ok(),
        Hash::Sha512 => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &made).is_ok(),
    }
}
