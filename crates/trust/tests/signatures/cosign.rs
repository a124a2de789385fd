//! cosign's signatures with keys: what was really made, and every way in which others were once deceived.

use plimsoll_registry::{Digest, MANIFEST_TYPES};
use plimsoll_trust::{Cosign, CosignKey, RefusalKind};
use serde_json::json;

use crate::registry::{BUNDLE, MANIFEST, Registry};
use crate::signer::{Signer, envelope, payload, statement};
use crate::{Judged, refused};

impl Registry {
    /// What these keys make of the image: who signed, or which refusal and why.
    fn judge(&self, keys: &[CosignKey]) -> Judged {
        self.ask(|image, options| Cosign::new(keys.to_vec(), options).verify(image))
    }
}

/// Made with openssl, accepted by cosign's own library; see README.md.
#[test]
fn bundles_that_cosign_accepts_or_refuses() {
    let key = |text: &[u8]| CosignKey::from_pem("cosign.pub", text).unwrap();
    let (own, other) = (key(include_bytes!("cosign.pub")), key(include_bytes!("other.pub")));
    let mut registry = Registry::new();
    let digest = "sha256:6d5ed20fa91a7b3828a86e3a5d0d7592e5da8ad8e4ac32f28f898c7a23b1e216";
    registry.subject = digest.parse().unwrap();
    registry.bundle(include_bytes!("good-bundle.json"));
    assert!(registry.judge(&[other.clone(), own.clone()]).unwrap()[0].starts_with("cosign.pub (sha256:"));
    refused(registry.judge(&[other]), RefusalKind::UntrustedKey, "none of the trusted keys");
    let mut registry = Registry::new();
    registry.subject = digest.parse().unwrap();
    registry.bundle(include_bytes!("tampered-bundle.json"));
    refused(registry.judge(&[own]), RefusalKind::BadSignature, "as it is said to be");
}

