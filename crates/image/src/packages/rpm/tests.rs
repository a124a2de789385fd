//! The three formats against databases that rpm, SQLite and Berkeley DB wrote (`tests/data/rpm`).

use super::*;

const SQLITE: &[u8] = include_bytes!("../../../tests/data/rpm/rpmdb.sqlite");
const LOGGED: &[u8] = include_bytes!("../../../tests/data/rpm/logged.sqlite");
const LOG: &[u8] = include_bytes!("../../../tests/data/rpm/logged.sqlite-wal");
const NDB: &[u8] = include_bytes!("../../../tests/data/rpm/Packages.db");
const BDB: &[u8] = include_bytes!("../../../tests/data/rpm/Packages");

fn names(headers: &[Header]) -> Vec<&str> {
    let mut names: Vec<_> = headers.iter().map(|header| header.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_format_holds_the_same_packages() {
    let sqlite = headers(Format::Sqlite, SQLITE, &[]).unwrap();
    assert_eq!(sqlite.len(), 12);
    for (format, bytes) in [(Format::Ndb, NDB), (Format::Bdb, BDB)] {
        assert_eq!(names(&headers(format, bytes, &[]).unwrap()), names(&sqlite), "{format:?}");
    }
}

#[test]
fn what_rpm_says_of_a_package() {
    let headers = headers(Format::Sqlite, SQLITE, &[]).unwrap();
    let libs = headers[0].package("/db", 1);
    assert_eq!((libs.name.as_str(), libs.version.as_str()), ("hello-libs", "1.2-3"));
    assert_eq!((libs.source_name.as_deref(), libs.source_version.as_deref()), (Some("hello"), Some("1.2-3")));
    assert_eq!(libs.module.as_deref(), Some("hello:1:20260101000000:abcdef"));
    assert_eq!(
        (libs.architecture.as_deref(), libs.vendor.as_deref()),
        (Some("noarch"), Some("Example Vendor"))
    );
    assert_eq!(headers[0].files.len(), 101);
    assert!(headers[0].files.contains(&b"usr/share/hello/file-7".to_vec()));
    let hello = headers[1].package("/db", 2);
    assert_eq!(hello.version, "1:1.2-3");
    assert_eq!(headers[1].files, [b"usr/bin/hello"]);
}

#[test]
fn the_log_is_part_of_the_database() {
    assert_eq!(names(&headers(Format::Sqlite, LOGGED, &[]).unwrap()), ["hello-libs"]);
    assert_eq!(names(&headers(Format::Sqlite, LOGGED, LOG).unwrap()), ["hello", "hello-libs"]);
    // A frame that does not hold, and all after it, is left over from before.
    let mut torn = LOG.to_vec();
    torn[32 + 24 + 100] ^= 1;
    assert_eq!(names(&headers(Format::Sqlite, LOGGED, &torn).unwrap()), ["hello-libs"]);
    assert_eq!(names(&headers(Format::Sqlite, LOGGED, &LOG[..40]).unwrap()), ["hello-libs"]);
}

#[test]
fn cut_off_anywhere_is_an_error_or_whole() {
    for (format, bytes) in [(Format::Sqlite, SQLITE), (Format::Ndb, NDB), (Format::Bdb, BDB)] {
        for length in (0..bytes.len()).step_by(397) {
            assert!(headers(format, &bytes[..length], &[]).is_err(), "{format:?} {length}");
        }
    }
}

#[test]
fn any_byte_may_be_wrong() {
    for (format, bytes) in [(Format::Sqlite, SQLITE), (Format::Ndb, NDB), (Format::Bdb, BDB)] {
        let mut changed = bytes.to_vec();
        for at in (0..bytes.len()).step_by(131) {
            for value in [0, 1, 0x7f, 0xff] {
                changed[at] = value;
                let _ = headers(format, &changed, &[]);
            }
            changed[at] = bytes[at];
        }
    }
}

#[test]
fn pages_in_a_circle_end() {
    // The root of the table is its own first child.
    let mut looping = SQLITE.to_vec();
    let root = 2 * 512 - 512;
    assert_eq!(looping[root], 5, "page 2 is an inner page");
    let child = usize::from(u16::from_be_bytes([looping[root + 12], looping[root + 13]]));
    looping[root + child..root + child + 4].copy_from_slice(&2_u32.to_be_bytes());
    assert!(headers(Format::Sqlite, &looping, &[]).is_err());
}
