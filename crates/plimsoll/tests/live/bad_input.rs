//! Engines that break, that are not there, or that answer with something else; and audits that may not read everything.
//! Each time the report is whole, tells what could not be known, and the exit code says so.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::docker::{self, BASE, docker, run};
use crate::scene::{PREFIX, Report, Test};

/// Longest that an audit of a broken engine may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The tests.
pub(crate) fn tests() -> Vec<Test> {
    vec![
        Test::new("no_engine_at_the_socket", || gap_about("unix:///nonexistent/docker.sock")),
        Test::new("nobody_listens_on_the_port", || gap_about("tcp://127.0.0.1:1")),
        Test::new("an_answer_that_is_no_http", || answered_by(garbage)),
        Test::new("an_answer_that_is_no_json", || answered_by(no_json)),
        Test::new("an_answer_that_is_cut_off", || answered_by(cut_off)),
        Test::new("an_answer_that_never_ends", || answered_by(endless)),
        Test::new("an_engine_that_dies_during_the_audit", dies_during_the_audit),
        Test::new("an_ordinary_user_sees_no_false_pass", ordinary_user),
        Test::new("containers_that_come_and_go", come_and_go),
        Test::new("hostile_names_reach_no_terminal_and_no_browser", hostile_names),
    ]
}

fn gap_about(endpoint: &str) -> Result<(), String> {
    let begin = Instant::now();
    let report = Report::of(&["--host", endpoint])?;
    report.is_incomplete()?;
    let gaps = report.gaps();
    if !gaps.iter().any(|gap| gap.contains(endpoint)) {
        return Err(format!("no gap names {endpoint}: {gaps:#?}"));
    }
    let passed = report.passed_about(endpoint);
    if !passed.is_empty() {
        return Err(format!("passed without an engine: {passed:?}"));
    }
    if begin.elapsed() > PATIENCE {
        return Err(format!("took {:?}", begin.elapsed()));
    }
    Ok(())
}

/// A socket on which every connection is handed to a function.
struct Fake {
    folder: TempDir,
}

impl Fake {
    fn start(serve: impl Fn(UnixStream) + Send + Sync + 'static) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let listener =
            UnixListener::bind(folder.path().join("docker.sock")).map_err(|error| error.to_string())?;
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { folder })
    }

    fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.folder.path().display())
    }
}

fn answered_by(answer: fn(&mut UnixStream)) -> Result<(), String> {
    let fake = Fake::start(move |mut stream| {
        // Whatever is asked, the answer is the same; the audit goes away when it has had enough.
        let _ = stream.read(&mut [0; 4096]);
        answer(&mut stream);
    })?;
    gap_about(&fake.host())
}

fn garbage(stream: &mut UnixStream) {
    let _ = stream.write_all(b"\x00\xff\x1b]0;title\x07 220 mail ready\r\n\r\n\r\n");
}

fn no_json(stream: &mut UnixStream) {
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n<html>\x1b[31m\n",
    );
}

