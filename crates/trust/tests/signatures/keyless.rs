//! Signatures with a certificate: what openssl and cosign made, and every way in which others were once deceived.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use plimsoll_registry::Digest;
use plimsoll_trust::{Cosign, Identity, Keyless, RefusalKind, TrustedRoot};
use serde_json::{Value, json};

use crate::forged::{Forged, GOOD, OTHER, SIGNER, der_of, made_at, older_entry};
use crate::registry::{MANIFEST, Registry};
use crate::signer::{Signer, statement};
use crate::{Judged, refused};

const ROOT: &[u8] = include_bytes!("keyless/trusted_root.json");
const ISSUER: &str = "https://accounts.example.org";
const ALICE: &str = "alice@example.org";

/// A verifier that trusts one identity, some seconds after everything was made.
fn keyless(root: &[u8], identity: Identity) -> Keyless {
    let now = Timestamp::from_second(made_at() + 60).unwrap();
    Keyless::new(TrustedRoot::parse(root).unwrap(), vec![identity], now)
}

fn alice() -> Identity {
    Identity::exact(ALICE, ISSUER).unwrap()
}

pub(crate) fn of_alice() -> Keyless {
    keyless(ROOT, alice())
}

impl Registry {
    fn judge_keyless(&self, keyless: Keyless) -> Judged {
        self.ask(|image, options| Cosign::keyless(keyless, options).verify(image))
    }
}

fn with(bundle: &Value, root: &[u8], identity: Identity) -> Judged {
    let mut registry = Registry::new();
    registry.bundle(bundle.to_string().as_bytes());
    registry.judge_keyless(keyless(root, identity))
}

fn of(bundle: &Value) -> Judged {
    with(bundle, ROOT, alice())
}

/// A good bundle, changed.
fn changed(change: impl FnOnce(&mut Value)) -> Judged {
    let mut bundle = Forged::default().bundle();
    change(&mut bundle);
    of(&bundle)
}

fn entry(bundle: &mut Value) -> &mut Value {
    &mut bundle["verificationMaterial"]["tlogEntries"][0]
}

/// The trusted root, changed.
fn root_but(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut root: Value = serde_json::from_slice(ROOT).unwrap();
    change(&mut root);
    root.to_string().into_bytes()
}

fn seconds_after(seconds: i64) -> String {
    Timestamp::from_second(made_at() + seconds).unwrap().to_string()
}

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

