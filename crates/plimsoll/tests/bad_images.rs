//! What cannot be read of an image, of a package database or of advisories is named, and never counts as nothing found.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail and tell")]

use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{EntryType, Header};
use tempfile::TempDir;

/// Ends with an error.
const ERROR: i32 = 3;
/// Ends with a report, and something could not be known.
const UNKNOWN: i32 = 4;

const DEBIAN: &str = "ID=debian\nVERSION_ID=12\n";
const BASH: &str =
    "Package: bash\nStatus: install ok installed\nMaintainer: x <x@debian.org>\nVersion: 5.2\n";
/// To be ended with a version.
const STANZA: &str = "Package: ?\nStatus: install ok installed\nMaintainer: x <x@debian.org>\nVersion: ";

#[test]
fn archives_that_do_not_hold_are_errors() {
    let whole = docker_archive(&tar(&[file("etc/os-release", DEBIAN.as_bytes())]));
    let link = |path, target| entry(EntryType::Symlink, path, target, b"");
    let circle = tar(&[
        manifest(&["a/layer.tar"]),
        file("c.json", b"{}"),
        link("a/layer.tar", "../b/layer.tar"),
        link("b/layer.tar", "../a/layer.tar"),
    ]);
    let cases = [
        ("cut off", whole[..whole.len() - 3_000].to_vec(), "unexpected end of file"),
        (
            "a path that leads out",
            docker_archive(&tar(&[file("../../etc/passwd", b"x")])),
            "leads out of the layer",
        ),
        ("links in a circle", circle, "a/layer.tar: not in the image"),
        ("a bomb", docker_archive(&bomb()), "out of proportion"),
        ("noise", vec![7; 5_000], "sum is wrong"),
    ];
    for (what, archive, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "image.tar", &archive);
        is_error(
            what,
            &scan(&dir, &format!("docker-archive:{}", dir.path().join("image.tar").display())),
            words,
        );
    }
}

#[test]
fn what_an_image_holds_and_cannot_be_read_is_a_gap() {
    let cases = [
        ("wild offsets in a page", "var/lib/rpm/rpmdb.sqlite", wild_pages(), "rpmdb.sqlite"),
        ("wild offsets in a header", "var/lib/rpm/rpmdb.sqlite", wild_header(), "rpmdb.sqlite"),
        ("cut off", "var/lib/rpm/rpmdb.sqlite", RPM[..3_000].to_vec(), "rpmdb.sqlite"),
        ("noise", "var/lib/rpm/Packages", vec![7; 5_000], "/var/lib/rpm/Packages"),
        ("an encrypted archive", "opt/x.jar", encrypted_zip(), "an entry is encrypted"),
    ];
    for (what, path, bytes, words) in cases {
        let dir = tempfile::tempdir().unwrap();
        put(&dir.path().join("root"), "etc/os-release", DEBIAN.as_bytes());
        put(&dir.path().join("root"), path, &bytes);
        let gaps = report(&dir)["gaps"].to_string();
        assert!(gaps.contains(words), "{what}: {gaps}");
    }
    let dir = tempfile::tempdir().unwrap();
    put(&dir.path().join("root"), "etc/os-release", DEBIAN.as_bytes());
    fs::create_dir_all(dir.path().join("root/var/lib/dpkg")).unwrap();
    symlink("status", dir.path().join("root/var/lib/dpkg/status")).unwrap();
    let gaps = report(&dir)["gaps"].to_string();
    assert!(gaps.contains("too many symbolic links"), "{gaps}");
}

