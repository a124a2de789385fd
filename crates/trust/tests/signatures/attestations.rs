//! What is said about an image, and images that are vouched for by how they were built.

use plimsoll_facts::AttestationKind;
use plimsoll_registry::{Digest, INDEX_TYPES, MANIFEST_TYPES};
use plimsoll_trust::{Attestations, Cosign, CosignKey, RefusalKind};
use serde_json::{Value, json};

use crate::forged::{Forged, GOOD, beside_envelope};
use crate::registry::{MANIFEST, Registry};
use crate::signer::{Signer, envelope, payload, statement};
use crate::{Judged, refused};

pub(crate) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
pub(crate) const VEX: &str = "https://openvex.dev/ns/v0.2.0";
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A statement of this type about an image.
pub(crate) fn says(kind: &str, digest: &Digest) -> String {
    statement(digest).replace("https://sigstore.dev/cosign/sign/v1", kind)
}

impl Registry {
    fn attested(&self, keys: &[CosignKey]) -> Attestations {
        self.with(|image, options| Cosign::new(keys.to_vec(), options).attestations(image)).unwrap()
    }

    fn judged(&self, keys: &[CosignKey]) -> Judged {
        self.ask(|image, options| Cosign::new(keys.to_vec(), options).verify(image))
    }

    /// Signs a manifest with a key, in the older form.
    pub(crate) fn sign(&mut self, digest: &Digest, signer: &Signer) {
        let asked = std::mem::replace(&mut self.subject, digest.clone());
        let text = payload(digest);
        self.simple(&[(text.as_bytes(), signer.sign(text.as_bytes()))]);
        self.subject = asked;
    }

    /// What a builder puts beside an image: a manifest of statements, each with the type that its layer tells.
    pub(crate) fn built(&mut self, about: &Value, statements: &[(&str, String)]) -> Value {
        let layer = |(kind, text): &(&str, String)| {
            let mut layer = self.blob(IN_TOTO, text.as_bytes());
            layer["annotations"] = json!({"in-toto.io/predicate-type": kind});
            layer
        };
        let layers: Vec<_> = statements.iter().map(layer).collect();
        let config = self.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config,
            "layers": layers, "subject": about});
        let bytes = manifest.to_string();
        let digest = self.manifest("built", MANIFEST_TYPES[0], bytes.as_bytes());
        json!({"mediaType": MANIFEST_TYPES[0], "digest": digest.to_string(), "size": bytes.len()})
    }

    /// An index of images and what is beside them, which is asked about from now on.
    pub(crate) fn index(&mut self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": manifests});
        self.subject = self.manifest("index", INDEX_TYPES[0], index.to_string().as_bytes());
    }
}

