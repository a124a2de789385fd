//! What one layer holds that an audit asks for. A layer never changes, so it is looked at once for all images.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use plimsoll_facts::PrivilegedFile;
use plimsoll_rootdir::RootDir;

use crate::capabilities;
use crate::layered::open_regular;
use crate::secrets::{self, Suspect};
use crate::union::{Union, entry_xattr};
use crate::walk::{Bounds, Visit, walk};

/// Files of one kind that are kept of one layer.
const MAX_HITS: usize = 1_000;
/// Set-id bits of a mode.
const SET_ID: u32 = 0o6000;

/// What one layer holds. Paths are from the layer's root, without a leading slash.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) privileged: Vec<Hit<PrivilegedFile>>,
    pub(crate) secrets: Vec<Hit<()>>,
    pub(crate) programs: Vec<Hit<()>>,
    /// What was left out, and why.
    pub(crate) gaps: Vec<String>,
}

/// A file that an audit asks for.
#[derive(Debug)]
pub(crate) struct Hit<T> {
    pub(crate) path: Vec<u8>,
    pub(crate) what: T,
}

impl<T> Hit<T> {
    pub(crate) fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }
}

impl Survey {
    /// Looks at every file of a layer.
    pub(crate) fn of(layer: &RootDir, union: Union, bounds: Bounds) -> Self {
        let mut survey = Self::default();
        let gaps = walk(layer.as_fd(), union, bounds, &mut |visit| survey.visit(visit));
        survey.gaps.extend(gaps);
        survey.note_overflow();
        survey
    }

    fn visit(&mut self, visit: &Visit<'_>) {
        let name = visit.name.to_bytes();
        if is_program_directory(visit.dir_path) && UNNEEDED_PROGRAMS.contains(&name) {
            push(&mut self.programs, visit, ());
        }
        let Some(stat) = visit.file else { return };
        let mode = u32::from(stat.stx_mode) & 0o7777;
        let capabilities = if mode & 0o111 == 0 { None } else { self.capabilities(visit) };
        if mode & SET_ID != 0 || capabilities.is_some() {
            let (uid, gid) = (stat.stx_uid, stat.stx_gid);
            push(
                &mut self.privileged,
                visit,
                PrivilegedFile { mode, uid, gid, capabilities, ..Default::default() },
            );
        }
        if let Some(suspect) = secrets::suspect(visit.dir_path, name)
            && stat.stx_size > 0
            && self.is_confirmed(suspect, visit)
        {
            push(&mut self.secrets, visit, ());
        }
    }

    /// File capabilities; only files that can be executed are asked, on others they have no effect.
    fn capabilities(&mut self, visit: &Visit<'_>) -> Option<plimsoll_facts::Capabilities> {
        let mut value = [0_u8; capabilities::MAX_SIZE];
        match entry_xattr(visit.dir, visit.os_name(), c"security.capability", &mut value) {
            Ok(size) => capabilities::permitted(value.get(..size?)?),
            Err(errno) => {
                self.gap(visit, &std::io::Error::from(errno));
                None
            }
        }
    }

    fn is_confirmed(&mut self, suspect: Suspect, visit: &Visit<'_>) -> bool {
        let path = visit.path();
        let path = Path::new(OsStr::from_bytes(&path));
        let mut head = Vec::new();
        match open_regular(visit.dir, visit.os_name(), path) {
            Ok(fd) => match File::from(fd).take(secrets::HEAD).read_to_end(&mut head) {
                Ok(_) => return suspect.confirmed(&head),
                Err(error) => self.gap(visit, &error),
            },
            Err(error) => self.gaps.push(error.to_string()),
        }
        false
    }

    fn gap(&mut self, visit: &Visit<'_>, error: &std::io::Error) {
        if self.gaps.len() < MAX_HITS {
            self.gaps.push(format!("/{}: {error}", String::from_utf8_lossy(&visit.path())));
        }
    }

    fn note_overflow(&mut self) {
        let lists = [
            (self.privileged.len(), "set-id files and files with capabilities"),
            (self.secrets.len(), "files with secrets"),
            (self.programs.len(), "unneeded programs"),
        ];
        for (length, what) in lists {
            if length > MAX_HITS {
                self.gaps.push(format!("more than {MAX_HITS} {what}: the rest is not listed"));
            }
        }
        self.privileged.truncate(MAX_HITS);
        self.secrets.truncate(MAX_HITS);
        self.programs.truncate(MAX_HITS);
    }
}

/// Keeps one more than the bound, so that an overflow shows.
fn push<T>(hits: &mut Vec<Hit<T>>, visit: &Visit<'_>, what: T) {
    if hits.len() <= MAX_HITS {
        hits.push(Hit { path: visit.path(), what });
    }
}

fn is_program_directory(dir: &[u8]) -> bool {
    let dir = dir.strip_prefix(b"usr/").unwrap_or(dir);
    let dir = dir.strip_prefix(b"local/").unwrap_or(dir);
    matches!(dir, b"bin" | b"sbin")
}

/// Programs that a service in a container does not need and that help whoever got into it: remote logins, ways to
/// become another user, compilers and debuggers, tools to look around the network.
const UNNEEDED_PROGRAMS: [&[u8]; 24] = [
    b"sshd",
    b"dropbear",
    b"telnetd",
    b"in.telnetd",
    b"in.rshd",
    b"in.rlogind",
    b"inetd",
    b"xinetd",
    b"vsftpd",
    b"in.ftpd",
    b"sudo",
    b"doas",
    b"gcc",
    b"g++",
    b"clang",
    b"tcc",
    b"gdb",
    b"strace",
    b"tcpdump",
    b"nmap",
    b"nc",
    b"ncat",
    b"socat",
    b"docker",
];
