//! Notation's envelopes, in JWS and in COSE, as openssl made them (`notation/make.py`).

use std::fs;

use jiff::Timestamp;
use plimsoll_trust::{Notation, RefusalKind};
use serde_json::json;
use tempfile::TempDir;

use crate::registry::Registry;
use crate::{Judged, refused};

const KIND: &str = "application/vnd.cncf.notary.signature";
const ROOT: &[u8] = include_bytes!("notation/made/root.crt");
const STAMPER_ROOT: &[u8] = include_bytes!("notation/made/stamper-root.crt");

/// An envelope in both forms.
macro_rules! both {
    ($name:literal) => {
        [
            ("application/cose", &include_bytes!(concat!("notation/made/", $name, ".cose"))[..]),
            ("application/jose+json", &include_bytes!(concat!("notation/made/", $name, ".jws"))[..]),
        ]
    };
}

/// One that is in COSE alone.
macro_rules! cose {
    ($name:literal) => {
        of("application/cose", include_bytes!(concat!("notation/made/", $name, ".cose")))
    };
}

/// What is trusted: the kinds of stores that hold the root, and when a timestamp counts.
struct Trust {
    stores: &'static [(&'static str, &'static [u8])],
    timestamps: &'static str,
    /// Seconds since the envelopes were made.
    after: i64,
}

const SIGNERS: Trust = Trust { stores: &[("ca", ROOT)], timestamps: "always", after: 60 };

fn directory(trust: &Trust) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (kind, root) in trust.stores {
        let store = dir.path().join("truststore/x509").join(kind).join("test");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("root.crt"), root).unwrap();
    }
    let stores: Vec<_> = trust.stores.iter().map(|(kind, _)| format!("{kind}:test")).collect();
    let policy = json!({"version": "1.0", "trustPolicies": [{"name": "test", "registryScopes": ["*"],
        "signatureVerification": {"level": "strict", "verifyTimestamp": trust.timestamps},
        "trustStores": stores, "trustedIdentities": ["x509.subject: C=DE, ST=Berlin, O=plimsoll test"]}]});
    fs::write(dir.path().join("trustpolicy.json"), policy.to_string()).unwrap();
    dir
}

fn judge(kind: &str, envelope: &[u8], trust: &Trust) -> Judged {
    let made_at: i64 = include_str!("notation/made/time").parse().unwrap();
    let now = Timestamp::from_second(made_at + trust.after).unwrap();
    let mut registry = Registry::new();
    let layer = registry.blob(kind, envelope);
    let subject = registry.subject.clone();
    registry.refer(KIND, &[layer], &subject);
    let dir = directory(trust);
    registry.ask(|image, options| {
        Notation::open(dir.path().to_owned(), None, options, now).unwrap().verify(image)
    })
}

fn of(kind: &str, envelope: &[u8]) -> Judged {
    judge(kind, envelope, &SIGNERS)
}

#[test]
fn every_kind_of_key_in_both_forms() {
    for (kind, envelope) in [
        both!("p256"),
        both!("p384"),
        both!("p521"),
        both!("rsa2048"),
        both!("rsa3072"),
        both!("rsa4096"),
        both!("expires"),
    ]
    .concat()
    {
        let who = of(kind, envelope).unwrap();
        assert_eq!(who, ["C=DE, ST=Berlin, O=plimsoll test, CN=image signer"]);
        let mut changed = envelope.to_vec();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        assert!(of(kind, &changed).is_err());
        assert!(of(kind, &envelope[..envelope.len() - 1]).is_err());
    }
}

#[test]
fn what_is_critical_must_be_covered_and_there() {
    for (envelopes, kind, words) in [
        (both!("unknown"), RefusalKind::Unsupported, "\"evil\""),
        (both!("plugin"), RefusalKind::Unsupported, "plugin"),
        (both!("other-scheme"), RefusalKind::Unsupported, "signing scheme"),
        (both!("silently"), RefusalKind::BadSignature, "not marked as critical"),
        (both!("no-scheme"), RefusalKind::BadSignature, "not marked as critical"),
        (both!("missing"), RefusalKind::BadSignature, "is not there"),
        (both!("without-time"), RefusalKind::BadSignature, "does not fit"),
        (both!("with-time"), RefusalKind::BadSignature, "does not fit"),
        (both!("other-type"), RefusalKind::BadSignature, "text/plain"),
    ] {
        for (media_type, envelope) in envelopes {
            refused(of(media_type, envelope), kind, words);
        }
    }
}

