//! Sysctls that decide what a process in a container can do to the host.

use std::collections::BTreeMap;

use plimsoll_facts::Fact;
use plimsoll_rootdir::RootDir;

use crate::source;

/// By dotted name; Documentation/admin-guide/sysctl says what each is for.
const NAMES: [&str; 55] = [
    // What an unprivileged process may use of the kernel: the doors of most container escapes.
    "kernel.unprivileged_bpf_disabled",
    "kernel.unprivileged_userns_clone",
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.apparmor_restrict_unprivileged_unconfined",
    "kernel.apparmor_restrict_unprivileged_io_uring",
    "kernel.io_uring_disabled",
    "kernel.io_uring_group",
    "kernel.perf_event_paranoid",
    "kernel.yama.ptrace_scope",
    "vm.unprivileged_userfaultfd",
    "dev.tty.ldisc_autoload",
    "dev.tty.legacy_tiocsti",
    "user.max_user_namespaces",
    "user.max_mnt_namespaces",
    "user.max_net_namespaces",
    "user.max_pid_namespaces",
    "user.max_ipc_namespaces",
    "user.max_uts_namespaces",
    "user.max_cgroup_namespaces",
    "user.max_time_namespaces",
    // What makes an exploit harder.
    "kernel.kptr_restrict",
    "kernel.dmesg_restrict",
    "kernel.randomize_va_space",
    "kernel.modules_disabled",
    "kernel.kexec_load_disabled",
    "kernel.panic_on_oops",
    "kernel.oops_limit",
    "kernel.warn_limit",
    "kernel.sysrq",
    "net.core.bpf_jit_enable",
    "net.core.bpf_jit_harden",
    "vm.mmap_min_addr",
    // Run by the kernel as root of the host.
    "kernel.core_pattern",
    "kernel.modprobe",
    "fs.suid_dumpable",
    "fs.protected_symlinks",
    "fs.protected_hardlinks",
    "fs.protected_fifos",
    "fs.protected_regular",
    // What containers share, and can use up.
    "kernel.pid_max",
    "kernel.threads-max",
    "kernel.keys.maxkeys",
    "kernel.keys.maxbytes",
    "fs.file-max",
    "fs.inotify.max_user_instances",
    "fs.inotify.max_user_watches",
    "vm.overcommit_memory",
    "vm.max_map_count",
    // What keeps networks apart.
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.send_redirects",
    "net.ipv4.ip_unprivileged_port_start",
];

/// These come with a module: absent while it is not loaded.
const BRIDGE_NAMES: [&str; 2] = ["net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables"];

/// The value of each; absent where this kernel has no such sysctl.
pub(super) fn collect(root: &RootDir) -> BTreeMap<String, Fact<String>> {
    NAMES
        .iter()
        .chain(&BRIDGE_NAMES)
        .map(|name| ((*name).to_owned(), source::text(root, &path(name))))
        .collect()
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}
