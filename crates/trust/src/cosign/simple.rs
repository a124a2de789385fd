//! The older form: a payload in the simple signing format, and a signature over its bytes (containers/image,
//! `docs/containers-signature.5.md`; cosign, `specs/SIGNATURE_SPEC.md`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{CosignKey, Signed, Subject, bad, signers};
use crate::{ImageDigest, Refusal, RefusalKind};

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

/// Verifies one signature, which is in base64.
pub(super) fn verify(
    payload: &[u8],
    signature: &str,
    subject: &Subject<'_>,
    keys: &[CosignKey],
) -> Result<Signed, Refusal> {
    let signature = STANDARD.decode(signature).map_err(|_| bad("the signature is no base64"))?;
    let signers = signers(keys, payload, &signature);
    if signers.is_empty() {
        return Err(Refusal::new(RefusalKind::UntrustedKey, "none of the trusted keys made the signature"));
    }
    let named = require_payload(payload, subject.digest)?;
    // cosign leaves the name to whoever reads it: a copy in another repository keeps its signature.
    let is_other = !named.is_empty() && named != subject.repository;
    Ok(Signed { signers, note: is_other.then(|| format!("it was signed under the name {named:?}")) })
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
