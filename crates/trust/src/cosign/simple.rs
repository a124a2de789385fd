//! The older form: a payload in the simple signing format, and a signature over its bytes (containers/image,
//! `docs/containers-signature.5.md`; cosign, `specs/SIGNATURE_SPEC.md`).

use serde::Deserialize;
use x509_cert::der::pem;

use super::collect::Simple;
use super::dsse::decode;
use super::signers::{Certified, Made, Proof};
use super::{Signed, Signers, Subject};
use crate::keyless::parse_legacy;
use crate::outcome::bad;
use crate::{ImageDigest, Refusal};

/// What the payload of an image's signature calls itself.
const TYPE: &str = "cosign container image signature";

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: ImagePart,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    #[serde(default)]
    docker_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ImagePart {
    docker_manifest_digest: String,
}

/// An answer of a timestamp authority, beside the signature.
#[derive(Deserialize)]
struct Stamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    signed_timestamp: String,
}

/// Verifies one signature.
pub(super) fn verify(simple: &Simple, subject: &Subject<'_>, signers: &Signers) -> Result<Signed, Refusal> {
    let signature = decode(&simple.signature, "signature")?;
    let by = proof(simple, signers)?;
    let made = Made { message: &simple.payload, payload: None, signature: &signature, by };
    let makers = signers.require(made)?;
    let named = require_payload(&simple.payload, subject.digest)?;
    // cosign leaves the name to whoever reads it: a copy in another repository keeps its signature.
    let is_other = !named.is_empty() && named != subject.repository;
    Ok(Signed { makers, note: is_other.then(|| format!("it was signed under the name {named:?}")) })
}

/// What is beside a signature to tell who made it. The chain of its certificate is not looked at: the trusted root has it.
pub(super) fn proof(simple: &Simple, signers: &Signers) -> Result<Proof, Refusal> {
    let (Signers::Keyless(_), Some(certificate)) = (signers, &simple.certificate) else {
        return Ok(Proof::Hint(String::new()));
    };
    let certificate = match pem::decode_vec(certificate.trim().as_bytes()) {
        Ok(("CERTIFICATE", der)) => der,
        _ => return Err(bad("the certificate beside the signature is none")),
    };
    let stamp = |json: &String| {
        let stamp: Stamp = serde_json::from_str(json)
            .map_err(|error| bad(format!("the timestamp cannot be read: {error}")))?;
        decode(&stamp.signed_timestamp, "timestamp")
    };
    Ok(Proof::Certificate(Certified {
        certificate,
        entries: simple.entry.iter().map(|json| parse_legacy(json)).collect::<Result<_, _>>()?,
        timestamps: simple.timestamp.iter().map(stamp).collect::<Result<_, _>>()?,
    }))
}

/// What is signed must be the image; answers with the name under which it was signed.
pub(super) fn require_payload(payload: &[u8], asked: &ImageDigest) -> Result<String, Refusal> {
    let Payload { critical } = serde_json::from_slice(payload)
        .map_err(|error| bad(format!("what is signed cannot be read: {error}")))?;
    if critical.kind != TYPE {
        return Err(bad(format!("what is signed is {:?}, not an image", critical.kind)));
    }
    if critical.image.docker_manifest_digest != asked.to_string() {
        return Err(bad(format!("what is signed is {:?}", critical.image.docker_manifest_digest)));
    }
    Ok(critical.identity.docker_reference)
}
