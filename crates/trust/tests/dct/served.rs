//! The vectors as a notary serves them, and servers that fail, lie, or never end.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use plimsoll_registry::{Limits, Notary, Options};
use plimsoll_trust::tuf::{RepositoryState, RootTrust, TufError, Update};
use plimsoll_trust::{ContentTrust, Image, RefusalKind, Settings, Store};

use crate::server::{Connection, Server, respond};
use crate::vectors::{self, Vector, serve};

const NOT_FOUND: &[u8] = br#"{"errors":[{"code":"METADATA_NOT_FOUND","message":"x","detail":{}}]}"#;

fn options(total: Duration) -> Options {
    let limits = Limits { connect: total, idle: total, total, ..Limits::default() };
    Options { limits, ..Options::default() }
}

fn ask(
    server: &Server,
    path: &str,
    vector: &Vector,
    total: Duration,
) -> Result<(String, RepositoryState), TufError> {
    let reference = format!("{}:{}", vector.about.gun, vector.about.tag).parse().unwrap();
    let url = server.url(path);
    let notary = Notary::open(&reference, Some(&url), server.authorities.path(), &options(total)).unwrap();
    let trust = RootTrust { pins: Vec::new(), first_use: true };
    let update = Update { gun: &vector.about.gun, server: &notary, trust: &trust, now: vector.about.now };
    let (repository, state) = update.run(vector.state().as_ref())?;
    Ok((repository.tag(&vector.about.tag)?.digest.to_string(), state))
}

#[test]
fn every_vector_over_tls() {
    let vectors = vectors::all();
    let served = vectors::all();
    let server = Server::start(move |path, to| {
        let (folder, rest) = path.trim_start_matches('/').split_once("/v2/").unwrap();
        let vector = served.iter().find(|vector| vector.name == folder).unwrap();
        let (gun, file) = rest.split_once("/_trust/tuf/").unwrap();
        assert_eq!(gun, vector.about.gun);
        match serve(&vector.served, file) {
            Some(bytes) => respond(to, "200 OK", "", bytes),
            None => respond(to, "404 Not Found", "", NOT_FOUND),
        }
    });
    for vector in &vectors {
        let found = ask(&server, &vector.name, vector, Duration::from_secs(60));
        match found {
            Ok((digest, _)) => assert_eq!(digest, vector.about.strict, "{}", vector.name),
            Err(error) => {
                assert_eq!(vector.about.strict, "refuse", "{}: {error}", vector.name);
                assert_eq!(error.kind(), vector.kind(), "{}: {error}", vector.name);
            }
        }
    }
}

/// Asks a server that always answers so, about a repository of which nothing is known.
fn of_a_server(answer: impl Fn(&str, &mut Connection) + Send + Sync + 'static) -> TufError {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let started = Instant::now();
    let error = ask(&Server::start(answer), "", good, Duration::from_millis(1500)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(10), "{error} took {:?}", started.elapsed());
    error
}

#[test]
fn what_is_not_reached_is_not_unsigned() {
    let slow = of_a_server(|_, to| {
        let _ = to.write_all(b"HTTP/1.1 200 OK\r\n\r\n{");
        thread::sleep(Duration::from_secs(20));
    });
    let endless = of_a_server(|_, to| {
        let _ = to.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while to.write_all(&[b' '; 1 << 16]).is_ok() {}
    });
    let failing = of_a_server(|_, to| respond(to, "503 Service Unavailable", "", b"{}"));
    let to_file = of_a_server(|_, to| respond(to, "302 Found", "location: file:///etc/passwd\r\n", b""));
    let to_plain = of_a_server(|_, to| respond(to, "302 Found", "location: http://127.0.0.1:1/x\r\n", b""));
    let around = of_a_server(|path, to| respond(to, "302 Found", &format!("location: {path}\r\n"), b""));
    let denied = of_a_server(|_, to| respond(to, "403 Forbidden", "", b"{}"));
    let no_http = of_a_server(|_, to| {
        let _ = to.write_all(b"SSH-2.0-x\r\n\r\n");
    });
    for error in [slow, endless, failing, to_file, to_plain, around, denied, no_http] {
        assert_eq!(error.kind(), RefusalKind::Unavailable, "{error}");
    }
    let absent = of_a_server(|_, to| respond(to, "404 Not Found", "", NOT_FOUND));
    assert_eq!(absent, TufError::NoTrustData);
}

