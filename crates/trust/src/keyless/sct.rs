//! Whether a log of certificates saw the signer's (RFC 6962): the signed certificate timestamp inside of it.

use jiff::Timestamp;
use x509_cert::der::asn1::Any;
use x509_cert::der::{Decode, Encode, Tag, TagNumber, Tagged};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{SignedCertificateTimestamp, SignedCertificateTimestampList};

use super::root::Log;
use crate::key::Hash;
use crate::link::Link;
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// The extension that holds the timestamps.
const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.2";
/// Where the extensions stand in a certificate (RFC 5280, section 4.1).
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };

/// A log of the trusted root must have seen the certificate, where it names such logs.
pub(super) fn require(leaf: &Link, issuer: &Link, logs: &[Log]) -> Result<(), Refusal> {
    if logs.is_empty() {
        return Ok(());
    }
    let timestamp = of(leaf)?;
    let Some(log) = logs.iter().find(|log| log.id == timestamp.log_id.key_id) else {
        let reason = "the certificate is in a log that the trusted root does not name";
        return Err(Refusal::new(RefusalKind::UntrustedKey, reason));
    };
    let message = message(leaf, issuer, &timestamp)?;
    if !log.key.made(&message, timestamp.signature.signature.as_slice()) {
        return Err(bad("the log did not sign that it saw this certificate"));
    }
    let time = i64::try_from(timestamp.timestamp).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    match time.is_some_and(|time| log.valid.contains(time)) {
        true => Ok(()),
        false => Err(Refusal::new(
            RefusalKind::UntrustedKey,
            "the log of the certificate is not trusted for that time",
        )),
    }
}

/// What the certificate holds of a log, which must be one.
pub(super) fn of(leaf: &Link) -> Result<SignedCertificateTimestamp, Refusal> {
    let list = leaf.certificate.tbs_certificate().get_extension::<SignedCertificateTimestampList>();
    let list = list.map_err(|error| bad(format!("its timestamps: {error}")))?;
    let (_, list) = list.ok_or_else(|| bad("no log saw the certificate"))?;
    let timestamps = list.parse_timestamps().map_err(|error| bad(format!("its timestamps: {error:?}")))?;
    match timestamps.as_slice() {
        [only] => only.parse_timestamp().map_err(|error| bad(format!("its timestamps: {error:?}"))),
        several => Err(bad(format!("the certificate holds {} timestamps of logs, not one", several.len()))),
    }
}

/// What a log signs of a certificate in which its timestamp is embedded (RFC 6962, section 3.2).
pub(super) fn message(
    leaf: &Link,
    issuer: &Link,
    timestamp: &SignedCertificateTimestamp,
) -> Result<Vec<u8>, Refusal> {
    let certificate = without_timestamps(&leaf.der).map_err(|error| bad(error.to_string()))?;
    let extensions = timestamp.extensions.as_slice();
    // Version 1, of a certificate's timestamp.
    let mut message = vec![0, 0];
    message.extend(timestamp.timestamp.to_be_bytes());
    // An entry of a certificate before its timestamp.
    message.extend([0, 1]);
    message.extend(Hash::Sha256.of(&issuer.spki));
    // Links are bounded far below what three bytes hold, and the list of timestamps by what two hold.
    message.extend(u32::try_from(certificate.len()).unwrap_or_default().to_be_bytes().into_iter().skip(1));
    message.extend(certificate);
    message.extend(u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
    message.extend(extensions);
    Ok(message)
}

/// The certificate that the log saw: without signature, and without the log's answer.
fn without_timestamps(certificate: &[u8]) -> x509_cert::der::Result<Vec<u8>> {
    let whole = Vec::<Any>::from_der(certificate)?;
    let mut parts = match whole.first() {
        Some(certificate) => certificate.decode_as::<Vec<Any>>()?,
        None => Vec::new(),
    };
    for part in &mut parts {
        if part.tag() == EXTENSIONS {
            let mut extensions = Vec::<Extension>::from_der(part.value())?;
            extensions.retain(|extension| extension.extn_id.to_string() != TIMESTAMPS);
            *part = Any::new(EXTENSIONS, extensions.to_der()?)?;
        }
    }
    parts.to_der()
}
