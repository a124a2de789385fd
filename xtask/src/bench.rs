//! What an audit costs: CPU seconds against a bare client that fetches the same documents, and against one
//! `docker inspect` process a container and check, as shell auditors do. Ratios of one run, on one engine.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::cost::{children, cost, seconds};

pub(crate) const SOCKET: &str = "/var/run/docker.sock";
const LABEL: &str = "plimsoll.bench";
/// Shell auditors ask `docker inspect` once for each check that looks at containers (32 in docker-bench-security).
const CHECKS: u32 = 32;
/// How many `docker inspect` processes are run to learn the cost of one.
const SAMPLE: u32 = 20;

/// Starts up to each of `counts` containers of `image`, and measures at each.
pub(crate) fn run(repository: &Path, counts: &[u32], image: &str) -> Result<()> {
    let plimsoll = repository.join("target/release/plimsoll");
    ensure!(plimsoll.exists(), "no {}: cargo build --release", plimsoll.display());
    let started = Started;
    say(
        "containers  audit CPU  per container  peak memory  fetch CPU  audit/fetch  inspect per check  ratio",
    );
    for count in counts {
        start_up_to(*count, image)?;
        say(&measure(*count, &plimsoll)?);
    }
    drop(started);
    Ok(())
}

/// Fetches the documents that an audit needs over one connection and parses none of them.
pub(crate) fn fetch() -> Result<()> {
    let mut client = Client::connect()?;
    let containers = client.json("/containers/json?all=1")?;
    for id in ids(&containers) {
        client.get(&format!("/containers/{id}/json"))?;
    }
    let images = client.json("/images/json")?;
    for id in ids(&images) {
        client.get(&format!("/images/{id}/json"))?;
        client.get(&format!("/images/{id}/history"))?;
    }
    for path in ["/info", "/version", "/networks", "/volumes", "/plugins"] {
        client.get(path)?;
    }
    Ok(())
}

fn measure(count: u32, plimsoll: &Path) -> Result<String> {
    let audit = cost(Command::new(plimsoll).args(["audit", "--format", "json"]), 3)?;
    let itself = std::env::current_exe().context("finding this program")?;
    let fetch = cost(Command::new(itself).arg("fetch"), 3)?;
    let inspect = cost_of_one_inspect()? * f64::from(count) * f64::from(CHECKS);
    Ok(format!(
        "{count:>10}  {:>7.3} s  {:>10.2} ms  {:>7.1} MiB  {:>7.3} s  {:>11.2}  {:>14.1} s  {:>5.0}",
        audit.cpu,
        audit.cpu * 1000.0 / f64::from(count.max(1)),
        audit.peak_mib,
        fetch.cpu,
        audit.cpu / fetch.cpu,
        inspect,
        inspect / audit.cpu,
    ))
}

fn cost_of_one_inspect() -> Result<f64> {
    let id = docker(&["ps", "-q", "-n", "1"])?;
    let before = seconds(&children()?);
    for _ in 0..SAMPLE {
        docker(&["inspect", id.trim()])?;
    }
    Ok((seconds(&children()?) - before) / f64::from(SAMPLE))
}

/// Removes the benchmark's containers when it ends, however it ends.
pub(crate) struct Started;

impl Drop for Started {
    fn drop(&mut self) {
        if let Ok(ids) = docker(&["ps", "-aq", "--filter", &format!("label={LABEL}")]) {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            for some in ids.chunks(50) {
                let _ = docker(&[&["rm", "-f"], some].concat());
            }
        }
    }
}

fn start_up_to(count: u32, image: &str) -> Result<()> {
    for _ in running()?..count as usize {
        start(&["--network", "none"], &[image, "sleep", "86400"])?;
    }
    Ok(())
}

/// How many containers of the benchmark there are.
pub(crate) fn running() -> Result<usize> {
    Ok(docker(&["ps", "-q", "--filter", &format!("label={LABEL}")])?.lines().count())
}

/// Starts one more, of an image with a command; its id.
pub(crate) fn start(options: &[&str], image: &[&str]) -> Result<String> {
    let id = docker(&[&["run", "-d", "--label", LABEL], options, image].concat())?;
    Ok(id.trim().to_owned())
}

pub(crate) fn docker(args: &[&str]) -> Result<String> {
    let out = Command::new("docker").args(args).output().context("running docker")?;
    ensure!(out.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The smallest HTTP client that keeps its connection.
struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    fn connect() -> Result<Self> {
        let stream = UnixStream::connect(SOCKET).with_context(|| SOCKET.to_owned())?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    fn json(&mut self, path: &str) -> Result<Value> {
        serde_json::from_slice(&self.get(path)?).with_context(|| path.to_owned())
    }

    fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        write!(self.stream.get_mut(), "GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n")?;
        let mut length = None;
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = Some(value.parse::<usize>()?);
            }
        }
        match length {
            Some(length) => self.exactly(length),
            None => self.chunked(),
        }
    }

    fn chunked(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut size = String::new();
            self.stream.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim_end(), 16)?;
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                bail!("a chunk without its end");
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn ids(list: &Value) -> Vec<String> {
    let members = list.as_array().map_or(&[][..], Vec::as_slice);
    members.iter().filter_map(|member| Some(member.get("Id")?.as_str()?.to_owned())).collect()
}

#[expect(clippy::print_stdout, reason = "a chore talks to whoever runs it")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