fn bytes_of(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// What is beside a payload of the older form, as openssl made it.
fn beside() -> Value {
    json!({"dev.cosignproject.cosign/signature": include_str!("keyless/payload.sig"),
        "dev.sigstore.cosign/certificate": GOOD,
        "dev.sigstore.cosign/chain": "not looked at",
        "dev.sigstore.cosign/bundle": include_str!("keyless/entry.json"),
        "dev.sigstore.cosign/rfc3161timestamp": include_str!("keyless/timestamp.json")})
}

fn older(annotations: &Value) -> Judged {
    let mut registry = Registry::new();
    registry.simple_with(include_bytes!("payload.json"), annotations);
    registry.judge_keyless(keyless(ROOT, alice()))
}

#[test]
fn what_openssl_made_holds() {
    let who = [format!("{ALICE} ({ISSUER})")];
    assert_eq!(older(&beside()).unwrap(), who);
    assert_eq!(of(&serde_json::from_str(include_str!("keyless/bundle.json")).unwrap()).unwrap(), who);
    assert_eq!(of(&Forged::default().bundle()).unwrap(), who);
    let mut registry = Registry::new();
    registry.bundle(Forged::default().bundle().to_string().as_bytes());
    let signed_at = registry.ask(|image, options| {
        let verified = Cosign::keyless(keyless(ROOT, alice()), options).verify(image)?;
        assert_eq!(verified.vouchers()[0].signed_at, Some(made_at()));
        Ok(verified)
    });
    signed_at.unwrap();
}

#[test]
fn whom_the_certificate_names() {
    let uri = "https://git.example.org/shop/db/.workflow/release.yml@refs/heads/main";
    let judge =
        |certificate, identity| with(&Forged { certificate, ..Forged::default() }.bundle(), ROOT, identity);
    let exact = |name: &str| Identity::exact(name, ISSUER).unwrap();
    assert!(judge(include_str!("keyless/uri.crt"), exact(uri)).is_ok());
    assert!(judge(include_str!("keyless/user.crt"), exact("alice")).is_ok());
    assert!(judge(include_str!("keyless/older-issuer.crt"), alice()).is_ok());
    let like = |expression: &str| Identity::like(expression, ISSUER).unwrap();
    let branch = like("https://git\\.example\\.org/shop/[a-z]+/\\.workflow/release\\.yml@refs/heads/main");
    assert!(judge(include_str!("keyless/uri.crt"), branch).is_ok());
    // A part of the name is not the name.
    let part = judge(include_str!("keyless/uri.crt"), like("https://git\\.example\\.org/shop/db/"));
    refused(part, RefusalKind::UntrustedKey, "release.yml");
    refused(judge(GOOD, exact("bob@example.org")), RefusalKind::UntrustedKey, ALICE);
    let other_issuer = Identity::exact(ALICE, "https://other.example.org").unwrap();
    refused(judge(GOOD, other_issuer.clone()), RefusalKind::UntrustedKey, ISSUER);
    let two = include_str!("keyless/two-issuers.crt");
    refused(judge(two, alice()), RefusalKind::BadSignature, "two issuers");
    refused(judge(two, other_issuer), RefusalKind::BadSignature, "two issuers");
    refused(
        judge(include_str!("keyless/no-issuer.crt"), alice()),
        RefusalKind::BadSignature,
        "who identified",
    );
    refused(judge(include_str!("keyless/two-names.crt"), alice()), RefusalKind::BadSignature, "2 names");
    refused(judge(include_str!("keyless/no-name.crt"), alice()), RefusalKind::BadSignature, "0 names");
}

#[test]
fn what_a_certificate_must_be() {
    for (certificate, kind, words) in [
        (include_str!("keyless/server.crt"), RefusalKind::BadSignature, "purposes"),
        (include_str!("keyless/other-root.crt"), RefusalKind::UntrustedKey, "not from an authority"),
        (include_str!("keyless/critical.crt"), RefusalKind::UntrustedKey, "not from an authority"),
        (include_str!("keyless/earlier.crt"), RefusalKind::BadSignature, "past its date"),
        (include_str!("keyless/no-sct.crt"), RefusalKind::BadSignature, "no log saw"),
        (include_str!("keyless/other-sct.crt"), RefusalKind::BadSignature, "did not sign"),
        (include_str!("keyless/foreign-sct.crt"), RefusalKind::BadSignature, "did not sign"),
        // Another issuer of the same name (sigstore-rust, issue 154).
        (include_str!("keyless/twin-sct.crt"), RefusalKind::BadSignature, "did not sign"),
        (include_str!("keyless/other-log.crt"), RefusalKind::UntrustedKey, "does not name"),
    ] {
        refused(of(&Forged { certificate, ..Forged::default() }.bundle()), kind, words);
    }
    let bundle = Forged { certificate: include_str!("keyless/no-sct.crt"), ..Forged::default() }.bundle();
    assert!(with(&bundle, &root_but(|root| root["ctlogs"] = json!([])), alice()).is_ok());
    let garbled = changed(|bundle| bundle["verificationMaterial"]["certificate"]["rawBytes"] = json!("MAA="));
    refused(garbled, RefusalKind::BadSignature, "cannot be read");
}

#[test]
fn who_signed_is_who_the_certificate_is_about() {
    let other = Forged { signer: OTHER, ..Forged::default() }.bundle();
    refused(of(&other), RefusalKind::BadSignature, "did not make the signature");
    let about = Forged { statement: statement(&Digest::of(b"another")), ..Forged::default() }.bundle();
    refused(of(&about), RefusalKind::BadSignature, "another image");
    let provenance =
        statement(&Digest::of(MANIFEST)).replace("sigstore.dev/cosign/sign", "slsa.dev/provenance");
    let provenance = Forged { statement: provenance, ..Forged::default() }.bundle();
    refused(of(&provenance), RefusalKind::Unsigned, "slsa.dev");
    // A key signed, and an identity is asked for.
    let mut registry = Registry::new();
    registry.bundle(&crate::signer::envelope(&Signer::new(SIGNER), &statement(&Digest::of(MANIFEST))));
    let judged = registry.judge_keyless(keyless(ROOT, alice()));
    refused(judged, RefusalKind::UntrustedKey, "an identity is asked for");
    let both = changed(|bundle| bundle["verificationMaterial"]["publicKey"] = json!({"hint": "x"}));
    refused(both, RefusalKind::BadSignature, "several");
}

#[test]
fn a_log_must_have_it() {
    let none = changed(|bundle| bundle["verificationMaterial"]["tlogEntries"] = json!([]));
    refused(none, RefusalKind::BadSignature, "in no log");
    let other = Forged { log: OTHER, ..Forged::default() }.bundle();
    refused(of(&other), RefusalKind::BadSignature, "did not sign the checkpoint");
    let unknown = changed(|bundle| entry(bundle)["logId"]["keyId"] = json!("AAAA"));
    refused(unknown, RefusalKind::UntrustedKey, "does not name");
    let proof =
        |member: &str, value: Value| changed(|bundle| entry(bundle)["inclusionProof"][member] = value);
    refused(proof("logIndex", json!("0")), RefusalKind::BadSignature, "does not hold");
    refused(proof("logIndex", json!("3")), RefusalKind::BadSignature, "does not hold");
    refused(proof("hashes", json!([])), RefusalKind::BadSignature, "does not hold");
    refused(proof("hashes", json!(["", "", ""])), RefusalKind::BadSignature, "does not hold");
    refused(proof("treeSize", json!("4")), RefusalKind::BadSignature, "another tree");
    refused(proof("rootHash", json!("AAAA")), RefusalKind::BadSignature, "another tree");
    refused(proof("checkpoint", json!({"envelope": "x"})), RefusalKind::BadSignature, "without signatures");
    let no_proof = changed(|bundle| {
        entry(bundle).as_object_mut().unwrap().remove("inclusionProof");
    });
    refused(no_proof, RefusalKind::BadSignature, "without a proof");
    let one_bad = changed(|bundle| {
        let mut second = entry(bundle).clone();
        second["inclusionPromise"]["signedEntryTimestamp"] = json!("AAAA");
        bundle["verificationMaterial"]["tlogEntries"].as_array_mut().unwrap().push(second);
    });
    refused(one_bad, RefusalKind::BadSignature, "did not sign");
}

#[test]
fn older_versions_of_bundles() {
    fn with_chain(version: &str, change: impl FnOnce(&mut Value)) -> Judged {
        changed(|bundle| {
            bundle["mediaType"] =
                json!(format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
            let material = bundle["verificationMaterial"].as_object_mut().unwrap();
            let certificate = material.remove("certificate").unwrap();
            let chain = json!({"certificates": [certificate, {"rawBytes": "not looked at"}]});
            material.insert("x509CertificateChain".to_owned(), chain);
            change(bundle);
        })
    }
    fn without(member: &str) -> impl FnOnce(&mut Value) {
        move |bundle| drop(entry(bundle).as_object_mut().unwrap().remove(member))
    }
    let who = [format!("{ALICE} ({ISSUER})")];
    for version in ["0.1", "0.2"] {
        assert_eq!(with_chain(version, |_| {}).unwrap(), who);
    }
    refused(with_chain("0.3", |_| {}), RefusalKind::BadSignature, "with a chain of certificates");
    // The first has a promise, and the second a proof; both must hold where they are.
    assert_eq!(with_chain("0.1", without("inclusionProof")).unwrap(), who);
    refused(with_chain("0.1", without("inclusionPromise")), RefusalKind::BadSignature, "without a promise");
    refused(with_chain("0.2", without("inclusionProof")), RefusalKind::BadSignature, "without a proof");
    refused(with_chain("0.2", without("inclusionPromise")), RefusalKind::BadSignature, "nothing proves when");
    let proof = with_chain("0.1", |bundle| entry(bundle)["inclusionProof"]["logIndex"] = json!("0"));
    refused(proof, RefusalKind::BadSignature, "does not hold");
    let chain = |certificates: Value| {
        with_chain("0.1", |bundle| {
            bundle["verificationMaterial"]["x509CertificateChain"]["certificates"] = certificates;
        })
    };
    refused(chain(json!([])), RefusalKind::BadSignature, "chain of certificates is empty");
    let other = [include_str!("keyless/older-issuer.crt"), GOOD].map(|it| json!({"rawBytes": der_of(it)}));
    refused(chain(json!(other)), RefusalKind::BadSignature, "about another certificate");
}

/// An entry of a log that is about something else vouches for a signature (also CVE-2022-36056, GHSA-whqx-f9j3-ch6m).
#[test]
fn cve_2026_22703_entry_of_another_signature() {
    let spec = |change: fn(&mut Value)| of(&Forged { change, ..Forged::default() }.bundle());
    let signature = spec(|body| body["spec"]["signatures"][0]["signature"] = json!("AAAA"));
    refused(signature, RefusalKind::BadSignature, "another signature");
    let payload = spec(|body| body["spec"]["payloadHash"]["value"] = json!("00".repeat(32)));
    refused(payload, RefusalKind::BadSignature, "other bytes");
    let several = spec(|body| {
        let one = body["spec"]["signatures"][0].clone();
        body["spec"]["signatures"].as_array_mut().unwrap().push(one);
    });
    refused(several, RefusalKind::BadSignature, "2 signatures");
    let kind = spec(|body| body["kind"] = json!("rpm"));
    refused(kind, RefusalKind::Unsupported, "rpm");
    let said = changed(|bundle| entry(bundle)["kindVersion"]["kind"] = json!("hashedrekord"));
    refused(said, RefusalKind::BadSignature, "another kind");
}

/// An entry about another key or certificate vouches for a signature.
#[test]
fn cve_2024_53267_entry_of_another_key() {
    let spec = |change: fn(&mut Value)| of(&Forged { change, ..Forged::default() }.bundle());
    let certificate = spec(|body| {
        let other = json!(base64(include_str!("keyless/older-issuer.crt")));
        body["spec"]["signatures"][0]["verifier"] = other;
    });
    refused(certificate, RefusalKind::BadSignature, "another certificate");
    let key = spec(|body| body["spec"]["signatures"][0]["verifier"] = json!(base64("x")));
    refused(key, RefusalKind::BadSignature, "not about a certificate");
}

/// The same for the older form, where the entry of a log stands beside a payload.
#[test]
fn cve_2022_23649_entry_of_another_signature() {
    let mut other = beside();
    let text = include_str!("keyless/entry.json");
    let mut entry: Value = serde_json::from_str(text).unwrap();
    entry["Payload"]["logIndex"] = json!(8);
    other["dev.sigstore.cosign/bundle"] = json!(entry.to_string());
    refused(older(&other), RefusalKind::BadSignature, "did not sign");
    // A true entry, of another signature.
    let mut other = beside();
    let foreign = Forged { time: made_at(), ..Forged::default() };
    let body = json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {"data": {"hash": {
        "algorithm": "sha256", "value": "00".repeat(32)}}, "signature": {"content": "AAAA",
        "publicKey": {"content": base64(GOOD)}}}});
    let entry = foreign.entry(&body);
    other["dev.sigstore.cosign/bundle"] = json!(older_entry(&entry));
    refused(older(&other), RefusalKind::BadSignature, "other bytes");
    for without in ["dev.sigstore.cosign/bundle", "dev.sigstore.cosign/certificate"] {
        let mut other = beside();
        other.as_object_mut().unwrap().remove(without);
        assert!(older(&other).is_err(), "{without}");
    }
}

