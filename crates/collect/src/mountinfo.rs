//! `/proc/PID/mountinfo` as mounts (proc_pid_mountinfo(5)).
//!
//! Containers choose mount points, and with them the bytes in these lines: every line is taken apart strictly, and
//! the number of lines is bounded.

use plimsoll_facts::Mount;

/// Most mounts that are read of one namespace (the kernel's own default limit, `fs.mount-max`, is 100 000).
const MAX_MOUNTS: usize = 32_768;

/// Why a mountinfo file could not be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    /// A line lacks a field or holds something else than the kernel writes.
    #[error("line {line} is not a mount: {what}")]
    Line {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// More mounts than anybody has.
    #[error("more than {MAX_MOUNTS} mounts")]
    TooMany,
}

/// Takes a whole mountinfo file apart, in the kernel's order.
///
/// Paths, the file system type and the source are unescaped, bytes that are not UTF-8 become U+FFFD. Superblock options
/// stay as the kernel writes them: there, an escaped comma is part of a value.
///
/// # Errors
/// When a line is malformed (a file that was cut off, for example) or there are too many.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Mount>, Error> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut mounts = Vec::new();
    for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if mounts.len() == MAX_MOUNTS {
            return Err(Error::TooMany);
        }
        mounts.push(mount(line).map_err(|what| Error::Line { line: index + 1, what })?);
    }
    Ok(mounts)
}

fn mount(line: &[u8]) -> Result<Mount, &'static str> {
    // An empty source leaves two spaces in a row, so that fields are split at every single space.
    let mut fields = line.split(|b| *b == b' ');
    let mut field = |what| fields.next().ok_or(what);
    let mut mount = Mount {
        id: number(field("no mount id")?).ok_or("mount id is not a number")?,
        parent: number(field("no parent id")?).ok_or("parent id is not a number")?,
        device: device(field("no device")?).ok_or("device is not major:minor")?,
        root: unescape(field("no root")?),
        target: unescape(field("no mount point")?),
        options: lossy(field("no options")?),
        ..Mount::default()
    };
    loop {
        let tag = field("no separator")?;
        if tag == b"-" {
            break;
        }
        if let Some(group) = tag.strip_prefix(b"shared:") {
            mount.shared = Some(number(group).ok_or("peer group is not a number")?);
        } else if let Some(group) = tag.strip_prefix(b"master:") {
            mount.master = Some(number(group).ok_or("master group is not a number")?);
        }
    }
    mount.fs_type = unescape(field("no file system type")?);
    mount.source = unescape(field("no source")?);
    mount.super_options = lossy(field("no superblock options")?);
    // Some file systems write spaces into their options.
    for rest in fields {
        mount.super_options.push(' ');
        mount.super_options.push_str(&String::from_utf8_lossy(rest));
    }
    Ok(mount)
}

/// Undoes the kernel's escapes (`\` and three octal digits); anything else stays.
pub(crate) fn unescape(field: &[u8]) -> String {
    if !field.contains(&b'\\') {
        return lossy(field);
    }
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, octal(tail)) {
            (b'\\', Some(byte)) => {
                plain.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    lossy(&plain)
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..3)?;
    let value = digits.iter().try_fold(0_u16, |value, digit| match digit {
        b'0'..=b'7' => Some(value * 8 + u16::from(digit - b'0')),
        _ => None,
    })?;
    u8::try_from(value).ok()
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn device(field: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(field).ok()?;
    let (major, minor) = text.split_once(':')?;
    (major.parse::<u32>().is_ok() && minor.parse::<u32>().is_ok()).then(|| text.to_owned())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_real_host() {
        // From a Debian 12 host with a running engine.
        let mounts = parse(
            b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534\n\
              41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n\
              42 27 254:0 /var/lib/docker /var/lib/docker rw,relatime shared:1 master:7 - ext4 /dev/vda rw\n",
        )
        .unwrap();
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[0].target, "/");
        assert_eq!(mounts[0].super_options, "rw,discard,resuid=65534");
        assert_eq!((mounts[1].fs_type.as_str(), mounts[1].device.as_str()), ("cgroup2", "0:38"));
        assert_eq!((mounts[2].shared, mounts[2].master), (Some(1), Some(7)));
        assert_eq!(mounts[2].root, "/var/lib/docker");
        assert_eq!((mounts[2].id, mounts[2].parent), (42, 27));
    }

    #[test]
    fn escapes_and_foreign_bytes() {
        let line = b"9 1 0:5 /a\\040b /n\\012l\\134\\777\\04 ro,nosuid - fuse.x  rw,lowerdir=/a\\054b:/c\n";
        let mount = &parse(line).unwrap()[0];
        assert_eq!(mount.root, "/a b");
        assert_eq!(mount.target, "/n\nl\\\\777\\04");
        assert_eq!(mount.source, "");
        assert_eq!(mount.super_options, "rw,lowerdir=/a\\054b:/c");
        assert!(mount.is_read_only());

        let mount = &parse(b"9 1 0:5 / /\xff propagate_from:2 - a b c d").unwrap()[0];
        assert_eq!((mount.target.as_str(), mount.options.as_str()), ("/\u{fffd}", "propagate_from:2"));
        assert_eq!(mount.super_options, "c d");
    }

    #[test]
    fn malformed_files_are_errors() {
        assert_eq!(parse(b"").unwrap(), []);
        let error = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        assert_eq!(
            error(b"9 1 0:5 / / rw - a b rw\n9 1 0:5 / / rw shared:1"),
            "line 2 is not a mount: no separator"
        );
        assert_eq!(error(b"\n\n"), "line 1 is not a mount: mount id is not a number");
        assert_eq!(error(b"9 -1 0:5 / / rw - a b rw"), "line 1 is not a mount: parent id is not a number");
        assert_eq!(error(b"9 1 05 / / rw - a b rw"), "line 1 is not a mount: device is not major:minor");
        assert_eq!(
            error(b"9 1 0:5 / / rw shared:x - a b rw"),
            "line 1 is not a mount: peer group is not a number"
        );
        assert_eq!(parse(&b"9 1 0:5 / / rw - a b rw\n".repeat(MAX_MOUNTS + 1)), Err(Error::TooMany));
    }
}
