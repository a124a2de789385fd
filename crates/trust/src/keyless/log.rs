//! Entries of transparency logs (Rekor), as they come with a signature: as a promise, and as a proof.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::root::Log;
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// The highest a log's tree can be.
const HIGHEST: usize = 64;
/// The longest checkpoint, in bytes.
const LONGEST_CHECKPOINT: usize = 16 << 10;
/// The most who sign one checkpoint.
const MOST_SIGNERS: usize = 32;

/// An entry; nothing of it was verified.
#[derive(Debug)]
pub(crate) struct Entry {
    log: Vec<u8>,
    index: u64,
    /// When the log says it saw it, in seconds since the Unix epoch. Only the promise vouches for it.
    time: Option<i64>,
    promise: Option<Vec<u8>>,
    proof: Option<Proof>,
    pub(super) body: Vec<u8>,
    /// What the bundle says its kind and version are.
    pub(super) kind: Option<(String, String)>,
}

#[derive(Debug)]
struct Proof {
    index: u64,
    size: u64,
    root: Vec<u8>,
    hashes: Vec<Vec<u8>>,
    checkpoint: String,
}

/// An entry, as a bundle holds it (sigstore/protobuf-specs, `sigstore_rekor.proto`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BundleEntry {
    #[serde(default, deserialize_with = "number")]
    log_index: u64,
    log_id: LogId,
    kind_version: KindVersion,
    #[serde(default, deserialize_with = "number")]
    integrated_time: u64,
    inclusion_promise: Option<Promise>,
    inclusion_proof: Option<BundleProof>,
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogId {
    key_id: String,
}

#[derive(Deserialize)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Promise {
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleProof {
    #[serde(default, deserialize_with = "number")]
    log_index: u64,
    #[serde(deserialize_with = "number")]
    tree_size: u64,
    root_hash: String,
    #[serde(default)]
    hashes: Vec<String>,
    checkpoint: Checkpoint,
}

#[derive(Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// An entry, as the older form of a signature holds it (cosign, `specs/SIGNATURE_SPEC.md`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LegacyEntry {
    signed_entry_timestamp: String,
    payload: LegacyPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LegacyPayload {
    body: String,
    integrated_time: i64,
    log_index: u64,
    #[serde(rename = "logID")]
    log_id: String,
}

/// What an entry of a bundle must come with; the other may be there too.
#[derive(Clone, Copy)]
pub(crate) enum Inclusion {
    Promise,
    Proof,
}

impl BundleEntry {
    /// Takes the encodings away.
    pub(crate) fn read(&self, must_have: Inclusion) -> Result<Entry, Refusal> {
        let (promise, proof) = (self.inclusion_promise.as_ref(), self.inclusion_proof.as_ref());
        match must_have {
            Inclusion::Promise if promise.is_none() => {
                return Err(bad("an entry of a log without a promise that it gets in there"));
            }
            Inclusion::Proof if proof.is_none() => {
                return Err(bad("an entry of a log without a proof that it is in there"));
            }
            _ => {}
        }
        Ok(Entry {
            log: decode(&self.log_id.key_id)?,
            index: self.log_index,
            time: i64::try_from(self.integrated_time).ok().filter(|time| *time > 0),
            promise: promise.map(|promise| decode(&promise.signed_entry_timestamp)).transpose()?,
            proof: proof.map(BundleProof::read).transpose()?,
            body: decode(&self.canonicalized_body)?,
            kind: Some((self.kind_version.kind.clone(), self.kind_version.version.clone())),
        })
    }
}

impl BundleProof {
    fn read(&self) -> Result<Proof, Refusal> {
        if self.hashes.len() > HIGHEST {
            return Err(bad(format!("a proof of {} hashes", self.hashes.len())));
        }
        Ok(Proof {
            index: self.log_index,
            size: self.tree_size,
            root: decode(&self.root_hash)?,
            hashes: self.hashes.iter().map(|hash| decode(hash)).collect::<Result<_, _>>()?,
            checkpoint: self.checkpoint.envelope.clone(),
        })
    }
}

/// Reads the entry of the older form, which has a promise and no proof.
pub(crate) fn parse_legacy(json: &str) -> Result<Entry, Refusal> {
    let LegacyEntry { signed_entry_timestamp, payload } = serde_json::from_str(json)
        .map_err(|error| bad(format!("the entry of the log cannot be read: {error}")))?;
    Ok(Entry {
        log: crate::unhex(&payload.log_id).ok_or_else(|| bad("the name of the log is not hexadecimal"))?,
        index: payload.log_index,
        time: Some(payload.integrated_time),
        promise: Some(decode(&signed_entry_timestamp)?),
        proof: None,
        body: decode(&payload.body)?,
        kind: None,
    })
}

