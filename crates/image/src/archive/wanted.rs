//! Which files of an archive are kept while it streams by: package databases, accounts, and
//! what says which distribution it is.

use crate::packages;

const FILES: [&[u8]; 9] = [
    b"etc/os-release",
    b"usr/lib/os-release",
    b"etc/passwd",
    b"etc/shadow",
    b"etc/group",
    b"etc/sudoers",
    b"etc/apt/sources.list",
    b"etc/apk/repositories",
    b"var/lib/dpkg/diversions",
];

/// Directories, and how the names of their files must end.
const DIRECTORIES: [(&[u8], &[u8]); 9] = [
    (b"etc/sudoers.d", b""),
    (b"etc/apt/sources.list.d", b""),
    (b"etc/yum.repos.d", b".repo"),
    (b"etc/zypp/repos.d", b".repo"),
    (b"var/lib/dpkg/info", b".list"),
    (b"var/lib/dpkg/status.d", b""),
    (b"root/buildinfo/content_manifests", b".json"),
    (b"usr/share/buildinfo", b".json"),
    (b"var/lib/rpmmanifest", b""),
];

/// What is asked for, where files can be asked for one by one: of each group the first that is there, a directory with all
/// that is in it. Which package owns a file is left out: it matters to whoever sees all files.
pub(super) const ASKED: [&[&str]; 16] = [
    &["etc/os-release"],
    &["usr/lib/os-release"],
    &["etc/apt/sources.list"],
    &["etc/apt/sources.list.d"],
    &["etc/apk/repositories"],
    &["etc/yum.repos.d"],
    &["etc/zypp/repos.d"],
    &["var/lib/dpkg/status"],
    &["var/lib/dpkg/status.d"],
    // Where `/lib` is a link, both are the same file.
    &["usr/lib/apk/db/installed", "lib/apk/db/installed"],
    // Asked for directories, an engine sends links as what they are.
    &["var/lib/rpm"],
    &["usr/lib/sysimage/rpm"],
    &["var/lib/rpmmanifest"],
    &["var/lib/chisel/manifest.wall"],
    &["root/buildinfo/content_manifests"],
    &["usr/share/buildinfo"],
];

/// Whether a file is kept. Paths are without leading slash.
pub(super) fn is_wanted(dir: &[u8], name: &[u8]) -> bool {
    let is = |file: &&[u8]| file.strip_suffix(name).and_then(|rest| rest.strip_suffix(b"/")) == Some(dir);
    let within = |(parent, ending): &(&[u8], &[u8])| dir == *parent && name.ends_with(ending);
    FILES.iter().any(is)
        || packages::FILES.iter().map(|file| file.as_bytes()).any(|file| is(&file))
        || DIRECTORIES.iter().any(within)
}

/// Whether a symbolic link here can be on the way to a file that is kept, or be one.
pub(super) fn leads_to_wanted(dir: &[u8], name: &[u8]) -> bool {
    if is_wanted(dir, name) {
        return true;
    }
    let mut path = dir.to_vec();
    crate::entry::push_component(&mut path, name);
    let below = |file: &[u8]| {
        file.strip_prefix(path.as_slice()).is_some_and(|rest| rest.starts_with(b"/") || rest.is_empty())
    };
    let files = FILES.iter().copied().chain(packages::FILES.iter().map(|file| file.as_bytes()));
    files.chain(DIRECTORIES.iter().map(|(dir, _)| *dir)).any(below)
        || matches!(path.as_slice(), b"bin" | b"lib")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_kept() {
        for path in ASKED.iter().copied().flatten() {
            let (dir, name) = path.rsplit_once('/').unwrap();
            let in_it = |(parent, _): &(&[u8], &[u8])| *parent == path.as_bytes();
            let is_kept = is_wanted(dir.as_bytes(), name.as_bytes())
                || DIRECTORIES.iter().any(in_it)
                || packages::rpm::DIRS.contains(path);
            assert!(is_kept, "{path}");
        }
    }

    #[test]
    fn databases_and_the_ways_to_them() {
        assert!(is_wanted(b"var/lib/dpkg", b"status"));
        assert!(is_wanted(b"var/lib/dpkg/info", b"libc6:amd64.list"));
        assert!(is_wanted(b"usr/lib/sysimage/rpm", b"rpmdb.sqlite-wal"));
        assert!(!is_wanted(b"var/lib/dpkg/info", b"libc6:amd64.md5sums"));
        assert!(!is_wanted(b"x/var/lib/dpkg", b"status"));
        for (dir, name) in
            [("", "var"), ("var", "lib"), ("var/lib", "rpm"), ("etc", "os-release"), ("", "bin")]
        {
            assert!(leads_to_wanted(dir.as_bytes(), name.as_bytes()), "{dir}/{name}");
        }
        assert!(!leads_to_wanted(b"usr/bin", b"vi"));
        assert!(!leads_to_wanted(b"", b"va"));
    }
}
