//! Registries that are slow, never end, lie about where things are, or have more than can be looked at. Whatever they
//! do, it takes little time, the reason is told, and it is never "unsigned".

use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use plimsoll_registry::{Digest, INDEX_TYPES, Limits, MANIFEST_TYPES, Options};
use plimsoll_trust::{Cosign, Demands, Image, Notation, RefusalKind, Requirement, Verifier};
use serde_json::json;

use crate::registry::{BUNDLE, MANIFEST, Registry};
use crate::server::{Answer, Server, redirect, status};
use crate::signer::Signer;
use crate::{Judged, refused};

/// Time for one answer.
const TOTAL: Duration = Duration::from_millis(700);
/// Time for everything: some answers, and a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

fn options() -> Options {
    let limits = Limits { connect: TOTAL, idle: TOTAL, total: TOTAL, ..Limits::default() };
    Options { limits, ..Registry::options() }
}

/// What cosign's and Notation's verifiers, and a policy over both, make of an image.
fn each(image: &Image, check: impl Fn(Judged)) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("truststore/x509/ca/a")).unwrap();
    let policy = json!({"version": "1.0", "trustPolicies": [{"name": "a", "registryScopes": ["*"],
        "signatureVerification": {"level": "strict"}, "trustStores": ["ca:a"], "trustedIdentities": ["*"]}]});
    fs::write(folder.path().join("trustpolicy.json"), policy.to_string()).unwrap();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let cosign = || Cosign::new(vec![Signer::new(1).key("own")], options());
    let notation = || Notation::open(folder.path().to_owned(), None, options(), now).unwrap();
    let requirement = Requirement {
        signers: vec![Box::new(cosign()), Box::new(notation())],
        all: true,
        digest_only: false,
        max_age: Some(SignedDuration::from_hours(24)),
        demands: Demands::default(),
        guard: None,
        registry: options(),
        now,
    };
    let verifiers: [&dyn Verifier; 2] = [&cosign(), &notation()];
    let started = Instant::now();
    for found in verifiers.map(|it| it.verify(image)).into_iter().chain([requirement.verify(image)]) {
        check(found.map(|_| Vec::new()).map_err(|refusal| (refusal.kind, refusal.reason)));
    }
    assert!(started.elapsed() < PATIENCE, "it took {:?}", started.elapsed());
}

/// A registry that answers everything so is unavailable, for a tag and for a digest.
fn unavailable(words: &str, answer: impl Fn() -> Answer + Send + Sync + 'static) {
    let server = Server::start(move |_| answer());
    for target in [":1".to_owned(), format!("@{}", Digest::of(MANIFEST))] {
        let name = format!("{}/app{target}", server.authority).parse().unwrap();
        each(&Image { name, here: Vec::new() }, |found| refused(found, RefusalKind::Unavailable, words));
    }
}

fn raw(write: impl Fn(&mut std::net::TcpStream) + Send + Sync + 'static) -> Answer {
    Answer::Raw(Box::new(write))
}

#[test]
fn a_registry_that_does_not_go_on() {
    unavailable("too slow", || {
        raw(|to| {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{");
            thread::sleep(Duration::from_secs(10));
        })
    });
}

#[test]
fn a_registry_that_trickles() {
    unavailable("", || {
        raw(|to| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n\r\n", INDEX_TYPES[0]);
            let _ = to.write_all(head.as_bytes());
            while to.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        })
    });
}

#[test]
fn a_registry_that_never_ends() {
    unavailable("", || {
        raw(|to| {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {}\r\n\r\n", INDEX_TYPES[0]);
            let _ = to.write_all(head.as_bytes());
            while to.write_all(&[b' '; 1 << 16]).is_ok() {}
        })
    });
}

#[test]
fn a_gigabyte_of_json() {
    unavailable("", || {
        raw(|to| {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: 1073741824\r\n\r\n[",
                MANIFEST_TYPES[0]
            );
            let _ = to.write_all(head.as_bytes());
            while to.write_all(&[b'['; 1 << 16]).is_ok() {}
        })
    });
}

#[test]
fn a_redirect_to_a_file() {
    unavailable("redirects to", || redirect("file:///etc/passwd"));
}

#[test]
fn a_redirect_to_another_host_without_tls() {
    unavailable("redirects to", || redirect("http://192.0.2.1/v2/app/manifests/1"));
}

#[test]
fn redirects_in_a_circle() {
    unavailable("redirects more than", || redirect("/v2/app/manifests/1"));
}

#[test]
fn a_server_that_fails_or_refuses() {
    for answer in ["500 Internal Server Error", "429 Too Many Requests", "403 Forbidden", "418 I'm a teapot"]
    {
        unavailable("", || status(answer));
    }
    unavailable("no HTTP", || raw(|to| drop(to.write_all(b"SSH-2.0-x\r\n\r\n"))));
}

#[test]
fn ten_thousand_signatures() {
    let mut registry = Registry::new();
    let entry = json!({"mediaType": MANIFEST_TYPES[0], "digest": Digest::of(b"x").to_string(), "size": 1,
        "artifactType": BUNDLE});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": vec![entry; 10_000]});
    let tag = format!("sha256-{}", registry.subject.sum());
    registry.manifest(&tag, INDEX_TYPES[0], index.to_string().as_bytes());
    each(&registry.image(":1"), |found| refused(found, RefusalKind::Unavailable, "more than 1000"));
}

#[test]
fn ten_thousand_signatures_in_one_artifact() {
    let mut registry = Registry::new();
    let layer = json!({"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
        "digest": Digest::of(b"x").to_string(), "size": 1, "annotations": {}});
    let config = json!({"mediaType": "x/y", "digest": Digest::of(b"x").to_string(), "size": 1});
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config,
        "layers": vec![layer; 10_000]});
    let tag = format!("sha256-{}.sig", registry.subject.sum());
    registry.manifest(&tag, MANIFEST_TYPES[0], manifest.to_string().as_bytes());
    let cosign = Cosign::new(vec![Signer::new(1).key("own")], options());
    let found = cosign.verify(&registry.image(":1")).unwrap_err();
    assert_eq!(found.kind, RefusalKind::Unavailable, "{found}");
}
