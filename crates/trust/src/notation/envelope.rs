//! A signature in a JWS envelope (Notary Project, "JWS signature envelope"; RFC 7515, flattened JSON).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::chain::Chain;
use super::identity;
use crate::outcome::bad;
use crate::{ImageDigest, Refusal, RefusalKind};

/// What the payload is.
const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// The scheme in which the certificate of a signer says who signed.
const SCHEME: &str = "notary.x509";
/// Headers that may be critical, and that are looked at.
const CRITICAL: [&str; 2] = ["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"];

/// What a signature must be about, and whom it must be from.
pub(super) struct Asked<'a> {
    pub(super) digest: &'a ImageDigest,
    /// Certificates of the trusted roots, in DER.
    pub(super) roots: &'a [Vec<u8>],
    pub(super) identities: &'a [String],
    pub(super) now: Timestamp,
}

/// Who signed, and until when that holds.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) signer: String,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Deserialize)]
struct Header {
    x5c: Vec<String>,
    #[serde(rename = "io.cncf.notary.timestampSignature")]
    timestamp: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
    #[serde(rename = "io.cncf.notary.verificationPlugin")]
    plugin: Option<String>,
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

/// Verifies one envelope.
pub(super) fn verify(json: &[u8], asked: &Asked<'_>) -> Result<Signed, Refusal> {
    let envelope: Envelope = parse(json, "the envelope")?;
    let protected: Protected = parse(&decode(&envelope.protected)?, "the protected header")?;
    let expires = check_header(&protected)?;
    let chain = Chain::parse(&certificates(&envelope.header.x5c)?)?;
    // The key decides how it signs, never the header.
    if protected.alg != chain.algorithm()?.0 {
        return Err(bad(format!("the algorithm {:?} is not that of the certificate", protected.alg)));
    }
    let message = format!("{}.{}", envelope.protected, envelope.payload);
    if !chain.signed(message.as_bytes(), &decode(&envelope.signature)?) {
        return Err(bad("the signature does not hold"));
    }
    chain.check(asked.now).map_err(|refusal| match envelope.header.timestamp {
        Some(_) if refusal.kind == RefusalKind::Stale => {
            Refusal::new(RefusalKind::Unsupported, format!("{refusal}; its timestamp is not covered"))
        }
        _ => refusal,
    })?;
    if !asked.roots.iter().any(|root| root.as_slice() == chain.root()) {
        return Err(Refusal::new(RefusalKind::UntrustedKey, "its root is not in the named trust stores"));
    }
    let signer = identity::require(chain.subject(), asked.identities)?;
    if let Some(ended) = expires.filter(|expires| *expires <= asked.now) {
        return Err(Refusal::new(RefusalKind::Stale, format!("the signature held until {ended}")));
    }
    let payload: Payload = parse(&decode(&envelope.payload)?, "what is signed")?;
    if payload.target_artifact.digest != asked.digest.to_string() {
        return Err(bad(format!("what is signed is {:?}", payload.target_artifact.digest)));
    }
    Ok(Signed { signer, expires })
}

/// Whether the protected header asks for nothing that is not covered; answers until when the signature holds.
fn check_header(protected: &Protected) -> Result<Option<Timestamp>, Refusal> {
    let unsupported = |reason: String| Err(Refusal::new(RefusalKind::Unsupported, reason));
    if let Some(plugin) = &protected.plugin {
        return unsupported(format!("it needs the plugin {plugin:?}"));
    }
    if let Some(header) = protected.crit.iter().find(|header| !CRITICAL.contains(&header.as_str())) {
        return unsupported(format!("the critical header {header:?} is not covered"));
    }
    if protected.cty != PAYLOAD {
        return Err(bad(format!("what is signed is {:?}", protected.cty)));
    }
    if protected.scheme != SCHEME {
        return unsupported(format!("the signing scheme {:?} is not covered", protected.scheme));
    }
    let is_critical = |header: &str| protected.crit.iter().any(|critical| critical == header);
    if !is_critical(CRITICAL[0]) || (protected.expiry.is_some() && !is_critical(CRITICAL[1])) {
        return Err(bad("its signing scheme or expiry is not marked as critical"));
    }
    let expiry = protected.expiry.as_ref().map(|text| text.parse());
    expiry.transpose().map_err(|_| bad("its expiry is no time"))
}

fn certificates(texts: &[String]) -> Result<Vec<Vec<u8>>, Refusal> {
    let decoded: Result<_, _> = texts.iter().map(|text| STANDARD.decode(text)).collect();
    decoded.map_err(|_| bad("a certificate is no base64"))
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| bad("a part of the envelope is no base64url"))
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| bad(format!("{what} cannot be read: {error}")))
}
