//! What an owner demands to be said about an image, beyond its signature, and what must have built it.

use plimsoll_facts::AttestationDemand;
use plimsoll_registry::{Digest, MANIFEST_TYPES};
use plimsoll_trust::{Demands, RefusalKind, Requirement, Store};
use serde_json::{Value, json};

use crate::attestations::{PROVENANCE, VEX, digest_of, image, marked, says};
use crate::refused;
use crate::registry::{MANIFEST, Registry};
use crate::requirement::{demand, verify};
use crate::signer::{Signer, envelope};

const SPDX: &str = "https://spdx.dev/Document";
const TESTS: &str = "https://example.org/tests/v1";
const EARLY_PROVENANCE: &str = "https://slsa.dev/provenance/v0.2";
const BUILDER: &str = "https://ci.example.org/builders/shop";

/// Signatures of all these keys, and these statements by any of them.
fn demanding(signers: &[u8], attestations: &[&str]) -> Requirement {
    let attestations = attestations.iter().map(|text| AttestationDemand::parse(text).unwrap()).collect();
    Requirement { demands: Demands { attestations, builder: None }, ..demand(signers) }
}

/// The same, built by `BUILDER`.
fn built(attestation: &str) -> Requirement {
    let mut requirement = demanding(&[1], &[attestation]);
    requirement.demands.builder = Some(BUILDER.to_owned());
    requirement
}

/// A registry whose image the first key signed.
fn signed() -> Registry {
    let mut registry = Registry::new();
    let subject = registry.subject.clone();
    registry.sign(&subject, &Signer::new(1));
    registry
}

impl Registry {
    fn say(&mut self, signer: u8, kind: &str) {
        let statement = says(kind, &self.subject);
        self.bundle(&envelope(&Signer::new(signer), &statement));
    }

    fn say_built(&mut self, kind: &str, predicate: &Value) {
        let statement = with_predicate(kind, &self.subject, predicate);
        self.bundle(&envelope(&Signer::new(1), &statement));
    }
}

fn with_predicate(kind: &str, digest: &Digest, predicate: &Value) -> String {
    let mut statement: Value = serde_json::from_str(&says(kind, digest)).unwrap();
    statement["predicate"] = predicate.clone();
    statement.to_string()
}

/// What somebody trusted says about the image: the type, what it fulfils, and who signed it.
fn told(requirement: &Requirement, registry: &Registry) -> Vec<(String, Vec<String>, usize)> {
    let verified = requirement.verify(&registry.image(":1")).unwrap();
    let told = verified.attestations().iter();
    told.map(|it| (it.predicate_type.clone(), it.fulfils.clone(), it.signers.len())).collect()
}

#[test]
fn all_that_is_demanded_must_be_said() {
    let mut registry = signed();
    let demands = demanding(&[1], &["slsa-provenance", "sbom", TESTS]);
    refused(verify(&demands, &registry, ":1"), RefusalKind::Unsigned, "attestation sbom: there is none");
    for kind in [PROVENANCE, SPDX] {
        registry.say(1, kind);
    }
    let judged = demands.judge(&registry.image(":1"));
    assert_eq!(judged.reason, format!("attestation {TESTS}: there is none"));
    assert_eq!(judged.attestations[1].fulfils, ["sbom"]);
    registry.say(1, VEX);
    registry.say(1, TESTS);
    let of = |kind: &str, fulfils: &[&str]| {
        (kind.to_owned(), fulfils.iter().map(|demand| (*demand).to_owned()).collect(), 1)
    };
    let expected =
        [of(PROVENANCE, &["slsa-provenance"]), of(SPDX, &["sbom"]), of(VEX, &[]), of(TESTS, &[TESTS])];
    assert_eq!(told(&demands, &registry), expected);
    assert_eq!(told(&demand(&[1]), &registry), []);
}

#[test]
fn a_statement_is_no_signature_of_the_image() {
    let mut registry = Registry::new();
    registry.say(1, PROVENANCE);
    let judged = verify(&demanding(&[1], &["slsa-provenance"]), &registry, ":1");
    refused(judged, RefusalKind::Unsigned, "not that the image is vouched for");
}

