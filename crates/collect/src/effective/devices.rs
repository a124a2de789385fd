//! Devices: what the cgroup allows, and which nodes are there.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use plimsoll_facts::{DeviceAccess, Mount};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;

use super::cgroup_files::{CgroupFiles, Missing};
use crate::procs::{Cgroups, PidDir};

/// Most device nodes that are reported of one container.
const MAX_NODES: usize = 1024;
/// Most entries of one directory below `/dev`.
const MAX_ENTRIES: usize = 4096;
/// Directories in directories below `/dev` (`/dev/bus/usb/001`).
const MAX_DEPTH: usize = 4;

/// Reads what the v1 device controller allows, or, without one, what the BPF programs of the v2 hierarchy do; with these,
/// which they are.
///
/// # Errors
/// When the cgroup cannot be read, or a program is not understood.
pub(super) fn rules(
    files: &CgroupFiles<'_>,
    cgroups: &Cgroups,
) -> Result<(DeviceAccess, Option<String>), String> {
    let branch = match files.branch(cgroups, "devices", "devices") {
        Ok(branch) => branch,
        Err(Missing::Unreadable(why)) => return Err(why),
        Err(Missing::NoController(_)) => return by_programs(files, cgroups),
    };
    let list = branch
        .own("devices.list")?
        .ok_or_else(|| format!("{}: no such file", branch.file("devices.list")))?;
    Ok((access(&list), None))
}

fn by_programs(files: &CgroupFiles<'_>, cgroups: &Cgroups) -> Result<(DeviceAccess, Option<String>), String> {
    let failed = |error: String| format!("BPF programs that guard devices: {error}");
    let cgroup = files.unified(cgroups).map_err(failed)?;
    let programs =
        plimsoll_probe::devices::programs(cgroup.as_fd()).map_err(|error| failed(error.to_string()))?;
    let ids: Vec<String> = programs.iter().map(|program| program.id.to_string()).collect();
    let source = match ids.as_slice() {
        [] => "no BPF program of its cgroup guards devices".to_owned(),
        ids => format!("BPF_CGROUP_DEVICE program {}", ids.join(", ")),
    };
    let rules = files.devices_by(programs).map_err(|error| format!("{source}: {error}"))?;
    Ok((access(&rules.join("\n")), Some(source)))
}

pub(super) fn access(list: &str) -> DeviceAccess {
    let rules: Vec<String> = list.lines().map(str::to_owned).collect();
    DeviceAccess {
        all: rules.iter().any(|rule| rule == "a *:* rwm"),
        extra: rules
            .iter()
            .filter(|rule| !DeviceAccess::DEFAULT_RULES.contains(&rule.as_str()))
            .cloned()
            .collect(),
        rules,
        nodes: Vec::new(),
    }
}

/// Whether a character device gives away nothing of the host: null, zero, full, random, urandom, tty, console, ptmx
/// and pseudo-terminals (the kernel's admin-guide/devices.txt).
pub(super) fn is_harmless(major: u32, minor: u32) -> bool {
    matches!((major, minor), (1, 3 | 5 | 7..=9) | (5, 0..=2) | (136..=143, _))
}

/// Device nodes in the container's `/dev`, without the harmless ones. Other file systems mounted below it are left
/// alone: their servers may be the container's own, and keep us waiting.
///
/// # Errors
/// When `/dev` cannot be opened or listed, or holds too much.
pub(super) fn nodes(dir: &PidDir, mounts: &[Mount]) -> Result<Vec<String>, String> {
    let text = |errno: Errno| format!("/dev: {errno}");
    let root = dir.follow("root", OFlags::PATH | OFlags::DIRECTORY).map_err(|e| e.to_string())?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
    let dev = match fs::openat2(&root, "dev", flags, Mode::empty(), resolve) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        other => other.map_err(text)?,
    };
    let stat = fs::statx(&dev, "", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, StatxFlags::TYPE);
    let stat = stat.map_err(text)?;
    let device = format!("{}:{}", stat.stx_dev_major, stat.stx_dev_minor);
    match mounts.iter().find(|mount| mount.device == device) {
        Some(mount) if !mount.fs_type.starts_with("fuse") => {}
        Some(_) => return Err("/dev is served by a FUSE server".to_owned()),
        None => return Err("/dev was mounted while plimsoll looked".to_owned()),
    }
    let mut nodes = Vec::new();
    walk(&dev, "/dev", 0, &mut nodes)?;
    nodes.sort_unstable();
    Ok(nodes)
}

fn walk(dir: &OwnedFd, path: &str, depth: usize, nodes: &mut Vec<String>) -> Result<(), String> {
    let text = |errno: Errno| format!("{path}: {errno}");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = fs::openat(dir, ".", flags, Mode::empty()).map_err(text)?;
    for (index, entry) in fs::Dir::new(readable).map_err(text)?.enumerate() {
        if index == MAX_ENTRIES || nodes.len() == MAX_NODES {
            return Err(format!(
                "{path} holds more than {MAX_ENTRIES} files, or more than {MAX_NODES} devices"
            ));
        }
        let entry = entry.map_err(text)?;
        let name = entry.file_name();
        let below = || format!("{path}/{}", name.to_string_lossy());
        match entry.file_type() {
            FileType::Directory if name != c"." && name != c".." => {
                let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                match fs::openat2(dir, name, flags, Mode::empty(), resolve) {
                    Ok(child) if depth < MAX_DEPTH => walk(&child, &below(), depth + 1, nodes)?,
                    Ok(_) => return Err(format!("{}: too deep", below())),
                    // Another file system, or gone.
                    Err(_) => {}
                }
            }
            // A file can be covered by a device that is mounted on it.
            FileType::CharacterDevice | FileType::BlockDevice | FileType::RegularFile
                if is_device(dir, name) =>
            {
                nodes.push(below());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether an entry is the node of a device that could give something away.
fn is_device(dir: &OwnedFd, name: &CStr) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
    let Ok(stat) = fs::statx(dir, name, flags, StatxFlags::TYPE) else { return false };
    let number = (stat.stx_rdev_major, stat.stx_rdev_minor);
    match FileType::from_raw_mode(stat.stx_mode.into()) {
        FileType::BlockDevice => true,
        // 0:0 is the mark of a deleted file in an overlay.
        FileType::CharacterDevice => number != (0, 0) && !is_harmless(number.0, number.1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_beyond_the_defaults() {
        // `docker run --device-cgroup-rule 'b 254:0 rwm'` on Docker 20.10.
        let access_of = |extra: &str| access(&format!("{}\n{extra}", DeviceAccess::DEFAULT_RULES.join("\n")));
        let granted = access_of("b 254:0 rwm");
        assert_eq!((granted.all, granted.extra), (false, vec!["b 254:0 rwm".to_owned()]));
        assert!(access_of("").extra.is_empty());
        assert!(access("a *:* rwm").all);
    }

    #[test]
    fn nodes_of_this_machine() {
        let root = plimsoll_rootdir::RootDir::open("/").unwrap();
        let proc = crate::procs::Proc::open(&root).unwrap();
        let me = proc.pid(std::process::id()).unwrap();
        let mounts = super::super::mounts::read(&me).unwrap();
        let nodes = nodes(&me, &mounts).unwrap();
        assert!(!nodes.iter().any(|node| node == "/dev/null"));
    }
}
