//! The host: kernel, cgroups, accounts, audit rules, files.

mod accounts;
mod acl;
mod audit;
mod audit_message;
mod audit_rules;
mod cgroups;
mod file_access;
mod files;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod installed_kernels;
mod kernel;
mod kernel_config;
mod kernel_state;
mod machine;
mod modules;
mod namespaces;
mod os_release;
mod other_abis;
mod rests_on;
mod security_modules;
mod signing;
mod sysctls;

use plimsoll_facts::{Fact, Host, Kernel, Mount, Seccomp};
use plimsoll_rootdir::RootDir;

pub(crate) use file_access::{Describer, resolve};

use crate::gaps::Gaps;
use crate::mountinfo;
use crate::packages::Packages;
use crate::source;

const SUBJECT: &str = "host";

/// Most bytes of the host's mountinfo; each container adds some hundred.
const MAX_MOUNTINFO: u64 = 16 << 20;

/// Reads the host. Its listening sockets and the filters of containers are left to be filled in.
pub(crate) fn collect(root: &RootDir, packages: &Packages<'_>, gaps: &mut Gaps) -> Host {
    let mounts = gaps.keep(SUBJECT, mounts(root));
    let os = gaps.keep(SUBJECT, os_release::collect(root));
    Host {
        packages: gaps.keep(SUBJECT, rests_on::collect(root, &os)),
        hostname: gaps.keep(SUBJECT, kernel::hostname(root)),
        os,
        kernel: kernel(root, packages, gaps),
        cgroups: gaps.keep(SUBJECT, cgroups::collect(root, &mounts)),
        namespaces: gaps.keep(SUBJECT, namespaces::collect(root)),
        memory: gaps.keep(SUBJECT, machine::memory(root)),
        cpus: gaps.keep(SUBJECT, machine::cpus(root)),
        mounts,
        accounts: {
            let accounts = accounts::collect(root, gaps);
            gaps.keep(SUBJECT, accounts)
        },
        audit: gaps.keep(SUBJECT, audit::collect(root)),
        files: files::collect(root, gaps),
        listeners: Fact::default(),
        reboot_required: gaps.keep(SUBJECT, machine::reboot_required(root)),
        seccomp: Seccomp::default(),
        signing: signing::collect(root, gaps),
    }
}

fn kernel(root: &RootDir, packages: &Packages<'_>, gaps: &mut Gaps) -> Kernel {
    let running = gaps.keep(SUBJECT, kernel::running(root));
    let release = running.value().map(|running| running.release.as_str());
    let kernels = installed_kernels::collect(root, packages, release);
    let cmdline = gaps.keep(SUBJECT, kernel::cmdline(root));
    let config = gaps.keep(SUBJECT, kernel_config::collect(root, release));
    let lsms = gaps.keep(SUBJECT, security_modules::lsms(root, &config, &cmdline));
    let sysctls = sysctls::collect(root);
    Kernel {
        package: gaps.keep(SUBJECT, kernels.running_package),
        installed: gaps.keep(SUBJECT, kernels.installed),
        boot_time: gaps.keep(SUBJECT, kernel::boot_time(root)),
        sysctls: sysctls.into_iter().map(|(name, fact)| (name, gaps.keep(SUBJECT, fact))).collect(),
        lockdown: gaps.keep(SUBJECT, security_modules::lockdown(root, &lsms)),
        cpu_vulnerabilities: gaps.keep(SUBJECT, kernel_state::cpu_vulnerabilities(root)),
        livepatches: gaps.keep(SUBJECT, kernel_state::livepatches(root)),
        modules: gaps.keep(SUBJECT, kernel_state::modules(root)),
        modules_on_disk: gaps.keep(SUBJECT, modules::on_disk(root, release)),
        other_abis: gaps.keep(SUBJECT, other_abis::collect(root)),
        running,
        cmdline,
        config,
        lsms,
    }
}

/// The mounts of pid 1, which are the host's; the collector's own where those may not be read.
fn mounts(root: &RootDir) -> Fact<Vec<Mount>> {
    let read = |path: &str| match root.read(path, MAX_MOUNTINFO) {
        Ok(bytes) => match mountinfo::parse(&bytes) {
            Ok(mounts) => Fact::known(mounts, path),
            Err(error) => Fact::unreadable(path, error.to_string()),
        },
        Err(error) => source::read(path, Err(error)),
    };
    match read("/proc/1/mountinfo") {
        Fact::Known { value, source } => Fact::known(value, source),
        _ => read("/proc/self/mountinfo"),
    }
}
