//! Paths that belong to the system, and who may write them.

use crate::entry::push_component;

/// Directories of programs, libraries, configuration and package databases.
const SYSTEM: [&[u8]; 14] = [
    b"bin",
    b"boot",
    b"etc",
    b"lib",
    b"lib32",
    b"lib64",
    b"libx32",
    b"root",
    b"sbin",
    b"usr",
    b"var/lib/apk",
    b"var/lib/dpkg",
    b"var/lib/rpm",
    b"var/spool/cron",
];
/// Files that make root, which a group must not write either.
const OF_ROOT: [&[u8]; 4] = [b"passwd", b"group", b"shadow", b"sudoers"];

/// Whether a path is the system's.
pub(crate) fn is_system(dir: &[u8], name: &[u8]) -> bool {
    let mut path = dir.to_vec();
    push_component(&mut path, name);
    SYSTEM.iter().any(|system| {
        path.strip_prefix(*system).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// Whether everybody may write what has this mode, or change what is in the directory (a sticky one keeps what belongs to
/// others); or, of the files that make root, a group.
pub(crate) fn may_be_written(dir: &[u8], name: &[u8], is_directory: bool, mode: u32) -> bool {
    let everybody = mode & 0o002 != 0 && !(is_directory && mode & 0o1000 != 0);
    everybody || (!is_directory && dir == b"etc" && OF_ROOT.contains(&name) && mode & 0o020 != 0)
}

#[cfg(test)]
mod tests {
    use super::{is_system, may_be_written};

    #[test]
    fn modes() {
        assert!(
            is_system(b"", b"etc")
                && is_system(b"usr/local/bin", b"x")
                && is_system(b"var/lib/dpkg", b"status")
        );
        assert!(!is_system(b"var/lib", b"mysql") && !is_system(b"", b"users") && !is_system(b"tmp", b"etc"));
        assert!(may_be_written(b"", b"etc", true, 0o777) && may_be_written(b"usr/bin", b"x", false, 0o757));
        assert!(
            !may_be_written(b"usr", b"tmp", true, 0o1777)
                && !may_be_written(b"usr/local", b"bin", true, 0o2775)
        );
        assert!(
            may_be_written(b"etc", b"passwd", false, 0o664)
                && !may_be_written(b"etc", b"hosts", false, 0o664)
        );
    }
}