#[test]
fn what_cose_alone_can_get_wrong() {
    refused(cose!("other-algorithm"), RefusalKind::BadSignature, "not that of the certificate");
    refused(cose!("hash-envelope"), RefusalKind::BadSignature, "what is signed is \"\"");
    refused(cose!("text-time"), RefusalKind::BadSignature, "is no time");
    refused(cose!("untagged"), RefusalKind::BadSignature, "cannot be read");
    refused(cose!("twice"), RefusalKind::BadSignature, "cannot be read");
    for bytes in [&b""[..], b"\xd2", b"\xd2\x84\x40\xa0\xf6\x40", b"\xd2\x9b\xff\xff\xff\xff\xff\xff\xff\xff"]
    {
        refused(of("application/cose", bytes), RefusalKind::BadSignature, "");
    }
    let deep = [b"\xd2".as_slice(), &[0x81; 100_000]].concat();
    refused(of("application/cose", &deep), RefusalKind::BadSignature, "cannot be read");
}

#[test]
fn a_signature_holds_until_it_expires() {
    let later = Trust { after: 7200, ..SIGNERS };
    for (kind, envelope) in both!("expires") {
        refused(judge(kind, envelope, &later), RefusalKind::Stale, "held until");
    }
}

/// Whoever signs for others has a store of roots of its own, and vouches for the time.
#[test]
fn signing_authorities() {
    let trust = Trust { stores: &[("signingAuthority", ROOT)], timestamps: "always", after: 86_400 };
    for (kind, envelope) in both!("vouched") {
        assert!(judge(kind, envelope, &trust).is_ok());
        refused(
            judge(kind, envelope, &Trust { after: 86_400, ..SIGNERS }),
            RefusalKind::UntrustedKey,
            "root",
        );
        refused(
            judge(kind, envelope, &Trust { after: -10, ..trust }),
            RefusalKind::BadSignature,
            "yet to come",
        );
    }
    for (kind, envelope) in both!("p256") {
        refused(judge(kind, envelope, &Trust { after: 60, ..trust }), RefusalKind::UntrustedKey, "root");
    }
}

#[test]
fn timestamps_outlive_certificates() {
    let trust = Trust { stores: &[("ca", ROOT), ("tsa", STAMPER_ROOT)], timestamps: "always", after: 86_400 };
    let other = Trust { stores: &[("ca", ROOT), ("tsa", ROOT)], ..trust };
    for (kind, envelope) in both!("stamped") {
        assert!(judge(kind, envelope, &trust).is_ok());
        assert!(judge(kind, envelope, &Trust { timestamps: "afterCertExpiry", ..trust }).is_ok());
        refused(
            judge(kind, envelope, &Trust { after: 86_400, ..SIGNERS }),
            RefusalKind::Stale,
            "trust store of tsa",
        );
        assert!(of(kind, envelope).is_ok());
        refused(judge(kind, envelope, &other), RefusalKind::UntrustedKey, "trust stores");
        // While the certificate holds, a policy may do without.
        refused(
            judge(kind, envelope, &Trust { after: 60, ..other }),
            RefusalKind::UntrustedKey,
            "trust stores",
        );
        assert!(judge(kind, envelope, &Trust { after: 60, timestamps: "afterCertExpiry", ..other }).is_ok());
    }
    for (kind, envelope) in both!("unstamped") {
        assert!(of(kind, envelope).is_ok());
        refused(judge(kind, envelope, &trust), RefusalKind::Stale, "past its date");
    }
    for (kind, envelope) in both!("stamped-late") {
        refused(judge(kind, envelope, &trust), RefusalKind::Stale, "past its date");
    }
}

#[test]
fn a_policy_says_when_timestamps_count_in_words_that_are_known() {
    let dir = directory(&Trust { timestamps: "sometimes", ..SIGNERS });
    let opened = Notation::open(dir.path().to_owned(), None, Default::default(), Timestamp::UNIX_EPOCH);
    assert!(opened.is_err());
}