/// Made with openssl; see README.md.
#[test]
fn every_kind_of_key() {
    let payload = include_bytes!("payload.json");
    for (pem, signature) in [
        (&include_bytes!("openssl/p384.pub")[..], include_str!("openssl/p384.sig")),
        (include_bytes!("openssl/p384.pub"), include_str!("openssl/p384-sha384.sig")),
        (include_bytes!("openssl/rsa.pub"), include_str!("openssl/rsa.sig")),
        (include_bytes!("openssl/ed25519.pub"), include_str!("openssl/ed25519.sig")),
    ] {
        let key = CosignKey::from_pem("k", pem).unwrap();
        let mut registry = Registry::new();
        registry.simple(&[(payload, signature.to_owned())]);
        registry.judge(std::slice::from_ref(&key)).unwrap();
        let mut registry = Registry::new();
        registry.simple(&[(&payload[1..], signature.to_owned())]);
        refused(registry.judge(&[key]), RefusalKind::UntrustedKey, "");
    }
    for wrong in ["", "x", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"] {
        assert!(CosignKey::from_pem("k", wrong.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn every_place_of_a_signature() {
    let signer = Signer::new(1);
    let keys = [signer.key("own")];
    let mut registry = Registry::new();
    refused(registry.judge(&keys), RefusalKind::Unsigned, "no signature");
    let text = payload(&registry.subject);
    registry.simple(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
    assert_eq!(registry.judge(&keys).unwrap().len(), 1);

    let mut registry = Registry::new();
    let layers = registry.simple_layers(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
    let subject = registry.subject.clone();
    registry.refer("application/vnd.dev.cosign.artifact.sig.v1+json", &layers, &subject);
    registry.bundle(&envelope(&signer, &statement(&subject)));
    registry.bundle(&signer.message_bundle(MANIFEST, MANIFEST));
    assert_eq!(registry.judge(&keys).unwrap().len(), 3);
}

#[test]
fn what_another_key_signed_is_untrusted_and_does_not_hide_what_ours_did() {
    let (own, other) = (Signer::new(1), Signer::new(2));
    let mut registry = Registry::new();
    registry.bundle(&envelope(&other, &statement(&registry.subject.clone())));
    refused(registry.judge(&[own.key("own")]), RefusalKind::UntrustedKey, "hints at key");
    registry.bundle(b"{}");
    refused(registry.judge(&[own.key("own")]), RefusalKind::BadSignature, "cannot be read");
    registry.bundle(&envelope(&own, &statement(&registry.subject.clone())));
    assert_eq!(registry.judge(&[own.key("own")]).unwrap().len(), 1);
    assert_eq!(registry.judge(&[own.key("own"), other.key("other")]).unwrap().len(), 2);
}

#[test]
fn unavailable_is_never_unsigned() {
    let signer = Signer::new(1);
    let keys = [signer.key("own")];
    let registry = Registry::new();
    registry.break_path(&format!("manifests/sha256-{}", registry.subject.sum()));
    refused(registry.judge(&keys), RefusalKind::Unavailable, "503");
    let registry = Registry::new();
    registry.break_path(&format!("manifests/sha256-{}.sig", registry.subject.sum()));
    refused(registry.judge(&keys), RefusalKind::Unavailable, "503");
    // Listed, and gone; one of two is there and made by another.
    let mut registry = Registry::new();
    registry.bundle(&envelope(&Signer::new(2), &statement(&registry.subject.clone())));
    registry
        .list(json!({"mediaType": MANIFEST_TYPES[0], "digest": Digest::of(b"gone").to_string(), "size": 4,
        "artifactType": BUNDLE}));
    refused(registry.judge(&keys), RefusalKind::Unavailable, "does not have it");
}

#[test]
fn what_is_not_covered_is_said() {
    let signer = Signer::new(1);
    let good = envelope(&signer, &statement(&Registry::new().subject));
    let change = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut bundle: serde_json::Value = serde_json::from_slice(&good).unwrap();
        change(&mut bundle);
        let mut registry = Registry::new();
        registry.bundle(bundle.to_string().as_bytes());
        registry.judge(&[signer.key("own")])
    };
    let keyless = change(&|bundle| bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": ""}}));
    refused(keyless, RefusalKind::Unsupported, "keyless");
    let version = |version: &str| {
        let media_type = format!("application/vnd.dev.sigstore.bundle+json;version={version}");
        change(&|bundle| bundle["mediaType"] = json!(media_type))
    };
    refused(version("0.4"), RefusalKind::Unsupported, "not covered");
    assert!(["0.1", "0.2", "0.3"].map(version).iter().all(Result::is_ok));
    let neither = change(&|bundle| bundle["verificationMaterial"] = json!({}));
    refused(neither, RefusalKind::BadSignature, "neither a key nor a certificate");
    let both = change(&|bundle| {
        bundle["messageSignature"] =
            json!({"messageDigest": {"algorithm": "SHA2_256", "digest": ""}, "signature": ""});
    });
    refused(both, RefusalKind::BadSignature, "not exactly one");
    assert!(change(&|bundle| bundle["more"] = json!([1.5])).is_ok());
}

/// A statement or payload that our key signed, and that is not about this image or not about an image at all.
fn signed_but(text: &str) -> Judged {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    registry.bundle(&envelope(&signer, text));
    registry.judge(&[signer.key("own")])
}

fn simple_but(text: &str) -> Judged {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    registry.simple(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
    registry.judge(&[signer.key("own")])
}

/// A registry hands out the signature of another image.
#[test]
fn cve_2023_33959_signature_of_another_image() {
    let other = Digest::of(b"another");
    refused(signed_but(&statement(&other)), RefusalKind::BadSignature, "another image");
    refused(simple_but(&payload(&other)), RefusalKind::BadSignature, &other.to_string());
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    registry.bundle(&signer.message_bundle(b"another", b"another"));
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "another image");
    // It claims our digest, and the signature is over other bytes.
    let mut registry = Registry::new();
    registry.bundle(&signer.message_bundle(b"another", MANIFEST));
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "as it is said to be");
    // The artifact itself is about another image.
    let mut registry = Registry::new();
    let bundle = registry.blob(BUNDLE, &envelope(&signer, &statement(&registry.subject)));
    registry.refer(BUNDLE, &[bundle], &other);
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "about another image");
}

/// A statement about something else (how it was built) is taken for a signature of the image.
#[test]
fn cve_2022_35929_statement_of_another_type() {
    let subject = Digest::of(MANIFEST);
    let provenance =
        statement(&subject).replace("https://sigstore.dev/cosign/sign/v1", "https://slsa.dev/provenance/v1");
    refused(signed_but(&provenance), RefusalKind::Unsigned, "slsa.dev");
    let kind = statement(&subject).replace("https://in-toto.io/Statement/v1", "https://in-toto.io/Link/v1");
    refused(signed_but(&kind), RefusalKind::BadSignature, "Link");
    let atomic = payload(&subject).replace("cosign container image signature", "atomic container signature");
    refused(simple_but(&atomic), RefusalKind::BadSignature, "atomic");
}

/// What is signed cannot be read, and that passes for success.
#[test]
fn cve_2026_39395_payload_that_cannot_be_read() {
    for text in ["", "{", "[]", "null", "{\"critical\":null}"] {
        refused(signed_but(text), RefusalKind::BadSignature, "cannot be read");
        refused(simple_but(text), RefusalKind::BadSignature, "cannot be read");
    }
    let subject = Digest::of(MANIFEST);
    let twice = statement(&subject).replacen('{', "{\"predicateType\":\"x\",", 1);
    refused(signed_but(&twice), RefusalKind::BadSignature, "cannot be read");
}

/// The key to verify with is taken from the signature itself.
#[test]
fn ghsa_fx35_mq7g_6g98_key_that_comes_with_the_signature() {
    let (own, attacker) = (Signer::new(1), Signer::new(2));
    let mut registry = Registry::new();
    let mut bundle: serde_json::Value =
        serde_json::from_slice(&envelope(&attacker, &statement(&registry.subject))).unwrap();
    bundle["verificationMaterial"]["publicKey"]["rawBytes"] = json!(attacker.spki());
    registry.bundle(bundle.to_string().as_bytes());
    // Its hint says that it is our key's.
    bundle["verificationMaterial"]["publicKey"]["hint"] = json!(own.hint());
    registry.bundle(bundle.to_string().as_bytes());
    refused(registry.judge(&[own.key("own")]), RefusalKind::BadSignature, "as it is said to be");
}

/// An entry of a log, true or not, makes up for a signature (also CVE-2022-23649, CVE-2026-22703).
#[test]
fn cve_2022_36056_log_entry_in_place_of_a_signature() {
    let (own, attacker) = (Signer::new(1), Signer::new(2));
    let mut registry = Registry::new();
    let mut bundle: serde_json::Value =
        serde_json::from_slice(&envelope(&attacker, &statement(&registry.subject))).unwrap();
    bundle["verificationMaterial"]["tlogEntries"] = json!([{"logIndex": "1", "integratedTime": "1",
        "inclusionPromise": {"signedEntryTimestamp": own.sign(b"x")}}]);
    registry.bundle(bundle.to_string().as_bytes());
    refused(registry.judge(&[own.key("own")]), RefusalKind::UntrustedKey, "");
}

/// Of several signatures in one envelope, different checks look at different ones.
#[test]
fn tob_sigstore_9_several_signatures_in_one_envelope() {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    let mut bundle: serde_json::Value =
        serde_json::from_slice(&envelope(&signer, &statement(&registry.subject))).unwrap();
    let own = bundle["dsseEnvelope"]["signatures"][0].clone();
    bundle["dsseEnvelope"]["signatures"] = json!([own, own]);
    registry.bundle(bundle.to_string().as_bytes());
    bundle["dsseEnvelope"]["signatures"] = json!([]);
    registry.bundle(bundle.to_string().as_bytes());
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "signatures, not one");
}

/// Signatures without end (also CVE-2023-33957).
#[test]
fn cve_2023_33958_more_signatures_than_can_be() {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    let text = payload(&registry.subject);
    let one = (text.as_bytes(), signer.sign(text.as_bytes()));
    registry.simple(&vec![one.clone(); 32]);
    assert_eq!(registry.judge(&[signer.key("own")]).unwrap().len(), 32);
    registry.simple(&vec![one; 33]);
    refused(registry.judge(&[signer.key("own")]), RefusalKind::Unavailable, "more than 32 signatures");
}

/// As many signatures as memory holds.
#[test]
fn cve_2024_29903_ten_thousand_signatures() {
    let signer = Signer::new(1);
    let keys = [signer.key("own")];
    let mut registry = Registry::new();
    let text = payload(&registry.subject);
    let layers = registry.simple_layers(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
    let layers: Vec<_> = layers.into_iter().cycle().take(10_000).collect();
    let subject = registry.subject.clone();
    registry.refer("application/vnd.dev.cosign.artifact.sig.v1+json", &layers, &subject);
    refused(registry.judge(&keys), RefusalKind::Unavailable, "more than 32 signatures");
    let mut registry = Registry::new();
    let listed = json!({"mediaType": MANIFEST_TYPES[0], "digest": Digest::of(b"x").to_string(), "size": 1,
        "artifactType": BUNDLE});
    registry.list_all(vec![listed; 10_000]);
    refused(registry.judge(&keys), RefusalKind::Unavailable, "more than 1000");
}

/// A gigabyte is not even asked for.
#[test]
fn a_signature_of_a_gigabyte() {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    let mut layer = registry.blob(BUNDLE, b"{}");
    layer["size"] = json!(1_u64 << 30);
    let subject = registry.subject.clone();
    registry.refer(BUNDLE, &[layer.clone()], &subject);
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "larger than");
    let mut registry = Registry::new();
    layer["size"] = json!(1);
    registry.refer(BUNDLE, &[layer], &subject);
    assert!(registry.judge(&[signer.key("own")]).is_err());
}

/// A signature that takes all memory.
#[test]
fn cve_2024_29902_signature_that_is_too_large() {
    let signer = Signer::new(1);
    let mut registry = Registry::new();
    let text = payload(&registry.subject) + &" ".repeat(1 << 20);
    registry.simple(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
    refused(registry.judge(&[signer.key("own")]), RefusalKind::BadSignature, "larger than");
}
