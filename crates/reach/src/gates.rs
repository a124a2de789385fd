//! Gates: what a process in a container could do to the kernel, each as one question.

use plimsoll_facts::{DeviceAccess, HostPath};
use plimsoll_seccomp::{Abi, Arg};

use crate::calls::Calls;
use crate::files;
use crate::kernel;
use crate::precondition::CapabilitySpace::{Init, Netns, Userns};
use crate::stand::{Stand, known};
use crate::truth::Truth;

const CLONE_NEWNS: u64 = 0x0002_0000;
const CLONE_NEWCGROUP: u64 = 0x0200_0000;
const CLONE_NEWNET: u64 = 0x4000_0000;
/// `AF_VSOCK` of linux/socket.h.
const AF_VSOCK: u32 = 40;

/// One question about what a process could do.
pub struct Gate {
    /// Identifier, in kebab-case.
    pub id: &'static str,
    /// What could be done, to be read after "can".
    pub title: &'static str,
    /// Whether who can do it has the host, without any flaw.
    pub gives_host: bool,
    test: fn(&Stand<'_>) -> Truth,
}

impl Gate {
    /// Whether it is open where an attacker stands.
    pub fn test(&self, stand: &Stand<'_>) -> Truth {
        (self.test)(stand)
    }
}

const fn gate(id: &'static str, title: &'static str, test: fn(&Stand<'_>) -> Truth) -> Gate {
    Gate { id, title, gives_host: false, test }
}

const fn way(id: &'static str, title: &'static str, test: fn(&Stand<'_>) -> Truth) -> Gate {
    Gate { id, title, gives_host: true, test }
}

/// Every gate.
pub static GATES: [Gate; 34] = [
    gate("user-namespace", "make a user namespace", |stand| stand.new_user_namespace(0)),
    gate("user-namespace-clone3", "make one by clone3, whose flags no filter sees", |stand| {
        stand.clone3_user_namespace()
    }),
    gate("user-namespace-i386", "make one by 32-bit system calls", |stand| {
        let calls = stand.calls.only(Abi::I386);
        stand.new_user_namespace(0).and(|| calls.new_user_namespace(0))
    }),
    gate("mount", "mount file systems", |stand| {
        stand.capability("SYS_ADMIN", Userns).and(|| stand.system_call("mount"))
    }),
    gate("mount-in-user-namespace", "mount file systems in a new user namespace", |stand| {
        stand.new_user_namespace(CLONE_NEWNS).and(|| stand.system_call("mount"))
    }),
    gate("fsopen", "use the new mount calls", |stand| {
        stand.capability("SYS_ADMIN", Userns).and(|| stand.system_call("fsopen"))
    }),
    gate("fsopen-in-user-namespace", "use the new mount calls in a new user namespace", |stand| {
        stand.new_user_namespace(CLONE_NEWNS).and(|| stand.system_call("fsopen"))
    }),
    gate("cgroup-v1-mount", "mount a cgroup v1 hierarchy", |stand| {
        stand
            .cgroup_v1()
            .and(|| {
                stand
                    .capability("SYS_ADMIN", Userns)
                    .or(|| stand.new_user_namespace(CLONE_NEWNS | CLONE_NEWCGROUP))
            })
            .and(|| stand.system_call("mount"))
    }),
    gate("nf-tables", "write nf_tables rules", |stand| {
        stand.capability("NET_ADMIN", Netns).and(|| stand.nf_tables())
    }),
    gate("nf-tables-in-user-namespace", "write nf_tables rules in a new user namespace", |stand| {
        stand.new_user_namespace(CLONE_NEWNET).and(|| stand.nf_tables())
    }),
    gate("packet-socket", "send and read raw packets", |stand| {
        stand.capability("NET_RAW", Netns).and(|| stand.socket("AF_PACKET", None))
    }),
    gate("vsock", "make sockets to the hypervisor", |stand| stand.socket("AF_VSOCK", None)),
    gate("vsock-i386", "make sockets to the hypervisor by 32-bit system calls", |stand| {
        let calls = stand.calls.only(Abi::I386);
        kernel::module(stand.facts, "vsock").and(|| calls.socket("AF_VSOCK", AF_VSOCK, None, None))
    }),
    gate("crypto-socket", "use the kernel's cryptography (AF_ALG)", |stand| stand.socket("AF_ALG", None)),
    gate("splice", "splice pages", |stand| stand.system_call("splice")),
    gate("io-uring", "use io_uring", |stand| stand.system_call("io_uring_setup")),
    gate("bpf", "load BPF programs", |stand| {
        stand.system_call("bpf").and(|| {
            stand
                .capability("BPF", Init)
                .or(|| stand.capability("SYS_ADMIN", Init))
                .or(|| kernel::sysctl(stand.facts, "kernel.unprivileged_bpf_disabled", |n| n == 0, None))
        })
    }),
    gate("perf-event", "open performance counters", |stand| {
        stand.system_call("perf_event_open").and(|| {
            kernel::sysctl(stand.facts, "kernel.perf_event_paranoid", |n| n <= 2, Some(2))
                .or(|| stand.capability("PERFMON", Init))
                .or(|| stand.capability("SYS_ADMIN", Init))
        })
    }),
    gate("userfaultfd", "handle page faults in user space", |stand| stand.system_call("userfaultfd")),
    gate("keyring", "use the kernel's keyrings", |stand| stand.system_call("keyctl")),
    gate("ptrace", "trace processes", |stand| stand.system_call("ptrace")),
    gate("fuse", "serve a file system from user space", |stand| {
        kernel::module(stand.facts, "fuse").and(|| stand.device("/dev/fuse"))
    }),
    gate("set-user-id", "gain privileges by a set-user-ID program", |stand| stand.set_user_id()),
    gate("new-privileges", "gain privileges by running a program", |stand| stand.new_privileges()),
    way("file-handles", "open any file of the host by its handle", |stand| {
        stand.capability("DAC_READ_SEARCH", Init).and(|| stand.system_call("open_by_handle_at"))
    }),
    way("core-pattern", "have the kernel run a program as root (core_pattern)", |stand| {
        stand.sysctl_file("/proc/sys/kernel/core_pattern", "write core_pattern")
    }),
    way("release-agent", "have the kernel run a program as root (release_agent)", |stand| {
        stand.release_agent()
    }),
    way("module-load", "load kernel modules", |stand| {
        kernel::option(stand.facts, "MODULES")
            .and(|| stand.capability("SYS_MODULE", Init))
            .and(|| stand.calls.pass("init_module", &[]).or(|| stand.calls.pass("finit_module", &[])))
            .and(|| {
                kernel::not_locked_down(stand.facts)
                    .or(|| Truth::unknown("whether a module that the kernel's keys sign is at hand"))
            })
    }),
    way("host-disks", "write to the host's disks", |stand| stand.host_disks()),
    way("host-processes", "take over processes of the host", |stand| {
        stand
            .same_namespace("PID", |namespaces| namespaces.pid)
            .and(|| stand.system_call("ptrace"))
            .and(|| stand.takes_over_processes())
    }),
    way("engine-socket", "command the engine by its socket", |stand| stand.engine_socket()),
    way("host-files", "write to files that the host runs or obeys", |stand| stand.host_files()),
    way("host-descriptor", "use a descriptor that leads out of the container", |stand| {
        stand.host_descriptor()
    }),
    way("raw-io", "talk to the hardware's ports", |stand| {
        kernel::option(stand.facts, "X86_IOPL_IOPERM")
            .and(|| stand.capability("SYS_RAWIO", Init))
            .and(|| stand.calls.pass("iopl", &[]))
            .and(|| kernel::not_locked_down(stand.facts))
    }),
];

/// Folders of the host: who writes there has the host.
const DECISIVE: [&str; 14] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/opt",
    "/root",
    "/sbin",
    "/usr",
    "/var",
    "/var/lib/docker",
];

impl<'f> Calls<'f> {
    /// The same calls by one door.
    pub(crate) fn only(&self, abi: Abi) -> Calls<'f> {
        let doors = self.doors.iter().position(|(door, _)| *door == abi);
        Calls {
            filter: self.filter.clone(),
            source: self.source,
            doors: doors.map_or(&[], |at| &self.doors[at..=at]),
            io_uring: Truth::no(format!("not by {}", abi.name())),
        }
    }
}

impl Stand<'_> {
    fn clone3_user_namespace(&self) -> Truth {
        self.new_user_namespace(0).and(|| self.calls.pass("clone3", &[]))
    }

