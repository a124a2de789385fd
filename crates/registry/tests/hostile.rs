//! Registries that fail, lie, loop, or never end: each gets the one right kind of error, in bounded time.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "helpers of tests")]

#[path = "hostile/login.rs"]
mod login;
#[path = "hostile/server.rs"]
mod server;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use plimsoll_registry::{
    Descriptor, Digest, Error, INDEX_TYPES, Limits, MANIFEST_TYPES, MAX_REFERRERS, Options, Platform,
    Repository,
};

use server::{Answer, Asked, Server, json, redirect, status};

/// Short, so that a server that does not answer costs a test little.
const SHORT: Limits = Limits {
    connect: Duration::from_secs(1),
    idle: Duration::from_millis(300),
    total: Duration::from_millis(1200),
    slowest: 1 << 20,
};

fn options() -> Options {
    Options { certificates: "/nonexistent".into(), ..Options::default() }
}

/// The repository `app` of the registry at this place.
fn repository(authority: &str) -> Repository {
    Repository::open(&format!("{authority}/app:1").parse().unwrap(), &options()).unwrap()
}

/// The same, with little patience.
fn impatient(server: &Server) -> Repository {
    let options = Options { limits: SHORT, ..options() };
    Repository::open(&format!("{}/app:1", server.authority).parse().unwrap(), &options).unwrap()
}

fn descriptor(bytes: &[u8]) -> Descriptor {
    let json = format!(r#"{{"digest":"{}","size":{}}}"#, Digest::of(bytes), bytes.len());
    serde_json::from_str(&json).unwrap()
}

fn manifest() -> Vec<u8> {
    let [oci, _] = MANIFEST_TYPES;
    let config = Digest::of(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{oci}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
    )
    .into_bytes()
}

/// Asks a server that always gives this answer for a manifest.
fn manifest_error(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Error {
    repository(&Server::start(answer).authority).manifest("1").unwrap_err()
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } => "not found",
        Error::Unauthorized { .. } => "unauthorized",
        Error::Unavailable { .. } => "unavailable",
        Error::Content { .. } => "content",
        Error::Unsupported { .. } => "unsupported",
        Error::Configuration { .. } => "configuration",
    }
}

#[test]
fn each_status_is_one_kind() {
    for (line, expected) in [
        ("404 Not Found", "not found"),
        ("401 Unauthorized", "unauthorized"),
        ("401 Unauthorized\r\nwww-authenticate: Negotiate", "unauthorized"),
        ("403 Forbidden", "unauthorized"),
        ("429 Too Many Requests", "unavailable"),
        ("500 Internal Server Error", "unavailable"),
        ("503 Service Unavailable", "unavailable"),
        ("400 Bad Request", "content"),
        ("206 Partial Content", "content"),
        ("204 No Content", "content"),
    ] {
        let error = manifest_error(move |_| status(line));
        assert_eq!(kind(&error), expected, "{line}: {error}");
    }
}

#[test]
fn the_registrys_own_words_are_told_and_cannot_draw() {
    let body = r#"{"errors":[{"code":"DENIED","message":"\u001b[2Jno\n"}]}"#;
    let error = manifest_error(move |_| Answer::Whole("403 Forbidden".to_owned(), body.into()));
    assert!(error.to_string().contains("DENIED  [2Jno"), "{error}");
}

#[test]
fn nobody_there_is_unavailable() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    assert_eq!(kind(&repository(&gone).manifest("1").unwrap_err()), "unavailable");
    let error = repository("no-such-host.invalid").resolve("1").unwrap_err();
    assert_eq!(kind(&error), "unavailable", "{error}");
}

/// Writes the same for ever, with pauses.
fn drip(head: &'static str, piece: &'static [u8], pause: Duration) -> Answer {
    Answer::Raw(Box::new(move |stream: &mut TcpStream| {
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(piece).is_ok() {
            std::thread::sleep(pause);
        }
    }))
}

const TWENTY: Duration = Duration::from_millis(20);
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\n";

