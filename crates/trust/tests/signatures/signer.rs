//! Signs as cosign does, with a key that is made of one number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use plimsoll_registry::Digest;
use plimsoll_trust::CosignKey;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::registry::BUNDLE;

pub(crate) struct Signer(SigningKey);

impl Signer {
    pub(crate) fn new(number: u8) -> Self {
        Self(SigningKey::from_slice(&[number; 32]).unwrap())
    }

    /// The signature over a message, as cosign writes it.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.signature(message).to_der().as_bytes())
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Signature {
        self.0.sign(message)
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        // SubjectPublicKeyInfo of a key on P-256, before its point (RFC 5480).
        let head = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
        [&head[..], self.0.verifying_key().to_sec1_point(false).as_bytes()].concat()
    }

    pub(crate) fn spki(&self) -> String {
        STANDARD.encode(self.der())
    }

    pub(crate) fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(self.der()))
    }

    pub(crate) fn key(&self, name: &str) -> CosignKey {
        let text = self.spki();
        let (first, second) = text.split_at(64);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
        CosignKey::from_pem(name, pem.as_bytes()).unwrap()
    }

    /// A bundle over bytes, which says that it is over others.
    pub(crate) fn message_bundle(&self, message: &[u8], named: &[u8]) -> Vec<u8> {
        let digest = STANDARD.encode(Sha256::digest(named));
        json!({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": self.hint()}},
            "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest},
                "signature": self.sign(message)}})
        .to_string()
        .into_bytes()
    }
}

/// What the older form signs.
pub(crate) fn payload(digest: &Digest) -> String {
    json!({"critical": {"identity": {"docker-reference": ""}, "image": {"docker-manifest-digest": digest.to_string()},
        "type": "cosign container image signature"}, "optional": null})
    .to_string()
}

/// What cosign 3 signs.
pub(crate) fn statement(digest: &Digest) -> String {
    json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": digest.sum()}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1", "predicate": {}})
    .to_string()
}

/// A bundle of a statement.
pub(crate) fn envelope(signer: &Signer, statement: &str) -> Vec<u8> {
    let kind = "application/vnd.in-toto+json";
    let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    json!({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": signer.hint()}},
        "dsseEnvelope": {"payload": STANDARD.encode(statement), "payloadType": kind,
            "signatures": [{"sig": signer.sign(message.as_bytes())}]}})
    .to_string()
    .into_bytes()
}
