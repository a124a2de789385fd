//! Timestamps (RFC 3161): an authority signs that it saw some bytes at a time.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use jiff::{SignedDuration, Timestamp};
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::der::asn1::{Any, ObjectIdentifier, OctetString, SetOfVec};
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::key::{Hash, PublicKey, Scheme};
use crate::link::{self, Link};
use crate::outcome::bad;
use crate::{Refusal, RefusalKind};

/// The largest timestamp, in bytes: some hold the certificates of their authority.
const LARGEST: usize = 64 << 10;
/// Where the policy, the digest that is stamped, the time and its accuracy stand in a timestamp (RFC 3161, section 2.4.2).
const POLICY: usize = 1;
const IMPRINT: usize = 2;
const TIME: usize = 4;
const ACCURACY: usize = 5;
/// The policy by which a time is off by a second at most (RFC 3628, section 5.2).
const BASELINE: &str = "0.4.0.2023.1.1";
/// Purpose of a certificate of a timestamp authority (RFC 3161, section 2.3).
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// Object identifiers: signed data; a timestamp; attributes of signatures (RFC 5652, section 11; RFC 5035).
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TIMESTAMP: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.47";
/// RSA, where the digest's algorithm says the hash.
const RSA: &str = "1.2.840.113549.1.1.1";

/// A timestamp that was parsed; nothing of it was verified.
pub(crate) struct Token {
    signed: SignedData,
    signer: SignerInfo,
    content: Vec<u8>,
    hash: Hash,
    digest: Vec<u8>,
    time: Timestamp,
    /// How far it may be off, in seconds.
    accuracy: i64,
}

