//! Engines that lie, stall, break off and die, as seen from outside.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use plimsoll_facts::{Engine, EngineKind, Fact, Gap};
use plimsoll_rootdir::RootDir;

use super::*;

/// What a scripted engine does when it is asked for a path.
#[derive(Clone, Copy)]
enum Act {
    /// Answers 200 with this document.
    Json(&'static str),
    /// Answers with this status.
    Status(u16, &'static str),
    /// Sends these bytes and closes the connection.
    Raw(&'static str),
    /// Sends a body without an end.
    Endless,
    /// Ends the engine.
    Die,
}

const VERSION: Act = Act::Json(
    r#"{"Version": "28.5.2", "ApiVersion": "1.51", "MinAPIVersion": "1.24",
        "Components": [{"Name": "Engine", "Version": "28.5.2"}]}"#,
);
const INFO: Act =
    Act::Json(r#"{"ID": "abc", "Driver": "overlay2", "DockerRootDir": "/nowhere", "Swarm": {}}"#);
const LIST: Act = Act::Json(
    r#"[{"Id": "c1", "Names": ["/other/alias", "/web"], "State": "running"},
        {"Id": "c2", "Names": ["/db"], "State": "exited"}]"#,
);
const INSPECT: Act = Act::Json(
    r#"{"Id": "c1", "Name": "/web", "State": {"Status": "running", "Pid": 7}, "Config": {"Image": "i"},
        "HostConfig": {"Privileged": true}, "Image": "sha256:1", "ExecIDs": null}"#,
);

/// The calls of a healthy engine with two containers, without the version in front.
fn healthy() -> HashMap<&'static str, Act> {
    HashMap::from([
        ("/version", VERSION),
        ("/info", INFO),
        ("/networks", Act::Json("[]")),
        ("/volumes", Act::Json(r#"{"Volumes": null}"#)),
        ("/plugins", Act::Json("null")),
        ("/containers/json?all=1", LIST),
        ("/containers/c1/json", INSPECT),
        ("/containers/c2/json", Act::Status(404, r#"{"message": "No such container: c2"}"#)),
        ("/images/json", Act::Json("[]")),
        ("/images/sha256:1/json", Act::Json(r#"{"Id": "sha256:1", "Config": {"User": "app"}}"#)),
        ("/images/sha256:1/history", Act::Json("[]")),
    ])
}

fn audit(script: HashMap<&'static str, Act>) -> (Engine, Vec<Gap>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("docker.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || serve(listener.incoming(), &script));
    let root = RootDir::open("/").unwrap();
    let options = Options {
        endpoints: vec![Endpoint::Unix(path)],
        version: "",
        stop_threads: false,
        progress: &|_| {},
    };
    let mut gaps = Gaps::default();
    let engine = collect(&root, &options, &mut gaps).pop().unwrap();
    (engine, gaps.into_sorted())
}

/// Serves connections until the script says to die.
fn serve<S: Read + Write>(
    connections: impl Iterator<Item = std::io::Result<S>>,
    script: &HashMap<&'static str, Act>,
) {
    for mut stream in connections.map_while(Result::ok) {
        while let Some(path) = next_request(&mut stream) {
            let plain = path.strip_prefix("/v1.51").unwrap_or(&path);
            let sent = match script.get(plain).copied().unwrap_or(Act::Status(404, "page not found")) {
                Act::Json(body) => respond(&mut stream, 200, body),
                Act::Status(status, body) => respond(&mut stream, status, body),
                Act::Raw(bytes) => {
                    let _ = stream.write_all(bytes.as_bytes());
                    break;
                }
                Act::Endless => endless(&mut stream),
                Act::Die => return,
            };
            if sent.is_err() {
                break;
            }
        }
    }
}

fn next_request(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    String::from_utf8(head).ok()?.split(' ').nth(1).map(str::to_owned)
}

fn respond(stream: &mut impl Write, status: u16, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn endless(stream: &mut impl Write) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(0x10_0000));
    loop {
        stream.write_all(chunk.as_bytes())?;
    }
}

fn reason<T: std::fmt::Debug>(fact: &Fact<T>) -> String {
    match fact {
        Fact::Unreadable { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

fn with(changes: &[(&'static str, Act)]) -> (Engine, Vec<Gap>) {
    let mut script = healthy();
    script.extend(changes.iter().copied());
    audit(script)
}

#[test]
fn a_healthy_engine_is_read_whole() {
    let (engine, gaps) = with(&[]);
    assert_eq!((engine.id.as_str(), engine.kind, engine.remote), ("abc", EngineKind::Docker, false));
    let containers = engine.containers.value().unwrap();
    assert_eq!((containers[0].name.as_str(), containers[0].state.as_str()), ("web", "running"));
    assert!(containers[0].declared.value().unwrap().host_config.privileged);
    // Used by a container, though in no list.
    assert_eq!(engine.images.value().unwrap()[0].config.value().unwrap().user, "app");
    assert_eq!(engine.daemon.value().unwrap().pid, std::process::id());
    // What vanished is a gap, and its neighbours are read.
    assert!(reason(&containers[1].declared).contains("vanished"));
    assert_eq!(gaps.iter().filter(|gap| gap.subject == "container db").count(), 1);
}

#[test]
fn an_answer_that_is_cut_off_names_the_call() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"Id\": \"c1\"";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"Id\"\r\n";
    for bytes in [cut, chunks, "HTTP/1.1 200 OK\r\nContent-Le", ""] {
        let (engine, gaps) = with(&[("/containers/c1/json", Act::Raw(bytes))]);
        let container = &engine.containers.value().unwrap()[0];
        let reason = reason(&container.declared);
        assert!(reason.contains("did not arrive whole"), "{bytes:?}: {reason}");
        assert_eq!(container.name, "web");
        assert!(gaps.iter().any(|gap| gap.source == "GET /containers/c1/json"));
        // The engine goes on answering.
        assert!(engine.images.value().is_some());
    }
}

#[test]
fn an_answer_that_is_not_json_names_the_place() {
    let (engine, _) = with(&[("/containers/c1/json", Act::Json("<html>"))]);
    assert!(reason(&engine.containers.value().unwrap()[0].declared).contains("not as the API describes"));
    let wrong =
        r#"{"Id": "c1", "State": {"Status": "running"}, "Config": {}, "HostConfig": {"Privileged": 1}}"#;
    let (engine, _) = with(&[("/containers/c1/json", Act::Json(wrong))]);
    assert!(reason(&engine.containers.value().unwrap()[0].declared).contains("HostConfig.Privileged"));
    for missing in [r#"{"Id": "c1"}"#, r#"{"Id": "c1", "State": {}, "Config": {}, "HostConfig": null}"#] {
        let (engine, _) = with(&[("/containers/c1/json", Act::Json(missing))]);
        assert!(engine.containers.value().unwrap()[0].declared.value().is_none(), "{missing}");
    }
    let (engine, _) = with(&[("/version", Act::Raw("SSH-2.0-OpenSSH_9.2\r\n"))]);
    assert!(!reason(&engine.version).is_empty());
}

#[test]
fn an_answer_about_another_container_is_none() {
    let other = r#"{"Id": "c9", "State": {}, "Config": {}, "HostConfig": {}}"#;
    let (engine, _) = with(&[("/containers/c1/json", Act::Json(other))]);
    assert!(reason(&engine.containers.value().unwrap()[0].declared).contains("another container"));
}

#[test]
fn an_endless_answer_is_given_up() {
    let (engine, _) = with(&[("/info", Act::Endless)]);
    assert!(reason(&engine.info).contains("MiB"));
    assert!(engine.containers.value().is_some());
}

#[test]
fn an_engine_that_dies_is_not_waited_for() {
    let started = Instant::now();
    let (engine, gaps) = with(&[("/containers/c1/json", Act::Die)]);
    assert!(started.elapsed().as_secs() < 5);
    let containers = engine.containers.value().unwrap();
    assert_eq!(containers.len(), 2);
    assert!(containers.iter().all(|container| container.declared.value().is_none()));
    assert!(reason(&engine.images).contains("refused"), "{}", reason(&engine.images));
    assert!(gaps.iter().any(|gap| gap.subject == "container db"));
}

#[test]
fn half_an_image_is_none() {
    let (engine, gaps) = with(&[("/images/sha256:1/history", Act::Status(500, "{}"))]);
    assert!(reason(&engine.images.value().unwrap()[0].config).contains("500"));
    assert!(gaps.iter().any(|gap| gap.subject.starts_with("image ")));
}

#[test]
fn half_a_swarm_is_none() {
    let info = r#"{"ID": "abc", "Driver": "overlay2", "DockerRootDir": "/nowhere",
        "Swarm": {"LocalNodeState": "active", "ControlAvailable": true}}"#;
    let mut calls = vec![
        ("/info", Act::Json(info)),
        ("/swarm", Act::Json("{}")),
        ("/nodes", Act::Json("[]")),
        ("/secrets", Act::Json("[{}, {}]")),
    ];
    assert!(reason(&with(&calls).0.swarm).contains("404"));
    calls.push(("/services", Act::Json(r#"[{"ID": "s", "Spec": {"Name": "web"}}]"#)));
    let (engine, _) = with(&calls);
    let swarm = engine.swarm.value().unwrap();
    assert_eq!((swarm.services.len(), swarm.secrets, swarm.autolock), (1, Some(2), Some(false)));
}

#[test]
fn a_refusal_is_repeated_in_the_engines_words() {
    let denied = Act::Status(403, r#"{"message": "authorization denied by plugin opa:\nno"}"#);
    let (engine, _) = with(&[("/containers/json?all=1", denied)]);
    assert_eq!(reason(&engine.containers), "the engine answers 403: authorization denied by plugin opa: no");
}

#[test]
fn hostile_names_make_no_calls_elsewhere() {
    let list = r#"[{"Id": "../../x y\r\nHost: z", "Names": ["/\u001b[2J"], "State": "running"}, {"Id": "c1", "Names": []}]"#;
    let (engine, _) = with(&[("/containers/json?all=1", Act::Json(list))]);
    let containers = engine.containers.value().unwrap();
    assert!(containers[0].declared.value().is_none());
    assert!(containers[1].declared.value().is_some());
}

#[test]
fn no_socket_is_a_gap_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let root = RootDir::open("/").unwrap();
    let ask = |path: std::path::PathBuf| {
        let options = Options {
            endpoints: vec![Endpoint::Unix(path)],
            version: "",
            stop_threads: false,
            progress: &|_| {},
        };
        let mut gaps = Gaps::default();
        (collect(&root, &options, &mut gaps).pop().unwrap(), gaps.into_sorted())
    };
    let (engine, gaps) = ask(dir.path().join("none.sock"));
    assert!(reason(&engine.version).contains("--host"));
    assert_eq!(gaps.len(), 1);
    drop(UnixListener::bind(dir.path().join("stale.sock")).unwrap());
    let (engine, _) = ask(dir.path().join("stale.sock"));
    assert!(reason(&engine.version).contains("refused"), "{}", reason(&engine.version));
    assert!(reason(&engine.containers).contains("refused"));
}

/// Over the network, a path is one of another host, whatever is there on this one.
#[test]
fn directories_that_an_engine_elsewhere_names_are_not_read_here() {
    let inspect = r#"{"Id": "sha256:1", "RepoTags": ["i:1"], "RootFS": {"Layers": ["sha256:2"]},
        "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": "/"}}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&format!("tcp://{}", listener.local_addr().unwrap()), None).unwrap();
    let mut script = healthy();
    script.extend([
        ("/images/i:1/json", Act::Json(inspect)),
        ("/containers/json?all=1", Act::Json("[]")),
        ("/images/sha256:1/get", Act::Status(500, r#"{"message": "no space left"}"#)),
    ]);
    std::thread::spawn(move || serve(listener.incoming(), &script));
    let root = RootDir::open("/").unwrap();
    let read = crate::inventory::of_image(&root, &endpoint, "i:1", &mut plimsoll_image::Reader::default());
    let why = read.unwrap_err().to_string();
    for part in ["behind a unix socket", "no container was made from it", "no space left"] {
        assert!(why.contains(part), "{why}");
    }
}
