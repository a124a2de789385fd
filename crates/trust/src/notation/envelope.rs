//! What an envelope says, however it is written, and whether it holds (Notary Project, "Signature verification").

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::Chain;
use super::countersignature::{self, Stamp};
use super::identity;
use super::jws;
use super::policy::{Action, When};
use super::revocation::Revocation;
use crate::outcome::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// What the payload is.
const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// Headers.
pub(super) const SCHEME: &str = "io.cncf.notary.signingScheme";
pub(super) const AUTHENTIC_TIME: &str = "io.cncf.notary.authenticSigningTime";
pub(super) const SIGNING_TIME: &str = "io.cncf.notary.signingTime";
pub(super) const EXPIRY: &str = "io.cncf.notary.expiry";
pub(super) const PLUGIN: &str = "io.cncf.notary.verificationPlugin";
pub(super) const TIMESTAMP: &str = "io.cncf.notary.timestampSignature";
/// Where a reason is about the timestamp.
const ITS_TIMESTAMP: &str = "its timestamp";
/// The scheme in which a signer's certificate says who signed, and that in which an authority vouches for the time too.
const OF_SIGNER: &str = "notary.x509";
const OF_AUTHORITY: &str = "notary.x509.signingAuthority";

/// What a signature must be about, and whom it must be from.
pub(super) struct Asked<'a> {
    pub(super) digest: &'a ImageDigest,
    /// Certificates of the trusted roots, in DER: of signers, of signing authorities, and of timestamp authorities.
    pub(super) roots: &'a [Vec<u8>],
    pub(super) authority_roots: &'a [Vec<u8>],
    pub(super) timestamp_roots: &'a [Vec<u8>],
    pub(super) timestamps: When,
    pub(super) identities: &'a [String],
    pub(super) revocation: &'a Revocation,
    /// What it means that a certificate was revoked, or that nobody can tell.
    pub(super) if_revoked: Action,
    pub(super) now: Timestamp,
}

/// Who signed, when, and until when that holds.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) signer: String,
    pub(super) at: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    /// What was left out, and why.
    pub(super) notes: Vec<String>,
}

/// When it was signed, as far as somebody who is trusted says.
enum Time {
    Unknown,
    /// The signer's own authority says it.
    Authentic(Timestamp),
    Stamped(Stamp),
}

/// An envelope without its encodings; nothing of it was verified.
pub(super) struct Envelope {
    /// What is signed.
    pub(super) message: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The signer's first, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    /// In DER.
    pub(super) timestamp: Option<Vec<u8>>,
    /// As JWS calls it.
    pub(super) algorithm: String,
    pub(super) content_type: String,
    /// Headers that must be covered.
    pub(super) critical: Vec<String>,
    /// Headers that are there, of those that may be critical.
    pub(super) present: Vec<&'static str>,
    pub(super) scheme: String,
    pub(super) authentic_time: Option<Timestamp>,
    /// In the signer's own words.
    pub(super) signing_time: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
    pub(super) plugin: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Target,
}

#[derive(Deserialize)]
struct Target {
    digest: String,
}

impl Envelope {
    /// Verifies it.
    pub(super) fn verify(&self, asked: &Asked<'_>) -> Result<Signed, Refusal> {
        self.check_headers()?;
        let chain = Chain::parse(&self.certificates)?;
        // The key decides how it signs, never the header.
        if self.algorithm != chain.algorithm()?.0 {
            return Err(bad(format!("the algorithm {:?} is not that of the certificate", self.algorithm)));
        }
        if !chain.signed(&self.message, &self.signature) {
            return Err(bad("the signature does not hold"));
        }
        chain.check()?;
        let time = self.check_time(&chain, asked)?;
        let roots = if self.scheme == OF_AUTHORITY { asked.authority_roots } else { asked.roots };
        if !roots.iter().any(|root| root.as_slice() == chain.root()) {
            let reason = "its root is not in the named trust stores";
            return Err(Refusal::new(RefusalKind::UntrustedKey, reason));
        }
        let signer = identity::require(chain.subject(), asked.identities)?;
        if let Some(ended) = self.expiry.filter(|expiry| *expiry <= asked.now) {
            return Err(Refusal::new(RefusalKind::Stale, format!("the signature held until {ended}")));
        }
        let payload: Payload = jws::parse(&self.payload, "what is signed")?;
        if payload.target_artifact.digest != asked.digest.to_string() {
            return Err(bad(format!("what is signed is {:?}", payload.target_artifact.digest)));
        }
        let notes = check_revocation(&chain, &time, asked)?;
        let at = match time {
            Time::Unknown => self.signing_time,
            Time::Authentic(at) | Time::Stamped(Stamp { from: at, .. }) => Some(at),
        };
        Ok(Signed { signer, at, expires: self.expiry, notes })
    }