#[test]
fn any_of_the_signers_may_say_it() {
    let mut registry = signed();
    registry.say(2, SPDX);
    let others = demanding(&[1], &["sbom"]);
    refused(
        verify(&others, &registry, ":1"),
        RefusalKind::UntrustedKey,
        "attestation sbom: signature sha256:",
    );
    let any = Requirement { all: false, ..demanding(&[1, 2], &["sbom"]) };
    assert_eq!(told(&any, &registry)[0].1, ["sbom"]);
}

#[test]
fn a_statement_that_does_not_hold_is_not_none() {
    let mut registry = signed();
    let subject = registry.subject.clone();
    let own = Signer::new(1);
    let demands = demanding(&[1], &["sbom"]);
    let mut forged: Value = serde_json::from_slice(&envelope(&own, &says(SPDX, &subject))).unwrap();
    let other: Value = serde_json::from_slice(&envelope(&own, &says(VEX, &subject))).unwrap();
    forged["dsseEnvelope"]["signatures"] = other["dsseEnvelope"]["signatures"].clone();
    registry.bundle(forged.to_string().as_bytes());
    refused(verify(&demands, &registry, ":1"), RefusalKind::BadSignature, "is not one of key 1");

    let mut registry = signed();
    registry.bundle(&envelope(&own, &says(SPDX, &Digest::of(b"another"))));
    refused(verify(&demands, &registry, ":1"), RefusalKind::BadSignature, "another image");
    registry.say(1, SPDX);
    assert_eq!(verify(&demands, &registry, ":1").unwrap().len(), 1);
}

/// A statement that counts, of another type than the one that is demanded (also `https://slsa.dev/provenance-`).
#[test]
fn cve_2022_35929_statement_of_another_type() {
    let mut registry = signed();
    registry.say(1, "https://example.org/tests/v1.1");
    registry.say(1, "https://example.org/tests/");
    registry.say(1, "https://slsa.dev/provenance-of-another/v1");
    for kind in [TESTS, "slsa-provenance"] {
        refused(verify(&demanding(&[1], &[kind]), &registry, ":1"), RefusalKind::Unsigned, "there is none");
    }
    // Nor does what somebody else says of another kind tell more than that there is none.
    registry.say(2, VEX);
    refused(verify(&demanding(&[1], &["sbom"]), &registry, ":1"), RefusalKind::Unsigned, "there is none");
    refused(
        verify(&demanding(&[1], &["vex"]), &registry, ":1"),
        RefusalKind::UntrustedKey,
        "none of the trusted",
    );
}

#[test]
fn what_cannot_be_fetched_is_not_none() {
    let mut registry = signed();
    let demands = demanding(&[1], &["sbom"]);
    let bundle = envelope(&Signer::new(2), &says(VEX, &registry.subject));
    registry.bundle(&bundle);
    refused(verify(&demands, &registry, ":1"), RefusalKind::Unsigned, "there is none");
    registry.break_path(&format!("blobs/{}", Digest::of(&bundle)));
    refused(verify(&demands, &registry, ":1"), RefusalKind::Unavailable, "503");
    let registry = signed();
    registry.break_path(&format!("manifests/sha256-{}.att", registry.subject.sum()));
    refused(verify(&demands, &registry, ":1"), RefusalKind::Unavailable, "503");
}

/// Statements without end.
#[test]
fn cve_2023_46737_ten_thousand_statements_in_one_artifact() {
    let mut registry = signed();
    let layer = registry.blob("application/vnd.dsse.envelope.v1+json", b"{}");
    let config = registry.blob("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config,
        "layers": vec![layer; 10_000]});
    let tag = format!("sha256-{}.att", registry.subject.sum());
    registry.manifest(&tag, MANIFEST_TYPES[0], manifest.to_string().as_bytes());
    let judged = verify(&demanding(&[1], &["sbom"]), &registry, ":1");
    refused(judged, RefusalKind::Unavailable, "more than");
}

