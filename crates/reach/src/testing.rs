//! Small facts for tests: one container as Docker makes it by default, on a host with an ordinary kernel.

use std::collections::BTreeMap;

use plimsoll_facts::{
    Capabilities, CgroupLayout, CgroupMode, Container, Declared, DeviceAccess, Effective, Engine, Fact,
    Facts, Host, ImageConfig, Kernel, Mount, Namespaces, Process, RunningKernel,
};
use plimsoll_seccomp::{Abi, Arg, Data, Denial, Outcome};

use crate::calls::{Calls, Passes};
use crate::stand::{Rights, Stand, root_of};
use crate::truth::Truth;

/// All capabilities of Linux 5.9 and later.
pub(crate) const ALL: Capabilities = Capabilities(0x1ff_ffff_ffff);

/// Calls that Docker's default profile denies without further capabilities.
const DENIED: [&str; 16] = [
    "add_key",
    "bpf",
    "fsconfig",
    "fsmount",
    "fsopen",
    "init_module",
    "io_uring_setup",
    "iopl",
    "keyctl",
    "mount",
    "move_mount",
    "open_by_handle_at",
    "perf_event_open",
    "request_key",
    "unshare",
    "userfaultfd",
];

/// What a container's seccomp setting lets pass.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    /// Docker's default, with what CAP_SYS_ADMIN opens in it.
    Default { admin: bool },
    /// `seccomp=unconfined`.
    Unconfined,
}

impl Passes for Profile {
    fn outcome(&self, abi: Abi, name: &str, args: &[Arg]) -> Outcome {
        let witness = Data {
            number: abi.number(name).unwrap_or_default(),
            arch: abi.audit_arch(),
            instruction_pointer: 0,
            args: [0; 6],
        };
        let namespaces = name == "clone" && matches!(args.first(), Some(Arg::MaskedEqual { .. }));
        let vsock = name == "socket" && args.first() == Some(&Arg::Int(40));
        match self {
            Self::Default { admin: false } if name == "clone3" => Outcome::Denied(Denial::Errno(38)),
            Self::Default { admin: false } if DENIED.contains(&name) || namespaces => {
                Outcome::Denied(Denial::Errno(1))
            }
            Self::Default { .. } if vsock => Outcome::Denied(Denial::Errno(1)),
            _ => Outcome::Allowed { witness },
        }
    }
}

/// A container, and the profile that filters it.
pub(crate) struct Case {
    facts: Facts,
    profile: Profile,
    doors: Vec<(Abi, Truth)>,
}

impl Case {
    /// Docker's defaults, then what the case changes.
    pub(crate) fn new(profile: Profile, change: impl FnOnce(&mut Effective)) -> Self {
        let mut effective = effective();
        change(&mut effective);
        let container = Container {
            id: "c1".into(),
            name: "db".into(),
            state: "running".into(),
            declared: known(Declared {
                image_id: "sha256:1".into(),
                runtime: "runc".into(),
                ..Declared::default()
            }),
            effective: known(effective),
            ..Container::default()
        };
        let image = plimsoll_facts::Image {
            id: "sha256:1".into(),
            config: known(ImageConfig::default()),
            ..plimsoll_facts::Image::default()
        };
        let engine =
            Engine { containers: known(vec![container]), images: known(vec![image]), ..Engine::default() };
        let facts = Facts { host: host(), engines: vec![engine], ..Facts::default() };
        let doors = vec![(Abi::X86_64, Truth::yes("x86_64")), (Abi::I386, Truth::yes("i386"))];
        Self { facts, profile, doors }
    }

    /// The same on a host of which more is known.
    pub(crate) fn on(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    /// All that is known about the host.
    pub(crate) fn into_facts(self) -> Facts {
        self.facts
    }

    /// Where its only process stands.
    pub(crate) fn stand(&self) -> Stand<'_> {
        let engine = &self.facts.engines[0];
        let container = &engine.containers.value().unwrap()[0];
        let effective = container.effective.value().unwrap();
        let process = &effective.processes.value().unwrap()[0];
        Stand {
            facts: &self.facts,
            engine,
            container,
            effective,
            process,
            rights: Rights::of(process, root_of(effective)),
            calls: Calls {
                filter: Ok(&self.profile),
                source: "the kernel's filter",
                doors: &self.doors,
                io_uring: Truth::yes("io_uring"),
            },
        }
    }
}