pub(crate) fn digest_of(entry: &Value) -> Digest {
    entry["digest"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn image() -> Value {
    json!({"mediaType": MANIFEST_TYPES[0], "digest": Digest::of(MANIFEST).to_string(), "size": MANIFEST.len(),
        "platform": {"os": "linux", "architecture": "amd64"}})
}

/// How an index marks what is beside an image.
pub(crate) fn marked(mut entry: Value, about: &Value) -> Value {
    entry["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": about["digest"]});
    entry
}

#[test]
fn what_somebody_trusted_says_is_told() {
    let (own, other) = (Signer::new(1), Signer::new(2));
    let mut registry = Registry::new();
    let subject = registry.subject.clone();
    for (signer, kind) in [(&own, PROVENANCE), (&own, "https://spdx.dev/Document"), (&other, VEX)] {
        registry.bundle(&envelope(signer, &says(kind, &subject)));
    }
    registry.bundle(&envelope(&own, &statement(&subject)));
    registry.bundle(&envelope(&own, &says(PROVENANCE, &Digest::of(b"another"))));
    registry.bundle(&own.message_bundle(MANIFEST, MANIFEST));
    let Attestations { found, left_out, .. } = registry.attested(&[own.key("own")]);
    let kinds: Vec<_> = found.iter().map(|found| (found.kind(), found.predicate_type())).collect();
    assert_eq!(
        kinds,
        [(AttestationKind::SlsaProvenance, PROVENANCE), (AttestationKind::Spdx, "https://spdx.dev/Document")]
    );
    assert!(found.iter().all(|found| found.signers()[0].starts_with("own (") && *found.digest() == subject));
    let kinds: Vec<_> = left_out.iter().map(|it| it.why.kind).collect();
    assert_eq!(kinds, [RefusalKind::UntrustedKey, RefusalKind::BadSignature]);
    // None of them is a signature of the image but one.
    assert_eq!(registry.judged(&[own.key("own")]).unwrap().len(), 2);
    refused_as_unsigned(&own);
}

#[track_caller]
fn refused_as_unsigned(own: &Signer) {
    let mut registry = Registry::new();
    registry.bundle(&envelope(own, &says(PROVENANCE, &registry.subject)));
    refused(registry.judged(&[own.key("own")]), RefusalKind::Unsigned, "not that the image is vouched for");
}

#[test]
fn the_older_form_by_keys_and_by_certificates() {
    let own = Signer::new(1);
    let mut registry = Registry::new();
    let subject = registry.subject.clone();
    let bundle: Value = serde_json::from_slice(&envelope(&own, &says(VEX, &subject))).unwrap();
    let keyless = Forged { statement: says(PROVENANCE, &subject), ..Forged::default() }.bundle();
    let layer = |bundle: &Value, beside: Value| {
        let mut layer = registry
            .blob("application/vnd.dsse.envelope.v1+json", bundle["dsseEnvelope"].to_string().as_bytes());
        layer["annotations"] = beside;
        layer
    };
    let layers = [
        layer(&bundle, json!({"dev.cosignproject.cosign/signature": ""})),
        layer(&keyless, beside_envelope(&keyless, GOOD)),
    ];
    let config = registry.blob("application/vnd.oci.image.config.v1+json", b"{}");
    let manifest =
        json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config, "layers": layers});
    registry.manifest(
        &format!("sha256-{}.att", subject.sum()),
        MANIFEST_TYPES[0],
        manifest.to_string().as_bytes(),
    );

    let by_key = registry.attested(&[own.key("own")]);
    assert_eq!(by_key.found.iter().map(|found| found.kind()).collect::<Vec<_>>(), [AttestationKind::Vex]);
    assert_eq!(by_key.left_out.len(), 1);
    let by_certificate = registry
        .with(|image, options| Cosign::keyless(crate::keyless::of_alice(), options).attestations(image));
    let found = by_certificate.unwrap().found;
    assert_eq!(found.iter().map(|found| found.kind()).collect::<Vec<_>>(), [AttestationKind::SlsaProvenance]);
    assert_eq!(found[0].signers(), ["alice@example.org (https://accounts.example.org)"]);
}

/// As Docker's Hardened Images are signed: the signature names a manifest, which names the image.
#[test]
fn an_image_is_vouched_for_by_how_it_was_built() {
    let own = Signer::new(1);
    let keys = [own.key("own")];
    let mut registry = Registry::new();
    let about = image();
    let built = registry.built(
        &about,
        &[(PROVENANCE, says(PROVENANCE, &digest_of(&about))), (VEX, says(VEX, &digest_of(&about)))],
    );
    registry.sign(&digest_of(&built), &own);
    registry.index(&[about.clone(), marked(built.clone(), &about)]);
    assert_eq!(registry.judged(&keys).unwrap(), [own.key("own")].map(|_| name_of(&registry, &own)));
    let kinds: Vec<_> = registry.attested(&keys).found.iter().map(|found| found.kind()).collect();
    assert_eq!(kinds, [AttestationKind::SlsaProvenance, AttestationKind::Vex]);
    // Another key; and a second image in the index that nobody vouches for.
    let other = [Signer::new(2).key("other")];
    refused(registry.judged(&other), RefusalKind::UntrustedKey, "attestation sha256:");
    let mut second = image();
    second["digest"] = json!(Digest::of(b"second").to_string());
    registry.index(&[about.clone(), second, marked(built, &about)]);
    refused(registry.judged(&keys), RefusalKind::Unsigned, "no signature");
}

