//! A signer whose certificates name lists of revoked ones, the server of these lists, and a host that trusts the authorities.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plimsoll_registry::Options;
use plimsoll_trust::{Notation, RefusalKind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::authority::{Certificate, For, List, envelope, lists};
use crate::registry::Registry;
use crate::server::{Answer, Server, status};
use crate::{Judged, refused};

pub(crate) const ROOT: u8 = 1;
pub(crate) const MIDDLE: u8 = 2;
pub(crate) const SIGNER: u8 = 3;
pub(crate) const STAMPER_ROOT: u8 = 4;
pub(crate) const STAMPER: u8 = 5;
/// When the signature was stamped.
pub(crate) const STAMPED: &str = "20261115000000Z";
const NOW: &str = "2026-12-01T00:00:00Z";
const KIND: &str = "application/vnd.cncf.notary.signature";

type Kept = Arc<Mutex<HashMap<String, Vec<u8>>>>;
pub(crate) type Bytes = Vec<u8>;

/// Authorities, what they publish, and what the host has.
pub(crate) struct World {
    pub(crate) server: Server,
    /// What the server has, by path.
    pub(crate) kept: Kept,
    pub(crate) host: TempDir,
    /// By number.
    pub(crate) certificates: HashMap<u8, Certificate>,
    pub(crate) verification: Value,
    pub(crate) registry: Registry,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|server| lists(&[&format!("http://{server}/2.crl")]))
    }

    /// With these extensions in the signer's certificate.
    pub(crate) fn with(signer: impl Fn(&str) -> Bytes) -> Self {
        let kept = Kept::default();
        let served = Arc::clone(&kept);
        let server = Server::start(move |asked| match served.lock().unwrap().get(&asked.target) {
            Some(list) => Answer::Whole("200 OK".to_owned(), list.clone()),
            None => status("404 Not Found"),
        });
        let certificates = certificates(&server.authority, &signer(&server.authority));
        let host = tempfile::tempdir().unwrap();
        for (kind, root) in [("ca", ROOT), ("tsa", STAMPER_ROOT)] {
            let store = host.path().join("config/truststore/x509").join(kind).join("test");
            fs::create_dir_all(&store).unwrap();
            fs::write(store.join("root.crt"), &certificates[&root].der).unwrap();
        }
        fs::create_dir(host.path().join("cache")).unwrap();
        let (verification, registry) = (json!({"level": "strict"}), registry(&certificates, Some(STAMPED)));
        let world = Self { server, kept, host, certificates, verification, registry };
        [ROOT, MIDDLE, STAMPER_ROOT]
            .into_iter()
            .for_each(|authority| world.publish(authority, &List::of(&[])));
        world
    }

    /// A list by an authority, as its server has it.
    pub(crate) fn publish(&self, authority: u8, list: &List) {
        self.serve(authority, list.by(&self.certificates[&authority]));
    }

    pub(crate) fn serve(&self, authority: u8, bytes: Bytes) {
        self.kept.lock().unwrap().insert(format!("/{authority}.crl"), bytes);
    }

    /// The server has nothing any more.
    pub(crate) fn shut_down(&self) {
        self.kept.lock().unwrap().clear();
    }

    pub(crate) fn address(&self, authority: u8) -> String {
        format!("http://{}/{authority}.crl", self.server.authority)
    }

    /// Where Notation's cache has the list of an authority.
    pub(crate) fn cached(&self, authority: u8) -> PathBuf {
        let name: String =
            Sha256::digest(self.address(authority)).iter().map(|byte| format!("{byte:02x}")).collect();
        self.host.path().join("cache").join(name)
    }

    /// Puts a list of an authority into Notation's cache.
    pub(crate) fn cache(&self, authority: u8, list: &[u8]) {
        fs::write(self.cached(authority), json!({"baseCRL": STANDARD.encode(list)}).to_string()).unwrap();
    }

    pub(crate) fn notation(&self, options: Options) -> Notation {
        let policy = json!({"version": "1.0", "trustPolicies": [{"name": "test", "registryScopes": ["*"],
            "signatureVerification": self.verification, "trustStores": ["ca:test", "tsa:test"],
            "trustedIdentities": ["*"]}]});
        let config = self.host.path().join("config");
        fs::write(config.join("trustpolicy.json"), policy.to_string()).unwrap();
        Notation::open(config, Some(self.host.path().join("cache")), options, NOW.parse().unwrap()).unwrap()
    }

    /// The notes to a signature that holds, or why it does not.
    pub(crate) fn judge(&self) -> Judged {
        self.registry.with(|image, options| match self.notation(options).verify(image) {
            Ok(verified) => Ok(verified.notes().to_vec()),
            Err(refusal) => Err((refusal.kind, refusal.reason)),
        })
    }

    /// Takes the timestamp away.
    pub(crate) fn without_timestamp(&mut self) {
        self.registry = registry(&self.certificates, None);
    }

    #[track_caller]
    pub(crate) fn refuses(&self, kind: RefusalKind, words: &str) {
        refused(self.judge(), kind, words);
    }
}

fn certificates(server: &str, signer: &[u8]) -> HashMap<u8, Certificate> {
    let list = |authority: u8| lists(&[&format!("http://{server}/{authority}.crl")]);
    let root = Certificate::new(ROOT, None, For::Authority, &[]);
    let middle = Certificate::new(MIDDLE, Some(&root), For::Authority, &list(ROOT));
    let signer = Certificate::new(SIGNER, Some(&middle), For::Images, signer);
    let stamper_root = Certificate::new(STAMPER_ROOT, None, For::Authority, &[]);
    let stamper = Certificate::new(STAMPER, Some(&stamper_root), For::Timestamps, &list(STAMPER_ROOT));
    [root, middle, signer, stamper_root, stamper].into_iter().map(|one| (one.number, one)).collect()
}

/// The registry that has the image and its signature, stamped at a time.
fn registry(certificates: &HashMap<u8, Certificate>, stamped: Option<&str>) -> Registry {
    let chain = [SIGNER, MIDDLE, ROOT].map(|number| &certificates[&number]);
    let mut registry = Registry::new();
    let envelope = envelope(&chain, stamped.map(|at| (&certificates[&STAMPER], at)));
    let layer = registry.blob("application/jose+json", &envelope);
    let subject = registry.subject.clone();
    registry.refer(KIND, &[layer], &subject);
    registry
}
