//! Bundles with a certificate, made of whatever a test wants: with the keys of `keyless/make.sh`, and any time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plimsoll_registry::Digest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::registry::{BUNDLE, MANIFEST};
use crate::signer::{Signer, statement};

/// Keys of `keyless/make.sh`.
pub(crate) const LOG: u8 = 13;
pub(crate) const SIGNER: u8 = 17;
pub(crate) const OTHER: u8 = 20;

pub(crate) const GOOD: &str = include_str!("keyless/good.crt");

/// When `keyless/make.sh` ran, in seconds since the Unix epoch.
pub(crate) fn made_at() -> i64 {
    include_str!("keyless/time").parse().unwrap()
}

pub(crate) struct Forged {
    pub(crate) certificate: &'static str,
    pub(crate) statement: String,
    pub(crate) signer: u8,
    pub(crate) log: u8,
    /// When the log says it saw it.
    pub(crate) time: i64,
    /// Changes what the log says that it saw.
    pub(crate) change: fn(&mut Value),
}

impl Default for Forged {
    fn default() -> Self {
        Self {
            certificate: GOOD,
            statement: statement(&Digest::of(MANIFEST)),
            signer: SIGNER,
            log: LOG,
            time: made_at(),
            change: |_| {},
        }
    }
}

impl Forged {
    /// The bundle, whose entry is the second of three in the log.
    pub(crate) fn bundle(&self) -> Value {
        let kind = "application/vnd.in-toto+json";
        let message = format!("DSSEv1 {} {kind} {} {}", kind.len(), self.statement.len(), self.statement);
        let signature = Signer::new(self.signer).sign(message.as_bytes());
        let mut body = json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "payloadHash": {"algorithm": "sha256", "value": hex(&Sha256::digest(&self.statement))},
            "signatures": [{"signature": signature, "verifier": STANDARD.encode(self.certificate)}]}});
        (self.change)(&mut body);
        json!({"mediaType": BUNDLE,
            "verificationMaterial": {
                "certificate": {"rawBytes": der_of(self.certificate)},
                "tlogEntries": [self.entry(&body)]},
            "dsseEnvelope": {"payload": STANDARD.encode(&self.statement), "payloadType": kind,
                "signatures": [{"sig": signature}]}})
    }

    pub(crate) fn entry(&self, body: &Value) -> Value {
        let text = body.to_string();
        let log = Signer::new(self.log);
        let id = Sha256::digest(Signer::new(LOG).der());
        let encoded = STANDARD.encode(&text);
        let promise = format!(
            r#"{{"body":"{encoded}","integratedTime":{},"logID":"{}","logIndex":41}}"#,
            self.time,
            hex(&id)
        );
        let leaf = |bytes: &[u8]| Sha256::new().chain_update([0]).chain_update(bytes).finalize();
        let node = |left: &[u8], right: &[u8]| {
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize()
        };
        let (first, third) = (leaf(b"first"), leaf(b"third"));
        let root = node(&node(&first, &leaf(text.as_bytes())), &third);
        let note = format!("log.example.org\n3\n{}\n", STANDARD.encode(root));
        let made = [&id[..4], &STANDARD.decode(log.sign(note.as_bytes())).unwrap()].concat();
        json!({"logIndex": "41", "logId": {"keyId": STANDARD.encode(id)},
            "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
            "integratedTime": self.time.to_string(),
            "inclusionPromise": {"signedEntryTimestamp": log.sign(promise.as_bytes())},
            "inclusionProof": {"logIndex": "1", "treeSize": "3", "rootHash": STANDARD.encode(root),
                "hashes": [STANDARD.encode(first), STANDARD.encode(third)],
                "checkpoint": {"envelope": format!("{note}\n\u{2014} log.example.org {}\n", STANDARD.encode(made))}},
            "canonicalizedBody": encoded})
    }
}

/// An entry of a bundle in the older form.
pub(crate) fn older_entry(entry: &Value) -> String {
    let id = hex(&STANDARD.decode(entry["logId"]["keyId"].as_str().unwrap()).unwrap());
    let number = |name: &str| entry[name].as_str().unwrap().parse::<i64>().unwrap();
    json!({"SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {"body": entry["canonicalizedBody"], "integratedTime": number("integratedTime"),
            "logIndex": number("logIndex"), "logID": id}})
    .to_string()
}

/// What is beside the envelope of a bundle in the older form.
pub(crate) fn beside_envelope(bundle: &Value, certificate: &str) -> Value {
    let entry = older_entry(&bundle["verificationMaterial"]["tlogEntries"][0]);
    json!({"dev.cosignproject.cosign/signature": "", "dev.sigstore.cosign/certificate": certificate,
        "dev.sigstore.cosign/bundle": entry})
}

pub(crate) fn der_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