pub(crate) fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, "test")
}

/// Gives every process these capabilities, and its bounding set.
pub(crate) fn capabilities(effective: &mut Effective, capabilities: Capabilities) {
    for process in effective.processes.value_mut().unwrap() {
        (process.cap_effective, process.cap_permitted) = (capabilities, capabilities);
        process.cap_bounding = capabilities;
    }
}

/// Makes every process an ordinary user's, who holds no capabilities.
pub(crate) fn user(effective: &mut Effective, uid: u32) {
    for process in effective.processes.value_mut().unwrap() {
        process.uids = [uid; 4];
        (process.cap_effective, process.cap_permitted) = (Capabilities(0), Capabilities(0));
    }
}

fn effective() -> Effective {
    let default = Capabilities::DOCKER_DEFAULT;
    let process = Process {
        pid: 100,
        name: "server".into(),
        cap_effective: default,
        cap_permitted: default,
        cap_bounding: default,
        seccomp_mode: 2,
        ..Process::default()
    };
    let mount = |target: &str, options: &str| Mount {
        target: target.into(),
        options: options.into(),
        ..Mount::default()
    };
    let devices = DeviceAccess {
        rules: vec!["c *:* m".into(), "b *:* m".into(), "c 5:2 rwm".into()],
        ..DeviceAccess::default()
    };
    Effective {
        init_pid: 100,
        processes: known(vec![process]),
        namespaces: known(namespaces(2)),
        mounts: known(vec![mount("/", "rw"), mount("/proc", "rw"), mount("/proc/sys", "ro")]),
        host_paths: known(Vec::new()),
        engine_sockets: known(Vec::new()),
        devices: known(devices),
        device_nodes: known(Vec::new()),
        host_descriptors: known(Vec::new()),
        uid_map: known(vec![(0, 0, u32::MAX)]),
        ..Effective::default()
    }
}

fn namespaces(own: u64) -> Namespaces {
    Namespaces { cgroup: 1, ipc: own, mnt: own, net: own, pid: own, time: 1, user: 1, uts: own }
}

fn host() -> Host {
    let built_in = [
        "BPF_SYSCALL",
        "CRYPTO_USER_API_AEAD",
        "FUSE_FS",
        "IA32_EMULATION",
        "IO_URING",
        "KEYS",
        "MODULES",
        "NET_SCHED",
        "NF_TABLES",
        "OVERLAY_FS",
        "PACKET",
        "PERF_EVENTS",
        "USERFAULTFD",
        "USER_NS",
        "VSOCKETS",
    ];
    let config: BTreeMap<String, String> =
        built_in.iter().map(|name| (format!("CONFIG_{name}"), "y".to_owned())).collect();
    let sysctls = [
        ("user.max_user_namespaces", "95000"),
        ("kernel.unprivileged_bpf_disabled", "2"),
        ("kernel.perf_event_paranoid", "2"),
        ("kernel.io_uring_disabled", "0"),
    ];
    let absent = [
        "kernel.unprivileged_userns_clone",
        "kernel.apparmor_restrict_unprivileged_userns",
        "kernel.yama.ptrace_scope",
    ];
    let sysctls = sysctls.map(|(name, value)| (name.to_owned(), known(value.to_owned())));
    let absent = absent.map(|name| (name.to_owned(), Fact::absent("test")));
    Host {
        kernel: Kernel {
            running: known(RunningKernel { machine: "x86_64".into(), ..RunningKernel::default() }),
            config: known(config),
            sysctls: sysctls.into_iter().chain(absent).collect(),
            modules: Fact::absent("test"),
            ..Kernel::default()
        },
        cgroups: known(CgroupLayout { mode: CgroupMode::V1, ..CgroupLayout::default() }),
        namespaces: known(namespaces(1)),
        memory: known(64 << 30),
        ..Host::default()
    }
}
