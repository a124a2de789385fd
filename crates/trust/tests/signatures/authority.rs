//! An authority in memory: certificates, lists of revoked ones, timestamps, and a signature of Notation by them. Their keys are
//! made of one number each, which is the serial number too.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plimsoll_registry::Digest;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use x509_cert::der::Encode;
use x509_cert::der::asn1::ObjectIdentifier;

use crate::registry::MANIFEST;
use crate::signer::Signer;

/// Extensions of lists and of their entries.
pub(crate) const REASON: &str = "2.5.29.21";
pub(crate) const INVALID_FROM: &str = "2.5.29.24";
pub(crate) const CHANGES_ONLY: &str = "2.5.29.27";
pub(crate) const SCOPE: &str = "2.5.29.28";
pub(crate) const CHANGES: &str = "2.5.29.46";
/// Extensions of certificates.
pub(crate) const LISTS: &str = "2.5.29.31";
pub(crate) const RESPONDER: &str = "1.3.6.1.5.5.7.1.1";

const ECDSA: &str = "1.2.840.10045.4.3.2";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const TIMESTAMP: &str = "1.2.840.113549.1.9.16.1.4";

/// A value in DER.
pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = match value.len() {
        short @ ..0x80 => vec![u8::try_from(short).unwrap()],
        long => [&[0x83][..], &u32::try_from(long).unwrap().to_be_bytes()[1..]].concat(),
    };
    let length = match length.as_slice() {
        [0x83, 0, 0, one] => vec![0x81, *one],
        [0x83, 0, two @ ..] => [&[0x82][..], two].concat(),
        _ => length,
    };
    [&[tag][..], &length, &value].concat()
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, parts)
}

/// A time, `20260101000000Z`.
pub(crate) fn time(text: &str) -> Vec<u8> {
    der(0x18, &[text.as_bytes()])
}

fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new(text).unwrap().to_der().unwrap()
}

fn set(parts: &[&[u8]]) -> Vec<u8> {
    der(0x31, parts)
}

fn integer(number: u8) -> Vec<u8> {
    der(2, &[&[number]])
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    der(4, &[bytes])
}

fn algorithm(name: &str) -> Vec<u8> {
    sequence(&[&oid(name)])
}

fn name(text: &str) -> Vec<u8> {
    sequence(&[&set(&[&sequence(&[&oid("2.5.4.3"), &der(0x0c, &[text.as_bytes()])])])])
}

/// An extension.
pub(crate) fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&oid(kind), critical, &octets(value)])
}

/// An address, as certificates and lists name it.
pub(crate) fn address(text: &str) -> Vec<u8> {
    der(0x86, &[text.as_bytes()])
}

/// Where lists are, in one distribution point each.
pub(crate) fn lists(addresses: &[&str]) -> Vec<u8> {
    let points: Vec<_> =
        addresses.iter().map(|one| sequence(&[&der(0xa0, &[&der(0xa0, &[&address(one)])])])).collect();
    let points: Vec<&[u8]> = points.iter().map(Vec::as_slice).collect();
    extension(LISTS, false, &sequence(&points))
}

/// Where a responder is.
pub(crate) fn responder(at: &str) -> Vec<u8> {
    let access = sequence(&[&oid("1.3.6.1.5.5.7.48.1"), &address(at)]);
    extension(RESPONDER, false, &sequence(&[&access]))
}

/// What a certificate is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Authority,
    Images,
    Timestamps,
}

pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) number: u8,
    name: Vec<u8>,
    key: Signer,
}

impl Certificate {
    /// A certificate by an issuer, else by itself.
    pub(crate) fn new(number: u8, issuer: Option<&Self>, purpose: For, more: &[u8]) -> Self {
        let own = Self {
            der: Vec::new(),
            number,
            name: name(&format!("{number} of the tests")),
            key: Signer::new(number),
        };
        let usage: &[u8] =
            if purpose == For::Authority { &[3, 2, 1, 0b0000_0110] } else { &[3, 2, 7, 0b1000_0000] };
        let usage = extension("2.5.29.15", true, usage);
        let constraints = extension("2.5.29.19", true, &sequence(&[&[1, 1, 0xff]]));
        let purposes = extension("2.5.29.37", true, &sequence(&[&oid("1.3.6.1.5.5.7.3.8")]));
        let special: &[u8] = match purpose {
            For::Authority => &constraints,
            For::Images => &[],
            For::Timestamps => &purposes,
        };
        let issuer = issuer.unwrap_or(&own);
        let tbs = sequence(&[
            &der(0xa0, &[&integer(2)]),
            &integer(number),
            &algorithm(ECDSA),
            &issuer.name,
            &sequence(&[&der(0x17, &[b"200101000000Z"]), &der(0x17, &[b"400101000000Z"])]),
            &own.name,
            &own.key.der(),
            &der(0xa3, &[&sequence(&[&usage, special, more])]),
        ]);
        Self { der: issuer.signed(&tbs), ..own }
    }

