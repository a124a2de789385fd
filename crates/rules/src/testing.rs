//! Small facts for the tests of rules: one host, one engine, one image, one running container, all as Docker's
//! defaults make them on a cgroup v2 host without AppArmor or SELinux; a closure makes the case.

use std::collections::BTreeMap;

pub(crate) mod bare;
mod default_container;
mod every_rule;

use plimsoll_facts::{
    Accounts, Capabilities, CgroupHome, CgroupLayout, CgroupMode, Container, Daemon, Declared, DeviceAccess,
    Effective, Engine, EngineInfo, EngineKind, EngineVersion, Fact, Facts, Host, HostConfig, HostPath, Image,
    ImageConfig, ImageContent, Limits, Namespaces, Network, OsRelease, PrivilegedFile, Process,
    RunningKernel, Seccomp, SeccompFilter, SeccompSource, Socket,
};

use self::default_container::default_container;
use crate::{Finding, Rule, Status, judge};

/// Inode numbers of the initial namespaces (`include/uapi/linux/nsfs.h` and neighbours).
pub(crate) const HOST_NAMESPACES: Namespaces = Namespaces {
    cgroup: 4_026_531_835,
    ipc: 4_026_531_839,
    mnt: 4_026_531_841,
    net: 4_026_531_840,
    pid: 4_026_531_836,
    time: 4_026_531_834,
    user: 4_026_531_837,
    uts: 4_026_531_838,
};

/// The namespaces of the default container; the user namespace is the host's.
pub(crate) const OWN_NAMESPACES: Namespaces = Namespaces {
    cgroup: 4_026_532_635,
    ipc: 4_026_532_639,
    mnt: 4_026_532_641,
    net: 4_026_532_640,
    pid: 4_026_532_636,
    time: HOST_NAMESPACES.time,
    user: HOST_NAMESPACES.user,
    uts: 4_026_532_638,
};

/// A host with one engine, one image and one running container of Docker's defaults; `change` makes the case.
pub(crate) fn container(change: impl FnOnce(&mut Container)) -> Facts {
    let mut facts = host();
    let mut container = default_container();
    change(&mut container);
    facts.engine().containers.value_mut().unwrap().push(container);
    facts
}

/// The same container, not running.
pub(crate) fn stopped(change: impl FnOnce(&mut Container)) -> Facts {
    container(|c| {
        c.state = "exited".into();
        c.effective = Fact::absent("/proc");
        c.declared().pid = 0;
        change(c);
    })
}

/// A host with one engine and its image, without containers; `change` makes the case of the image.
pub(crate) fn image(change: impl FnOnce(&mut Image)) -> Facts {
    let mut facts = host();
    change(facts.image());
    facts
}

/// A host with one engine, whose only network is Docker's default bridge; `change` makes the case of the network.
pub(crate) fn network(change: impl FnOnce(&mut Network)) -> Facts {
    let mut facts = host();
    change(facts.network());
    facts
}

/// A host with one engine, its default bridge and one image; no containers.
pub(crate) fn host() -> Facts {
    let known = |name: &str, value: &str| {
        (name.to_owned(), Fact::known(value.to_owned(), format!("/proc/sys/{}", name.replace('.', "/"))))
    };
    let kernel = plimsoll_facts::Kernel {
        running: Fact::known(
            RunningKernel { release: "6.12.9-amd64".into(), machine: "x86_64".into(), ..Default::default() },
            "uname(2)",
        ),
        lsms: Fact::known(vec!["capability".into(), "landlock".into()], "/sys/kernel/security/lsm"),
        sysctls: BTreeMap::from([
            known("kernel.pid_max", "4194304"),
            known("kernel.threads-max", "63000"),
            known("net.bridge.bridge-nf-call-iptables", "1"),
            known("net.bridge.bridge-nf-call-ip6tables", "1"),
        ]),
        ..Default::default()
    };
    let controllers = ["cpu", "cpuset", "io", "memory", "pids"]
        .map(|name| (name.to_owned(), CgroupHome { version: 2, mount: "/sys/fs/cgroup".into() }));
    let cgroups = CgroupLayout {
        mode: CgroupMode::V2,
        controllers: controllers.into(),
        v2_mount: Some("/sys/fs/cgroup".into()),
    };
    Facts {
        collected_at: 1_760_000_000,
        host: Host {
            hostname: Fact::known("harbour".into(), "uname(2)"),
            kernel,
            cgroups: Fact::known(cgroups, "/proc/self/mountinfo"),
            namespaces: Fact::known(HOST_NAMESPACES, "/proc/2/ns"),
            memory: Fact::known(8 << 30, "/proc/meminfo"),
            cpus: Fact::known(4, "/sys/devices/system/cpu/online"),
            accounts: Fact::known(
                Accounts { docker_gid: Some(994), ..Accounts::default() },
                "/etc/passwd, /etc/group",
            ),
            listeners: Fact::known(Vec::new(), "inet_diag"),
            seccomp: default_seccomp(),
            ..Host::default()
        },
        engines: vec![default_engine()],
        ..Facts::default()
    }
}

