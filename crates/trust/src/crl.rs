//! A list of revoked certificates (RFC 5280, section 5), and what it says of one of them.
//!
//! Nothing of a list is kept but what it says of the certificate in question, and its entries are not looked at before its
//! signature holds: lists may be large, and come over plain HTTP.

use jiff::Timestamp;
use x509_cert::crl::RevokedCert;
use x509_cert::der::asn1::{BitStringRef, GeneralizedTime, SequenceRef};
use x509_cert::der::oid::db::rfc5280::{
    ID_CE_CRL_REASONS, ID_CE_DELTA_CRL_INDICATOR, ID_CE_FRESHEST_CRL, ID_CE_INVALIDITY_DATE,
    ID_CE_ISSUING_DISTRIBUTION_POINT,
};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader, Tag, TagMode, TagNumber};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::{CrlReason, FreshestCrl, IssuingDistributionPoint};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::spki::AlgorithmIdentifierRef;
use x509_cert::time::Time;

use crate::link::Link;

/// The largest list, in bytes: those that are published have half of it at most (notation-core-go).
pub(crate) const LARGEST: u64 = 32 << 20;
/// What is said of lists to which another one lists changes (delta CRLs).
const CHANGES: &str = "there is a list of changes to it, which is not covered";

/// A certificate that a list is asked about.
pub(crate) struct About<'a> {
    pub(crate) link: &'a Link,
    pub(crate) issuer: &'a Link,
    /// The addresses under which the certificate says that the list is.
    pub(crate) addresses: &'a [String],
    pub(crate) now: Timestamp,
}

/// What lists say of a certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    entries: Vec<Entry>,
    /// Why that may not be all.
    pub(crate) gaps: Vec<String>,
}

/// That a certificate is revoked.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<CrlReason>,
    /// From when on its key may have been somebody else's.
    invalid_from: Option<Timestamp>,
}

impl Said {
    /// Nothing, and why.
    pub(crate) fn gap(why: String) -> Self {
        Self { entries: Vec::new(), gaps: vec![why] }
    }

    /// The same, and where its gaps are.
    pub(crate) fn at(self, place: &str) -> Self {
        let gaps = self.gaps.iter().map(|gap| format!("{place}: {gap}")).collect();
        Self { gaps, ..self }
    }

    /// How it was revoked, for what was signed at a time, where somebody who is trusted says when that was (Notary Project,
    /// "Revocation Checking with CRL"): the last word counts of those that can be taken back.
    pub(crate) fn revoked(&self, signed: Option<Timestamp>) -> Option<&Entry> {
        let counts = |entry: &&Entry| match (signed, entry.invalid_from) {
            (Some(signed), Some(from)) => from <= signed,
            _ => true,
        };
        let mut counting = self.entries.iter().filter(counts);
        let last = counting.clone().max_by_key(|entry| (entry.at, entry.is(CrlReason::CertificateHold)));
        counting
            .find(|entry| entry.is_final())
            .or_else(|| last.filter(|entry| entry.is(CrlReason::CertificateHold)))
    }

    /// What this and a newer list say: the newer one may take back what is not final.
    pub(crate) fn then(mut self, newer: Self) -> Self {
        if newer.gaps.is_empty() {
            self.entries.retain(Entry::is_final);
            self.gaps.clear();
        }
        self.entries.extend(newer.entries);
        self.gaps.extend(newer.gaps);
        self
    }
}

impl Entry {
    fn is(&self, reason: CrlReason) -> bool {
        self.reason == Some(reason)
    }

    fn is_final(&self) -> bool {
        !self.is(CrlReason::CertificateHold) && !self.is(CrlReason::RemoveFromCRL)
    }
}

/// What a list in DER says of a certificate.
///
/// # Errors
/// Why it says nothing.
pub(crate) fn ask(list: &[u8], about: &About<'_>) -> Result<Said, String> {
    let list = List::parse(list).map_err(unreadable)?;
    list.check_issuer(about.issuer)?;
    list.say(about)
}

/// The same of a list that nobody signed.
#[cfg(any(fuzzing, test))]
pub(crate) fn fuzz(list: &[u8], about: &About<'_>) {
    let said = List::parse(list).map_err(unreadable).and_then(|list| list.say(about));
    let _ = said.map(|said| said.clone().then(said).revoked(Some(about.now)).is_some());
}