    fn signed(&self, tbs: &[u8]) -> Vec<u8> {
        let signature = self.key.signature(tbs).to_der();
        sequence(&[tbs, &algorithm(ECDSA), &der(3, &[&[0], signature.as_bytes()])])
    }
}

/// A list of revoked certificates.
#[derive(Clone)]
pub(crate) struct List {
    /// Number, date, and extensions.
    pub(crate) entries: Vec<(u8, &'static str, Vec<u8>)>,
    pub(crate) from: &'static str,
    pub(crate) until: Option<&'static str>,
    pub(crate) extensions: Vec<u8>,
}

impl List {
    /// One that holds, with these entries.
    pub(crate) fn of(entries: &[(u8, &'static str, Vec<u8>)]) -> Self {
        let (from, until) = ("20261101000000Z", Some("20270101000000Z"));
        Self { entries: entries.to_vec(), from, until, extensions: Vec::new() }
    }

    pub(crate) fn by(&self, issuer: &Certificate) -> Vec<u8> {
        self.signed(issuer, issuer)
    }

    /// In the name of one authority, by the key of another.
    pub(crate) fn signed(&self, issuer: &Certificate, key: &Certificate) -> Vec<u8> {
        let filled = |bytes: Vec<u8>| if bytes.is_empty() { bytes } else { sequence(&[&bytes]) };
        let entry = |(number, at, extensions): &(u8, &str, Vec<u8>)| {
            sequence(&[&integer(*number), &time(at), &filled(extensions.clone())])
        };
        let entries: Vec<_> = self.entries.iter().flat_map(entry).collect();
        let extensions = match self.extensions.is_empty() {
            true => Vec::new(),
            false => der(0xa0, &[&sequence(&[&self.extensions])]),
        };
        key.signed(&sequence(&[
            &integer(1),
            &algorithm(ECDSA),
            &issuer.name,
            &time(self.from),
            &self.until.map(time).unwrap_or_default(),
            &filled(entries),
            &extensions,
        ]))
    }
}

/// A signature of the image, by the first of these certificates, and stamped where somebody stamps it at a time.
pub(crate) fn envelope(chain: &[&Certificate], stamper: Option<(&Certificate, &str)>) -> Vec<u8> {
    const SCHEME: &str = "io.cncf.notary.signingScheme";
    let digest = Digest::of(MANIFEST).to_string();
    let payload = json!({"targetArtifact": {"mediaType": "x/y", "digest": digest, "size": MANIFEST.len()}});
    let protected = json!({"alg": "ES256", "cty": "application/vnd.cncf.notary.payload.v1+json",
        "crit": [SCHEME], SCHEME: "notary.x509"});
    let [protected, payload] = [protected, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signature = chain[0].key.signature(format!("{protected}.{payload}").as_bytes()).to_bytes();
    let certificates: Vec<_> = chain.iter().map(|one| STANDARD.encode(&one.der)).collect();
    let mut header = json!({"x5c": certificates});
    if let Some((stamper, at)) = stamper {
        header["io.cncf.notary.timestampSignature"] = json!(STANDARD.encode(stamp(&signature, stamper, at)));
    }
    json!({"payload": payload, "protected": protected, "header": header,
        "signature": URL_SAFE_NO_PAD.encode(signature)})
    .to_string()
    .into_bytes()
}

/// A timestamp (RFC 3161) of some bytes, by the authority of the number below.
fn stamp(bytes: &[u8], stamper: &Certificate, at: &str) -> Vec<u8> {
    let imprint = sequence(&[&algorithm(SHA256), &octets(&Sha256::digest(bytes))]);
    let content = sequence(&[&integer(1), &oid("1.2.3"), &imprint, &integer(1), &time(at)]);
    let attributes = [
        sequence(&[&oid("1.2.840.113549.1.9.3"), &set(&[&oid(TIMESTAMP)])]),
        sequence(&[&oid("1.2.840.113549.1.9.4"), &set(&[&octets(&Sha256::digest(&content))])]),
    ]
    .concat();
    let signature = stamper.key.signature(&set(&[&attributes])).to_der();
    let issuer = name(&format!("{} of the tests", stamper.number - 1));
    let signer = sequence(&[
        &integer(1),
        &sequence(&[&issuer, &integer(stamper.number)]),
        &algorithm(SHA256),
        &der(0xa0, &[&attributes]),
        &algorithm(ECDSA),
        &octets(signature.as_bytes()),
    ]);
    let signed = sequence(&[
        &integer(3),
        &set(&[&algorithm(SHA256)]),
        &sequence(&[&oid(TIMESTAMP), &der(0xa0, &[&octets(&content)])]),
        &der(0xa0, &[&stamper.der]),
        &set(&[&signer]),
    ]);
    sequence(&[&oid("1.2.840.113549.1.7.2"), &der(0xa0, &[&signed])])
}
