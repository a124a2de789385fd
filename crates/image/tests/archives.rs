//! Archives that are made by hand: what engines write, and what nobody should.

#![allow(clippy::unwrap_used)]

#[path = "archives/elsewhere.rs"]
mod elsewhere;
#[path = "archives/parts.rs"]
mod parts;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_facts::{ImageContent, PackageInventory};
use plimsoll_image::{Archive, Error, read_stream};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

const STATUS: &str = "Package: a\nStatus: install ok installed\nMaintainer: x <x@debian.org>\nVersion: 1\n";
const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\n";

/// A layer as the bytes of a tar file.
struct Layer(Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    fn entry(mut self, kind: EntryType, path: &str, mode: u32, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        if !link.is_empty() {
            header.set_link_name_literal(link).unwrap();
        }
        // By hand: the library refuses the paths that are tested here.
        header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, path: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, path, 0o644, "", content.as_bytes())
    }

    fn program(self, path: &str, mode: u32) -> Self {
        self.entry(EntryType::Regular, path, mode, "", b"x")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, 0o777, target, b"")
    }

    fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A docker-archive; layers are lowest first.
fn docker_archive(dir: &Path, layers: &[Vec<u8>]) -> PathBuf {
    let config = json!({"config": {"User": "app"}}).to_string();
    let name = format!("{}.json", sum(config.as_bytes()));
    let names: Vec<_> = (0..layers.len()).map(|n| format!("{n}/layer.tar")).collect();
    let manifest = json!([{"Config": name, "RepoTags": ["x:1"], "Layers": names}]).to_string();
    let mut archive = Layer::new();
    for (name, layer) in names.iter().zip(layers) {
        archive = archive.entry(EntryType::Regular, name, 0o644, "", layer);
    }
    let archive = archive.file(&name, &config).file("manifest.json", &manifest);
    let path = dir.join("image.tar");
    fs::write(&path, archive.bytes()).unwrap();
    path
}

/// An OCI layout; layers are lowest first.
fn oci_layout(dir: &Path, layers: &[Vec<u8>]) -> PathBuf {
    oci_layout_of(dir, layers, "application/vnd.oci.image.layer.v1.tar+gzip")
}