fn name_of(registry: &Registry, signer: &Signer) -> String {
    registry.judged(&[signer.key("own")]).unwrap().remove(0)
}

#[test]
fn it_may_refer_to_the_image_too() {
    let own = Signer::new(1);
    let mut registry = Registry::new();
    let about = image();
    let mut built = registry.built(&about, &[(PROVENANCE, says(PROVENANCE, &digest_of(&about)))]);
    registry.sign(&digest_of(&built), &own);
    built["artifactType"] = json!(IN_TOTO);
    registry.list(built);
    assert_eq!(registry.judged(&[own.key("own")]).unwrap().len(), 1);
    assert_eq!(registry.attested(&[own.key("own")]).found.len(), 1);
}

/// A signed statement about something else vouches for an image (also CVE-2022-35929).
#[test]
fn cve_2023_33959_built_manifest_of_another_image() {
    let own = Signer::new(1);
    let about = image();
    let judge = |subject: &Value, statements: &[(&str, String)]| {
        let mut registry = Registry::new();
        let built = registry.built(subject, statements);
        registry.sign(&digest_of(&built), &own);
        registry.index(&[about.clone(), marked(built, &about)]);
        registry.judged(&[own.key("own")])
    };
    let ours = digest_of(&about);
    let mut other = about.clone();
    other["digest"] = json!(Digest::of(b"another").to_string());
    let provenance = [(PROVENANCE, says(PROVENANCE, &ours))];
    assert!(judge(&about, &provenance).is_ok());
    refused(judge(&other, &provenance), RefusalKind::BadSignature, "not about this image");
    let mut other = about.clone();
    other["size"] = json!(MANIFEST.len() + 1);
    refused(judge(&other, &provenance), RefusalKind::BadSignature, "not about this image");
    let mut other = about.clone();
    other["mediaType"] = json!("text/plain");
    refused(judge(&other, &provenance), RefusalKind::BadSignature, "not about this image");
    let of_another = [(PROVENANCE, says(PROVENANCE, &Digest::of(b"another")))];
    refused(judge(&about, &of_another), RefusalKind::BadSignature, "another image");
    refused(judge(&about, &[(VEX, says(VEX, &ours))]), RefusalKind::Unsigned, "says nothing on how");
    refused(judge(&about, &[(PROVENANCE, says(VEX, &ours))]), RefusalKind::BadSignature, "another kind");
    refused(judge(&about, &[(PROVENANCE, "{".to_owned())]), RefusalKind::BadSignature, "cannot be read");
}

#[test]
fn nobody_vouches_for_what_is_built_and_not_signed() {
    let own = Signer::new(1);
    let mut registry = Registry::new();
    let about = image();
    let built = registry.built(&about, &[(PROVENANCE, says(PROVENANCE, &digest_of(&about)))]);
    registry.index(&[about.clone(), marked(built.clone(), &about)]);
    refused(registry.judged(&[own.key("own")]), RefusalKind::Unsigned, "no signature");
    let Attestations { found, left_out, .. } = registry.attested(&[own.key("own")]);
    assert_eq!((found.len(), left_out.len()), (0, 1));
    let mut away = built;
    away["digest"] = json!(Digest::of(b"gone").to_string());
    registry.index(&[about.clone(), marked(away, &about)]);
    refused(registry.judged(&[own.key("own")]), RefusalKind::Unavailable, "does not have it");
}

/// Statements without end.
#[test]
fn cve_2023_46737_more_statements_than_can_be() {
    let own = Signer::new(1);
    let mut registry = Registry::new();
    let subject = registry.subject.clone();
    for number in 0..33 {
        registry.bundle(&envelope(&own, &says(&format!("https://example.org/{number}"), &subject)));
    }
    let judged =
        registry.with(|image, options| Cosign::new(vec![own.key("own")], options).attestations(image));
    assert_eq!(judged.unwrap_err().kind, RefusalKind::Unavailable);
    let mut registry = Registry::new();
    let about = image();
    registry.index(&vec![marked(about.clone(), &about); 100]);
    refused(registry.judged(&[own.key("own")]), RefusalKind::Unavailable, "more than 32");
}