/// The log that has an entry, and when it saw it, where it signed that. A promise and a proof must hold where they are.
pub(super) fn verify<'a>(entry: &Entry, logs: &'a [Log]) -> Result<(&'a Log, Option<Timestamp>), Refusal> {
    let Some(log) = logs.iter().find(|log| log.id == entry.log) else {
        return Err(Refusal::new(
            RefusalKind::UntrustedKey,
            "it is in a log that the trusted root does not name",
        ));
    };
    if let Some(proof) = &entry.proof {
        check_checkpoint(proof, log)?;
        if root_of(&entry.body, proof).as_ref() != Some(&proof.root) {
            return Err(bad("the proof that it is in the log does not hold"));
        }
    }
    match &entry.promise {
        Some(promise) => Ok((log, Some(check_promise(entry, promise, log)?))),
        None if entry.proof.is_some() => Ok((log, None)),
        None => Err(bad("an entry of a log without promise or proof")),
    }
}

/// The time that the log signed together with the entry (Rekor, "signed entry timestamp").
fn check_promise(entry: &Entry, promise: &[u8], log: &Log) -> Result<Timestamp, Refusal> {
    let time = entry.time.ok_or_else(|| bad("a promise of the log without a time"))?;
    // Canonical JSON (RFC 8785) of members that need no escapes.
    let message = format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":{}}}"#,
        STANDARD.encode(&entry.body),
        crate::hex(&entry.log),
        entry.index
    );
    if !log.key.made(message.as_bytes(), promise) {
        return Err(bad("the log did not sign that it has this entry since then"));
    }
    Timestamp::from_second(time).map_err(|_| bad("the time of the log is none"))
}

/// The log must have signed how large its tree is, and what its root is (transparency-dev, "Checkpoints"; C2SP, "Signed
/// notes").
fn check_checkpoint(proof: &Proof, log: &Log) -> Result<(), Refusal> {
    if proof.checkpoint.len() > LONGEST_CHECKPOINT {
        return Err(bad(format!("a checkpoint longer than {LONGEST_CHECKPOINT} bytes")));
    }
    let (text, signatures) =
        proof.checkpoint.split_once("\n\n").ok_or_else(|| bad("a checkpoint without signatures"))?;
    let signed = format!("{text}\n");
    let is_by_log = signatures.lines().take(MOST_SIGNERS).any(|line| {
        let Some(signature) = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')) else {
            return false;
        };
        // Before the signature stand four bytes of the name of the key.
        let signature = STANDARD.decode(signature.1).unwrap_or_default();
        signature
            .split_at_checked(4)
            .is_some_and(|(hint, made)| log.id.starts_with(hint) && log.key.made(signed.as_bytes(), made))
    });
    if !is_by_log {
        return Err(bad("the log did not sign the checkpoint"));
    }
    let mut lines = text.lines().skip(1);
    let size = lines.next().and_then(|line| line.parse::<u64>().ok());
    let root = lines.next().and_then(|line| STANDARD.decode(line).ok());
    if size != Some(proof.size) || root.as_ref() != Some(&proof.root) {
        return Err(bad("the checkpoint is of another tree than the proof"));
    }
    Ok(())
}

/// Follows the proof of an entry, whoever signed it.
#[cfg(any(fuzzing, test))]
pub(super) fn fuzz(entry: &Entry) {
    if let Some(proof) = &entry.proof {
        let _ = root_of(&entry.body, proof);
    }
}

/// The root to which a proof leads from an entry (RFC 9162, section 2.1.3.2).
fn root_of(body: &[u8], proof: &Proof) -> Option<Vec<u8>> {
    if proof.index >= proof.size {
        return None;
    }
    let (mut index, mut last) = (proof.index, proof.size - 1);
    let mut hash = Sha256::new().chain_update([0]).chain_update(body).finalize().to_vec();
    let node = |left: &[u8], right: &[u8]| {
        Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().to_vec()
    };
    for sibling in &proof.hashes {
        if last == 0 || sibling.len() != hash.len() {
            return None;
        }
        if index % 2 == 1 || index == last {
            hash = node(sibling, &hash);
            while index.is_multiple_of(2) && index != 0 {
                index /= 2;
                last /= 2;
            }
        } else {
            hash = node(&hash, sibling);
        }
        index /= 2;
        last /= 2;
    }
    (last == 0).then_some(hash)
}

/// A number, which protobuf's JSON writes as a string.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u64),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number"))),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| bad("a part of the log's entry is no base64"))
}
