//! The orders of dpkg, rpm and Maven against their own code, on 100,000 pairs each: random ones, and real ones from
//! `PLIMSOLL_TEST_DATA` where it is set. A tool that is not installed is skipped by name.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests fail and tell")]

mod records;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plimsoll_advisories::order::Order;

const PAIRS: usize = 100_000;

#[test]
fn dpkg() {
    // Like dpkg itself, this compares versions that do not begin with a digit.
    let script = "use Dpkg::Version; while (<STDIN>) { chomp; my ($a, $b) = split /\\t/; \
        print(Dpkg::Version->new($a) <=> Dpkg::Version->new($b), \"\\n\"); }";
    let pairs = pairs(b"0123456789abz.+~-:A", "Debian");
    let Some(told) = ask(Command::new("perl").args(["-e", script]), &pairs) else {
        return eprintln!("skipped: no Dpkg::Version (libdpkg-perl)");
    };
    check(Order::Dpkg, &pairs, &told);
}

#[test]
fn rpm() {
    let pairs = pairs(b"0123456789abz._+~^-:A", "Rocky Linux");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pairs");
    fs::write(&file, lines(&pairs)).unwrap();
    let lua = format!(
        "%{{lua: for l in io.lines('{}') do local a, b = l:match('^(.-)\\t(.*)$'); print(rpm.vercmp(a, b)..'\\n') end}}",
        file.display()
    );
    let Some(told) = ask(Command::new("rpm").args(["--eval", &lua]), &[]) else {
        return eprintln!("skipped: no rpm");
    };
    check(Order::Rpm, &pairs, &told);
}

#[test]
fn maven() {
    const JARS: &str = "/usr/share/java/maven3-artifact.jar:/usr/share/java/commons-lang3.jar";
    let pairs: Vec<_> = pairs(b"0123456789abmx.-_", "Maven");
    // Its own program compares each version with the next, and takes no other input than its arguments.
    let versions: Vec<&str> = pairs.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("arguments");
    let class = "org.apache.maven.artifact.versioning.ComparableVersion";
    fs::write(&file, format!("-cp {JARS} {class}\n{}\n", versions.join("\n"))).unwrap();
    let Some(told) = ask(Command::new("java").arg(format!("@{}", file.display())), &[]) else {
        return eprintln!("skipped: no java, or no {class} (libmaven3-core-java)");
    };
    let compared = told.iter().filter(|line| line.starts_with("   ")).step_by(2);
    let sign = |line: &String| match line.split(' ').nth(4) {
        Some("<") => "-1",
        Some(">") => "1",
        _ => "0",
    };
    let told: Vec<String> = compared.map(|line| sign(line).to_owned()).collect();
    check(Order::Maven, &pairs, &told);
}

fn check(order: Order, pairs: &[(String, String)], told: &[String]) {
    assert_eq!(pairs.len(), told.len());
    let (mut compared, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for ((a, b), told) in pairs.iter().zip(told) {
        match order.compare(a, b) {
            Ok(ours) => {
                compared += 1;
                if told != &(ours as i8).to_string() {
                    wrong.push(format!("{a} {b}: {ours:?}, the tool says {told}"));
                }
            }
            // What the order refuses is said to be not covered, so it may be stricter than the tool.
            Err(_) => refused += 1,
        }
    }
    eprintln!("{}: {compared} pairs compared, {refused} refused, {} wrong", order.name(), wrong.len());
    assert!(wrong.is_empty(), "{} wrong, as {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    assert!(compared >= PAIRS, "only {compared} pairs were compared");
}

fn ask(command: &mut Command, pairs: &[(String, String)]) -> Option<Vec<String>> {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let text = lines(pairs);
    // A tool that is missing its module ends without reading.
    let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let told: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    output.status.success().then_some(told)
}

fn lines(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect()
}

/// Random versions, of which most are near each other, and every real one beside its neighbours.
fn pairs(alphabet: &[u8], ecosystem: &str) -> Vec<(String, String)> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut pairs: Vec<(String, String)> = Vec::new();
    while pairs.len() < PAIRS * 2 {
        let a = random.version(alphabet);
        let b = if random.below(3) == 0 { random.version(alphabet) } else { random.near(&a, alphabet) };
        // An epoch with a sign is one to dpkg, and none to Dpkg::Version.
        if ![&a, &b].iter().any(|version| version.starts_with('+')) {
            pairs.push((a, b));
        }
    }
    let real: Vec<String> = real(ecosystem).into_iter().collect();
    for step in [1, 2, 7, 101] {
        pairs.extend(real.iter().zip(real.iter().skip(step)).map(|(a, b)| (a.clone(), b.clone())));
    }
    pairs
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn version(&mut self, alphabet: &[u8]) -> String {
        let mut text = self.below(12).to_string();
        for _ in 0..self.below(9) {
            text.push(char::from(alphabet[self.below(alphabet.len())]));
        }
        text
    }

    fn near(&mut self, version: &str, alphabet: &[u8]) -> String {
        let mut text = version.to_owned();
        let at = self.below(text.len());
        match self.below(3) {
            0 if text.len() > 1 => drop(text.remove(at)),
            1 => text.insert(at, char::from(alphabet[self.below(alphabet.len())])),
            _ => text.push(char::from(alphabet[self.below(alphabet.len())])),
        }
        text
    }
}

/// Versions of real records, where there are some of the ecosystem.
fn real(ecosystem: &str) -> BTreeSet<String> {
    let Some(data) = std::env::var_os("PLIMSOLL_TEST_DATA") else { return BTreeSet::new() };
    let archive: PathBuf = Path::new(&data).join("advisories").join(ecosystem).join("all.zip");
    if !archive.exists() {
        return BTreeSet::new();
    }
    let mut versions = BTreeSet::new();
    for record in records::all_records(&archive) {
        for affected in record["affected"].as_array().into_iter().flatten() {
            for range in affected["ranges"].as_array().into_iter().flatten() {
                let events = range["events"].as_array().into_iter().flatten();
                versions.extend(events.filter_map(|event| Some(event["fixed"].as_str()?.to_owned())));
            }
        }
    }
    versions
}