    fn nf_tables(&self) -> Truth {
        kernel::module(self.facts, "nf_tables").and(|| self.socket("AF_NETLINK", Some("NETFILTER")))
    }

    /// A file below `/proc/sys` that only the host's root may write.
    fn sysctl_file(&self, path: &str, what: &str) -> Truth {
        self.path_writable(path).and(|| self.host_root()).and(|| self.unconfined(what))
    }

    /// The file is at the root of a v1 hierarchy only, which another cgroup namespace hides, and takes the host's
    /// privileges (cgroups(7), "Cgroup v1 release notification").
    fn release_agent(&self) -> Truth {
        self.cgroup_v1()
            .and(|| self.host_cgroup_namespace())
            .and(|| self.host_root())
            .and(|| self.capability("SYS_ADMIN", Init))
            .and(|| self.system_call("mount"))
    }

    fn host_disks(&self) -> Truth {
        let all = |devices: &DeviceAccess| {
            let opens = |rule: &&String| {
                let accesses = rule.rsplit(' ').next().unwrap_or_default();
                rule.starts_with('b') && accesses.contains(['r', 'w'])
            };
            match (devices.all, devices.rules.iter().find(opens)) {
                (true, _) => Truth::yes("the cgroup allows every device"),
                (false, Some(rule)) => Truth::yes(format!("the cgroup allows {rule}")),
                (false, None) => Truth::no("device cgroup: the host's disks are denied"),
            }
        };
        self.devices().map_or_else(|unknown| unknown, all).and(|| {
            self.capability("MKNOD", Init)
                .and(|| {
                    let block = Arg::MaskedEqual { mask: 0xf000, value: 0x6000 };
                    self.calls
                        .pass("mknod", &[Arg::Any, block])
                        .or(|| self.calls.pass("mknodat", &[Arg::Any, Arg::Any, block]))
                })
                .or(|| self.disk_node())
        })
    }

