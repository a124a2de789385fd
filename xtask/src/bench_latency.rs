//! Whether an audit is felt inside a container: how long MariaDB takes to answer while its engine is audited, and while the
//! same is done to another engine with a container of the same image, which takes as much of the processors.

use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::bench::{SOCKET, Started, docker, say, start};

/// How long one of both is running at a time.
const WINDOW: Duration = Duration::from_millis(500);
/// Between two questions.
const PAUSE: Duration = Duration::from_micros(500);
/// Connections that keep the database busy, and with what.
const BUSY: usize = 2;
const WORK: &str = "SELECT BENCHMARK(2000, SHA1('x'));";
/// How often the windows' names are dealt out anew, to see how far apart chance alone puts two distributions.
const DEALS: u32 = 500;

/// Measures in so many windows of each.
pub(crate) fn run(repository: &Path, windows: u32, image: &str) -> Result<()> {
    let plimsoll = repository.join("target/release/plimsoll");
    ensure!(plimsoll.exists(), "no {}: cargo build --release", plimsoll.display());
    let folder = tempfile::tempdir().context("making a folder")?;
    let elsewhere = Elsewhere::start(folder.path(), image)?;
    let started = Started;
    let pid = database(image)?;
    let _busy: Vec<Ended> = (0..BUSY).map(|_| busy(&pid)).collect::<Result<_>>()?;
    let mut probe = Probe::start(&pid)?;
    let audit = |host: &str| {
        let mut command = Command::new(&plimsoll);
        command.args(["audit", "--host", host]).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut pairs = Vec::new();
    for window in 0..windows {
        let [mut with, mut without] = [Vec::new(), Vec::new()];
        let first = window % 2 == 0;
        for audits in [first, !first] {
            match audits {
                true => probe.during(|| audit(SOCKET), &mut with)?,
                false => probe.during(|| audit(&elsewhere.socket), &mut without)?,
            }
        }
        pairs.push((with, without));
    }
    drop(started);
    report(&pairs);
    Ok(())
}

/// Answers of one window with an audit, and of the one beside it.
type Pair = (Vec<Duration>, Vec<Duration>);

fn report(pairs: &[Pair]) {
    let (with, without) = sorted(pairs, |_| false);
    say("               answers       50 %       90 %       99 %    99.9 %");
    for (name, times) in [("audited", &with), ("another is", &without)] {
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
        let quantiles = [0.5, 0.9, 0.99, 0.999].map(|part| format!("{:>7.0} µs", at(part)));
        say(&format!("{name:<13} {:>8} {}", times.len(), quantiles.join(" ")));
    }
    let seen = distance(&with, &without);
    // Answers of one window are not independent of each other, windows are: only their names are dealt out.
    let as_far = (1..=DEALS).filter(|deal| {
        let (one, other) = sorted(pairs, |pair| coin(*deal, pair));
        distance(&one, &other) >= seen
    });
    let share = f64::from(u32::try_from(as_far.count()).unwrap_or(DEALS)) / f64::from(DEALS);
    let word = if share > 0.01 { "the same" } else { "not the same" };
    say(&format!(
        "largest distance {seen:.4}; chance puts {:.0} % as far apart: {word} distribution",
        share * 100.0
    ));
}

/// All answers of both kinds, in order; the kinds of some pairs are exchanged.
fn sorted(pairs: &[Pair], exchanged: impl Fn(usize) -> bool) -> Pair {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for (number, (with, without)) in pairs.iter().enumerate() {
        let (with, without) = if exchanged(number) { (without, with) } else { (with, without) };
        one.extend_from_slice(with);
        other.extend_from_slice(without);
    }
    one.sort_unstable();
    other.sort_unstable();
    (one, other)
}

/// One bit for each deal and pair, the same in each run.
fn coin(deal: u32, pair: usize) -> bool {
    let mut hasher = std::hash::DefaultHasher::new();
    (deal, pair).hash(&mut hasher);
    hasher.finish() & 1 == 1
}

/// The largest distance of two empirical distributions; both are sorted.
fn distance(one: &[Duration], other: &[Duration]) -> f64 {
    let below = |times: &[Duration], at: Duration| {
        times.partition_point(|time| *time <= at) as f64 / times.len().max(1) as f64
    };
    one.iter().chain(other).map(|at| (below(one, *at) - below(other, *at)).abs()).fold(0.0, f64::max)
}

/// Another engine with a container of the image, in a network namespace of its own.
struct Elsewhere {
    socket: String,
    engine: Child,
}

impl Elsewhere {
    fn start(folder: &Path, image: &str) -> Result<Self> {
        let at = |name: &str| folder.join(name).display().to_string();
        std::fs::write(at("daemon.json"), "{}").context("writing its settings")?;
        let socket = format!("unix://{}", at("engine.sock"));
        let arguments = [
            ("--config-file", at("daemon.json")),
            ("--data-root", at("data")),
            ("--exec-root", at("exec")),
            ("--pidfile", at("pid")),
            ("--host", socket.clone()),
            ("--bridge", "none".to_owned()),
        ];
        let engine = Command::new("unshare")
            .args(["-n", "dockerd"])
            .args(arguments.iter().flat_map(|(name, value)| [*name, value]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let elsewhere = Self { socket, engine: engine.context("starting another dockerd")? };
        let ask = |arguments: &[&str]| docker(&[&["--host", &elsewhere.socket], arguments].concat());
        for _ in (0..300).take_while(|_| ask(&["info"]).is_err()) {
            std::thread::sleep(Duration::from_millis(100));
        }
        docker(&["save", "-o", &at("image.tar"), image])?;
        ask(&["load", "-i", &at("image.tar")])?;
        ask(&["run", "-d", "--network", "none", image])?;
        Ok(elsewhere)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        if let Ok(ids) = docker(&["--host", &self.socket, "ps", "-aq"]) {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            let _ = docker(&[&["--host", &self.socket, "rm", "-f"], ids.as_slice()].concat());
        }
        let pid = self.engine.id().to_string();
        let _ = Command::new("kill").arg(&pid).status();
        let _ = self.engine.wait();
    }
}

/// A database that answers; its process.
fn database(image: &str) -> Result<String> {
    let id = start(&["--network", "none"], &[image])?;
    let answers = || docker(&["exec", &id, "mariadb", "-e", "SELECT 1"]).is_ok();
    for _ in (0..300).take_while(|_| !answers()) {
        std::thread::sleep(Duration::from_millis(100));
    }
    ensure!(answers(), "{image} does not answer");
    Ok(docker(&["inspect", "-f", "{{.State.Pid}}", &id])?.trim().to_owned())
}

/// A program that is ended when dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client(pid: &str) -> String {
    format!("nsenter -t {pid} -m -u -i -n -p mariadb -N -B -n")
}

fn busy(pid: &str) -> Result<Ended> {
    let script = format!("yes \"{WORK}\" | {} >/dev/null", client(pid));
    Command::new("sh").args(["-c", &script]).spawn().map(Ended).context("running a client")
}

/// A client inside the container.
struct Probe {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _client: Ended,
}

impl Probe {
    fn start(pid: &str) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {}", client(pid))]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut client = command.spawn().context("running a client")?;
        let to = client.stdin.take().context("its input")?;
        let from = BufReader::new(client.stdout.take().context("its output")?);
        let mut probe = Self { to, from, _client: Ended(client) };
        // The first answers are those of a client that starts.
        for _ in 0..100 {
            probe.ask()?;
        }
        Ok(probe)
    }

    fn ask(&mut self) -> Result<Duration> {
        let begin = Instant::now();
        self.to.write_all(b"SELECT 1;\n").context("asking the database")?;
        let mut line = String::new();
        self.from.read_line(&mut line).context("reading its answer")?;
        ensure!(line.trim() == "1", "the database answered {line:?}");
        Ok(begin.elapsed())
    }

    /// Asks for one window, while a command runs again and again.
    fn during(&mut self, command: impl Fn() -> Command, times: &mut Vec<Duration>) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < WINDOW {
            let mut running = command().spawn().context("running plimsoll")?;
            while running.try_wait().context("waiting for plimsoll")?.is_none() {
                times.push(self.ask()?);
                std::thread::sleep(PAUSE);
            }
        }
        Ok(())
    }
}
