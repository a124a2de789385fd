//! The life of signatures with real servers: signed by the docker client, verified, rotated, rolled back, expired, and
//! altered on the way. What docker's own clients say of the same is held against it.

#[path = "../../../trust/tests/dct/server.rs"]
#[allow(clippy::unwrap_used, reason = "a helper of other tests")]
mod server;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use plimsoll_registry::Options;
use plimsoll_trust::{ContentTrust, Image, RefusalKind, Settings, Store};
use serde_json::Value;

use crate::docker::{LABEL, docker, text};
use crate::notary::{Notary, clients, expect, subject};
use crate::scene::{PREFIX, Test};
use server::{Server, respond};

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    let needs = &["curl", "docker-registry", "notary", "notary-server", "notary-signer", "openssl"];
    let tests = vec![
        Test::new("signatures_of_a_real_notary_from_first_to_last", life),
        Test::new("trust_data_altered_or_rolled_back_on_the_way", on_the_way),
        Test::new("what_the_docker_clients_say_of_the_same_images", agreement),
    ];
    tests.into_iter().map(|test| test.needing(needs)).collect()
}

fn life() -> Result<(), String> {
    let mut notary = Notary::start()?;
    let url = notary.servers.url();
    let signed = notary.sign("life/app:1")?;
    let gun = signed.trim_end_matches(":1").to_owned();
    let remote = format!("registry:{signed}");
    // Nothing is believed unasked.
    expect(&notary.verify(&remote, &url)?, "untrusted-key", "pin one")?;
    let keys = notary.root_keys()?;
    let [key] = keys.as_slice() else { return Err(format!("{keys:?} instead of one root key")) };
    text(notary.plimsoll(&["trust", "pin", &gun, key], &url)?)?;
    let first = notary.verify(&remote, &url)?;
    expect(&first, "verified", "")?;
    // As it is here, and what a container runs from.
    expect(&notary.verify(&signed, &url)?, "verified", "")?;
    let container = format!("{PREFIX}signed-{}", std::process::id());
    docker(&["create", "--label", LABEL, "--name", &container, &signed, "/content"])?;
    let of_container = notary.verify(&format!("container:{container}"), &url);
    docker(&["rm", &container])?;
    expect(&of_container?, "verified", "")?;

    rotations(&notary, &gun, &remote)?;
    // A new image under the same tag, signed: the old one is not what is signed any more.
    let old = first["digest"].as_str().ok_or("no digest")?.to_owned();
    notary.sign("life/app:1")?;
    let second = notary.verify(&remote, &url)?;
    expect(&second, "verified", "")?;
    if second["digest"] == first["digest"] {
        return Err("the same digest after another push".to_owned());
    }
    expect(&notary.verify(&format!("registry:{gun}@{old}"), &url)?, "unsigned", "for none of its tags")?;
    // An unsigned push moves the registry's tag past the signature.
    notary.push_unsigned("life/app:1")?;
    let moved = notary.verify(&remote, &url)?;
    expect(&moved, "unsigned", "is signed for the tag")?;
    if moved["signed_digest"] != second["digest"] {
        return Err(format!("what is signed instead is not told: {moved:#}"));
    }
    audited(&notary, &signed)?;
    let digest = second["digest"].as_str().ok_or("no digest")?.to_owned();
    expiry(&notary, &gun, &digest)?;
    offline(&mut notary, &gun, &digest)
}

/// The same as a finding of an audit.
fn audited(notary: &Notary, image: &str) -> Result<(), String> {
    let output = notary.plimsoll(&["audit", "--verify", "--format", "json"], &notary.servers.url())?;
    let audit: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let is_it = |finding: &&Value| {
        finding["rule"] == "image-differs-from-signed" && finding["subject"]["name"] == image
    };
    let found = audit["findings"].as_array().into_iter().flatten().find(is_it);
    match found.is_some_and(|finding| finding["status"] == "fail") {
        true => Ok(()),
        false => Err(format!("audit --verify does not tell that other bytes are signed: {found:?}")),
    }
}