fn cut_off(stream: &mut UnixStream) {
    let _ = stream.write_all(
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 4000\r\n\r\n{\"Version\": \"20.",
    );
}

fn endless(stream: &mut UnixStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
    while stream.write_all(&chunk).is_ok() {}
}

/// Between the audit and the real engine a relay closes everything after so many bytes of answers.
fn dies_during_the_audit() -> Result<(), String> {
    for bytes in [1, 700, 3_000, 12_000] {
        let left = Arc::new(AtomicUsize::new(bytes));
        let fake = Fake::start(move |stream| relay(stream, &left))?;
        let report = Report::of(&["--host", &fake.host()])?;
        report.is_incomplete()?;
        let gaps = report.gaps();
        if gaps.iter().all(|gap| !gap.contains(&fake.host()) && !gap.contains("GET /")) {
            return Err(format!("after {bytes} bytes no gap names the engine: {gaps:#?}"));
        }
        if !report.has_answers_about("host") {
            return Err(format!("after {bytes} bytes nothing is said of the host"));
        }
    }
    Ok(())
}

fn relay(client: UnixStream, left: &AtomicUsize) {
    let path = docker::SOCKET.strip_prefix("unix://").unwrap_or_default();
    let Ok(engine) = UnixStream::connect(path) else { return };
    let (Ok(mut questions), Ok(mut to_engine)) = (client.try_clone(), engine.try_clone()) else { return };
    let asking = std::thread::spawn(move || std::io::copy(&mut questions, &mut to_engine));
    let (mut answers, mut back) = (&engine, &client);
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = answers.read(&mut buffer) {
        let before =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(read)));
        let allowed = before.unwrap_or_default().min(read);
        if back.write_all(&buffer[..allowed]).is_err() || allowed < read {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
    let _ = engine.shutdown(std::net::Shutdown::Both);
    let _ = asking.join();
}

/// What passes for `nobody` must pass for root.
fn ordinary_user() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let binary = folder.path().join("plimsoll");
    let all = fs::Permissions::from_mode(0o755);
    fs::copy(env!("CARGO_BIN_EXE_plimsoll"), &binary)
        .and_then(|_| fs::set_permissions(folder.path(), all.clone()))
        .and_then(|()| fs::set_permissions(&binary, all))
        .map_err(|error| error.to_string())?;
    let mut audit = Command::new("setpriv");
    audit.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&binary);
    let theirs = Report::by(audit.current_dir("/"), &["--host", docker::SOCKET])?;
    theirs.is_incomplete()?;
    let ours = Report::of(&["--host", docker::SOCKET])?;
    let truth: BTreeMap<_, _> =
        ours.statuses().into_iter().map(|(rule, name, status)| ((rule, name), status)).collect();
    let wrong: Vec<_> = theirs
        .statuses()
        .into_iter()
        .filter(|(_, _, status)| status == "pass")
        .filter(|(rule, name, _)| {
            truth.get(&(rule.clone(), name.clone())).is_some_and(|status| status != "pass")
        })
        .collect();
    let passed = theirs.passed_about(docker::SOCKET);
    match wrong.is_empty() && passed.is_empty() {
        true => Ok(()),
        false => Err(format!("pass for an ordinary user alone: {wrong:#?} {passed:#?}")),
    }
}

fn come_and_go() -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    let maker = std::thread::spawn({
        let (stop, name) = (Arc::clone(&stop), format!("{PREFIX}fleeting"));
        move || {
            let mut made = 0;
            while !stop.load(Ordering::Relaxed) && made < 40 {
                made += usize::from(run(&name, &["--network", "none"], BASE, &["sleep", "0.1"]).is_ok());
                let _ = docker(&["rm", "-f", &name]);
            }
            made
        }
    });
    let begin = Instant::now();
    let mut audits = Ok(());
    while audits.is_ok() && begin.elapsed() < Duration::from_secs(5) {
        audits = Report::of(&["--host", docker::SOCKET]).map(drop);
    }
    stop.store(true, Ordering::Relaxed);
    let made = maker.join().map_err(|_| "the maker of containers panicked")?;
    audits?;
    if made > 0 { Ok(()) } else { Err("no container came".to_owned()) }
}

fn hostile_names() -> Result<(), String> {
    const SCRIPT: &str = "<script>alert(1)</script>";
    let name = format!("{PREFIX}hostile");
    let options = [
        &format!("--label=\x1b[2J\n{SCRIPT}=\u{202e}{SCRIPT}"),
        &format!("--env=PASSWORD{SCRIPT}\x1b[31m=\x1b]0;title\x07hunter2hunter2"),
        &format!("--mount=type=bind,src=/etc,dst=/{SCRIPT}\x1b[31m"),
        "--network=none",
    ];
    let process = format!("cp /bin/sleep '/<b>\x1b[2J' && exec '/<b>\x1b[2J' 600; echo '{SCRIPT}'");
    run(&name, &options, BASE, &["sh", "-c", &process])?;
    for format in ["terminal", "markdown", "html", "json", "sarif", "junit"] {
        let arguments = ["audit", "--full", "--format", format, "--host", docker::SOCKET];
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).output();
        let output = output.map_err(|error| error.to_string())?.stdout;
        let text = String::from_utf8(output).map_err(|error| format!("{format}: {error}"))?;
        if !text.contains(&name) {
            return Err(format!("{format} does not name the container"));
        }
        if let Some(c) = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}') {
            return Err(format!("{format} holds {c:?}"));
        }
        // In Markdown it is within a code span.
        let is_marked_up = matches!(format, "html" | "junit");
        if let Some(line) = text.lines().find(|line| is_marked_up && line.contains(SCRIPT)) {
            return Err(format!("{format} holds {line}"));
        }
        if text.contains("hunter2") {
            return Err(format!("{format} tells a secret"));
        }
    }
    Ok(())
}