/// One program, that of the engine's default profile.
fn default_seccomp() -> Seccomp {
    let filter = SeccompFilter { source: SeccompSource::KernelBpf, programs: vec![0], uncertain: Vec::new() };
    Seccomp { filters: vec![filter], programs: vec!["BgAAAAAA/38=".into()] }
}

fn default_engine() -> Engine {
    let info = EngineInfo {
        storage_driver: "overlay2".into(),
        data_root: "/var/lib/docker".into(),
        logging_driver: "json-file".into(),
        cgroup_driver: "systemd".into(),
        cgroup_version: "2".into(),
        security_options: vec!["name=seccomp,profile=builtin".into(), "name=cgroupns".into()],
        ..EngineInfo::default()
    };
    let bridge = Network {
        id: "b41d6e".into(),
        name: "bridge".into(),
        driver: "bridge".into(),
        scope: "local".into(),
        subnets: vec!["172.17.0.0/16".into()],
        options: [
            ("com.docker.network.bridge.default_bridge", "true"),
            ("com.docker.network.bridge.enable_icc", "true"),
            ("com.docker.network.bridge.name", "docker0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        ..Network::default()
    };
    Engine {
        id: "E".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        kind: EngineKind::Docker,
        daemon: Fact::known(
            Daemon { pid: 800, exe: "/usr/bin/dockerd".into(), ..Daemon::default() },
            "/proc/800",
        ),
        version: Fact::known(
            EngineVersion { version: "28.5.2".into(), api: "1.51".into(), ..EngineVersion::default() },
            "GET /version",
        ),
        info: Fact::known(info, "GET /info"),
        listeners: Fact::known(Vec::new(), "/proc/800/fd"),
        networks: Fact::known(vec![bridge], "GET /networks"),
        volumes: Fact::known(Vec::new(), "GET /volumes"),
        plugins: Fact::known(Vec::new(), "GET /plugins"),
        swarm: Fact::absent("GET /info"),
        images: Fact::known(vec![default_image()], "GET /images/json"),
        containers: Fact::known(Vec::new(), "GET /containers/json"),
        ..Engine::default()
    }
}

fn default_image() -> Image {
    let file = |path: &str, mode| PrivilegedFile {
        path: path.into(),
        mode,
        packaged: Some(true),
        ..PrivilegedFile::default()
    };
    Image {
        id: "sha256:feed".into(),
        tags: vec!["mariadb:11".into()],
        config: Fact::known(
            ImageConfig { exposed_ports: vec!["3306/tcp".into()], ..ImageConfig::default() },
            "GET /images/sha256:feed/json",
        ),
        content: Fact::known(
            ImageContent {
                source: "overlay directories".into(),
                os: Some(OsRelease { id: "debian".into(), ..OsRelease::default() }),
                accounts: vec![("root".into(), 0, 0), ("mysql".into(), 999, 999)],
                uid: Some(0),
                privileged_files: vec![file("/usr/bin/su", 0o4755), file("/usr/bin/mount", 0o4755)],
                packages: Some(151),
                ..bare::nothing_found()
            },
            "overlay directories",
        ),
        ..Image::default()
    }
}

/// The process of an official MariaDB image after its entry point has dropped root.
pub(crate) fn process(pid: u32, name: &str, uid: u32) -> Process {
    let held = if uid == 0 { Capabilities::DOCKER_DEFAULT } else { Capabilities::default() };
    Process {
        pid,
        ppid: 4700,
        name: name.into(),
        exe: Some(format!("/usr/sbin/{name}")),
        uids: [uid; 4],
        gids: [uid; 4],
        cap_effective: held,
        cap_permitted: held,
        cap_bounding: Capabilities::DOCKER_DEFAULT,
        seccomp_mode: 2,
        seccomp_filters: Some(1),
        seccomp: Fact::known(0, "BPF iterator over tasks"),
        ..Process::default()
    }
}

/// Shortcuts into the facts of a test.
pub(crate) trait World {
    /// Its engine.
    fn engine(&mut self) -> &mut Engine;
    /// Its image.
    fn image(&mut self) -> &mut Image;
    /// Its default bridge.
    fn network(&mut self) -> &mut Network;
    /// Adds another container of Docker's defaults.
    fn another(&mut self, id: &str, change: impl FnOnce(&mut Container));
}

impl World for Facts {
    fn engine(&mut self) -> &mut Engine {
        &mut self.engines[0]
    }

    fn image(&mut self) -> &mut Image {
        &mut self.engine().images.value_mut().unwrap()[0]
    }

    fn network(&mut self) -> &mut Network {
        &mut self.engine().networks.value_mut().unwrap()[0]
    }

    fn another(&mut self, id: &str, change: impl FnOnce(&mut Container)) {
        let mut container = default_container();
        container.id = id.into();
        container.name = id.into();
        change(&mut container);
        self.engine().containers.value_mut().unwrap().push(container);
    }
}

/// Shortcuts into a test's container.
pub(crate) trait Reach {
    /// Its declared side.
    fn declared(&mut self) -> &mut Declared;
    /// What it was created with.
    fn host_config(&mut self) -> &mut HostConfig;
    /// Its effective side.
    fn effective(&mut self) -> &mut Effective;
    /// Its processes.
    fn processes(&mut self) -> &mut Vec<Process>;
    /// Its namespaces.
    fn namespaces(&mut self) -> &mut Namespaces;
    /// Its limits.
    fn limits(&mut self) -> &mut Limits;
    /// Its devices.
    fn devices(&mut self) -> &mut DeviceAccess;
    /// The host's paths in it.
    fn host_paths(&mut self) -> &mut Vec<HostPath>;
    /// Sockets that listen in its network namespace.
    fn listeners(&mut self) -> &mut Vec<Socket>;
    /// Makes its kernel side unreadable, as for an auditor without privileges.
    fn hide(&mut self);
}

impl Reach for Container {
    fn declared(&mut self) -> &mut Declared {
        self.declared.value_mut().unwrap()
    }

    fn host_config(&mut self) -> &mut HostConfig {
        &mut self.declared().host_config
    }

    fn effective(&mut self) -> &mut Effective {
        self.effective.value_mut().unwrap()
    }

    fn processes(&mut self) -> &mut Vec<Process> {
        self.effective().processes.value_mut().unwrap()
    }

    fn namespaces(&mut self) -> &mut Namespaces {
        self.effective().namespaces.value_mut().unwrap()
    }

    fn limits(&mut self) -> &mut Limits {
        self.effective().limits.value_mut().unwrap()
    }

    fn devices(&mut self) -> &mut DeviceAccess {
        self.effective().devices.value_mut().unwrap()
    }

    fn host_paths(&mut self) -> &mut Vec<HostPath> {
        self.effective().host_paths.value_mut().unwrap()
    }

    fn listeners(&mut self) -> &mut Vec<Socket> {
        self.effective().listeners.value_mut().unwrap()
    }

    fn hide(&mut self) {
        self.effective = Fact::unreadable("/proc/4711", "permission denied");
    }
}

/// The rule's only answer about these facts.
pub(crate) fn answer(rule: &Rule, facts: &Facts) -> Finding {
    let mut findings = judge(facts, [rule]).findings;
    assert_eq!(findings.len(), 1, "one subject, one answer: {findings:#?}");
    findings.remove(0)
}

/// The rule's answer about the subject with this id.
pub(crate) fn answer_about(rule: &Rule, facts: &Facts, id: &str) -> Finding {
    judge(facts, [rule]).findings.into_iter().find(|finding| finding.subject.id == id).unwrap()
}

/// The status of the rule's only answer.
pub(crate) fn status_of(rule: &Rule, facts: &Facts) -> Status {
    answer(rule, facts).status
}
