//! Which files of an archive are kept while it streams by: package databases, and what says which distribution it is.

use crate::packages;

const FILES: [&[u8]; 6] = [
    b"etc/os-release",
    b"usr/lib/os-release",
    b"etc/passwd",
    b"etc/apt/sources.list",
    b"etc/apk/repositories",
    b"var/lib/dpkg/diversions",
];

/// Directories, and how the names of their files must end.
const DIRECTORIES: [(&[u8], &[u8]); 8] = [
    (b"etc/apt/sources.list.d", b""),
    (b"etc/yum.repos.d", b".repo"),
    (b"etc/zypp/repos.d", b".repo"),
    (b"var/lib/dpkg/info", b".list"),
    (b"var/lib/dpkg/status.d", b""),
    (b"root/buildinfo/content_manifests", b".json"),
    (b"usr/share/buildinfo", b".json"),
    (b"var/lib/rpmmanifest", b""),
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
