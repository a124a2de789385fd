//! What a log's entry is about. It must be this very signature, over these bytes, by this certificate: else an entry of
//! another signature would vouch for this one (CVE-2022-36056, CVE-2026-22703).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use x509_cert::der::pem;

use super::Evidence;
use super::log::Entry;
use crate::key::Hash;
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// What an entry says.
pub(super) struct Logged {
    /// Whether the digest is that of the payload alone, and not of all that is signed.
    of_payload: bool,
    hash: Hash,
    digest: Vec<u8>,
    signature: Vec<u8>,
    /// In DER.
    certificate: Vec<u8>,
}

/// The entry must be about this signature.
pub(super) fn require(entry: &Entry, evidence: &Evidence<'_>) -> Result<(), Refusal> {
    let logged = read(entry)?;
    let bytes = match (logged.of_payload, evidence.payload) {
        (false, _) => evidence.message,
        (true, Some(payload)) => payload,
        (true, None) => return Err(bad("the entry of the log is about an envelope")),
    };
    if logged.digest != logged.hash.of(bytes) {
        return Err(bad("the entry of the log is about other bytes"));
    }
    if logged.signature != evidence.signature {
        return Err(bad("the entry of the log is about another signature"));
    }
    if logged.certificate != evidence.certificate {
        return Err(bad("the entry of the log is about another certificate"));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    kind: String,
    api_version: String,
}

#[derive(Deserialize)]
struct Body<T> {
    spec: T,
}

pub(super) fn read(entry: &Entry) -> Result<Logged, Refusal> {
    let Kind { kind, api_version } = parse(&entry.body)?;
    if entry.kind.as_ref().is_some_and(|(said, version)| *said != kind || *version != api_version) {
        return Err(bad("the entry of the log is of another kind than it is said to be"));
    }
    match (kind.as_str(), api_version.as_str()) {
        ("hashedrekord", "0.0.1") => hashed(&spec(entry)?),
        ("hashedrekord", "0.0.2") => hashed2(&spec(entry)?),
        ("dsse", "0.0.1") => dsse(&spec(entry)?),
        ("dsse", "0.0.2") => dsse2(&spec(entry)?),
        ("intoto", "0.0.2") => in_toto(&spec(entry)?),
        _ => {
            let reason = format!("entries of kind {kind:?} {api_version:?} are not covered");
            Err(Refusal::new(RefusalKind::Unsupported, reason))
        }
    }
}

#[derive(Deserialize)]
struct HashPart {
    algorithm: String,
    /// In hexadecimal.
    value: String,
}

#[derive(Deserialize)]
struct Hashed {
    data: HashedData,
    signature: HashedSignature,
}

#[derive(Deserialize)]
struct HashedData {
    hash: HashPart,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashedSignature {
    content: String,
    public_key: HashedKey,
}

#[derive(Deserialize)]
struct HashedKey {
    content: String,
}

fn hashed(spec: &Hashed) -> Result<Logged, Refusal> {
    let (hash, digest) = spec.data.hash.read()?;
    Ok(Logged {
        of_payload: false,
        hash,
        digest,
        signature: decode(&spec.signature.content)?,
        certificate: certificate(&decode(&spec.signature.public_key.content)?)?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hashed2 {
    hashed_rekord_v002: Hashed2Part,
}

#[derive(Deserialize)]
struct Hashed2Part {
    data: Digest2,
    signature: Signature2,
}

/// A digest, as Rekor's second version writes it.
#[derive(Deserialize)]
struct Digest2 {
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Signature2 {
    content: String,
    verifier: Verifier2,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verifier2 {
    x509_certificate: Option<RawCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

fn hashed2(
    Hashed2 { hashed_rekord_v002: Hashed2Part { data, signature } }: &Hashed2,
) -> Result<Logged, Refusal> {
    data.read(false, signature)
}

impl Digest2 {
    fn read(&self, of_payload: bool, signature: &Signature2) -> Result<Logged, Refusal> {
        let certificate = signature.verifier.x509_certificate.as_ref();
        let certificate = certificate.ok_or_else(|| bad("the entry of the log is about a key"))?;
        Ok(Logged {
            of_payload,
            hash: hash_of(&self.algorithm)?,
            digest: decode(&self.digest)?,
            signature: decode(&signature.content)?,
            certificate: decode(&certificate.raw_bytes)?,
        })
    }
}

/// The signature of an entry, which must be its only one.
fn only<T>(signatures: &[T]) -> Result<&T, Refusal> {
    match signatures {
        [only] => Ok(only),
        several => Err(bad(format!("the entry of the log has {} signatures, not one", several.len()))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse {
    payload_hash: HashPart,
    signatures: Vec<DsseSignature>,
}

#[derive(Deserialize)]
struct DsseSignature {
    signature: String,
    verifier: String,
}

fn dsse(spec: &Dsse) -> Result<Logged, Refusal> {
    let only = only(&spec.signatures)?;
    let (hash, digest) = spec.payload_hash.read()?;
    Ok(Logged {
        of_payload: true,
        hash,
        digest,
        signature: decode(&only.signature)?,
        certificate: certificate(&decode(&only.verifier)?)?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse2 {
    dsse_v002: Dsse2Part,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse2Part {
    payload_hash: Digest2,
    signatures: Vec<Signature2>,
}

fn dsse2(Dsse2 { dsse_v002: Dsse2Part { payload_hash, signatures } }: &Dsse2) -> Result<Logged, Refusal> {
    payload_hash.read(true, only(signatures)?)
}

#[derive(Deserialize)]
struct InToto {
    content: InTotoContent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InTotoContent {
    envelope: InTotoEnvelope,
    payload_hash: HashPart,
}

#[derive(Deserialize)]
struct InTotoEnvelope {
    signatures: Vec<InTotoSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InTotoSignature {
    sig: String,
    public_key: String,
}

fn in_toto(InToto { content }: &InToto) -> Result<Logged, Refusal> {
    let only = only(&content.envelope.signatures)?;
    let (hash, digest) = content.payload_hash.read()?;
    // The signature is in base64 twice.
    let signature =
        String::from_utf8(decode(&only.sig)?).map_err(|_| bad("a signature that is no base64"))?;
    Ok(Logged {
        of_payload: true,
        hash,
        digest,
        signature: decode(&signature)?,
        certificate: certificate(&decode(&only.public_key)?)?,
    })
}

impl HashPart {
    fn read(&self) -> Result<(Hash, Vec<u8>), Refusal> {
        let digest = crate::unhex(&self.value).ok_or_else(|| bad("a digest that is not hexadecimal"))?;
        Ok((hash_of(&self.algorithm)?, digest))
    }
}

/// As Rekor's first version calls it, and its second.
fn hash_of(name: &str) -> Result<Hash, Refusal> {
    match name {
        "sha256" | "SHA2_256" => Ok(Hash::Sha256),
        "sha384" | "SHA2_384" => Ok(Hash::Sha384),
        "sha512" | "SHA2_512" => Ok(Hash::Sha512),
        other => Err(Refusal::new(RefusalKind::Unsupported, format!("digests of {other:?} are not covered"))),
    }
}

fn certificate(text: &[u8]) -> Result<Vec<u8>, Refusal> {
    match pem::decode_vec(text.trim_ascii()) {
        Ok(("CERTIFICATE", der)) => Ok(der),
        _ => Err(bad("the entry of the log is not about a certificate")),
    }
}

fn spec<T: DeserializeOwned>(entry: &Entry) -> Result<T, Refusal> {
    let body: Body<T> = parse(&entry.body)?;
    Ok(body.spec)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| bad(format!("the entry of the log cannot be read: {error}")))
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| bad("a part of the log's entry is no base64"))
}
