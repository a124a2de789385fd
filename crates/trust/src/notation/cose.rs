//! A COSE envelope (Notary Project, "COSE signature envelope"; RFC 9052, `COSE_Sign1_Tagged`).

use coset::cbor::value::Value;
use coset::iana::{Algorithm, EnumI64, HeaderParameter};
use coset::{ContentType, CoseSign1, Header, Label, RegisteredLabelWithPrivate, TaggedCborSerializable};
use jiff::Timestamp;

use super::envelope::{AUTHENTIC_TIME, EXPIRY, Envelope, PLUGIN, SCHEME, SIGNING_TIME, TIMESTAMP};
use crate::Refusal;
use crate::outcome::bad;

/// How a time is tagged that is a number of seconds since the Unix epoch (RFC 8949, section 3.4.2).
const EPOCH_TIME: u64 = 1;

/// Takes an envelope apart; nothing of it is verified.
pub(super) fn open(cbor: &[u8]) -> Result<Envelope, Refusal> {
    let envelope = CoseSign1::from_tagged_slice(cbor)
        .map_err(|error| bad(format!("the envelope cannot be read: {error}")))?;
    let protected = &envelope.protected.header;
    let present =
        [SCHEME, AUTHENTIC_TIME, EXPIRY].into_iter().filter(|name| named(protected, name).is_some());
    let critical = protected.crit.iter().map(|label| match label {
        RegisteredLabelWithPrivate::Text(name) => name.clone(),
        RegisteredLabelWithPrivate::PrivateUse(number) => number.to_string(),
        RegisteredLabelWithPrivate::Assigned(label) => label.to_i64().to_string(),
    });
    let timestamp = named(&envelope.unprotected, TIMESTAMP).map(|value| match value {
        Value::Bytes(bytes) => Ok(bytes.clone()),
        _ => Err(bad("the timestamp is no bytes")),
    });
    Ok(Envelope {
        message: envelope.tbs_data(b""),
        certificates: certificates(protected, &envelope.unprotected)?,
        timestamp: timestamp.transpose()?,
        algorithm: algorithm(protected)?.to_owned(),
        content_type: match &protected.content_type {
            Some(ContentType::Text(text)) => text.clone(),
            _ => String::new(),
        },
        critical: critical.collect(),
        present: present.collect(),
        scheme: text(protected, SCHEME)?.ok_or_else(|| bad("it names no signing scheme"))?,
        authentic_time: time(protected, AUTHENTIC_TIME)?,
        signing_time: time(protected, SIGNING_TIME)?,
        expiry: time(protected, EXPIRY)?,
        plugin: text(protected, PLUGIN)?,
        payload: envelope.payload.clone().ok_or_else(|| bad("the envelope holds no payload"))?,
        signature: envelope.signature.clone(),
    })
}

/// The algorithm, as JWS calls it.
fn algorithm(protected: &Header) -> Result<&'static str, Refusal> {
    let Some(RegisteredLabelWithPrivate::Assigned(algorithm)) = &protected.alg else {
        return Err(bad("it names no algorithm that is known"));
    };
    match algorithm {
        Algorithm::ES256 => Ok("ES256"),
        Algorithm::ES384 => Ok("ES384"),
        Algorithm::ES512 => Ok("ES512"),
        Algorithm::PS256 => Ok("PS256"),
        Algorithm::PS384 => Ok("PS384"),
        Algorithm::PS512 => Ok("PS512"),
        other => Err(bad(format!("the algorithm {other:?} is none of Notation's"))),
    }
}

/// The chain of certificates, which may be protected or not (RFC 9360, section 2).
fn certificates(protected: &Header, unprotected: &Header) -> Result<Vec<Vec<u8>>, Refusal> {
    let label = Label::Int(HeaderParameter::X5Chain.to_i64());
    let chain = [protected, unprotected].into_iter().find_map(|header| value(header, &label));
    let not_bytes = || bad("the chain of certificates is none");
    match chain {
        Some(Value::Bytes(only)) => Ok(vec![only.clone()]),
        Some(Value::Array(several)) => {
            several.iter().map(|one| one.as_bytes().cloned().ok_or_else(not_bytes)).collect()
        }
        _ => Err(not_bytes()),
    }
}

fn text(header: &Header, name: &str) -> Result<Option<String>, Refusal> {
    let text = named(header, name).map(|value| value.as_text().map(str::to_owned));
    text.map(|text| text.ok_or_else(|| bad(format!("the header {name:?} is no text")))).transpose()
}

fn time(header: &Header, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(value) = named(header, name) else { return Ok(None) };
    let seconds = match value {
        Value::Tag(EPOCH_TIME, seconds) => {
            seconds.as_integer().and_then(|seconds| i64::try_from(seconds).ok())
        }
        _ => None,
    };
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| bad(format!("the header {name:?} is no time")))
}

fn named<'a>(header: &'a Header, name: &str) -> Option<&'a Value> {
    value(header, &Label::Text(name.to_owned()))
}

fn value<'a>(header: &'a Header, label: &Label) -> Option<&'a Value> {
    header.rest.iter().find(|(own, _)| own == label).map(|(_, value)| value)
}
