//! Programs on disk: in the usual directories, and where an engine's runtimes are.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_facts::{ComponentKind, Engine, Fact};
use plimsoll_rootdir::RootDir;
use rustix::fs::{FileType, Statx};

use super::go_build::{self, Program};
use super::kinds;
use crate::gaps::Gaps;
use crate::host::resolve;
use crate::source::{file_name, why};

/// Where distributions, Docker's own packages and archives, containerd's, Flatcar and snap put the programs; as far
/// as `PATH` holds them, in its usual order.
const DIRECTORIES: [&str; 13] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/libexec/docker",
    "/usr/local/libexec/docker",
    "/usr/lib/docker",
    "/opt/containerd/bin",
    "/opt/bin",
    "/snap/docker/current/bin",
    "/snap/docker/current/sbin",
];

/// Most entries of one directory.
const MAX_ENTRIES: usize = 1 << 17;

/// Device and inode, which name a file for as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(u32, u32, u64);

impl FileId {
    /// The file that was asked for.
    pub(super) fn of(stat: &Statx) -> Self {
        Self(stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
    }
}

/// A program on disk.
#[derive(Clone, Debug)]
pub(super) struct OnDisk {
    /// What it is.
    pub(super) kind: ComponentKind,
    /// Its path below its root, after symbolic links.
    pub(super) path: String,
    /// The file.
    pub(super) id: FileId,
    /// What it says about itself, or why it could not be read.
    pub(super) program: Result<Program, String>,
}

/// Every program of a known name in the usual directories, once.
pub(super) fn usual(root: &RootDir, gaps: &mut Gaps) -> Vec<OnDisk> {
    let mut programs: Vec<OnDisk> = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in DIRECTORIES {
        // `/bin` is `/usr/bin` on most hosts.
        let Ok(stat) = root.stat(directory, true) else { continue };
        if !seen.insert(FileId::of(&stat)) {
            continue;
        }
        let entries = match root.read_dir(directory, MAX_ENTRIES) {
            Ok(entries) => entries,
            Err(error) => {
                let _: Fact<()> = gaps.unreadable("host", directory, why(&error));
                continue;
            }
        };
        let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry.name.to_str()).collect();
        names.retain(|name| kinds::by_name(name).is_some());
        names.sort_unstable();
        programs.extend(names.iter().filter_map(|name| inspect(root, &format!("{directory}/{name}"))));
    }
    programs
}

/// Runtimes that an engine names: a path, a name to be found in `PATH`, or the name of a shim.
pub(super) fn runtimes(root: &RootDir, engines: &[&Engine]) -> Vec<OnDisk> {
    let infos = engines.iter().filter_map(|engine| engine.info.value());
    let named = infos.flat_map(|info| &info.runtimes).map(|(name, path)| match path.as_str() {
        "" => name.as_str(),
        path => path,
    });
    let named: BTreeSet<&str> = named.collect();
    named.into_iter().filter_map(|named| runtime(root, named)).collect()
}

fn runtime(root: &RootDir, named: &str) -> Option<OnDisk> {
    if named.starts_with('/') {
        return inspect_any(root, named);
    }
    // containerd, runtime/v2: `io.containerd.runc.v2` is the program containerd-shim-runc-v2.
    let name = match named.strip_prefix("io.containerd.") {
        Some(shim) => format!("containerd-shim-{}", shim.replace('.', "-")),
        None => named.to_owned(),
    };
    if name.contains('/') {
        return None;
    }
    DIRECTORIES.iter().find_map(|directory| inspect_any(root, &format!("{directory}/{name}")))
}

/// The program at a path, if it is one that is known by its name or its content.
pub(super) fn inspect(root: &RootDir, path: &str) -> Option<OnDisk> {
    let program = inspect_any(root, path)?;
    // The docker command of podman is a script.
    let is_foreign = program.kind == ComponentKind::DockerCli && program.program == Ok(Program::NotElf);
    (program.kind != ComponentKind::Other && !is_foreign).then_some(program)
}

/// The program at a path, whatever it is.
pub(super) fn inspect_any(root: &RootDir, path: &str) -> Option<OnDisk> {
    let resolved = resolve(root, Path::new(path)).ok()?;
    let stat = root.stat(&resolved, false).ok()?;
    let is_file = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::RegularFile;
    if !is_file || stat.stx_mode & 0o111 == 0 {
        return None;
    }
    let program = match root.open_file(&resolved) {
        Ok(file) => go_build::read(file).map_err(|error| error.to_string()),
        Err(error) => Err(why(&error)),
    };
    let by_content = program.as_ref().ok().and_then(kinds::by_content);
    let kind = by_content.or_else(|| kinds::by_name(file_name(path))).unwrap_or_default();
    Some(OnDisk { kind, path: resolved.to_str()?.to_owned(), id: FileId::of(&stat), program })
}

/// Whether a path is right in one of the usual directories.
pub(super) fn is_usual(path: &str) -> bool {
    let directory = Path::new(path).parent().and_then(Path::to_str).unwrap_or_default();
    DIRECTORIES.contains(&directory)
}
