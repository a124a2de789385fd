//! Bundles of sigstore, version 0.3 (sigstore/protobuf-specs, `sigstore_bundle.proto`), signed with a key. Entries of logs
//! and timestamps in them are not looked at: with a key no time is needed, and what is not verified does not count.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{CosignKey, Signed, Subject, bad, signers};
use crate::{ImageDigest, Refusal, RefusalKind};

/// Both spellings of version 0.3.
const MEDIA_TYPES: [&str; 2] =
    ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"];
/// What the envelope holds (in-toto, "Envelope").
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Versions of what is in it (in-toto, "Statement").
const STATEMENT_TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// What a statement is about that is an image's signature. Others, such as how it was built, say something else.
const PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<MessageSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<Hint>,
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: MessageDigest,
    signature: String,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    predicate_type: String,
    subject: Vec<StatementSubject>,
}

#[derive(Deserialize)]
struct StatementSubject {
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: Option<String>,
    sha512: Option<String>,
}

/// Verifies one bundle.
pub(crate) fn verify(json: &[u8], subject: &Subject<'_>, keys: &[CosignKey]) -> Result<Signed, Refusal> {
    let bundle: Bundle =
        serde_json::from_slice(json).map_err(|error| bad(format!("the bundle cannot be read: {error}")))?;
    if !MEDIA_TYPES.contains(&bundle.media_type.as_str()) {
        let reason = format!("a bundle of type {:?} is not covered", bundle.media_type);
        return Err(Refusal::new(RefusalKind::Unsupported, reason));
    }
    let material = bundle.verification_material;
    let Some(Hint { hint }) = material.public_key else {
        return Err(match material.certificate.or(material.x509_certificate_chain) {
            Some(_) => Refusal::new(
                RefusalKind::Unsupported,
                "it is signed with a certificate (keyless), and keys are asked for",
            ),
            None => bad("the bundle names neither a key nor a certificate"),
        });
    };
    match (bundle.dsse_envelope, bundle.message_signature) {
        (Some(envelope), None) => of_envelope(&envelope, &hint, subject, keys),
        (None, Some(signature)) => of_message(&signature, &hint, subject, keys),
        _ => Err(bad("the bundle holds not exactly one signature")),
    }
}

/// A statement in an envelope (DSSE).
fn of_envelope(
    envelope: &Envelope,
    hint: &str,
    subject: &Subject<'_>,
    keys: &[CosignKey],
) -> Result<Signed, Refusal> {
    // With several, different checks could look at different ones.
    let [EnvelopeSignature { sig }] = envelope.signatures.as_slice() else {
        return Err(bad(format!("the envelope holds {} signatures, not one", envelope.signatures.len())));
    };
    let payload = decode(&envelope.payload, "payload")?;
    let message = encode(&envelope.payload_type, &payload);
    let signers = require_signers(keys, &message, &decode(sig, "signature")?, hint)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(bad(format!("what is signed is {:?}", envelope.payload_type)));
    }
    require_statement(&payload, subject.digest)?;
    Ok(Signed { signers, note: None })
}

/// What is signed must vouch for the image.
pub(super) fn require_statement(payload: &[u8], asked: &ImageDigest) -> Result<(), Refusal> {
    let statement: Statement = serde_json::from_slice(payload)
        .map_err(|error| bad(format!("what is signed cannot be read: {error}")))?;
    if !STATEMENT_TYPES.contains(&statement.kind.as_str()) {
        return Err(bad(format!("what is signed is {:?}", statement.kind)));
    }
    if statement.predicate_type != PREDICATE_TYPE {
        let reason = format!(
            "what is signed is a statement of {:?}, not that the image is vouched for",
            statement.predicate_type
        );
        return Err(Refusal::new(RefusalKind::Unsigned, reason));
    }
    let is_ours = |digest: &SubjectDigest| match asked.algorithm() {
        "sha512" => digest.sha512.as_deref() == Some(asked.sum()),
        _ => digest.sha256.as_deref() == Some(asked.sum()),
    };
    if !statement.subject.iter().any(|named| is_ours(&named.digest)) {
        return Err(bad("what is signed is another image"));
    }
    Ok(())
}

/// A signature over the manifest itself.
fn of_message(
    signed: &MessageSignature,
    hint: &str,
    subject: &Subject<'_>,
    keys: &[CosignKey],
) -> Result<Signed, Refusal> {
    let named = decode(&signed.message_digest.digest, "digest")?;
    let algorithm = match signed.message_digest.algorithm.as_str() {
        "SHA2_256" => "sha256",
        "SHA2_512" => "sha512",
        other => {
            return Err(Refusal::new(
                RefusalKind::Unsupported,
                format!("digests of {other:?} are not covered"),
            ));
        }
    };
    if algorithm != subject.digest.algorithm() || crate::hex(&named) != subject.digest.sum() {
        return Err(bad("what is signed is another image"));
    }
    let manifest = (subject.manifest)()?;
    let signers = require_signers(keys, &manifest, &decode(&signed.signature, "signature")?, hint)?;
    Ok(Signed { signers, note: None })
}

/// The keys that made a signature; where none did, the hint tells whether one of them is said to have.
fn require_signers(
    keys: &[CosignKey],
    message: &[u8],
    signature: &[u8],
    hint: &str,
) -> Result<Vec<String>, Refusal> {
    let signers = signers(keys, message, signature);
    match keys.iter().find(|key| key.is_hinted_at(hint)) {
        _ if !signers.is_empty() => Ok(signers),
        Some(key) => Err(bad(format!("the signature is not one of {}, as it is said to be", key.name()))),
        None => {
            let reason = format!("none of the trusted keys made the signature; it hints at key {hint:?}");
            Err(Refusal::new(RefusalKind::UntrustedKey, reason))
        }
    }
}

/// What is signed of an envelope (DSSE, "Pre-Authentication Encoding").
fn encode(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn decode(text: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| bad(format!("the {what} is no base64")))
}
