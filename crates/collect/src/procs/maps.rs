//! The files of whose code a process is made up: what it has mapped to run (`/proc/PID/maps`, proc_pid_maps(5)).

use std::collections::BTreeSet;

use super::{Error, PidDir};

/// Longest `/proc/PID/maps`: some 80,000 mappings.
const MAPS_LIMIT: usize = 8 * 1024 * 1024;
/// Most files that are kept of one process.
const MAX_FILES: usize = 4096;
/// Fields before the path: addresses, permissions, offset, device, inode.
const FIELDS: usize = 5;

impl PidDir {
    /// Files that the process may run code of, its program among them, by their paths inside the container; ` (deleted)`
    /// included.
    ///
    /// # Errors
    /// When the kernel refuses, or there are more than are read.
    pub(crate) fn mapped_code(&self) -> Result<BTreeSet<String>, Error> {
        parse(&self.read("maps", MAPS_LIMIT)?)
    }
}

/// Files that are mapped with the right to execute. What has no file, as the kernel's own pages, begins with no slash.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
    let mut files = BTreeSet::new();
    for line in bytes.split(|b| *b == b'\n') {
        let mut fields = line.splitn(FIELDS + 1, |b| *b == b' ');
        let (permissions, path) = (fields.nth(1), fields.nth(FIELDS - 2));
        let path = path.map_or(&[][..], <[u8]>::trim_ascii_start);
        if permissions.is_some_and(|it| it.get(2) == Some(&b'x')) && path.starts_with(b"/") {
            files.insert(String::from_utf8_lossy(path).into_owned());
        }
        if files.len() > MAX_FILES {
            return Err(Error::TooMany(MAX_FILES));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_may_be_run() {
        // From a Debian 12 container, shortened; the last but one is made up.
        let maps =
            b"55a4e4a00000-55a4e4a2a000 r--p 00000000 00:2f 1310                       /usr/sbin/maria dbd
55a4e4a2a000-55a4e5400000 r-xp 0002a000 00:2f 1310                       /usr/sbin/maria dbd
7f2a1c000000-7f2a1c021000 rw-p 00000000 00:00 0 
7f2a30a00000-7f2a30a28000 r--p 00000000 00:2f 1405                       /usr/lib/x86_64-linux-gnu/libc.so.6
7f2a30a28000-7f2a30b80000 r-xp 00028000 00:2f 1405                       /usr/lib/x86_64-linux-gnu/libc.so.6
7f2a31000000-7f2a31001000 rwxp 00000000 00:01 2051                       /dev/zero (deleted)
7ffd3a1f0000-7ffd3a1f2000 r-xp 00000000 00:00 0                          [vdso]
";
        let found: Vec<String> = parse(maps).unwrap().into_iter().collect();
        assert_eq!(
            found,
            ["/dev/zero (deleted)", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/sbin/maria dbd"]
        );
        for cut in 0..maps.len() {
            parse(&maps[..cut]).unwrap();
        }
    }

    #[test]
    fn more_files_than_anybody_maps() {
        let lines: String = (0..=MAX_FILES).map(|n| format!("0-1 r-xp 0 0:0 1 /{n}\n")).collect();
        assert_eq!(parse(lines.as_bytes()), Err(Error::TooMany(MAX_FILES)));
    }

    #[test]
    fn this_process_runs_its_own_program() {
        let processes =
            crate::procs::Processes::scan(&plimsoll_rootdir::RootDir::open("/").unwrap()).unwrap();
        let me = processes.get(std::process::id()).unwrap();
        let mapped = processes.open(me).unwrap().mapped_code().unwrap();
        assert!(mapped.contains(me.exe.as_ref().unwrap()) && mapped.len() > 1, "{mapped:?}");
    }
}
