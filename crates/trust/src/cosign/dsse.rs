//! Envelopes (DSSE, `envelope.md` and `protocol.md`): a payload that says of which kind it is, and what signs both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::Refusal;
use crate::outcome::bad;

/// What the envelope holds (in-toto, "Envelope").
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// An envelope, as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: String,
}

/// An envelope without its encodings; nothing of it was verified.
pub(super) struct Opened {
    /// What is signed ("Pre-Authentication Encoding").
    pub(super) message: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    kind: String,
}

impl Envelope {
    /// Takes the encodings away.
    pub(super) fn open(self) -> Result<Opened, Refusal> {
        // With several, different checks could look at different ones.
        let [EnvelopeSignature { sig }] = self.signatures.as_slice() else {
            return Err(bad(format!("the envelope holds {} signatures, not one", self.signatures.len())));
        };
        let payload = decode(&self.payload, "payload")?;
        let signature = decode(sig, "signature")?;
        let kind = self.payload_type;
        let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        message.extend_from_slice(&payload);
        Ok(Opened { message, payload, signature, kind })
    }
}

impl Opened {
    /// The payload must be a statement, whatever about.
    pub(super) fn require_kind(&self) -> Result<(), Refusal> {
        match self.kind == PAYLOAD_TYPE {
            true => Ok(()),
            false => Err(bad(format!("what is signed is {:?}", self.kind))),
        }
    }
}

pub(super) fn decode(text: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| bad(format!("the {what} is no base64")))
}
