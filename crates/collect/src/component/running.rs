//! Processes that run one of the programs, or an older copy of it.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{ComponentKind, Engine, Namespaces, RunningBinary, RunningProgram};
use plimsoll_rootdir::RootDir;

use super::go_build::{self, Program};
use super::kinds;
use super::programs::{self, FileId, OnDisk};
use crate::procs::{Error, PidDir, Processes, Row};
use crate::source::file_name;

/// What the kernel adds to the path of a program whose file is gone.
const DELETED: &str = " (deleted)";

/// Most bytes of a shim's command line.
const MAX_COMMAND_LINE: usize = 64 << 10;

/// A process with the program that it runs.
pub(super) struct Running {
    /// Path of the program; of a program that is not in the host's own tree, a path through `/proc/PID/root`.
    pub(super) path: String,
    /// The program at that path now, if there is one.
    pub(super) on_disk: Option<OnDisk>,
    /// What the bytes that run say about themselves, where they could be read.
    pub(super) bytes: Option<Program>,
    /// The process.
    pub(super) process: RunningProgram,
}

/// Every process that runs a program of a known kind, and every engine's daemon.
///
/// Programs inside of containers are not the host's: only processes whose root directory is the host's count, or
/// that of an engine's daemon.
pub(super) fn find(root: &RootDir, processes: &Processes, engines: &[Engine]) -> Vec<Running> {
    let daemons = engines.iter().filter_map(|engine| engine.daemon.value()).map(|daemon| daemon.pid);
    let daemons: BTreeSet<u32> = daemons.collect();
    let mut search = Search {
        processes,
        host: root,
        homes: Homes::of(root, processes, &daemons),
        on_disk: BTreeMap::new(),
        bytes: BTreeMap::new(),
    };
    let is_candidate = |row: &&Row| {
        daemons.contains(&row.pid)
            || row.exe.as_ref().is_ok_and(|exe| kinds::by_name(file_name(without_mark(exe))).is_some())
    };
    let candidates = processes.rows().iter().filter(is_candidate);
    candidates.filter_map(|row| search.look(row, daemons.contains(&row.pid))).collect()
}

/// Processes that may not be looked into, by what their name says that they are: good enough to know that something
/// is not known, and for nothing else.
pub(super) fn hidden(processes: &Processes) -> Vec<(ComponentKind, RunningProgram)> {
    let hidden = processes.rows().iter().filter_map(|row| {
        let Err(error @ Error::Denied) = row.exe else { return None };
        let process = RunningProgram {
            pid: row.pid,
            started_at: processes.started_at(row),
            binary: RunningBinary::Unknown { reason: error.to_string() },
            parent: row.ppid,
            ..RunningProgram::default()
        };
        Some((kinds::by_name(&row.name)?, process))
    });
    hidden.collect()
}

struct Search<'a> {
    processes: &'a Processes,
    host: &'a RootDir,
    homes: Homes,
    /// By path as in [`Running::path`].
    on_disk: BTreeMap<String, Option<OnDisk>>,
    /// What was read of files that run, most of which are run by many processes.
    bytes: BTreeMap<FileId, Option<Program>>,
}

impl Search<'_> {
    fn look(&mut self, row: &Row, is_daemon: bool) -> Option<Running> {
        let exe = row.exe.as_ref().ok()?;
        let dir = self.processes.open(row).ok()?;
        let home = self.homes.find(&dir, row)?;
        let inside = without_mark(exe);
        let path = match home {
            Home::Host => inside.to_owned(),
            Home::Daemon(pid) => format!("/proc/{pid}/root{inside}"),
        };
        let on_disk = self.on_disk(&path, inside, home);
        let bytes = self.bytes(&dir);
        let by_content = bytes.as_ref().and_then(kinds::by_content);
        // Anybody can call a program dockerd.
        if !is_daemon && by_content.is_none() && !programs::is_usual(inside) {
            return None;
        }
        let process = RunningProgram {
            pid: row.pid,
            started_at: self.processes.started_at(row),
            binary: compare(&dir, exe, inside, on_disk.as_ref()),
            parent: row.ppid,
            ..RunningProgram::default()
        };
        Some(Running { path, on_disk, bytes, process: with_container(process, &dir, inside) })
    }

    fn on_disk(&mut self, path: &str, inside: &str, home: Home) -> Option<OnDisk> {
        if let Some(known) = self.on_disk.get(path) {
            return known.clone();
        }
        let found = match home {
            Home::Host => programs::inspect(self.host, inside),
            Home::Daemon(pid) => {
                self.host.open_process_root(pid).ok().and_then(|root| programs::inspect_any(&root, inside))
            }
        };
        self.on_disk.insert(path.to_owned(), found.clone());
        found
    }

    fn bytes(&mut self, dir: &PidDir) -> Option<Program> {
        let id = FileId::of(&dir.stat("exe").ok()?);
        self.bytes.entry(id).or_insert_with(|| go_build::read(dir.program().ok()?).ok()).clone()
    }
}

