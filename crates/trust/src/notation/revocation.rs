//! Whether certificates were revoked (Notary Project, "Certificate Revocation Evaluation"), by the lists that they name.
//! Responders (OCSP) are not asked.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use plimsoll_registry::{Error, Options, revocation_list};
use plimsoll_rootdir::RootDir;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use x509_cert::der;
use x509_cert::der::oid::db::rfc5280::ID_AD_OCSP;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityInfoAccessSyntax, CrlDistributionPoints};

use super::policy::Action;
use crate::crl::{self, About, Said};
use crate::link::Link;
use crate::{Refusal, RefusalKind, hex};

/// The most addresses of lists of one certificate; past it none is asked.
const MOST_ADDRESSES: usize = 4;
/// The largest entry of the cache, in bytes: base64 has four for three.
const LARGEST_CACHED: u64 = 2 * crl::LARGEST;

/// Asks whether certificates were revoked, about each once. May be used by several threads.
pub(super) struct Revocation {
    cache: Option<PathBuf>,
    registry: Options,
    now: Timestamp,
    /// By certificate and issuer, in DER one after the other.
    told: Mutex<BTreeMap<Vec<u8>, Said>>,
}

/// A list, if there is one, or why it cannot be had.
type Found = Result<Option<Vec<u8>>, String>;

/// How a place is called after the address of a list, and how the list is found there.
type Place = (&'static str, fn(&Revocation, &str) -> Found);

/// An entry of Notation's cache, as far as it is covered (notation-go, `verifier/crl`). Its name is the hash of the address.
#[derive(Deserialize)]
struct Cached {
    #[serde(rename = "baseCRL")]
    list: String,
}

impl Revocation {
    /// `cache` is the directory in which Notation keeps lists.
    pub(super) fn new(cache: Option<PathBuf>, registry: Options, now: Timestamp) -> Self {
        Self { cache, registry, now, told: Mutex::default() }
    }

    /// Every certificate of a chain but its root must not be revoked, for what was signed at a time, where somebody who is
    /// trusted says when that was. Answers with what should be told of it.
    pub(super) fn check(
        &self,
        chain: &[Link],
        signed: Option<Timestamp>,
        action: Action,
    ) -> Result<Vec<String>, Refusal> {
        if action == Action::Skip {
            return Ok(vec!["whether its certificates were revoked was not asked".to_owned()]);
        }
        let (mut revoked, mut unknown, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        // From the root down: who was revoked does not vouch for what is below.
        for (number, pair) in chain.windows(2).enumerate().rev() {
            let Some(said) = self.ask(&pair[0], &pair[1]) else {
                notes.push(format!("certificate {number} names nobody who could tell that it was revoked"));
                continue;
            };
            if let Some(entry) = said.revoked(signed) {
                let reason = entry.reason.map(|reason| format!(": {reason:?}")).unwrap_or_default();
                revoked.push(format!("certificate {number} was revoked at {}{reason}", entry.at));
            } else if !said.gaps.is_empty() {
                let gaps = said.gaps.join("; ");
                unknown.push(format!("whether certificate {number} was revoked cannot be told: {gaps}"));
            }
        }
        let kind = if revoked.is_empty() { RefusalKind::Unavailable } else { RefusalKind::UntrustedKey };
        let failed = [revoked, unknown].concat();
        if action == Action::Enforce && !failed.is_empty() {
            return Err(Refusal::new(kind, failed.join("; ")));
        }
        notes.extend(failed);
        Ok(notes)
    }

    /// What lists say of a certificate; `None` where it names neither a list nor a responder.
    fn ask(&self, link: &Link, issuer: &Link) -> Option<Said> {
        let key = [link.der.as_slice(), &issuer.der].concat();
        let told = || self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = told().get(&key) {
            return Some(known.clone());
        }
        let said = match addresses(link).transpose()? {
            Ok(addresses) => self.ask_lists(&About { link, issuer, addresses: &addresses, now: self.now }),
            Err(why) => Said::gap(why),
        };
        told().insert(key, said.clone());
        Some(said)
    }

    /// Asks list after list, until one says all.
    fn ask_lists(&self, about: &About<'_>) -> Said {
        const PLACES: [Place; 2] = [(" in Notation's cache", Revocation::cached), ("", Revocation::fetched)];
        let mut said = Said::default();
        for address in about.addresses {
            for (place, list) in PLACES {
                let Some(list) = list(self, address).transpose() else { continue };
                let newer = list.and_then(|list| crl::ask(&list, about)).unwrap_or_else(Said::gap);
                said = said.then(newer.at(&format!("{address}{place}")));
                if said.gaps.is_empty() {
                    return said;
                }
            }
        }
        said
    }

    /// The list that Notation's cache has for an address, if it has one. The cache is never written.
    fn cached(&self, address: &str) -> Found {
        let Some(directory) = &self.cache else { return Ok(None) };
        let name = hex(&Sha256::digest(address));
        let entry = RootDir::open(directory).and_then(|root| root.read(&name, LARGEST_CACHED));
        let entry = match entry {
            Err(error) if error.is_not_found() => return Ok(None),
            other => other.map_err(|error| error.to_string())?,
        };
        let unreadable = |error: &dyn fmt::Display| format!("it cannot be read: {error}");
        let cached: Cached = serde_json::from_slice(&entry).map_err(|error| unreadable(&error))?;
        STANDARD.decode(cached.list).map(Some).map_err(|error| unreadable(&error))
    }

    fn fetched(&self, address: &str) -> Found {
        revocation_list(address, crl::LARGEST, &self.registry).map(Some).map_err(|error| match error {
            Error::Unavailable { why, .. } | Error::Content { why, .. } => why,
            other => other.to_string(),
        })
    }
}

/// The addresses of the lists that a certificate names, each of which says all; `None` where it names neither a list nor a
/// responder.
///
/// # Errors
/// Why nobody that it names can be asked.
fn addresses(link: &Link) -> Result<Option<Vec<String>>, String> {
    let certificate = link.certificate.tbs_certificate();
    let unreadable = |error: der::Error| format!("what it says of lists cannot be read: {error}");
    let Some((_, points)) = certificate.get_extension::<CrlDistributionPoints>().map_err(unreadable)? else {
        let access = certificate.get_extension::<AuthorityInfoAccessSyntax>().map_err(unreadable)?;
        let mut methods = access.iter().flat_map(|(_, access)| &access.0);
        return match methods.any(|method| method.access_method == ID_AD_OCSP) {
            true => Err("it names a responder alone (OCSP), and none is asked".to_owned()),
            false => Ok(None),
        };
    };
    let is_http = |address: &&str| {
        let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        scheme.is_some_and(|scheme| ["http", "https"].contains(&scheme.as_str()))
    };
    let found: Vec<String> =
        points.0.iter().flat_map(names).filter_map(crl::address).filter(is_http).map(str::to_owned).collect();
    match found.len() {
        0 => {
            Err("no list that it names is one of HTTP, by its own authority, and for all reasons".to_owned())
        }
        1..=MOST_ADDRESSES => Ok(Some(found)),
        more => Err(format!("it names {more} lists; {MOST_ADDRESSES} are the most")),
    }
}

/// What a distribution point is called, if its list is by the certificate's own authority and for all reasons.
fn names(point: &DistributionPoint) -> &[GeneralName] {
    match (&point.distribution_point, &point.reasons, &point.crl_issuer) {
        (Some(DistributionPointName::FullName(names)), None, None) => names,
        _ => &[],
    }
}