/// Every key of the repository is replaced; the pins are of the first.
fn rotations(notary: &Notary, gun: &str, remote: &str) -> Result<(), String> {
    for arguments in [&["snapshot", "-r"][..], &["timestamp", "-r"], &["targets"], &["root"]] {
        notary.notary(&[&["key", "rotate", gun], arguments].concat())?;
        expect(&notary.verify(remote, &notary.servers.url())?, "verified", "")
            .map_err(|error| format!("after {arguments:?}: {error}"))?;
    }
    Ok(())
}

/// Time is the caller's.
fn expiry(notary: &Notary, gun: &str, digest: &str) -> Result<(), String> {
    let image = Image {
        name: format!("{gun}@{digest}").parse().map_err(|error| format!("{error}"))?,
        here: Vec::new(),
    };
    let (stale, untrusted) = (Some(RefusalKind::Stale), Some(RefusalKind::UntrustedKey));
    // The timestamp holds for 14 days, what the owner signs for 3 years, the certificate of the root for 10.
    for (days, expected) in [(0, None), (13, None), (15, stale), (1_200, stale), (4_000, untrusted)] {
        let settings = Settings {
            now: Timestamp::now() + SignedDuration::from_hours(24 * days),
            first_use: true,
            pins: Vec::new(),
            server: Some(notary.servers.url()),
            authorities: notary.servers.dir().join("docker/tls"),
            registry: Options::default(),
        };
        let store = Store::new(notary.servers.dir().join(format!("in-{days}-days")));
        let found = ContentTrust::new(store, settings).map_err(|error| error.to_string())?.verify(&image);
        let kind = found.as_ref().err().map(|refusal| refusal.kind);
        if kind != expected {
            return Err(format!("in {days} days: {found:?}"));
        }
    }
    Ok(())
}

fn offline(notary: &mut Notary, gun: &str, digest: &str) -> Result<(), String> {
    notary.servers.kill();
    let url = notary.servers.url();
    let known = notary.verify(&format!("registry:{gun}@{digest}"), &url)?;
    expect(&known, "verified", "")?;
    if known["vouchers"][0]["stale_since"].as_i64().is_none() {
        return Err(format!("that the server was not reached is not told: {known:#}"));
    }
    let other = format!("{}/life/other@{digest}", notary.registry.authority);
    expect(&notary.verify(&format!("registry:{other}"), &url)?, "unavailable", "")
}

/// What stands between a client and the server.
#[derive(Clone)]
enum Way {
    /// Nothing: answers are remembered.
    Open,
    /// Somebody who alters one byte of the file of this role.
    Altered(&'static str),
    /// Somebody who answers as the server once did.
    Replayed(Answers),
}

/// Status and body by path.
type Answers = BTreeMap<String, (String, Vec<u8>)>;

struct Middle {
    server: Server,
    way: Arc<Mutex<Way>>,
    seen: Arc<Mutex<Answers>>,
}

impl Middle {
    fn before(notary: &Notary) -> Result<Self, String> {
        let (way, seen) = (Arc::new(Mutex::new(Way::Open)), Arc::<Mutex<Answers>>::default());
        let (upstream, ca) = (notary.servers.url(), notary.servers.ca());
        let (own_way, own_seen) = (Arc::clone(&way), Arc::clone(&seen));
        let server = Server::start(move |path, to| {
            let way = own_way.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (status, body) = match &way {
                Way::Replayed(answers) => {
                    answers.get(path).cloned().unwrap_or(("404".to_owned(), Vec::new()))
                }
                _ => fetch(&format!("{upstream}{path}"), &ca),
            };
            let body = match way {
                Way::Altered(role) if path.contains(&format!("/tuf/{role}.")) => altered(body),
                _ => body,
            };
            let mut seen = own_seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(path.to_owned(), (status.clone(), body.clone()));
            respond(to, &format!("{status} x"), "", &body);
        });
        let ca = server.authorities.path().join(&server.authority).join("ca.crt");
        notary.trust_server(&server.authority, &ca)?;
        Ok(Self { server, way, seen })
    }

    fn set(&self, way: Way) {
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = way;
    }

