//! Notation's signatures, by its own policy and trust store.

use std::fs;

use plimsoll_registry::Digest;
use plimsoll_trust::{Notation, RefusalKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::registry::Registry;
use crate::{Judged, refused};

const GOOD: &[u8] = include_bytes!("notation/good-notation.jws.json");
const ROOT: &[u8] = include_bytes!("notation/n-ca.crt");
const SIGNER: &str = "x509.subject: C=DE, ST=Berlin, O=plimsoll test";
/// While the certificates hold.
const NOW: &str = "2026-12-01T00:00:00Z";
const KIND: &str = "application/vnd.cncf.notary.signature";

/// Notation's directory, with this root, level and identity.
fn directory(root: &[u8], level: &str, identity: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("truststore/x509/ca/test");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("root.crt"), root).unwrap();
    let policy = json!({"version": "1.0", "trustPolicies": [{"name": "test", "registryScopes": ["*"],
        "signatureVerification": {"level": level}, "trustStores": ["ca:test"], "trustedIdentities": [identity]}]});
    fs::write(dir.path().join("trustpolicy.json"), policy.to_string()).unwrap();
    dir
}

fn registry(envelopes: &[&[u8]]) -> Registry {
    let mut registry = Registry::new();
    let digest = "sha256:6d5ed20fa91a7b3828a86e3a5d0d7592e5da8ad8e4ac32f28f898c7a23b1e216";
    registry.subject = digest.parse().unwrap();
    for envelope in envelopes {
        let layer = registry.blob("application/jose+json", envelope);
        let subject = registry.subject.clone();
        registry.refer(KIND, &[layer], &subject);
    }
    registry
}

fn judge(registry: &Registry, dir: &TempDir, now: &str) -> Judged {
    registry.ask(|image, options| {
        Notation::open(dir.path().to_owned(), None, options, now.parse().unwrap()).unwrap().verify(image)
    })
}

fn of(envelope: &[u8]) -> Judged {
    judge(&registry(&[envelope]), &directory(ROOT, "strict", SIGNER), NOW)
}

#[test]
fn who_signed_is_told() {
    assert_eq!(of(GOOD).unwrap(), ["C=DE, ST=Berlin, O=plimsoll test, CN=image signer"]);
    let everybody = directory(ROOT, "audit", "*");
    assert!(judge(&registry(&[b"{}", GOOD]), &everybody, NOW).is_ok());
    refused(judge(&registry(&[]), &everybody, NOW), RefusalKind::Unsigned, "no signature");
    let broken = registry(&[]);
    broken.break_path(&format!("manifests/sha256-{}", broken.subject.sum()));
    refused(judge(&broken, &everybody, NOW), RefusalKind::Unavailable, "503");
}

#[test]
fn who_is_not_trusted_is_told() {
    let other_root = directory(include_bytes!("notation/other-ca.crt"), "strict", SIGNER);
    refused(judge(&registry(&[GOOD]), &other_root, NOW), RefusalKind::UntrustedKey, "root");
    let other_name = directory(ROOT, "strict", "x509.subject: C=DE, ST=Berlin, O=somebody");
    refused(judge(&registry(&[GOOD]), &other_name, NOW), RefusalKind::UntrustedKey, "image signer");
    let nobody = directory(ROOT, "skip", SIGNER);
    refused(judge(&registry(&[GOOD]), &nobody, NOW), RefusalKind::UntrustedKey, "skip");
}

#[test]
fn certificates_must_hold_now() {
    let dir = directory(ROOT, "permissive", SIGNER);
    refused(judge(&registry(&[GOOD]), &dir, "2028-01-01T00:00:00Z"), RefusalKind::Stale, "past its date");
    refused(judge(&registry(&[GOOD]), &dir, "2026-01-01T00:00:00Z"), RefusalKind::Stale, "not hold yet");
}

#[test]
fn the_algorithm_is_the_keys() {
    for envelope in [&include_bytes!("notation/n-none.json")[..], include_bytes!("notation/n-es384.json")] {
        refused(of(envelope), RefusalKind::BadSignature, "not that of the certificate");
    }
}

#[test]
fn what_is_critical_must_be_covered() {
    refused(of(include_bytes!("notation/n-crit.json")), RefusalKind::Unsupported, "\"evil\"");
}

#[test]
fn what_was_changed_does_not_hold() {
    refused(of(include_bytes!("notation/n-pay.json")), RefusalKind::BadSignature, "does not hold");
    let change = |change: &dyn Fn(&mut Value)| {
        let mut envelope: Value = serde_json::from_slice(GOOD).unwrap();
        change(&mut envelope);
        of(envelope.to_string().as_bytes())
    };
    // The signer's certificate alone: its issuer is not there.
    let alone = change(&|envelope| {
        envelope["header"]["x5c"].as_array_mut().unwrap().truncate(1);
    });
    refused(alone, RefusalKind::BadSignature, "not issued by");
    let twisted = change(&|envelope| envelope["header"]["x5c"].as_array_mut().unwrap().reverse());
    assert!(twisted.is_err());
    let many = change(&|envelope| {
        let certificate = envelope["header"]["x5c"][1].clone();
        envelope["header"]["x5c"] = json!(vec![certificate; 11]);
    });
    refused(many, RefusalKind::BadSignature, "11 certificates");
    assert!(change(&|envelope| envelope["more"] = json!(1)).is_err());
    assert!(change(&|envelope| envelope["signature"] = json!("")).is_err());
}

/// A registry hands out the signature of another image.
#[test]
fn cve_2023_33959_signature_of_another_image() {
    let mut registry = Registry::new();
    let layer = registry.blob("application/jose+json", GOOD);
    let subject = registry.subject.clone();
    registry.refer(KIND, &[layer], &subject);
    let dir = directory(ROOT, "strict", SIGNER);
    refused(judge(&registry, &dir, NOW), RefusalKind::BadSignature, "what is signed is");
}

/// Signatures without end (also CVE-2023-33958).
#[test]
fn cve_2023_33957_more_signatures_than_can_be() {
    let mut registry = registry(&[]);
    let subject = registry.subject.clone();
    for number in 0..33 {
        let layer = registry.blob("application/jose+json", format!("{{\"{number}\":0}}").as_bytes());
        registry.refer(KIND, &[layer], &subject);
    }
    let dir = directory(ROOT, "strict", SIGNER);
    refused(judge(&registry, &dir, NOW), RefusalKind::Unavailable, "more than 32 signatures");
    assert_ne!(subject, Digest::of(b""));
}

/// A weaker level lets signatures pass that are past their date.
#[test]
fn cve_2024_23332_level_permissive() {
    let dir = directory(ROOT, "permissive", SIGNER);
    refused(judge(&registry(&[GOOD]), &dir, "2028-01-01T00:00:00Z"), RefusalKind::Stale, "");
}

#[test]
fn a_trust_store_counts_whole_or_not_at_all() {
    let dir = directory(ROOT, "strict", SIGNER);
    let store = dir.path().join("truststore/x509/ca/test");
    std::os::unix::fs::symlink("/etc/hostname", store.join("link.crt")).unwrap();
    refused(judge(&registry(&[GOOD]), &dir, NOW), RefusalKind::Unavailable, "no regular file");
    fs::remove_file(store.join("link.crt")).unwrap();
    fs::write(store.join("x.pem"), "x").unwrap();
    refused(judge(&registry(&[GOOD]), &dir, NOW), RefusalKind::Unavailable, "no certificate");
}
