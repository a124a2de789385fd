//! Entrances for the fuzz targets of `/fuzz`: one for each parser of bytes that an image brings. They must neither panic
//! nor take more than a little time and memory, whatever the bytes are.

use crate::language;
use crate::packages::bytes::u32_le;
use crate::packages::rpm::{Format, Header, headers};
use crate::packages::{apk, dpkg};

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 15] = [
    ("image_accounts", accounts),
    ("image_apk", apk_installed),
    ("image_archive", archive),
    ("image_containerd", containerd),
    ("image_dpkg", dpkg_status),
    ("image_elf", elf_program),
    ("image_java", java_archive),
    ("image_layer", layer),
    ("image_repositories", repositories),
    ("image_rpm_bdb", rpm_bdb),
    ("image_rpm_header", rpm_header),
    ("image_rpm_ndb", rpm_ndb),
    ("image_rpm_sqlite", rpm_sqlite),
    ("image_sbom", sbom),
    ("image_secrets", secrets),
];

/// passwd, shadow, group and sudoers, and a list of keys.
pub fn accounts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = crate::accounts::resolve("x", &crate::accounts::parse(&text));
    let _ = crate::accounts::parse_groups(&text);
    let _ = crate::accounts::without_password(&text, &text);
    let _ = crate::sudoers::without_password(&text);
    let _ = crate::login::has_key(bytes);
}

/// apk's `installed`.
pub fn apk_installed(bytes: &[u8]) {
    let _ = apk::parse(bytes, "x");
}

/// A whole archive as a stream, compressed or not: its documents and all of its layers.
pub fn archive(bytes: &[u8]) {
    if let Ok(images) = crate::read_stream(bytes) {
        images.iter().for_each(|(_, image)| drop((image.inventory(), image.content("x"))));
    }
}

/// A snapshotter's database: pages, buckets, a chain of snapshots.
pub fn containerd(bytes: &[u8]) {
    let _ = crate::containerd::read_bytes(bytes);
}

/// dpkg's `status`.
pub fn dpkg_status(bytes: &[u8]) {
    let _ = dpkg::parse(bytes, "x");
}

/// A program: its tables, Go's build information, the list of `cargo auditable`.
pub fn elf_program(bytes: &[u8]) {
    let _ = language::add_program(&bytes, "x", &mut Vec::new());
}

/// A Java archive and those inside it.
pub fn java_archive(bytes: &[u8]) {
    let _ = language::java::add_archive(&bytes, "x.jar", &mut Vec::new());
}

/// A layer: gzip or zstd, tar, and all that is read of the files in it.
pub fn layer(bytes: &[u8]) {
    let _ = crate::archive::read_bytes(bytes);
}

/// Files that name repositories.
pub fn repositories(bytes: &[u8]) {
    crate::repositories::parse_all(bytes);
}

/// A Berkeley DB of rpm's.
pub fn rpm_bdb(bytes: &[u8]) {
    let _ = headers(Format::Bdb, bytes, &[]);
}

/// One header.
pub fn rpm_header(bytes: &[u8]) {
    let _ = Header::parse(bytes).map(|header| header.package("x", 0));
}

/// An ndb database.
pub fn rpm_ndb(bytes: &[u8]) {
    let _ = headers(Format::Ndb, bytes, &[]);
}

/// An SQLite database with its log; the first four bytes say where the log begins.
pub fn rpm_sqlite(bytes: &[u8]) {
    let rest = bytes.get(4..).unwrap_or_default();
    let at = u32_le(bytes, 0).and_then(|at| usize::try_from(at).ok()).unwrap_or_default().min(rest.len());
    let _ = headers(Format::Sqlite, &rest[..at], &rest[at..]);
}

/// A bill of materials.
pub fn sbom(bytes: &[u8]) {
    let _ = crate::read_sbom(bytes);
}

/// Every kind of secret.
pub fn secrets(bytes: &[u8]) {
    crate::secrets::confirm_all(bytes);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