impl Token {
    /// Parses a timestamp, alone or in the answer of an authority, in DER.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, Refusal> {
        if der.len() > LARGEST {
            return Err(bad(format!("it is larger than {LARGEST} bytes")));
        }
        let signed = signed_data(der)?;
        let [signer] = signed.signer_infos.0.as_slice() else {
            return Err(bad(format!("it has {} signers, not one", signed.signer_infos.0.len())));
        };
        let signer = signer.clone();
        let content = &signed.encap_content_info;
        let bytes = content.econtent.as_ref().filter(|_| content.econtent_type.to_string() == TIMESTAMP);
        let bytes = bytes.ok_or_else(|| bad("it is signed data of another kind"))?;
        let content = bytes.decode_as::<OctetString>().map_err(unreadable)?.into_bytes().to_vec();
        let parts = Vec::<Any>::from_der(&content).map_err(unreadable)?;
        let (Some(imprint), Some(time)) = (parts.get(IMPRINT), parts.get(TIME)) else {
            return Err(bad("it names no time"));
        };
        let imprint = imprint.decode_as::<Vec<Any>>().map_err(unreadable)?;
        let [algorithm, digest] = imprint.as_slice() else { return Err(bad("it names no digest")) };
        let hash = hash(&algorithm.decode_as().map_err(unreadable)?)?;
        let digest = digest.decode_as::<OctetString>().map_err(unreadable)?.into_bytes().to_vec();
        let time = read_time(time).ok_or_else(|| bad("its time is none"))?;
        let accuracy = accuracy(&parts).map_err(unreadable)?;
        Ok(Self { signed, signer, content, hash, digest, time, accuracy })
    }

    /// The time that it names.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Between which times it was made.
    pub(crate) fn range(&self) -> (Timestamp, Timestamp) {
        let off = SignedDuration::from_secs(self.accuracy);
        let (from, to) = (self.time.checked_sub(off), self.time.checked_add(off));
        (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX))
    }

    /// It must be about these bytes.
    pub(crate) fn require_message(&self, message: &[u8]) -> Result<(), Refusal> {
        match self.hash.of(message) == self.digest {
            true => Ok(()),
            false => Err(bad("it is about other bytes")),
        }
    }

    /// The certificates that it brings along, in DER.
    pub(crate) fn certificates(&self) -> Vec<Vec<u8>> {
        let all = self.signed.certificates.iter().flat_map(|set| set.0.iter());
        all.filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => certificate.to_der().ok(),
            CertificateChoices::Other(_) => None,
        })
        .collect()
    }

    /// Whether it says that this certificate is its signer's.
    pub(crate) fn is_by(&self, link: &Link) -> bool {
        let certificate = link.certificate.tbs_certificate();
        match &self.signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(named) => {
                named.issuer == *certificate.issuer() && named.serial_number == *certificate.serial_number()
            }
            SignerIdentifier::SubjectKeyIdentifier(named) => {
                let own = certificate.get_extension::<SubjectKeyIdentifier>();
                own.is_ok_and(|own| own.is_some_and(|(_, own)| own == *named))
            }
        }
    }

    /// The key of this certificate must have signed it (RFC 5652, section 5.6).
    pub(crate) fn check_signature(&self, by: &Link) -> Result<(), Refusal> {
        let attributes = self.signer.signed_attrs.as_ref().ok_or_else(|| bad("it signs no attributes"))?;
        let kind = attribute(attributes, CONTENT_TYPE)?.ok_or_else(|| bad("it does not sign what it is"))?;
        if kind.decode_as::<ObjectIdentifier>().map_err(unreadable)?.to_string() != TIMESTAMP {
            return Err(bad("it signs that it is something else"));
        }
        let hash = hash(&self.signer.digest_alg)?;
        let digest = attribute(attributes, MESSAGE_DIGEST)?.ok_or_else(|| bad("it signs no digest"))?;
        if digest.decode_as::<OctetString>().map_err(unreadable)?.as_bytes() != hash.of(&self.content) {
            return Err(bad("it signs another digest than that of its content"));
        }
        if let Some(named) = attribute(attributes, SIGNING_CERTIFICATE)? {
            require_certificate(named, by)?;
        }
        let scheme = self.scheme(hash, &by.key)?;
        let message = SetOfVec::try_from(attributes.as_slice().to_vec()).and_then(|set| set.to_der());
        match by.key.verifies(scheme, &message.map_err(unreadable)?, self.signer.signature.as_bytes()) {
            true => Ok(()),
            false => Err(bad("its authority did not sign it")),
        }
    }

    fn scheme(&self, hash: Hash, key: &PublicKey) -> Result<Scheme, Refusal> {
        let algorithm = self.signer.signature_algorithm.oid.to_string();
        let scheme = match (algorithm.as_str(), key) {
            (RSA, PublicKey::Rsa(_)) => Some(Scheme::RsaPkcs1v15(hash)),
            (other, _) => link::scheme(other),
        };
        scheme.ok_or_else(|| {
            Refusal::new(RefusalKind::Unsupported, format!("it is signed by algorithm {algorithm}"))
        })
    }
}

/// It must be the certificate of a timestamp authority, and be for that alone.
pub(crate) fn require_stamper(link: &Link) -> Result<(), Refusal> {
    link.check_signer()?;
    match link.purposes()? == (true, vec![TIME_STAMPING.to_owned()]) {
        true => Ok(()),
        false => Err(bad("its certificate is not for timestamps alone")),
    }
}

/// How far the time may be off (RFC 3161, section 2.4.2), in whole seconds.
fn accuracy(parts: &[Any]) -> x509_cert::der::Result<i64> {
    let Some(accuracy) = parts.get(ACCURACY).filter(|part| part.tag() == Tag::Sequence) else {
        let policy = parts.get(POLICY).map(|policy| policy.decode_as::<ObjectIdentifier>()).transpose()?;
        return Ok(i64::from(policy.is_some_and(|policy| policy.to_string() == BASELINE)));
    };
    let parts = accuracy.decode_as::<Vec<Any>>()?;
    let (whole, fraction): (Vec<_>, Vec<_>) = parts.iter().partition(|part| part.tag() == Tag::Integer);
    let seconds = whole.first().map_or(Ok(0), |seconds| seconds.decode_as::<u32>())?;
    Ok(i64::from(seconds) + i64::from(!fraction.is_empty()))
}