#[test]
fn slow_servers_are_unavailable() {
    let begin = Instant::now();
    for (head, piece, pause) in [
        ("", &b""[..], TWENTY),
        ("HTTP/1.1 200 OK\r\nx: ", b"y", TWENTY),
        ("HTTP/1.1 200 OK\r\n", b"x: y\r\n", TWENTY),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"", TWENTY),
        ("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n", b"1", TWENTY),
        ("HTTP/1.1 200 OK\r\n\r\n", b"1", Duration::from_secs(30)),
    ] {
        let error = impatient(&Server::start(move |_| drip(head, piece, pause))).manifest("1").unwrap_err();
        assert_eq!(kind(&error), "unavailable", "{head:?} {piece:?}: {error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(9), "{:?}", begin.elapsed());
}

#[test]
fn a_slow_blob_has_its_time_by_its_size() {
    let server = Server::start(|_| drip("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b"x", TWENTY));
    let begin = Instant::now();
    let error = impatient(&server).blob_bytes(&descriptor(&[0; 100_000]), 1 << 20).unwrap_err();
    assert_eq!(kind(&error), "unavailable", "{error}");
    assert!(begin.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_line_that_is_cut_is_unavailable() {
    let cut = |_: &Asked| {
        Answer::Raw(Box::new(|stream: &mut TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123456789");
        }))
    };
    let server = Server::start(cut);
    assert_eq!(kind(&repository(&server.authority).manifest("1").unwrap_err()), "unavailable");
    let error = repository(&server.authority).blob_bytes(&descriptor(&[b'0'; 100]), 1 << 20).unwrap_err();
    assert_eq!(kind(&error), "unavailable", "{error}");
}

#[test]
fn endless_answers_are_cut_off() {
    let piece: &'static [u8] = &[b' '; 64 << 10];
    let gigabyte = move |_: &Asked| {
        Answer::Raw(Box::new(move |stream: &mut TcpStream| {
            let _ = stream.write_all(format!("{HEAD}content-length: 1073741824\r\n\r\n").as_bytes());
            while stream.write_all(piece).is_ok() {}
        }))
    };
    let begin = Instant::now();
    let error = manifest_error(gigabyte);
    assert!(kind(&error) == "content" && error.to_string().contains("larger than"), "{error}");
    let unending = move |_: &Asked| {
        Answer::Raw(Box::new(move |stream: &mut TcpStream| {
            let _ = stream.write_all(format!("{HEAD}\r\n").as_bytes());
            while stream.write_all(piece).is_ok() {}
        }))
    };
    let server = Server::start(unending);
    assert_eq!(kind(&repository(&server.authority).manifest("1").unwrap_err()), "content");
    let error = repository(&server.authority).blob_bytes(&descriptor(b"    "), 1 << 20).unwrap_err();
    assert!(error.to_string().contains("longer than its 4 bytes"), "{error}");
    let headers =
        |_: &Asked| drip("HTTP/1.1 200 OK\r\n", b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", Duration::ZERO);
    let error = manifest_error(headers);
    assert!(matches!(kind(&error), "content" | "unavailable"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn what_is_no_http_is_content() {
    for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"] {
        let error = manifest_error(move |_| {
            Answer::Raw(Box::new(move |stream: &mut TcpStream| drop(stream.write_all(bytes))))
        });
        assert_eq!(kind(&error), "content", "{error}");
    }
}

#[test]
fn content_is_what_its_digest_says() {
    let [oci, docker] = MANIFEST_TYPES;
    let server = Server::start(move |asked| match asked.target.as_str() {
        target if target.starts_with("/v2/app/blobs/") => Answer::Whole("200 OK".to_owned(), b"{]".to_vec()),
        "/v2/app/manifests/lie" => Answer::Whole(
            format!("200 OK\r\ncontent-type: {oci}\r\ndocker-content-digest: {}", Digest::of(b"x")),
            manifest(),
        ),
        "/v2/app/manifests/other" => json(docker, manifest()),
        "/v2/app/manifests/old" => {
            json("application/vnd.docker.distribution.manifest.v1+prettyjws", r#"{"schemaVersion":1}"#)
        }
        "/v2/app/manifests/page" => json("text/html", "<html>"),
        _ => json(oci, manifest()),
    });
    let repository = repository(&server.authority);
    let good = repository.manifest("1").unwrap();
    assert_eq!(good.descriptor.digest, Digest::of(&manifest()));
    assert_eq!(repository.manifest(&good.descriptor.digest.to_string()).unwrap(), good);
    assert_eq!(repository.resolve("1").unwrap(), good.descriptor);

    let asked_for_another = repository.manifest(&Digest::of(b"x").to_string()).unwrap_err();
    assert!(asked_for_another.to_string().contains("another digest"), "{asked_for_another}");
    for (tag, expected) in
        [("lie", "content"), ("other", "content"), ("old", "unsupported"), ("page", "content")]
    {
        let error = repository.manifest(tag).unwrap_err();
        assert_eq!(kind(&error), expected, "{tag}: {error}");
    }
    // Same size and other bytes, fewer, and more.
    for bytes in [&b"{}"[..], b"{", b"{}}"] {
        let error = repository.blob_bytes(&descriptor(bytes), 1 << 20).unwrap_err();
        assert_eq!(kind(&error), "content", "{error}");
    }
    assert_eq!(repository.blob_bytes(&descriptor(b"{]"), 1 << 20).unwrap(), b"{]");
    assert_eq!(kind(&repository.blob_bytes(&descriptor(b"{]"), 1).unwrap_err()), "content");
    let error = repository.image("1", &Platform::of_this_host()).unwrap_err();
    assert!(error.to_string().contains("another digest"), "its configuration: {error}");
}

#[test]
fn a_blob_that_failed_goes_on_failing() {
    let server = Server::start(|_| Answer::Whole("200 OK".to_owned(), b"xx".to_vec()));
    let mut blob = repository(&server.authority).blob(&descriptor(b"yy")).unwrap();
    let mut bytes = [0; 8];
    assert_eq!(blob.read(&mut bytes).unwrap(), 2);
    for _ in 0..2 {
        let error = blob.read(&mut bytes).unwrap_err();
        assert_eq!(kind(Error::of_read(&error).unwrap()), "content");
    }
}

#[test]
fn redirects_lead_nowhere_else() {
    for to in [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/x",
        "http://registry.example/x",
        "http://169.254.169.254/latest/meta-data",
        "http://user@127.0.0.1/x",
        "/v2/app/manifests/1",
        "x",
        "",
    ] {
        let begin = Instant::now();
        let error = manifest_error(move |_| redirect(to));
        assert_eq!(kind(&error), "content", "{to}: {error}");
        assert!(error.to_string().contains("redirect"), "{to}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(1));
    }
    assert_eq!(kind(&manifest_error(|_| status("301 Moved Permanently"))), "content");
}

#[test]
fn a_platform_that_is_not_there_is_not_found() {
    let entry = format!(
        r#"{{"digest":"{}","size":1,"platform":{{"os":"linux","architecture":"s390x"}}}}"#,
        Digest::of(b"x")
    );
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#);
    let server = Server::start(move |_| json(INDEX_TYPES[0], index.clone()));
    let error = repository(&server.authority).image("1", &"linux/arm64".parse().unwrap()).unwrap_err();
    assert_eq!(kind(&error), "not found");
    assert!(error.to_string().contains("for linux/arm64 (it is there for linux/s390x)"), "{error}");
}

#[test]
fn indexes_in_circles_end() {
    // Content cannot name its own digest; many levels can be made.
    let mut documents = vec![(Digest::of(&manifest()), manifest())];
    for _ in 0..10 {
        let (digest, bytes) = documents.last().unwrap();
        let platform = r#"{"os":"linux","architecture":"amd64"}"#;
        let entry = format!(r#"{{"digest":"{digest}","size":{},"platform":{platform}}}"#, bytes.len());
        let index =
            format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{entry}]}}"#, INDEX_TYPES[0]);
        documents.push((Digest::of(index.as_bytes()), index.into_bytes()));
    }
    let top = documents.last().unwrap().0.to_string();
    let server = Server::start(move |asked| {
        let digest = asked.target.rsplit('/').next().unwrap();
        let found = documents.iter().find(|(known, _)| known.to_string() == digest).unwrap();
        json(if found.0 == documents[0].0 { MANIFEST_TYPES[0] } else { INDEX_TYPES[0] }, found.1.clone())
    });
    let error = repository(&server.authority).image(&top, &"linux/amd64".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("indexes deep"), "{error}");
}

/// An index of so many entries, of kind `a` and `b` by turns.
fn index(count: usize) -> String {
    let entry = |number: usize| {
        let kind = if number.is_multiple_of(2) { "a" } else { "b" };
        format!(r#"{{"digest":"{}","size":1,"artifactType":"{kind}"}}"#, Digest::of(&number.to_le_bytes()))
    };
    let entries: Vec<_> = (0..count).map(entry).collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}}"#, INDEX_TYPES[0], entries.join(","))
}

fn referrers(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Result<Vec<Descriptor>, Error> {
    repository(&Server::start(answer).authority).referrers(&Digest::of(b"x"), None)
}

#[test]
fn referrers_come_by_pages_or_by_tag() {
    let api = Server::start(|asked| match asked.target.split_once("?page=") {
        None => Answer::Whole(
            format!(
                "200 OK\r\ncontent-type: {}\r\nlink: <{}?page=2>; rel=\"next\"",
                INDEX_TYPES[0], asked.target
            ),
            index(4).into(),
        ),
        Some(_) => json(INDEX_TYPES[0], index(3)),
    });
    let subject = Digest::of(b"x");
    assert_eq!(repository(&api.authority).referrers(&subject, None).unwrap().len(), 7);
    assert_eq!(repository(&api.authority).referrers(&subject, Some("b")).unwrap().len(), 3);

    let tag = format!("/v2/app/manifests/sha256-{}", subject.sum());
    let by_tag = Server::start(move |asked| match asked.target == tag {
        true => json(INDEX_TYPES[0], index(2)),
        false => status("404 Not Found"),
    });
    assert_eq!(repository(&by_tag.authority).referrers(&subject, Some("a")).unwrap().len(), 1);
    assert_eq!(referrers(|_| status("404 Not Found")), Ok(Vec::new()));
}

#[test]
fn referrers_that_cannot_be_told_are_never_none() {
    for (line, expected) in [
        ("500 Oh", "unavailable"),
        ("429 Slow", "unavailable"),
        ("403 No", "unauthorized"),
        ("400 What", "content"),
    ] {
        assert_eq!(kind(&referrers(move |_| status(line)).unwrap_err()), expected, "{line}");
    }
    // The API is not there, and the tag cannot be read.
    let half = |asked: &Asked| {
        status(if asked.target.contains("referrers") { "404 Not Found" } else { "502 Bad Gateway" })
    };
    assert_eq!(kind(&referrers(half).unwrap_err()), "unavailable");
    let no_index = |asked: &Asked| match asked.target.contains("referrers") {
        true => status("404 Not Found"),
        false => json(MANIFEST_TYPES[0], manifest()),
    };
    assert_eq!(kind(&referrers(no_index).unwrap_err()), "content");
    assert_eq!(kind(&referrers(|_| json("text/html", "<html>")).unwrap_err()), "content");
    assert_eq!(kind(&referrers(|_| json(INDEX_TYPES[0], "{\"manifests\":[{}]}")).unwrap_err()), "content");
}

#[test]
fn ten_thousand_referrers_are_an_error() {
    let (most, more) = (index(MAX_REFERRERS), index(10_000));
    let found = referrers(move |_| json(INDEX_TYPES[0], most.clone())).unwrap();
    assert_eq!(found.len(), MAX_REFERRERS);
    let error = referrers(move |_| json(INDEX_TYPES[0], more.clone())).unwrap_err();
    assert!(kind(&error) == "content" && error.to_string().contains("more than 1000"), "{error}");
    let endless = |asked: &Asked| {
        Answer::Whole(
            format!("200 OK\r\ncontent-type: {}\r\nlink: <{}>; rel=next", INDEX_TYPES[0], asked.target),
            index(1).into(),
        )
    };
    let error = referrers(endless).unwrap_err();
    assert!(kind(&error) == "content" && error.to_string().contains("pages"), "{error}");
    let elsewhere = |_: &Asked| {
        Answer::Whole(
            format!("200 OK\r\ncontent-type: {}\r\nlink: <http://evil.example/>; rel=next", INDEX_TYPES[0]),
            index(1).into(),
        )
    };
    assert_eq!(kind(&referrers(elsewhere).unwrap_err()), "content");
}
