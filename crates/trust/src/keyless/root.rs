//! Whom sigstore's verifiers trust (sigstore/protobuf-specs, `sigstore_trustroot.proto`): `trusted_root.json`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::key::PublicKey;
use crate::link::{LONGEST_CHAIN, Link};
use crate::outcome::bad;
use crate::timestamp::require_stamper;
use crate::{Refusal, RefusalKind};

/// The largest file, in bytes; sigstore's own has 7,000.
const LARGEST: usize = 1 << 20;
/// The most authorities, and the most logs of a kind.
const MOST: usize = 64;
/// What it calls itself, before the version.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";
/// Versions of it that are read.
const VERSIONS: [&str; 3] = ["+json;version=0.1", "+json;version=0.2", ".v0.2+json"];

/// The authorities and logs that are trusted, each for some time.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    pub(super) authorities: Vec<Authority>,
    pub(super) timestamp_authorities: Vec<Authority>,
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
}

/// Why a trusted root cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no trusted root of sigstore: {0}")]
pub struct TrustedRootError(String);

/// An authority: certificates up to its root, which is the last.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) chain: Vec<Link>,
    pub(super) valid: Window,
}

/// A log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) valid: Window,
}

/// From when until when somebody is trusted.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Window {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<LogPart>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityPart>,
    #[serde(default)]
    ctlogs: Vec<LogPart>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogPart {
    public_key: KeyPart,
    log_id: IdPart,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyPart {
    raw_bytes: String,
    #[serde(default)]
    key_details: String,
    valid_for: Option<Window>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdPart {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityPart {
    cert_chain: ChainPart,
    valid_for: Option<Window>,
}

#[derive(Deserialize)]
struct ChainPart {
    certificates: Vec<CertificatePart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificatePart {
    raw_bytes: String,
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    ///
    /// # Errors
    /// When it is none, or holds a key or certificate that cannot be used: it counts whole or not at all.
    pub fn parse(json: &[u8]) -> Result<Self, TrustedRootError> {
        if json.len() > LARGEST {
            return Err(TrustedRootError(format!("larger than {LARGEST} bytes")));
        }
        let document: Document =
            serde_json::from_slice(json).map_err(|error| TrustedRootError(error.to_string()))?;
        let version = document.media_type.strip_prefix(MEDIA_TYPE).unwrap_or_default();
        if !VERSIONS.contains(&version) {
            return Err(TrustedRootError(format!("a file of type {:?}", document.media_type)));
        }
        let root = Self {
            authorities: each(document.certificate_authorities, Authority::read)?,
            timestamp_authorities: each(document.timestamp_authorities, Authority::read)?,
            logs: each(document.tlogs, Log::read)?,
            certificate_logs: each(document.ctlogs, Log::read)?,
        };
        if root.authorities.is_empty() {
            return Err(TrustedRootError("it names no authority of certificates".to_owned()));
        }
        Ok(root)
    }
}

fn each<P, T>(parts: Vec<P>, read: impl Fn(P) -> Result<T, Refusal>) -> Result<Vec<T>, TrustedRootError> {
    if parts.len() > MOST {
        return Err(TrustedRootError(format!("more than {MOST} authorities or logs")));
    }
    let read: Result<_, _> = parts.into_iter().map(read).collect();
    read.map_err(|refusal| TrustedRootError(refusal.to_string()))
}

impl Log {
    fn read(part: LogPart) -> Result<Self, Refusal> {
        let der = decode(&part.public_key.raw_bytes)?;
        // sigstore's older logs have keys of RSA alone.
        let key = match part.public_key.key_details.starts_with("PKCS1_") {
            true => PublicKey::from_pkcs1(&der),
            false => PublicKey::from_spki(&der),
        };
        let key = key.map_err(|error| bad(error.to_string()))?;
        let valid = part.public_key.valid_for.unwrap_or_default();
        Ok(Self { id: decode(&part.log_id.key_id)?, key, valid })
    }
}

impl Authority {
    fn read(part: AuthorityPart) -> Result<Self, Refusal> {
        let certificates = part.cert_chain.certificates;
        if certificates.is_empty() || certificates.len() > LONGEST_CHAIN {
            return Err(bad(format!("an authority of {} certificates", certificates.len())));
        }
        let read = |part: CertificatePart| Link::parse(&decode(&part.raw_bytes)?);
        let chain: Result<_, _> = certificates.into_iter().map(read).collect();
        Ok(Self { chain: chain?, valid: part.valid_for.unwrap_or_default() })
    }

    /// The certificates from the issuer of one up to the root, each of which issued the one before.
    pub(super) fn path(&self, link: &Link) -> Option<Vec<&Link>> {
        path(link, &self.chain, 0)
    }

    /// Whether it may stamp times, and did so while it was trusted. Its first certificate is that of its signer.
    pub(super) fn check_own_chain(&self, time: Timestamp) -> Result<(), Refusal> {
        let Some((signer, issuers)) = self.chain.split_first() else {
            return Err(bad("an authority without certificates"));
        };
        require_stamper(signer)?;
        let path = match issuers {
            [] => Some(Vec::new()),
            issuers => path(signer, issuers, 0),
        };
        let path = path.ok_or_else(|| bad("its certificates are no chain"))?;
        let ended = path.iter().chain([&signer]).find_map(|link| link.not_at(time));
        match ended {
            Some(why) => Err(bad(format!("a certificate of its authority {why} at {time}"))),
            None if !self.valid.contains(time) => Err(Refusal::new(
                RefusalKind::UntrustedKey,
                format!("its authority is not trusted for {time}"),
            )),
            None => Ok(()),
        }
    }
}

/// `below` is how many authorities stand between the issuer in question and the signer.
fn path<'a>(link: &Link, chain: &'a [Link], below: usize) -> Option<Vec<&'a Link>> {
    for (number, issuer) in chain.iter().enumerate() {
        if link.check_issuer(issuer).is_err() || issuer.check_authority(below).is_err() {
            continue;
        }
        if number + 1 == chain.len() {
            return Some(vec![issuer]);
        }
        // An issuer stands behind those that it issued.
        if let Some(mut rest) = path(issuer, &chain[number + 1..], below + 1) {
            rest.insert(0, issuer);
            return Some(rest);
        }
    }
    None
}

impl Window {
    pub(super) fn contains(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| bad("a key or certificate is no base64"))
}
