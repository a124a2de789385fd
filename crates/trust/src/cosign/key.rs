//! Keys that cosign signs with, and what they signed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use x509_cert::der::pem;

use crate::hex;
use crate::key::PublicKey;

/// A key of 8,192 bits of RSA in PEM has 1,500 bytes.
const LARGEST_PEM: usize = 16 << 10;

/// A public key whose signatures are trusted, as `cosign.pub` has it.
#[derive(Clone)]
pub struct CosignKey {
    name: String,
    key: PublicKey,
    /// As bundles hint at it: SHA-256 of its SubjectPublicKeyInfo, in base64.
    hint: String,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no public key that cosign signs with: {0}")]
pub struct CosignKeyError(String);

impl fmt::Debug for CosignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CosignKey").field(&self.name).finish()
    }
}

impl CosignKey {
    /// Reads a public key in PEM (`-----BEGIN PUBLIC KEY-----`): ECDSA on P-256, P-384 or P-521, RSA, or Ed25519. `name` is
    /// what it is called in reports, beside its fingerprint.
    ///
    /// # Errors
    /// When it is none.
    pub fn from_pem(name: &str, text: &[u8]) -> Result<Self, CosignKeyError> {
        if text.len() > LARGEST_PEM {
            return Err(CosignKeyError(format!("larger than {LARGEST_PEM} bytes")));
        }
        let (label, der) =
            pem::decode_vec(text.trim_ascii()).map_err(|error| CosignKeyError(error.to_string()))?;
        if label != "PUBLIC KEY" {
            return Err(CosignKeyError(format!("a PEM of {label:?}")));
        }
        let key = PublicKey::from_spki(&der).map_err(|error| CosignKeyError(error.to_string()))?;
        let sum = Sha256::digest(&der);
        Ok(Self { name: format!("{name} (sha256:{})", hex(&sum)), key, hint: STANDARD.encode(sum) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_hinted_at(&self, hint: &str) -> bool {
        self.hint == hint
    }

    /// Whether this key made the signature.
    pub(super) fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.made(message, signature)
    }
}