    /// Whether the protected headers ask for nothing that is not covered.
    fn check_headers(&self) -> Result<(), Refusal> {
        let unsupported = |reason: String| Err(Refusal::new(RefusalKind::Unsupported, reason));
        if let Some(plugin) = &self.plugin {
            return unsupported(format!("it needs the plugin {plugin:?}"));
        }
        let covered = [SCHEME, AUTHENTIC_TIME, EXPIRY];
        if let Some(header) = self.critical.iter().find(|header| !covered.contains(&header.as_str())) {
            return unsupported(format!("the critical header {header:?} is not covered"));
        }
        if self.content_type != PAYLOAD {
            return Err(bad(format!("what is signed is {:?}", self.content_type)));
        }
        if ![OF_SIGNER, OF_AUTHORITY].contains(&self.scheme.as_str()) {
            return unsupported(format!("the signing scheme {:?} is not covered", self.scheme));
        }
        let is_critical = |header: &str| self.critical.iter().any(|critical| critical == header);
        if !self.present.iter().all(|header| is_critical(header)) {
            return Err(bad("its signing scheme, expiry or authentic time is not marked as critical"));
        }
        if !self.critical.iter().all(|header| self.present.contains(&header.as_str())) {
            return Err(bad("a header that it marks as critical is not there"));
        }
        if self.authentic_time.is_some() != (self.scheme == OF_AUTHORITY) {
            return Err(bad("its authentic time does not fit its signing scheme"));
        }
        Ok(())
    }

    /// The chain must hold when it was signed, where somebody who is trusted says when that was; else now. Answers when that
    /// was.
    fn check_time(&self, chain: &Chain, asked: &Asked<'_>) -> Result<Time, Refusal> {
        if let Some(time) = self.authentic_time {
            if time > asked.now {
                return Err(bad(format!("it was signed at {time}, which is yet to come")));
            }
            return chain.check_at(time).map(|()| Time::Authentic(time));
        }
        let ended = chain.check_at(asked.now);
        let is_asked =
            !asked.timestamp_roots.is_empty() && (asked.timestamps == When::Always || ended.is_err());
        match &self.timestamp {
            Some(token) if is_asked => {
                let stamp = countersignature::read(token, &self.signature, asked.timestamp_roots)
                    .map_err(|refusal| refusal.at(ITS_TIMESTAMP))?;
                if stamp.from > asked.now {
                    return Err(bad(format!("it was signed at {}, which is yet to come", stamp.from)));
                }
                chain.check_at(stamp.from)?;
                chain.check_at(stamp.to)?;
                Ok(Time::Stamped(stamp))
            }
            Some(_) => ended.map(|()| Time::Unknown).map_err(|refusal| {
                let reason = format!("{refusal}; its timestamp counts only with a trust store of tsa");
                Refusal::new(refusal.kind, reason)
            }),
            None => ended.map(|()| Time::Unknown),
        }
    }
}

/// Nobody in the chain must be revoked, nor in that of the authority that says when it was signed: whatever such an authority
/// says of the time may be false, so that its own certificates must not be revoked at any time.
fn check_revocation(chain: &Chain, time: &Time, asked: &Asked<'_>) -> Result<Vec<String>, Refusal> {
    let mut notes = Vec::new();
    let mut latest = None;
    match time {
        Time::Unknown => {}
        Time::Authentic(at) => latest = Some(*at),
        Time::Stamped(stamp) => {
            let found = asked.revocation.check(&stamp.path, None, asked.if_revoked);
            let found = found.map_err(|refusal| refusal.at(ITS_TIMESTAMP))?;
            notes.extend(found.iter().map(|note| format!("{ITS_TIMESTAMP}: {note}")));
            latest = Some(stamp.to);
        }
    }
    notes.extend(asked.revocation.check(chain.links(), latest, asked.if_revoked)?);
    Ok(notes)
}
