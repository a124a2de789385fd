//! Signatures with a certificate that lives for minutes (sigstore, "keyless"), verified without network by a trusted root.
//!
//! That such a certificate is past its date means nothing: what counts is that it held when it signed, which a log or a
//! timestamp authority of the trusted root must vouch for. Nothing that comes with a signature is believed before somebody
//! of the trusted root signed it, and nothing of a log counts unless it is about this very signature.

mod body;
mod fulcio;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod identity;
mod log;
mod root;
mod sct;

use jiff::Timestamp;

use crate::link::Link;
use crate::outcome::bad;
use crate::timestamp::Token;
use crate::{Refusal, RefusalKind};

pub(crate) use self::log::{BundleEntry, Entry, Inclusion, parse_legacy};
pub use identity::{Identity, IdentityError};
pub use root::{TrustedRoot, TrustedRootError};

/// The most entries of logs, and the most timestamps, of one signature.
const MOST: usize = 8;

/// Verifies by a trusted root, and trusts some identities.
#[derive(Clone, Debug)]
pub struct Keyless {
    root: TrustedRoot,
    identities: Vec<Identity>,
    now: Timestamp,
}

/// A signature with a certificate, and all that comes with it; nothing of it was verified.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// What is signed.
    pub(crate) message: &'a [u8],
    /// The payload, where what is signed is an envelope.
    pub(crate) payload: Option<&'a [u8]>,
    pub(crate) signature: &'a [u8],
    /// The signer's certificate, in DER.
    pub(crate) certificate: &'a [u8],
    pub(crate) entries: Vec<Entry>,
    /// Answers of timestamp authorities (RFC 3161), in DER.
    pub(crate) timestamps: Vec<Vec<u8>>,
}

/// Who signed, and by when.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) signer: String,
    pub(crate) signed_at: Timestamp,
}

impl Keyless {
    /// A verifier that trusts whomever one of the identities describes.
    pub fn new(root: TrustedRoot, identities: Vec<Identity>, now: Timestamp) -> Self {
        Self { root, identities, now }
    }

    /// Verifies one signature; what is signed is not looked at.
    pub(crate) fn verify(&self, evidence: &Evidence<'_>) -> Result<Known, Refusal> {
        let leaf = Link::parse(evidence.certificate).map_err(|refusal| refusal.at("the certificate"))?;
        if !leaf.key.made(evidence.message, evidence.signature) {
            return Err(bad("the key of the certificate did not make the signature"));
        }
        let times = self.times(evidence)?;
        let issuer = fulcio::require_chain(&leaf, &self.root.authorities, &times)?;
        sct::require(&leaf, issuer, &self.root.certificate_logs)?;
        let signer = identity::require(&leaf, &self.identities)?;
        let signed_at = times.into_iter().min();
        let signed_at = signed_at.ok_or_else(|| bad("nothing tells when it was signed"))?;
        Ok(Known { signer, signed_at })
    }

    /// Every time at which somebody of the trusted root saw the signature. All that comes with it must hold.
    fn times(&self, evidence: &Evidence<'_>) -> Result<Vec<Timestamp>, Refusal> {
        if evidence.entries.len() > MOST || evidence.timestamps.len() > MOST {
            return Err(bad(format!("more than {MOST} entries of logs or timestamps")));
        }
        if evidence.entries.is_empty() && !self.root.logs.is_empty() {
            return Err(bad("it is in no log, and the trusted root names logs"));
        }
        let mut times = Vec::new();
        for timestamp in &evidence.timestamps {
            times.push(self.time(timestamp, evidence.signature)?);
        }
        let mut logs = Vec::new();
        for entry in &evidence.entries {
            let (log, time) = log::verify(entry, &self.root.logs)?;
            body::require(entry, evidence)?;
            logs.push(log);
            times.extend(time);
        }
        if times.is_empty() {
            return Err(bad("nothing proves when it was signed"));
        }
        if let Some(time) = times.iter().find(|time| **time > self.now) {
            return Err(bad(format!("it was signed at {time}, which is yet to come")));
        }
        if times.iter().any(|time| logs.iter().any(|log| !log.valid.contains(*time))) {
            return Err(Refusal::new(
                RefusalKind::UntrustedKey,
                "its log's key is not trusted for that time",
            ));
        }
        Ok(times)
    }

    /// When a timestamp authority saw the signature.
    fn time(&self, timestamp: &[u8], signature: &[u8]) -> Result<Timestamp, Refusal> {
        let token = Token::parse(timestamp).map_err(|refusal| refusal.at("a timestamp"))?;
        token.require_message(signature).map_err(|refusal| refusal.at("a timestamp"))?;
        let mut why = Refusal::new(
            RefusalKind::UntrustedKey,
            "a timestamp is from an authority that the trusted root does not name",
        );
        for authority in &self.root.timestamp_authorities {
            let Some(signer) = authority.chain.first().filter(|signer| token.is_by(signer)) else { continue };
            let checked =
                token.check_signature(signer).and_then(|()| authority.check_own_chain(token.time()));
            match checked {
                Ok(()) => return Ok(token.time()),
                Err(refusal) => why = refusal.at("a timestamp"),
            }
        }
        Err(why)
    }
}