#[test]
fn what_built_the_image() {
    let newer = json!({"runDetails": {"builder": {"id": BUILDER}}});
    let older = json!({"builder": {"id": BUILDER}});
    for (kind, predicate) in [(PROVENANCE, &newer), (EARLY_PROVENANCE, &older)] {
        let mut registry = signed();
        registry.say_built(kind, predicate);
        let verified = built("slsa-provenance").verify(&registry.image(":1")).unwrap();
        assert_eq!(verified.attestations()[0].builder.as_deref(), Some(BUILDER));
        verify(&built(kind), &registry, ":1").unwrap();
    }
    let other = json!({"runDetails": {"builder": {"id": format!("{BUILDER}/more")}}});
    for (kind, predicate, words) in [
        (PROVENANCE, &other, "shop/more\" built it, and the policy demands"),
        // Each version has it at its own place.
        (PROVENANCE, &older, "names no builder"),
        (EARLY_PROVENANCE, &newer, "names no builder"),
        (PROVENANCE, &json!({"runDetails": {"builder": {"id": ""}}}), "names no builder"),
        (PROVENANCE, &json!({"runDetails": {"builder": BUILDER}}), "names no builder"),
        (PROVENANCE, &json!([BUILDER]), "names no builder"),
    ] {
        let mut registry = signed();
        registry.say_built(kind, predicate);
        refused(verify(&built("slsa-provenance"), &registry, ":1"), RefusalKind::Denied, words);
        verify(&demanding(&[1], &["slsa-provenance"]), &registry, ":1").unwrap();
    }
}

#[test]
fn of_an_index_every_image_or_the_index_itself() {
    let own = Signer::new(1);
    let mut registry = Registry::new();
    let first = image();
    let bytes = [MANIFEST, b"\n"].concat();
    let second = registry.manifest("second", MANIFEST_TYPES[0], &bytes);
    let second = json!({"mediaType": MANIFEST_TYPES[0], "digest": second.to_string(), "size": bytes.len()});
    let [beside_first, beside_second] = [&first, &second].map(|about| {
        let built = registry.built(about, &[(PROVENANCE, says(PROVENANCE, &digest_of(about)))]);
        registry.sign(&digest_of(&built), &own);
        marked(built, about)
    });
    let demands = demanding(&[1], &["slsa-provenance"]);
    let judge = |registry: &mut Registry, manifests: &[Value]| {
        registry.index(manifests);
        let index = registry.subject.clone();
        registry.sign(&index, &own);
        verify(&demands, registry, &format!("@{index}"))
    };
    let one = [first.clone(), second.clone(), beside_first.clone()];
    refused(judge(&mut registry, &one), RefusalKind::Unsigned, "not about every image of the index");
    registry.say(1, PROVENANCE);
    judge(&mut registry, &one).unwrap();
    judge(&mut registry, &[first, second, beside_first, beside_second]).unwrap();
}

#[test]
fn nobody_vouches_for_statements_that_a_builder_left_unsigned() {
    let mut registry = Registry::new();
    let about = image();
    let beside = registry.built(&about, &[(PROVENANCE, says(PROVENANCE, &digest_of(&about)))]);
    registry.index(&[about.clone(), marked(beside, &about)]);
    let index = registry.subject.clone();
    registry.sign(&index, &Signer::new(1));
    for (demanded, words) in
        [("slsa-provenance", "there is no signature of sha256:"), ("vex", "there is none")]
    {
        let judged = verify(&demanding(&[1], &[demanded]), &registry, &format!("@{index}"));
        refused(judged, RefusalKind::Unsigned, words);
    }
}

#[test]
fn what_is_refused_is_not_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut registry = Registry::new();
    let subject = registry.publish("2026-11-01T00:00:00Z");
    registry.sign(&subject, &Signer::new(1));
    let guarded = Requirement { guard: Some(store.clone()), ..demanding(&[1], &["sbom"]) };
    refused(verify(&guarded, &registry, ":1"), RefusalKind::Unsigned, "there is none");
    assert!(store.list_accepted().unwrap().is_empty());
    registry.say(1, SPDX);
    verify(&guarded, &registry, ":1").unwrap();
    assert_eq!(store.list_accepted().unwrap().len(), 1);
}