    /// Whether a disk of the host is in `/dev`: the kinds and modes of nodes are not among the facts.
    fn disk_node(&self) -> Truth {
        match self.seen(&self.effective.device_nodes, "device nodes") {
            Err(unknown) => unknown,
            Ok(nodes) => match nodes.iter().find(|node| !files::is_character_device(node)) {
                None => Truth::no("devices: no node of a disk"),
                Some(node) => {
                    Truth::unknown(format!("whether {node} is a disk that {} may open", self.who()))
                }
            },
        }
    }

    /// Whether it may trace processes that it sees: who lacks the capability may trace those of its own user that hold
    /// no more capabilities than itself (ptrace(2), "Ptrace access mode checking").
    fn takes_over_processes(&self) -> Truth {
        self.capability("SYS_PTRACE", Init).or(|| {
            let uid = self.rights.uid;
            let missing =
                format!("whether a process of the host runs as user {uid} with no more capabilities");
            self.in_initial_user_namespace().and(|| Truth::unknown(missing))
        })
    }

    fn engine_socket(&self) -> Truth {
        match self.seen(&self.effective.engine_sockets, "engine sockets in the mounts") {
            Err(unknown) => unknown,
            Ok(sockets) => match sockets.first() {
                None => Truth::no("mounts: no socket of an engine"),
                Some(socket) => {
                    let may = self.host_root().or(|| {
                        self.capability("DAC_OVERRIDE", Init)
                            .or(|| Truth::unknown(format!("whether it may connect to {}", socket.target)))
                    });
                    may.and(|| {
                        Truth::yes(format!("the socket of {} is at {}", socket.program, socket.target))
                    })
                }
            },
        }
    }

    fn host_files(&self) -> Truth {
        let decisive = |path: &&HostPath| {
            let host = path.host.trim_end_matches('/');
            (path.writable || !path.writable_below.is_empty())
                && DECISIVE.iter().any(|folder| folder.trim_end_matches('/') == host)
        };
        match self.seen(&self.effective.host_paths, "paths of the host") {
            Err(unknown) => unknown,
            Ok(paths) => match paths.iter().find(decisive) {
                None => Truth::no("mounts: no such path can be written to"),
                Some(path) => self
                    .host_root()
                    .or(|| self.capability("DAC_OVERRIDE", Init))
                    .and(|| Truth::yes(format!("{} of the host is writable at {}", path.host, path.target))),
            },
        }
    }

    fn host_descriptor(&self) -> Truth {
        match known(&self.effective.host_descriptors, "open descriptors") {
            Err(unknown) => unknown,
            Ok(open) => match open.iter().find(|open| open.kind == "directory") {
                None => Truth::no("descriptors: none leads to a folder of the host"),
                Some(open) => {
                    let what =
                        format!("{} of process {} leads to {} of the host", open.link, open.pid, open.target);
                    self.host_root().and(|| Truth::yes(what))
                }
            },
        }
    }
}