fn oci_layout_of(dir: &Path, layers: &[Vec<u8>], media: &str) -> PathBuf {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |media: &str, bytes: &[u8]| {
        fs::write(blobs.join(sum(bytes)), bytes).unwrap();
        json!({"mediaType": media, "digest": format!("sha256:{}", sum(bytes)), "size": bytes.len()})
    };
    let config = blob("application/vnd.oci.image.config.v1+json", b"{}");
    let layers: Vec<_> = layers.iter().map(|layer| blob(media, layer)).collect();
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string();
    let manifest = blob("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
    fs::write(dir.join("index.json"), json!({"manifests": [manifest]}).to_string()).unwrap();
    fs::write(dir.join("oci-layout"), "{}").unwrap();
    dir.to_owned()
}

fn read(path: &Path) -> Result<(ImageContent, PackageInventory), Error> {
    let archive = Archive::open(path)?;
    let image = archive.read(&archive.images()[0])?;
    Ok((image.content("app"), image.inventory()))
}

/// The same from the bytes in order, and compressed as a whole.
fn streamed(bytes: &[u8]) -> Result<(ImageContent, PackageInventory), Error> {
    let mut images = read_stream(bytes)?;
    let compressed = read_stream(gzip(bytes).as_slice())?;
    assert_eq!(compressed.len(), images.len());
    let (_, image) = images.swap_remove(0);
    assert_eq!(compressed[0].1.inventory(), image.inventory());
    Ok((image.content("app"), image.inventory()))
}

fn read_layers(layers: &[Vec<u8>]) -> Result<(ImageContent, PackageInventory), Error> {
    let dir = tempfile::tempdir().unwrap();
    read(&docker_archive(dir.path(), layers))
}

fn names(inventory: &PackageInventory) -> Vec<String> {
    inventory.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

fn image() -> Vec<Vec<u8>> {
    let base = Layer::new()
        .file("./etc/passwd", "root:x:0:0::/:\napp:x:1000:1000::/:\n")
        .link("etc/os-release", "../usr/lib/os-release")
        .file("usr/lib/os-release", "ID=debian\n")
        .link("bin", "usr/bin")
        .program("usr/bin/su", 0o4755)
        .program("usr/bin/old", 0o4755)
        .file("root/id_rsa", KEY)
        .file("opt/app/node_modules/gone/package.json", r#"{"name":"gone","version":"1.0.0"}"#)
        .file("var/lib/dpkg/status", "Package: old\nVersion: 0\n")
        .file("var/lib/dpkg/info/a.list", "/bin/su\n/usr/lib/python3/six.egg-info\n")
        .file("usr/lib/python3/six.egg-info", "Name: six\nVersion: 1.16.0\n");
    let top = Layer::new()
        .file("usr/bin/.wh.old", "")
        .file("root/.wh.id_rsa", "")
        .file("opt/app/.wh..wh..opq", "")
        .file("opt/app/node_modules/kept/package.json", r#"{"name":"kept","version":"2.0.0"}"#)
        .file("var/lib/dpkg/status", STATUS);
    vec![base.bytes(), top.bytes()]
}

fn is_right((content, inventory): &(ImageContent, PackageInventory)) {
    assert_eq!(content.gaps, Vec::<String>::new());
    assert_eq!(content.uid, Some(1000));
    let privileged: Vec<_> = content.privileged_files.iter().map(|f| (f.path.as_str(), f.packaged)).collect();
    assert_eq!(privileged, [("/usr/bin/su", Some(true))]);
    assert_eq!(content.secret_files, Vec::<String>::new());
    assert_eq!(content.deleted_secret_files, ["/root/id_rsa"]);
    assert_eq!(content.packages_changed_at, Some(1_700_000_000));
    assert_eq!(inventory.gaps, []);
    assert_eq!(inventory.os.as_ref().unwrap().id, "debian");
    assert_eq!(names(inventory), ["a 1", "six 1.16.0", "kept 2.0.0"]);
    assert_eq!(inventory.packages[1].owned_by.as_deref(), Some("a"));
}

/// What only an audit asks for: accounts, who may write, what is left over, each as the upper layer leaves it.
#[test]
fn accounts_modes_and_leftovers() {
    let dir = |layer: Layer, path, mode| layer.entry(EntryType::Directory, path, mode, "", b"");
    let base = Layer::new()
        .file("etc/passwd", "root:x:0:0::/:\nopen:x:5:5::/:\n")
        .file("etc/shadow", "root:*:1::::::\nopen::1::::::\n")
        .file("etc/group", "root:x:0:\nadm:x:4:\n")
        .file("etc/sudoers", "root ALL=(ALL) NOPASSWD: ALL\n")
        .file("etc/sudoers.d/open", "open ALL=(ALL) NOPASSWD: ALL\n")
        .file("etc/sudoers.d/off.disabled", "off ALL=(ALL) NOPASSWD: ALL\n")
        .file("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n")
        .file("app/.git/HEAD", "ref: x\n")
        .file("tmp/a", "12345678");
    let base = dir(dir(dir(base, "usr/lib/w", 0o777), "usr/mended", 0o777), "usr/gone", 0o777);
    let top = Layer::new().file("tmp/.wh.a", "").file("tmp/b", "12").file("usr/.wh.gone", "");
    let top = dir(top, "usr/mended", 0o755).program("usr/bin/x", 0o757);
    let layers = [base.bytes(), top.bytes()];
    let folder = tempfile::tempdir().unwrap();
    let path = docker_archive(folder.path(), &layers);
    for (content, _) in [read(&path).unwrap(), streamed(&fs::read(&path).unwrap()).unwrap()] {
        assert_eq!(content.gaps, ["User \"app\" is in no passwd file of the image"]);
        assert_eq!(content.groups.value().unwrap().len(), 2);
        assert_eq!(content.empty_passwords.value().unwrap(), &["open"]);
        assert_eq!(content.passwordless_sudo.value().unwrap(), &["open", "root"]);
        let writable: Vec<_> =
            content.writable_paths.value().unwrap().iter().map(|it| (it.path.as_str(), it.mode)).collect();
        assert_eq!(writable, [("/usr/bin/x", 0o757), ("/usr/lib/w", 0o777)]);
        assert_eq!(content.login_keys.value().unwrap(), &["/root/.ssh/authorized_keys"]);
        assert_eq!(content.development_files.value().unwrap(), &["/app/.git"]);
        let left: Vec<_> = content
            .leftovers
            .value()
            .unwrap()
            .iter()
            .map(|it| (it.path.as_str(), it.files, it.bytes))
            .collect();
        assert_eq!(left, [("/tmp", 2, 10)]);
    }
}

#[test]
fn docker_archives() {
    let dir = tempfile::tempdir().unwrap();
    let path = docker_archive(dir.path(), &image());
    is_right(&read(&path).unwrap());
    is_right(&streamed(&fs::read(&path).unwrap()).unwrap());
    let archive = Archive::open(&path).unwrap();
    assert_eq!(archive.images()[0].names, ["x:1"]);
    is_right(&read_layers(&image().iter().map(|layer| gzip(layer)).collect::<Vec<_>>()).unwrap());
}

#[test]
fn oci_layouts_and_archives() {
    let zstd = |layer: &Vec<u8>| {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        let frame = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, level);
        // Two frames and one to be skipped, as `zstd:chunked` writes them.
        let (first, second) = layer.split_at(layer.len() / 2);
        [frame(first), vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], frame(second)].concat()
    };
    for layers in
        [image(), image().iter().map(|layer| gzip(layer)).collect(), image().iter().map(zstd).collect()]
    {
        let dir = tempfile::tempdir().unwrap();
        let layout = oci_layout(dir.path(), &layers);
        is_right(&read(&layout).unwrap());
        let mut archive = Builder::new(Vec::new());
        archive.append_dir_all(".", &layout).unwrap();
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join("oci.tar");
        let bytes = archive.into_inner().unwrap();
        fs::write(&path, &bytes).unwrap();
        is_right(&read(&path).unwrap());
        is_right(&streamed(&bytes).unwrap());
    }
}

#[test]
fn blobs_are_verified() {
    let dir = tempfile::tempdir().unwrap();
    oci_layout(dir.path(), &image());
    for blob in fs::read_dir(dir.path().join("blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(matches!(read(dir.path()), Err(Error::Digest { .. })), "{}", path.display());
        fs::write(&path, &whole).unwrap();
    }
    is_right(&read(dir.path()).unwrap());
}

#[test]
fn streams_are_verified_and_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut whole = Builder::new(Vec::new());
    whole.append_dir_all(".", oci_layout(dir.path(), &image())).unwrap();
    let whole = whole.into_inner().unwrap();
    let at = whole.windows(4).position(|bytes| bytes == b"gone").unwrap();
    let mut changed = whole.clone();
    changed[at] = b'd';
    assert!(matches!(streamed(&changed), Err(Error::Digest { .. }) | Err(Error::Document { .. })));
    for length in [0, 100, 513, whole.len() / 2, whole.len() - 1600] {
        assert!(read_stream(&whole[..length]).is_err(), "{length} of {}", whole.len());
    }
    // Docker before 25 writes a link where images share a layer.
    let layers = image();
    let manifest =
        json!([{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["b/layer.tar", "c/layer.tar"]}]);
    let archive = Layer::new()
        .entry(EntryType::Regular, "a/layer.tar", 0o644, "", &layers[0])
        .link("b/layer.tar", "../a/layer.tar")
        .entry(EntryType::Regular, "c/layer.tar", 0o644, "", &layers[1])
        .entry(EntryType::Regular, "blobs/sha256/0", 0o644, "", b"not a layer, and no image has it as one")
        .file("c.json", "{}")
        .file("manifest.json", &manifest.to_string())
        .bytes();
    is_right(&streamed(&archive).unwrap());
    let path = dir.path().join("links.tar");
    fs::write(&path, archive).unwrap();
    is_right(&read(&path).unwrap());
}

#[test]
fn what_is_not_an_image_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    for (bytes, wanted) in [
        (b"".to_vec(), "not in the image"),
        (b"hello".to_vec(), "unexpected end of file"),
        (vec![b'x'; 4096], "sum is wrong"),
        (gzip(b"hello"), "as a whole is compressed"),
        (Layer::new().file("a", "b").bytes(), "not in the image"),
        (Layer::new().file("manifest.json", "{").bytes(), "manifest.json: "),
        (Layer::new().file("manifest.json", "[]").bytes(), "holds no image"),
        (Layer::new().file("manifest.json", r#"[{"Config":"x"}]"#).bytes(), "x: not in the image"),
    ] {
        fs::write(&file, bytes).unwrap();
        let error = Archive::open(&file).err().unwrap().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn hostile_layers_are_errors() {
    let escaping = Layer::new().file("../../etc/passwd", "x").bytes();
    let truncated = image()[0][..1000].to_vec();
    let two_sizes = Layer::new().pax(&[("size", b"3")]).file("a", "abcd").bytes();
    let sparse = Layer::new().pax(&[("GNU.sparse.major", b"1")]).file("a", "abcd").bytes();
    let endless_name = Layer::new().entry(EntryType::GNULongName, "x", 0, "", &vec![b'a'; 2 << 20]).bytes();
    let bomb = gzip(&Layer::new().entry(EntryType::Regular, "z", 0, "", &vec![0; 4 << 20]).bytes());
    let cut_gzip = bomb[..bomb.len() / 2].to_vec();
    for (layer, wanted) in [
        (escaping, "leads out of the layer"),
        (truncated, "unexpected end of file"),
        (two_sizes, "two sizes"),
        (sparse, "sparse"),
        (endless_name, "longer than any"),
        (b"BZh91AY".to_vec(), "bzip2"),
        (cut_gzip, ""),
    ] {
        let error = read_layers(&[layer]).err().unwrap().to_string();
        assert!(error.contains(wanted) && error.starts_with("layer 0/layer.tar"), "{error}");
    }
    // 4 MiB of nothing are within proportion, and nothing of them is kept.
    assert!(read_layers(&[bomb]).is_ok());
}

#[test]
fn later_layers_hide_by_kind() {
    let base = Layer::new()
        .program("a/b/tool", 0o4755)
        .program("c", 0o4755)
        .program("d/tool", 0o4755)
        .program("e/tool", 0o4755)
        .program("f/tool", 0o4755);
    let top = Layer::new()
        .file("a", "a file where a directory was")
        .file("c/x", "a directory where a file was")
        .file(".wh.d", "")
        .entry(EntryType::Directory, "e/", 0o755, "", b"")
        .file("f/.wh..wh.plnk", "");
    let (content, _) = read_layers(&[base.bytes(), top.bytes()]).unwrap();
    let paths: Vec<_> = content.privileged_files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/e/tool", "/f/tool"]);
}

#[test]
fn capabilities_and_long_names() {
    let ping: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let long = format!("opt/{}/ping", "d".repeat(180));
    let layer = Layer::new()
        .pax(&[("SCHILY.xattr.security.capability", &ping), ("path", long.as_bytes())])
        .program("short", 0o755);
    let (content, _) = read_layers(&[layer.bytes()]).unwrap();
    assert_eq!(content.privileged_files[0].path, format!("/{long}"));
    assert_eq!(content.privileged_files[0].capabilities.unwrap().names(), ["NET_RAW"]);
}

#[test]
fn databases_behind_links_and_what_is_not_kept() {
    let layer = Layer::new()
        .file("etc/os-release", "ID=opensuse\n")
        .link("var/lib/dpkg/status", "/srv/status")
        .file("srv/status", STATUS);
    let (_, inventory) = read_layers(&[layer.bytes()]).unwrap();
    let reason = &inventory.gaps[0].reason;
    assert!(reason.contains("link to srv/status, which is not kept"), "{reason}");
    let hard = Layer::new().file("var/lib/dpkg/status", STATUS).entry(
        EntryType::Link,
        "lib/apk/db/installed",
        0o644,
        "var/lib/dpkg/status",
        b"",
    );
    assert_eq!(names(&read_layers(&[hard.bytes()]).unwrap().1), ["a 1"]);
    let silent = Layer::new().file("etc/os-release", "ID=x\n");
    let (_, inventory) = read_layers(&[silent.bytes()]).unwrap();
    assert_eq!(inventory.gaps[0].reason, "no package database was found in an image of x");
}

#[test]
fn java_archives_inside_each_other() {
    let zip = |entries: &[(&str, &[u8])]| {
        let mut bytes = Vec::new();
        let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
        for (name, content) in entries {
            let file = archive.new_file(name).compression_method(rawzip::CompressionMethod::DEFLATE);
            let (mut entry, config) = file.start().unwrap();
            let encoder = flate2::write::DeflateEncoder::new(&mut entry, Compression::fast());
            let mut writer = config.wrap(encoder);
            writer.write_all(content).unwrap();
            let (encoder, descriptor) = writer.finish().unwrap();
            encoder.finish().unwrap();
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        bytes
    };
    let inner =
        zip(&[("META-INF/maven/org.x/lib/pom.properties", b"groupId=org.x\nartifactId=lib\nversion=3.0\n")]);
    let outer = zip(&[
        ("META-INF/MANIFEST.MF", b"Implementation-Version: 1.5\r\n"),
        ("BOOT-INF/lib/lib-3.0.jar", &inner),
    ]);
    let mut nested = inner;
    for _ in 0..5 {
        nested = zip(&[("x.jar", &nested)]);
    }
    let layer = Layer::new()
        .entry(EntryType::Regular, "app/app.jar", 0o644, "", &outer)
        .entry(EntryType::Regular, "app/deep-1.jar", 0o644, "", &nested)
        .entry(EntryType::Regular, "app/broken-1.jar", 0o644, "", &outer[..outer.len() / 2]);
    for layer in [layer.bytes()] {
        for bytes in [gzip(&layer), layer] {
            let (_, inventory) = read_layers(&[bytes]).unwrap();
            // `x` are the inner archives that say nothing of themselves.
            let named = inventory.packages.iter().filter(|package| package.name != "x");
            let found: Vec<_> = named.map(|p| (p.name.as_str(), p.location.path.as_str())).collect();
            assert_eq!(
                found,
                [
                    ("app", "/app/app.jar"),
                    ("deep", "/app/deep-1.jar"),
                    ("org.x:lib", "/app/app.jar!/BOOT-INF/lib/lib-3.0.jar")
                ]
            );
            assert_eq!(inventory.gaps.len(), 2, "{:?}", inventory.gaps);
        }
    }
}

#[test]
fn encrypted_layers_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let layout = oci_layout_of(dir.path(), &image(), "application/vnd.oci.image.layer.v1.tar+gzip+encrypted");
    let error = Archive::open(&layout).err().unwrap().to_string();
    assert!(error.starts_with("layer sha256:") && error.ends_with(" is encrypted"), "{error}");
}

#[test]
fn links_out_of_a_layout_are_not_followed() {
    let (outside, dir): (TempDir, TempDir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    oci_layout(outside.path(), &image());
    oci_layout(dir.path(), &image());
    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("blobs"), dir.path().join("blobs")).unwrap();
    assert!(Archive::open(dir.path()).is_err());
}