#[test]
fn packages_of_which_nothing_can_be_told_are_not_covered() {
    let dir = tempfile::tempdir().unwrap();
    let until = |fixed: &str| {
        format!(
            r#""ranges": [{{"type": "ECOSYSTEM", "events": [{{"introduced": "0"}}, {{"fixed": "{fixed}"}}]}}]"#
        )
    };
    let withdrawn = r#""withdrawn": "2026-01-02T00:00:00Z", "#;
    for (id, package, head, ranges) in [
        ("CVE-2026-1", "bash", "", until("5.3")),
        ("CVE-2026-2", "bash", withdrawn, until("5.3")),
        ("CVE-2026-3", "silent", "", r#""versions": []"#.to_owned()),
        ("CVE-2026-4", "wild", "", until("no version at all")),
        ("CVE-2026-5", "bash", "", until("no version at all")),
        ("CVE-2026-6", "odd", "", until("2")),
    ] {
        let record = format!(
            r#"{{"id": "{id}", {head}"affected": [{{"package": {{"ecosystem": "Debian:12", "name": "{package}"}}, {ranges}}}]}}"#
        );
        put(&dir.path().join("records"), &format!("{id}.json"), record.as_bytes());
    }
    put(&dir.path().join("records"), "no-text.json", b"{\"id\": \"\xff\"}");
    let records = dir.path().join("records").display().to_string();
    let imported = plimsoll(&dir, &["db", "import", &records]);
    let told = [imported.stdout, imported.stderr].concat();
    assert!(String::from_utf8_lossy(&told).contains("no-text.json"), "{}", String::from_utf8_lossy(&told));

    let stanza =
        |name: &str, version: &[u8]| [STANZA.replace('?', name).as_bytes(), version, b"\n\n"].concat();
    let status = [("bash", &b"5.2"[..]), ("silent", b"1"), ("wild", b"1"), ("odd", b"\xff 1")];
    let status = status.map(|(name, version)| stanza(name, version)).concat();
    put(&dir.path().join("root"), "etc/os-release", DEBIAN.as_bytes());
    put(&dir.path().join("root"), "var/lib/dpkg/status", &status);
    let report = report(&dir);
    let flaws = report["vulnerabilities"].as_array().unwrap();
    assert_eq!(flaws.iter().map(|it| &it["id"]).collect::<Vec<_>>(), ["CVE-2026-1"]);
    assert!(report["gaps"].to_string().contains("CVE-2026-5: "), "{}", report["gaps"]);
    for (name, verdict, words) in [
        ("bash", "fix-available", ""),
        ("silent", "not-covered", "CVE-2026-3: "),
        ("wild", "not-covered", "CVE-2026-4: "),
        ("odd", "not-covered", "CVE-2026-6: "),
    ] {
        let package = report["packages"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(package["verdict"], verdict, "{package}");
        assert!(package["reason"].as_str().unwrap_or_default().contains(words), "{package}");
    }
}

/// The bound is 4,000,000 entries of a layer; the memory, what is allowed here.
#[test]
fn three_million_tiny_files_are_read_in_bounded_memory() {
    const FILES: u64 = 3_000_000;
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 400000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_plimsoll")])
        .args(["scan", "--format", "json", "docker-archive:-", "--db"])
        .arg(dir.path().join("db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    let files =
        tar(&[file("etc/os-release", DEBIAN.as_bytes()), file("var/lib/dpkg/status", BASH.as_bytes())]);
    let size = FILES * 512 + files.len() as u64;
    // The lowest layer hides nothing, so that nothing is remembered of it.
    input.write_all(&file("0/layer.tar", &tar(&[]))).unwrap();
    input.write_all(header(EntryType::Regular, "1/layer.tar", "", size).as_bytes()).unwrap();
    let mut empty = header(EntryType::Regular, "d/0000000", "", 0);
    let sum = empty.cksum().unwrap();
    for number in 0..FILES {
        let digits = format!("{number:07}");
        let more: u32 = digits.bytes().map(|digit| u32::from(digit - b'0')).sum();
        empty.as_old_mut().name[2..9].copy_from_slice(digits.as_bytes());
        empty.as_old_mut().cksum.copy_from_slice(format!("{:06o}\0 ", sum + more).as_bytes());
        input.write_all(empty.as_bytes()).unwrap();
    }
    input.write_all(&files).unwrap();
    input.write_all(&tar(&[manifest(&["0/layer.tar", "1/layer.tar"]), file("c.json", b"{}")])).unwrap();
    drop(input.into_inner().unwrap());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(UNKNOWN), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["packages"][0]["name"], "bash");
}

/// A file of nothing, 1 MiB as often as it takes.
fn bomb() -> Vec<u8> {
    const TIMES: usize = 1_100;
    let header = header(EntryType::Regular, "z", "", (TIMES as u64) << 20);
    [gzip(header.as_bytes()), gzip(&vec![0; 1 << 20]).repeat(TIMES)].concat()
}

/// A package database that rpm wrote: pages of 1024 bytes.
const RPM: &[u8] = include_bytes!("agreement/ecosystems/rhel-9/var/lib/rpm/rpmdb.sqlite");

/// Every page says that its cells are far behind its end.
fn wild_pages() -> Vec<u8> {
    let mut bytes = RPM.to_vec();
    for page in bytes.chunks_mut(1024).skip(1) {
        page[8..16].fill(0xff);
    }
    bytes
}

/// The headers of rpms say that their strings are far behind their ends.
fn wild_header() -> Vec<u8> {
    let mut bytes = RPM.to_vec();
    // An index entry is tag, type, offset and count, four bytes each: the name's is tag 1000, type 6.
    let name = [0, 0, 3, 0xe8, 0, 0, 0, 6];
    let places: Vec<_> = (0..bytes.len() - 12).filter(|at| bytes[*at..].starts_with(&name)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 8..at + 12].copy_from_slice(&[0x7f, 0xff, 0xff, 0xf0]);
    }
    bytes
}

/// With the mark of an encrypted entry in both places (APPNOTE.TXT 4.3.7, 4.3.12 and 4.4.4).
fn encrypted_zip() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    let file = archive.new_file("META-INF/maven/x/y/pom.properties");
    let (mut entry, config) = file.compression_method(rawzip::CompressionMethod::STORE).start().unwrap();
    let mut writer = config.wrap(&mut entry);
    writer.write_all(b"groupId=x\nartifactId=y\nversion=1\n").unwrap();
    let (_, descriptor) = writer.finish().unwrap();
    entry.finish(descriptor).unwrap();
    archive.finish().unwrap();
    for (mark, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let at = bytes.windows(4).position(|bytes| bytes == mark).unwrap();
        bytes[at + flags] |= 1;
    }
    bytes
}

fn header(kind: EntryType, path: &str, link: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    if !link.is_empty() {
        header.set_link_name_literal(link).unwrap();
    }
    // By hand: the library refuses paths that lead out.
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    header
}

fn entry(kind: EntryType, path: &str, link: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, path, link, content.len() as u64).as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn file(path: &str, content: &[u8]) -> Vec<u8> {
    entry(EntryType::Regular, path, "", content)
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

fn manifest(layers: &[&str]) -> Vec<u8> {
    let manifest = json!([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": layers}]);
    file("manifest.json", manifest.to_string().as_bytes())
}

fn docker_archive(layer: &[u8]) -> Vec<u8> {
    tar(&[manifest(&["0/layer.tar"]), file("c.json", b"{}"), file("0/layer.tar", layer)])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn plimsoll(dir: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(arguments).arg("--db").arg(dir.path().join("db")).current_dir(dir).output().unwrap()
}

fn scan(dir: &TempDir, image: &str) -> Output {
    plimsoll(dir, &["scan", "--format", "json", image])
}

/// The report of the folder `root`, of which not everything could be known.
fn report(dir: &TempDir) -> Value {
    let output = scan(dir, &format!("dir:{}", dir.path().join("root").display()));
    assert_eq!(output.status.code(), Some(UNKNOWN), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_error(what: &str, output: &Output, words: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(ERROR), "{what}: {complaint}");
    assert!(complaint.contains(words), "{what}: {complaint}");
    assert!(output.stdout.is_empty(), "{what} has a report");
}
