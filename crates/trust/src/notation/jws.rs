//! A JWS envelope (Notary Project, "JWS signature envelope"; RFC 7515, flattened JSON).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;

use super::envelope::{AUTHENTIC_TIME, EXPIRY, Envelope, SCHEME};
use crate::Refusal;
use crate::outcome::bad;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Flattened {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Deserialize)]
struct Header {
    x5c: Vec<String>,
    #[serde(rename = "io.cncf.notary.timestampSignature")]
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.authenticSigningTime")]
    authentic_time: Option<String>,
    #[serde(rename = "io.cncf.notary.signingTime")]
    signing_time: Option<String>,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
    #[serde(rename = "io.cncf.notary.verificationPlugin")]
    plugin: Option<String>,
}

/// Takes an envelope apart; nothing of it is verified.
pub(super) fn open(json: &[u8]) -> Result<Envelope, Refusal> {
    let envelope: Flattened = parse(json, "the envelope")?;
    let protected: Protected = parse(&decode(&envelope.protected)?, "the protected header")?;
    let certificates: Result<_, _> = envelope.header.x5c.iter().map(|text| STANDARD.decode(text)).collect();
    let timestamp = envelope.header.timestamp.map(|text| STANDARD.decode(text)).transpose();
    let present = [
        Some(SCHEME),
        protected.authentic_time.is_some().then_some(AUTHENTIC_TIME),
        protected.expiry.is_some().then_some(EXPIRY),
    ];
    Ok(Envelope {
        message: format!("{}.{}", envelope.protected, envelope.payload).into_bytes(),
        payload: decode(&envelope.payload)?,
        signature: decode(&envelope.signature)?,
        certificates: certificates.map_err(|_| bad("a certificate is no base64"))?,
        timestamp: timestamp.map_err(|_| bad("the timestamp is no base64"))?,
        algorithm: protected.alg,
        content_type: protected.cty,
        critical: protected.crit,
        present: present.into_iter().flatten().collect(),
        scheme: protected.scheme,
        authentic_time: time(protected.authentic_time.as_deref())?,
        signing_time: time(protected.signing_time.as_deref())?,
        expiry: time(protected.expiry.as_deref())?,
        plugin: protected.plugin,
    })
}

fn time(text: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    text.map(str::parse).transpose().map_err(|_| bad("its expiry or its signing time is no time"))
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| bad("a part of the envelope is no base64url"))
}

pub(super) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8], what: &str) -> Result<T, Refusal> {
    serde_json::from_slice(json).map_err(|error| bad(format!("{what} cannot be read: {error}")))
}
