//! A registry in memory, with an image in it and whatever a test puts beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use plimsoll_registry::{Digest, INDEX_TYPES, MANIFEST_TYPES, Options};
use plimsoll_trust::{Image, Refusal, Verified};
use serde_json::{Value, json};

use crate::Judged;
use crate::server::{Answer, Server, status};

/// The image.
pub(crate) const MANIFEST: &[u8] = include_bytes!("manifest.json");
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Media type and bytes by path.
type Kept = Arc<Mutex<HashMap<String, (String, Vec<u8>)>>>;

/// A registry that has the image under `app:1`.
pub(crate) struct Registry {
    server: Server,
    kept: Kept,
    referrers: Vec<Value>,
    pub(crate) subject: Digest,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let kept = Kept::default();
        let served = Arc::clone(&kept);
        let server = Server::start(move |asked| match served.lock().unwrap().get(&asked.target) {
            Some((status_line, _)) if status_line.starts_with('5') => status(status_line),
            Some((kind, bytes)) => Answer::Whole(format!("200 OK\r\ncontent-type: {kind}"), bytes.clone()),
            None => status("404 Not Found"),
        });
        let mut registry = Self { server, kept, referrers: Vec::new(), subject: Digest::of(MANIFEST) };
        registry.manifest("1", MANIFEST_TYPES[0], MANIFEST);
        registry
    }

    fn keep(&self, path: String, kind: &str, bytes: &[u8]) {
        self.kept.lock().unwrap().insert(path, (kind.to_owned(), bytes.to_vec()));
    }

    /// Makes a path answer with a failure of the server.
    pub(crate) fn break_path(&self, path: &str) {
        self.keep(format!("/v2/app/{path}"), "503 Service Unavailable", b"");
    }

    pub(crate) fn manifest(&mut self, target: &str, kind: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        for name in [target, &digest.to_string()] {
            self.keep(format!("/v2/app/manifests/{name}"), kind, bytes);
        }
        digest
    }

    pub(crate) fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.keep(format!("/v2/app/blobs/{digest}"), "application/octet-stream", bytes);
        json!({"mediaType": kind, "digest": digest.to_string(), "size": bytes.len()})
    }

    /// Puts an artifact of these layers beside an image, and lists it under the fallback tag of the one in question.
    pub(crate) fn refer(&mut self, kind: &str, layers: &[Value], about: &Digest) {
        let subject = json!({"mediaType": MANIFEST_TYPES[0], "digest": about.to_string(), "size": 1});
        let config = self.blob("application/vnd.oci.empty.v1+json", b"{}");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "artifactType": kind,
            "config": config, "layers": layers, "subject": subject});
        let bytes = manifest.to_string().into_bytes();
        let digest = self.manifest("x", MANIFEST_TYPES[0], &bytes);
        self.list(json!({"mediaType": MANIFEST_TYPES[0], "digest": digest.to_string(), "size": bytes.len(),
            "artifactType": kind}));
    }

    pub(crate) fn list(&mut self, entry: Value) {
        self.list_all(vec![entry]);
    }

    pub(crate) fn list_all(&mut self, entries: Vec<Value>) {
        self.referrers.extend(entries);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": self.referrers});
        let tag = format!("sha256-{}", self.subject.sum());
        self.manifest(&tag, INDEX_TYPES[0], index.to_string().as_bytes());
    }

    /// A bundle beside the image.
    pub(crate) fn bundle(&mut self, bundle: &[u8]) {
        let layer = self.blob(BUNDLE, bundle);
        let subject = self.subject.clone();
        self.refer(BUNDLE, &[layer], &subject);
    }

    /// Payloads, each with the signature over it in base64, under the tag of the older form.
    pub(crate) fn simple(&mut self, signatures: &[(&[u8], String)]) {
        let layers = self.simple_layers(signatures);
        let config = self.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config, "layers": layers});
        let tag = format!("sha256-{}.sig", self.subject.sum());
        self.manifest(&tag, MANIFEST_TYPES[0], manifest.to_string().as_bytes());
    }

    /// A payload, and what is beside it, under the tag of the older form.
    pub(crate) fn simple_with(&mut self, payload: &[u8], annotations: &Value) {
        let mut layer = self.blob(SIMPLE, payload);
        layer["annotations"] = annotations.clone();
        let config = self.blob("application/vnd.oci.image.config.v1+json", b"{}");
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config, "layers": [layer]});
        let tag = format!("sha256-{}.sig", self.subject.sum());
        self.manifest(&tag, MANIFEST_TYPES[0], manifest.to_string().as_bytes());
    }

    pub(crate) fn simple_layers(&self, signatures: &[(&[u8], String)]) -> Vec<Value> {
        let layer = |(payload, signature): &(&[u8], String)| {
            let mut layer = self.blob(SIMPLE, payload);
            layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
            layer
        };
        signatures.iter().map(layer).collect()
    }

    /// Publishes an image that was made at this time under the tag `1`: it is the one in question from now on.
    pub(crate) fn publish(&mut self, created: &str) -> Digest {
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            json!({"created": created}).to_string().as_bytes(),
        );
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST_TYPES[0], "config": config, "layers": []});
        self.subject = self.manifest("1", MANIFEST_TYPES[0], manifest.to_string().as_bytes());
        self.subject.clone()
    }

    /// Moves a tag to something that is there.
    pub(crate) fn tag(&mut self, tag: &str, digest: &Digest) {
        let (kind, bytes) = self.kept.lock().unwrap()[&format!("/v2/app/manifests/{digest}")].clone();
        self.manifest(tag, &kind, &bytes);
    }

    /// How it is spoken to.
    pub(crate) fn options() -> Options {
        Options { certificates: "/nonexistent".into(), ..Options::default() }
    }

    /// The image by a tag (`:1`) or digest (`@…`).
    pub(crate) fn image(&self, target: &str) -> Image {
        Image { name: format!("{}/app{target}", self.server.authority).parse().unwrap(), here: Vec::new() }
    }

    /// What a verifier makes of the image.
    pub(crate) fn ask(
        &self,
        verify: impl FnOnce(&Image, Options) -> Result<Verified<Digest>, Refusal>,
    ) -> Judged {
        match self.with(verify) {
            Ok(verified) => {
                assert_eq!(verified.get(), &self.subject);
                Ok(verified.vouchers().iter().flat_map(|voucher| voucher.signers.clone()).collect())
            }
            Err(refusal) => Err((refusal.kind, refusal.reason)),
        }
    }

    /// Asks something about the image.
    pub(crate) fn with<T>(&self, ask: impl FnOnce(&Image, Options) -> T) -> T {
        ask(&self.image(&format!("@{}", self.subject)), Self::options())
    }
}