/// What an authority signed: its answer (RFC 3161, section 2.4.2) begins with a status, a timestamp alone does not.
fn signed_data(der: &[u8]) -> Result<SignedData, Refusal> {
    let parts = Vec::<Any>::from_der(der).map_err(unreadable)?;
    let token = match parts.as_slice() {
        [status, token] if status.tag() == Tag::Sequence => {
            let status = status.decode_as::<Vec<Any>>().map_err(unreadable)?;
            let granted = status.first().and_then(|status| status.decode_as::<u8>().ok());
            if granted.is_none_or(|status| status > 1) {
                return Err(bad("it was not granted"));
            }
            token.decode_as::<ContentInfo>()
        }
        _ => ContentInfo::from_der(der),
    };
    let token = token.map_err(unreadable)?;
    if token.content_type.to_string() != SIGNED_DATA {
        return Err(bad("it is no signed data"));
    }
    token.content.decode_as::<SignedData>().map_err(unreadable)
}

/// The value of a signed attribute, which must stand once and have one value.
fn attribute<'a>(attributes: &'a Attributes, oid: &str) -> Result<Option<&'a Any>, Refusal> {
    let mut named = attributes.iter().filter(|attribute: &&Attribute| attribute.oid.to_string() == oid);
    let Some(first) = named.next() else { return Ok(None) };
    match (first.values.as_slice(), named.next()) {
        ([value], None) => Ok(Some(value)),
        _ => Err(bad(format!("its attribute {oid} has several values"))),
    }
}

/// The attribute that names the signer's certificate by its digest must name this one (RFC 5035, section 3).
fn require_certificate(named: &Any, by: &Link) -> Result<(), Refusal> {
    let unreadable_attribute = || bad("the name of its signer's certificate cannot be read");
    let parts = named.decode_as::<Vec<Any>>().map_err(unreadable)?;
    let all = parts.first().ok_or_else(unreadable_attribute)?.decode_as::<Vec<Any>>().map_err(unreadable)?;
    let first = all.first().ok_or_else(unreadable_attribute)?.decode_as::<Vec<Any>>().map_err(unreadable)?;
    let (hash, digest) = match first.as_slice() {
        [algorithm, digest, ..] if algorithm.tag() == Tag::Sequence => {
            (hash(&algorithm.decode_as().map_err(unreadable)?)?, digest)
        }
        [digest, ..] => (Hash::Sha256, digest),
        [] => return Err(unreadable_attribute()),
    };
    match digest.decode_as::<OctetString>().map_err(unreadable)?.as_bytes() == hash.of(&by.der) {
        true => Ok(()),
        false => Err(bad("it was signed with another certificate")),
    }
}

/// A GeneralizedTime, which may have fractions of a second here (RFC 3161, section 2.4.2).
fn read_time(time: &Any) -> Option<Timestamp> {
    let text = str::from_utf8(time.value()).ok().filter(|_| time.tag() == Tag::GeneralizedTime)?;
    let text = text.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if seconds.len() != 14 || !is_digits(seconds) || fraction.len() > 9 || !is_digits(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| &seconds[from..to];
    let (date, clock) = (part(0, 8), part(8, 14));
    format!("{date}T{clock}.{fraction}Z").parse().ok()
}

fn hash(algorithm: &AlgorithmIdentifierOwned) -> Result<Hash, Refusal> {
    let oid = algorithm.oid.to_string();
    Hash::of_oid(&oid)
        .ok_or_else(|| Refusal::new(RefusalKind::Unsupported, format!("its hash {oid} is not covered")))
}

fn unreadable(error: x509_cert::der::Error) -> Refusal {
    bad(format!("it cannot be read: {error}"))
}