/// A time that nobody signed counts.
#[test]
fn cve_2024_55655_time_that_nobody_signed() {
    let unsigned = changed(|bundle| {
        entry(bundle).as_object_mut().unwrap().remove("inclusionPromise");
    });
    refused(unsigned, RefusalKind::BadSignature, "nothing proves when");
    let moved = changed(|bundle| entry(bundle)["integratedTime"] = json!((made_at() + 1).to_string()));
    refused(moved, RefusalKind::BadSignature, "did not sign");
}

/// The time of an entry whose place in the log is proven counts, though the log did not sign that (also TOB-SIGSTORE-3).
#[test]
fn cve_2026_48816_time_beside_a_proof() {
    // A timestamp is enough, and then the time of the log counts as little as before.
    let stamped: Value = serde_json::from_str(include_str!("keyless/bundle.json")).unwrap();
    let mut without = stamped.clone();
    let log_entry = entry(&mut without).as_object_mut().unwrap();
    log_entry.remove("inclusionPromise");
    log_entry["integratedTime"] = json!("1");
    assert!(of(&without).is_ok());
    let mut foreign = stamped;
    let stamp: Value = serde_json::from_str(include_str!("keyless/timestamp.json")).unwrap();
    foreign["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] =
        stamp["SignedRFC3161Timestamp"].clone();
    refused(of(&foreign), RefusalKind::BadSignature, "other bytes");
}

/// A key counts outside of the time for which it is trusted.
#[test]
fn cve_2026_54787_key_outside_of_its_time() {
    let bundle: Value = serde_json::from_str(include_str!("keyless/bundle.json")).unwrap();
    let ended = seconds_after(-3600);
    for (what, words) in [
        ("/tlogs/0/publicKey/validFor", "its log's key"),
        ("/ctlogs/0/publicKey/validFor", "the log of the certificate"),
        ("/certificateAuthorities/0/validFor", "the authority of its certificate"),
        ("/timestampAuthorities/0/validFor", "its authority is not trusted"),
    ] {
        let early = root_but(|root| root.pointer_mut(what).unwrap()["end"] = json!(ended));
        refused(with(&bundle, &early, alice()), RefusalKind::UntrustedKey, words);
        let late = root_but(|root| root.pointer_mut(what).unwrap()["start"] = json!(seconds_after(3600)));
        refused(with(&bundle, &late, alice()), RefusalKind::UntrustedKey, words);
    }
}

/// Of several times the one that suits counts.
#[test]
fn tob_sigstore_4_every_time_counts() {
    // The timestamp holds, and the log saw it an hour later.
    let mut bundle: Value = serde_json::from_str(include_str!("keyless/bundle.json")).unwrap();
    let body = serde_json::from_slice(&bytes_of(&entry(&mut bundle)["canonicalizedBody"])).unwrap();
    *entry(&mut bundle) = Forged { time: made_at() - 3600, ..Forged::default() }.entry(&body);
    refused(of(&bundle), RefusalKind::BadSignature, "does not hold yet");
    let late = Forged { time: made_at() + 3600, ..Forged::default() }.bundle();
    refused(of(&late), RefusalKind::BadSignature, "yet to come");
}

/// A timestamp counts within the time of any authority, not of its own.
#[test]
fn tob_sigstore_11_another_timestamp_authority() {
    let bundle: Value = serde_json::from_str(include_str!("keyless/bundle.json")).unwrap();
    let others = root_but(|root| {
        let mut other = root["timestampAuthorities"][0].clone();
        other["certChain"] = root["certificateAuthorities"][0]["certChain"].clone();
        root["timestampAuthorities"][0]["validFor"]["end"] = json!(seconds_after(-3600));
        root["timestampAuthorities"].as_array_mut().unwrap().push(other);
    });
    refused(with(&bundle, &others, alice()), RefusalKind::UntrustedKey, "not trusted for");
    let unknown = root_but(|root| root["timestampAuthorities"] = json!([]));
    refused(with(&bundle, &unknown, alice()), RefusalKind::UntrustedKey, "does not name");
}

#[test]
fn certificates_with_absurd_fields() {
    let names = include_str!("keyless/many-names.crt");
    refused(
        of(&Forged { certificate: names, ..Forged::default() }.bundle()),
        RefusalKind::BadSignature,
        "larger than",
    );
    let long = include_str!("keyless/long-name.crt");
    refused(
        of(&Forged { certificate: long, ..Forged::default() }.bundle()),
        RefusalKind::UntrustedKey,
        "aaaa",
    );
    let backwards = include_str!("keyless/backwards.crt");
    let judged = of(&Forged { certificate: backwards, ..Forged::default() }.bundle());
    refused(judged, RefusalKind::BadSignature, "does not hold yet");
}

#[test]
fn what_is_without_end_is_not_looked_at() {
    let many = changed(|bundle| {
        let one = entry(bundle).clone();
        bundle["verificationMaterial"]["tlogEntries"] = json!(vec![one; 9]);
    });
    refused(many, RefusalKind::BadSignature, "more than 8");
    let tall = changed(|bundle| entry(bundle)["inclusionProof"]["hashes"] = json!(vec![""; 65]));
    refused(tall, RefusalKind::BadSignature, "65 hashes");
    let number = changed(|bundle| entry(bundle)["logIndex"] = json!("99999999999999999999"));
    refused(number, RefusalKind::BadSignature, "cannot be read");
    let far = Forged { time: i64::MAX, ..Forged::default() }.bundle();
    refused(of(&far), RefusalKind::BadSignature, "");
    let large = changed(|bundle| {
        let certificate = base64(&"x".repeat(20_000));
        bundle["verificationMaterial"]["certificate"]["rawBytes"] = json!(certificate);
    });
    refused(large, RefusalKind::BadSignature, "larger than");
}

#[test]
fn a_trusted_root_counts_whole_or_not_at_all() {
    let parse = |change: &dyn Fn(&mut Value)| TrustedRoot::parse(&root_but(change)).map(|_| ());
    assert!(parse(&|_| {}).is_ok());
    assert!(parse(&|root| root["mediaType"] = json!("x")).is_err());
    assert!(parse(&|root| root["certificateAuthorities"] = json!([])).is_err());
    assert!(parse(&|root| root["tlogs"][0]["publicKey"]["rawBytes"] = json!("AAAA")).is_err());
    assert!(parse(&|root| root["tlogs"][0]["publicKey"]["validFor"]["start"] = json!("x")).is_err());
    assert!(parse(&|root| root["ctlogs"] = json!(vec![root["ctlogs"][0].clone(); 65])).is_err());
    assert!(TrustedRoot::parse(&vec![b' '; 2 << 20]).is_err());
}