    fn seen(&self) -> Answers {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn fetch(url: &str, ca: &PathBuf) -> (String, Vec<u8>) {
    let output = Command::new("curl").args(["-s", "-w", "%{http_code}", url, "--cacert"]).arg(ca).output();
    let mut body = output.map(|output| output.stdout).unwrap_or_default();
    let status = body.split_off(body.len().saturating_sub(3));
    (String::from_utf8_lossy(&status).into_owned(), body)
}

/// Another version, in the same number of bytes.
fn altered(body: Vec<u8>) -> Vec<u8> {
    String::from_utf8_lossy(&body).replacen("\"version\":", "\"versiom\":", 1).into_bytes()
}

fn on_the_way() -> Result<(), String> {
    let notary = Notary::start()?;
    let middle = Middle::before(&notary)?;
    let url = middle.server.url("").trim_end_matches('/').to_owned();
    let signed = notary.sign("way/app:1")?;
    let remote = format!("registry:{signed}");
    let first_use = |image: &str| {
        subject(&notary.plimsoll(&["verify", "--trust-on-first-use", "--format", "json", image], &url)?)
    };
    for role in ["root", "timestamp", "snapshot", "targets"] {
        middle.set(Way::Altered(role));
        expect(&first_use(&remote)?, "bad-signature", role)?;
    }
    middle.set(Way::Open);
    expect(&first_use(&remote)?, "verified", "")?;
    let client = clients()?.remove(0);
    text(notary.docker(&client, &["pull", &signed], &url)?)?;
    let before = middle.seen();
    notary.sign("way/app:1")?;
    expect(&first_use(&remote)?, "verified", "")?;
    text(notary.docker(&client, &["pull", &signed], &url)?)?;
    middle.set(Way::Replayed(before));
    let back = first_use(&remote)?;
    expect(&back, "bad-signature", "was seen")?;
    refuses(&notary.docker(&client, &["pull", &signed], &url)?, "docker pull")
}

fn refuses(output: &std::process::Output, what: &str) -> Result<(), String> {
    match output.status.success() {
        true => Err(format!("{what} was taken: {}", String::from_utf8_lossy(&output.stdout))),
        false => Ok(()),
    }
}

/// Each client has the same verdict, but where plimsoll is stricter on purpose: a digest that nobody signed.
fn agreement() -> Result<(), String> {
    let notary = Notary::start()?;
    let url = notary.servers.url();
    let signed = notary.sign("agree/app:1")?;
    let unsigned_tag = notary.push_unsigned("agree/app:2")?;
    let unsigned = notary.push_unsigned("agree/other:1")?;
    let gun = signed.trim_end_matches(":1");
    let keys = notary.root_keys()?;
    let pin: Vec<_> = ["trust", "pin", gun].into_iter().chain(keys.iter().map(String::as_str)).collect();
    text(notary.plimsoll(&pin, &url)?)?;
    let verdict = |image: &str| notary.verify(&format!("registry:{image}"), &url);
    let digest_of = |found: &Value| found["digest"].as_str().map(str::to_owned).ok_or("no digest");
    for client in clients()? {
        let pull = |image: &str| notary.docker(&client, &["pull", image], &url);
        let said = |error: String| format!("{}: {error}", client.display());
        text(pull(&signed)?).map_err(said)?;
        let found = verdict(&signed)?;
        expect(&found, "verified", "")?;
        let inspected = text(notary.docker(&client, &["trust", "inspect", &signed], &url)?).map_err(said)?;
        if !inspected.contains(digest_of(&found)?.trim_start_matches("sha256:")) {
            return Err(format!("{} says that another digest is signed: {inspected}", client.display()));
        }
        for image in [&unsigned_tag, &unsigned] {
            refuses(&pull(image)?, image)?;
            expect(&verdict(image)?, "unsigned", "")?;
        }
        let by_digest = docker(&["image", "inspect", "-f", "{{index .RepoDigests 0}}", &unsigned_tag])?;
        text(pull(&by_digest)?).map_err(said)?;
        expect(&verdict(&by_digest)?, "unsigned", "for none of its tags")?;
    }
    Ok(())
}
