//! The profile in a container's OCI bundle, compiled as runC and libseccomp would.

use std::fs::File;
use std::path::Path;

use plimsoll_rootdir::read_at_most;
use plimsoll_seccomp::{Abi, Compiled, Profile};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use serde::Deserialize;

use crate::procs::{Processes, Row};

/// Most bytes of config.json.
const LIMIT: u64 = 4 << 20;
const FILE: &str = "config.json";

#[derive(Deserialize)]
struct Config {
    linux: Option<Linux>,
}

#[derive(Deserialize)]
struct Linux {
    seccomp: Option<Profile>,
}

/// The profile of a container, as its bundle has it. The parent of its first process is the shim, whose working directory
/// is the bundle.
///
/// # Errors
/// Why there is none.
pub(super) fn profile(processes: &Processes, id: &str, init: &Row) -> Result<Profile, String> {
    let shim = processes.get(init.ppid).ok_or("the shim was not found")?;
    let dir = processes.open(shim).map_err(|error| format!("the shim: {error}"))?;
    let bundle = dir.link("cwd").map_err(|error| format!("the shim's working directory: {error}"))?;
    if !Path::new(&bundle).components().any(|part| part.as_os_str() == id) {
        return Err(
            "the working directory of the parent of its first process is no bundle of this container"
                .to_owned(),
        );
    }
    let cwd =
        dir.follow("cwd", OFlags::PATH | OFlags::DIRECTORY).map_err(|error| format!("{bundle}: {error}"))?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let path = Path::new(&bundle).join(FILE);
    let file = openat2(&cwd, FILE, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let bytes = read_at_most(File::from(file), &path, LIMIT).map_err(|error| error.to_string())?;
    let config: Config =
        serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let profile = config.linux.and_then(|linux| linux.seccomp);
    profile.ok_or_else(|| format!("{}: it declares no seccomp filter", path.display()))
}

/// Compiles a profile.
pub(super) fn compiled(profile: &Profile) -> Result<Compiled, String> {
    let native = if cfg!(target_arch = "aarch64") { Abi::Aarch64 } else { Abi::X86_64 };
    profile.compile(native).map_err(|error| error.to_string())
}
