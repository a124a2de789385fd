//! Keys as trust data holds them, and their ids.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::json::{Object, Value};
use crate::certificate::Certificate;
use crate::key::{Hash, KeyError, PublicKey, Scheme};

/// A key of a role.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// SHA-256 of its canonical form, in hex.
    pub(crate) id: String,
    /// The key itself.
    pub(crate) public: PublicKey,
    /// The certificate that it came in; always there for keys of a root that is believed.
    pub(crate) certificate: Option<Certificate>,
}

impl Key {
    /// Reads a key, and holds its id against its content.
    pub(crate) fn read(id: &str, value: &Value) -> Result<Self, KeyError> {
        let malformed = |why: &str| KeyError::Malformed(format!("key {id}: {why}"));
        let Value::Object(members) = value else { return Err(malformed("not an object")) };
        let (Some(Value::Text(kind)), Some(Value::Object(keyval))) =
            (members.get("keytype"), members.get("keyval"))
        else {
            return Err(malformed("no keytype or keyval"));
        };
        let Some(Value::Text(encoded)) = keyval.get("public") else { return Err(malformed("no public key")) };
        if id_of(kind, encoded) != id {
            return Err(malformed("its id is not the hash of its content"));
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| malformed("not base64"))?;
        let certificate = match kind.as_str() {
            "ecdsa-x509" | "rsa-x509" => Some(Certificate::from_pem(&bytes)?),
            _ => None,
        };
        let public = match (kind.as_str(), &certificate) {
            (_, Some(certificate)) => certificate.key.clone(),
            ("ed25519", None) => PublicKey::ed25519(&bytes)?,
            ("ecdsa" | "rsa", None) => PublicKey::from_spki(&bytes)?,
            (other, None) => return Err(KeyError::Unsupported(format!("keys of type {other:?}"))),
        };
        match is_of(kind, &public) {
            true => Ok(Self { id: id.to_owned(), public, certificate }),
            false => Err(malformed("not of the type that it says")),
        }
    }

    /// The ids by which people know the key: its own, and for one in a certificate that of the bare key, which is the
    /// name of the file that the docker client keeps the private key in.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![self.id.clone()];
        if let Some(certificate) = &self.certificate {
            let kind = if matches!(self.public, PublicKey::Rsa(_)) { "rsa" } else { "ecdsa" };
            names.push(id_of(kind, &STANDARD.encode(&certificate.spki)));
        }
        names
    }
}

fn is_of(kind: &str, key: &PublicKey) -> bool {
    match key {
        PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_) => kind.starts_with("ecdsa"),
        PublicKey::Rsa(_) => kind.starts_with("rsa"),
        PublicKey::Ed25519(_) => kind == "ed25519",
    }
}

fn id_of(kind: &str, public: &str) -> String {
    let text = |text: &str| Value::Text(text.to_owned());
    let keyval = Object::from([("private".to_owned(), Value::Null), ("public".to_owned(), text(public))]);
    let key =
        Object::from([("keytype".to_owned(), text(kind)), ("keyval".to_owned(), Value::Object(keyval))]);
    crate::hex(&Sha256::digest(Value::Object(key).canonical()))
}

/// The scheme of a `method`, which always hashes with SHA-256; `None` for one that is not known, which never counts.
pub(crate) fn scheme(method: &str) -> Option<Scheme> {
    match method.to_ascii_lowercase().as_str() {
        "ecdsa" => Some(Scheme::EcdsaFixed(Hash::Sha256)),
        "eddsa" => Some(Scheme::Ed25519),
        "rsapss" => Some(Scheme::RsaPss(Hash::Sha256)),
        "rsapkcs1v15" => Some(Scheme::RsaPkcs1v15(Hash::Sha256)),
        _ => None,
    }
}