/// Whose tree a process lives in.
#[derive(Clone, Copy)]
enum Home {
    Host,
    /// That of the daemon with this pid.
    Daemon(u32),
}

/// Root directories whose programs count.
struct Homes {
    host: Option<FileId>,
    daemons: BTreeMap<FileId, u32>,
    namespaces: Option<Namespaces>,
}

impl Homes {
    fn of(root: &RootDir, processes: &Processes, daemons: &BTreeSet<u32>) -> Self {
        let home = |pid: &u32| {
            let dir = processes.open(processes.get(*pid)?).ok()?;
            Some((FileId::of(&dir.stat("root").ok()?), *pid))
        };
        Self {
            host: root.stat("/", true).ok().map(|stat| FileId::of(&stat)),
            daemons: daemons.iter().filter_map(home).collect(),
            namespaces: processes.kernel_namespaces(),
        }
    }

    /// In a captured tree the mount namespace has to tell.
    fn find(&self, dir: &PidDir, row: &Row) -> Option<Home> {
        match dir.stat("root") {
            Ok(stat) if self.host == Some(FileId::of(&stat)) => Some(Home::Host),
            Ok(stat) => self.daemons.get(&FileId::of(&stat)).map(|pid| Home::Daemon(*pid)),
            Err(Error::Captured) => {
                let mine = row.namespaces.as_ref().ok()?.mnt;
                self.namespaces.is_none_or(|host| host.mnt == mine).then_some(Home::Host)
            }
            Err(_) => None,
        }
    }
}

fn compare(dir: &PidDir, exe: &str, inside: &str, on_disk: Option<&OnDisk>) -> RunningBinary {
    let replaced = || RunningBinary::Replaced { path: inside.to_owned() };
    match (dir.stat("exe"), on_disk) {
        (Ok(stat), Some(on_disk)) if on_disk.id == FileId::of(&stat) => RunningBinary::Current,
        (Ok(_), _) => replaced(),
        (Err(_), _) if exe.ends_with(DELETED) => replaced(),
        (Err(error), _) => RunningBinary::Unknown { reason: error.to_string() },
    }
}

fn without_mark(exe: &str) -> &str {
    exe.strip_suffix(DELETED).unwrap_or(exe)
}

/// The container that a shim holds, from its command line: `-namespace moby -id CONTAINER`, and before containerd 1.2
/// `-namespace moby -workdir …/moby/CONTAINER`.
fn with_container(mut process: RunningProgram, dir: &PidDir, path: &str) -> RunningProgram {
    if kinds::by_name(file_name(path)) != Some(ComponentKind::ContainerdShim) {
        return process;
    }
    let line = dir.read("cmdline", MAX_COMMAND_LINE).unwrap_or_default();
    (process.container, process.containerd_namespace) = shim_arguments(&line);
    process
}

pub(super) fn shim_arguments(line: &[u8]) -> (Option<String>, Option<String>) {
    let words: Vec<_> = line.split(|b| *b == 0).map(String::from_utf8_lossy).collect();
    let after = |flag: &str| {
        let pair = words
            .windows(2)
            .find(|pair| pair[0].trim_start_matches('-') == flag && pair[0].starts_with('-'))?;
        Some(pair[1].clone().into_owned())
    };
    let container = after("id").or_else(|| after("workdir")?.rsplit('/').next().map(str::to_owned));
    (container.filter(|id| !id.is_empty()), after("namespace"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shims_of_both_generations() {
        let v2 = b"/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0ab12\0-address\0/run/c.sock\0";
        assert_eq!(shim_arguments(v2), (Some("ab12".to_owned()), Some("moby".to_owned())));
        let v1 = b"containerd-shim\0-namespace\0moby\0-workdir\0/var/lib/c/moby/cd34\0";
        assert_eq!(shim_arguments(v1), (Some("cd34".to_owned()), Some("moby".to_owned())));
        assert_eq!(shim_arguments(b"shim\0-id"), (None, None));
        assert_eq!(shim_arguments(b""), (None, None));
    }
}