/// A list that was taken apart; nothing of it was checked.
struct List<'a> {
    message: &'a [u8],
    algorithm: AlgorithmIdentifierRef<'a>,
    signature: BitStringRef<'a>,
    inner_algorithm: AlgorithmIdentifierRef<'a>,
    issuer: &'a [u8],
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    entries: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> List<'a> {
    fn parse(list: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(list)?;
        let (message, algorithm, signature) = reader
            .sequence(|list| Ok::<_, der::Error>((list.tlv_bytes()?, list.decode()?, list.decode()?)))?;
        reader.finish()?;
        SliceReader::new(message)?.sequence(|list| {
            if Tag::peek(list)? == Tag::Integer && list.decode::<u8>()? != 1 {
                return Err(Tag::Integer.value_error().into());
            }
            Ok(Self {
                message,
                algorithm,
                signature,
                inner_algorithm: list.decode()?,
                issuer: list.tlv_bytes()?,
                this_update: timestamp(list.decode()?),
                next_update: list.decode::<Option<Time>>()?.map(timestamp),
                entries: list.decode::<Option<&SequenceRef>>()?.map_or(&[], SequenceRef::as_bytes),
                extensions: list
                    .context_specific::<&SequenceRef>(TagNumber(0), TagMode::Explicit)?
                    .map_or(&[], SequenceRef::as_bytes),
            })
        })
    }

    /// It must be signed by this authority itself.
    fn check_issuer(&self, issuer: &Link) -> Result<(), String> {
        if issuer.subject().to_der().map_err(unreadable)? != self.issuer {
            return Err("it is of another authority".to_owned());
        }
        if self.algorithm != self.inner_algorithm {
            return Err("it names two algorithms".to_owned());
        }
        if !issuer.may_sign_lists() {
            return Err("the key of its authority is not for lists".to_owned());
        }
        let signature = self.signature.as_bytes().unwrap_or_default();
        match issuer.signed(&self.algorithm.oid, self.message, signature) {
            Ok(true) => Ok(()),
            Ok(false) => Err("its authority did not sign it".to_owned()),
            Err(refusal) => Err(refusal.to_string()),
        }
    }

    fn say(&self, about: &About<'_>) -> Result<Said, String> {
        let mut said = Said { entries: self.entries(about)?, gaps: Vec::new() };
        if self.this_update > about.now {
            return Err(format!("it holds from {} on", self.this_update));
        }
        match self.next_update {
            Some(next) if next < about.now => said.gaps.push(format!("it held until {next}")),
            Some(_) => {}
            None => said.gaps.push("it does not say until when it holds".to_owned()),
        }
        for extension in each::<Extension>(self.extensions) {
            let extension = extension.map_err(unreadable)?;
            match extension.extn_id {
                ID_CE_ISSUING_DISTRIBUTION_POINT => check_scope(&extension, about)?,
                ID_CE_DELTA_CRL_INDICATOR => return Err("it lists changes alone".to_owned()),
                ID_CE_FRESHEST_CRL => said.gaps.push(CHANGES.to_owned()),
                other if extension.critical => {
                    return Err(format!("its critical extension {other} is not covered"));
                }
                _ => {}
            }
        }
        let is_changed = about.link.certificate.tbs_certificate().get_extension::<FreshestCrl>();
        if !matches!(is_changed, Ok(None)) {
            said.gaps.push(CHANGES.to_owned());
        }
        Ok(said)
    }

    /// Every entry about a certificate. One that cannot be read may be about any (RFC 5280, section 5.3).
    fn entries(&self, about: &About<'_>) -> Result<Vec<Entry>, String> {
        let serial = about.link.certificate.tbs_certificate().serial_number();
        let mut found = Vec::new();
        for entry in each::<RevokedCert>(self.entries) {
            let entry = entry.map_err(unreadable)?;
            let extensions = entry.crl_entry_extensions.unwrap_or_default();
            let read = read_entry(timestamp(entry.revocation_date), &extensions)?;
            if entry.serial_number == *serial {
                found.push(read);
            }
        }
        Ok(found)
    }
}

/// Values that stand one after the other, up to the first that cannot be read.
fn each<'a, T>(bytes: &'a [u8]) -> impl Iterator<Item = der::Result<T>>
where
    T: Decode<'a, Error = der::Error>,
{
    let mut rest = SliceReader::new(bytes).ok();
    std::iter::from_fn(move || {
        let mut reader = rest.take().filter(|reader| !reader.is_finished())?;
        let value = reader.decode();
        if value.is_ok() {
            rest = Some(reader);
        }
        Some(value)
    })
}

fn read_entry(at: Timestamp, extensions: &[Extension]) -> Result<Entry, String> {
    let mut entry = Entry { at, reason: None, invalid_from: None };
    for extension in extensions {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            ID_CE_CRL_REASONS => entry.reason = Some(CrlReason::from_der(value).map_err(unreadable)?),
            ID_CE_INVALIDITY_DATE => {
                let from = GeneralizedTime::from_der(value).map_err(unreadable)?;
                entry.invalid_from = Some(timestamp(Time::GeneralTime(from)));
            }
            other if extension.critical => {
                return Err(format!("the critical extension {other} of an entry is not covered"));
            }
            _ => {}
        }
    }
    Ok(entry)
}

/// A list may be about a part of the certificates, which must be the part that the certificate in question is in: else whoever
/// is on the way can put another list of the same authority in its place (RFC 5280, section 6.3.3, step b 2).
fn check_scope(extension: &Extension, about: &About<'_>) -> Result<(), String> {
    let scope = IssuingDistributionPoint::from_der(extension.extn_value.as_bytes()).map_err(unreadable)?;
    if scope.indirect_crl || scope.only_some_reasons.is_some() || scope.only_contains_attribute_certs {
        return Err("it is a list of another kind: indirect, for some reasons, or of attributes".to_owned());
    }
    let is_authority = about.link.is_authority();
    if (scope.only_contains_user_certs && is_authority) || (scope.only_contains_ca_certs && !is_authority) {
        return Err("it is about other kinds of certificates".to_owned());
    }
    let names = match scope.distribution_point {
        None => return Ok(()),
        Some(DistributionPointName::FullName(names)) => names,
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) => Vec::new(),
    };
    match names.iter().filter_map(address).any(|name| about.addresses.iter().any(|known| known == name)) {
        true => Ok(()),
        false => Err("it is for other certificates of its authority".to_owned()),
    }
}

/// The address that a name is.
pub(crate) fn address(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(address) => Some(address.as_str()),
        _ => None,
    }
}

fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

fn unreadable(error: der::Error) -> String {
    format!("it cannot be read: {error}")
}