#[test]
fn rubbish_is_a_bad_signature() {
    let deep = of_a_server(|_, to| respond(to, "200 OK", "", &[b'['; 1 << 20]));
    let empty = of_a_server(|_, to| respond(to, "200 OK", "", b""));
    let signatures = format!(
        r#"{{"signed":{{}},"signatures":[{}]}}"#,
        vec![r#"{"keyid":"x","method":"ecdsa","sig":""}"#; 10_000].join(",")
    );
    let many = of_a_server(move |_, to| respond(to, "200 OK", "", signatures.as_bytes()));
    for error in [deep, empty, many] {
        assert_eq!(error.kind(), RefusalKind::BadSignature, "{error}");
    }
}

#[test]
fn an_authority_that_is_not_known_is_not_trusted() {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let server = Server::start(|_, to| respond(to, "404 Not Found", "", NOT_FOUND));
    let elsewhere = Server { authority: server.authority, authorities: tempfile::tempdir().unwrap() };
    let error = ask(&elsewhere, "", good, Duration::from_secs(5)).unwrap_err();
    assert_eq!(error.kind(), RefusalKind::Unavailable);
    assert!(error.to_string().contains("certificate"), "{error}");
}

/// The clock was set back, and what has expired would count again.
#[test]
fn a_clock_that_went_back() {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let (trust, server) = (Vector::trust(), vectors::FromFiles(&good.served));
    let update = Update { gun: &good.about.gun, server: &server, trust: &trust, now: good.about.now };
    let (_, state) = update.run(None).unwrap();
    let at = |minutes: i64| {
        Update { now: good.about.now - SignedDuration::from_mins(minutes), ..update }.run(Some(&state))
    };
    at(9).unwrap();
    let error = at(60).unwrap_err();
    assert_eq!(error.kind(), RefusalKind::Unavailable);
    assert!(error.to_string().contains("a clock is off"), "{error}");
}

/// What is known and did not change is not asked for again.
#[test]
fn what_is_warm_takes_at_most_five_requests() {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let served = vectors::all();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let server = Server::start(move |path, to| {
        log.lock().unwrap().push(path.to_owned());
        let good = served.iter().find(|vector| vector.name == "real/good").unwrap();
        let (_, file) = path.split_once("/_trust/tuf/").unwrap();
        respond(to, "200 OK", "", serve(&good.served, file).unwrap());
    });
    let folder = tempfile::tempdir().unwrap();
    let verify = || {
        let settings = Settings {
            now: good.about.now,
            first_use: true,
            pins: Vec::new(),
            server: Some(server.url("")),
            authorities: server.authorities.path().to_owned(),
            registry: options(Duration::from_secs(60)),
        };
        let name = format!("{}:{}", good.about.gun, good.about.tag).parse().unwrap();
        let here = vec![good.about.strict.parse().unwrap()];
        ContentTrust::new(Store::new(folder.path()), settings)
            .unwrap()
            .verify(&Image { name, here })
            .unwrap();
        std::mem::take(&mut *asked.lock().unwrap())
    };
    assert_eq!(verify().len(), 4, "root, timestamp, snapshot, targets");
    // The registry is asked twice more: what the tag names, and for the manifest.
    let warm = verify();
    assert!(warm.len() <= 3, "{warm:?}");
}

#[test]
fn without_a_server_what_was_accepted_counts_until_it_expires() {
    let vectors = vectors::all();
    let good = vectors.iter().find(|vector| vector.name == "real/good").unwrap();
    let trust = Vector::trust();
    let online = Update {
        gun: &good.about.gun,
        server: &vectors::FromFiles(&good.served),
        trust: &trust,
        now: good.about.now,
    };
    let (_, state) = online.run(None).unwrap();
    let broken = Server::start(|_, to| respond(to, "503 Service Unavailable", "", b""));
    let reference = good.about.gun.parse().unwrap();
    let notary = Notary::open(
        &reference,
        Some(&broken.url("")),
        broken.authorities.path(),
        &options(Duration::from_secs(5)),
    )
    .unwrap();
    let later = |hours: i64| Timestamp::from_second(good.about.now.as_second() + hours * 3600).unwrap();
    let offline = |now| Update { server: &notary, now, ..online }.run(Some(&state));
    let (repository, kept) = offline(later(24)).unwrap();
    assert_eq!(repository.offline_since(), Some(good.about.now));
    assert_eq!(repository.tag(&good.about.tag).unwrap().digest.to_string(), good.about.strict);
    assert_eq!(kept, state);
    assert_eq!(offline(later(24 * 15)).unwrap_err().kind(), RefusalKind::Stale);
    assert_eq!(Update { server: &notary, ..online }.run(None).unwrap_err().kind(), RefusalKind::Unavailable);
}
