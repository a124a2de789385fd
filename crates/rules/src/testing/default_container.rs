//! A container as Docker's defaults make it.

use std::collections::BTreeMap;

use plimsoll_facts::{
    Container, Declared, DeviceAccess, Effective, Endpoint, Fact, HostConfig, HostPath, Limit, Limits,
    MaskKind, MaskState, Mount, PathMask, Socket,
};

use super::{OWN_NAMESPACES, process};

/// A running container of Docker's defaults on a cgroup v2 host, with every fact readable.
pub(super) fn default_container() -> Container {
    Container {
        id: "c0ffee".into(),
        name: "db".into(),
        state: "running".into(),
        declared: Fact::known(default_declared(), "GET /containers/c0ffee/json"),
        effective: Fact::known(default_effective(), "/proc/4711"),
        packages: Fact::absent("writable layer"),
        authenticity: None,
    }
}

fn default_declared() -> Declared {
    let strings = |list: &[&str]| Some(list.iter().map(|&s| s.to_owned()).collect());
    let host_config = HostConfig {
        network_mode: "bridge".into(),
        ipc_mode: "private".into(),
        cgroupns_mode: "private".into(),
        masked_paths: strings(&MASKED),
        readonly_paths: strings(&READ_ONLY),
        restart_policy: "no".into(),
        log_driver: "json-file".into(),
        ..HostConfig::default()
    };
    Declared {
        created_at: Some(1_759_000_000),
        started_at: Some(1_759_000_000),
        pid: 4711,
        image_id: "sha256:feed".into(),
        image: "mariadb:11".into(),
        command: vec!["docker-entrypoint.sh".into(), "mariadbd".into()],
        environment: vec!["PATH".into()],
        runtime: "runc".into(),
        host_config,
        exposed_ports: vec!["3306/tcp".into()],
        networks: BTreeMap::from([(
            "bridge".to_owned(),
            Endpoint { network_id: "b41d6e".into(), ipv4: "172.17.0.2".into(), ..Endpoint::default() },
        )]),
        storage_driver: "overlay2".into(),
        ..Declared::default()
    }
}

fn default_effective() -> Effective {
    let known = |name: &str| Limit { value: None, source: format!("{CGROUP}/{name}") };
    let limits = Limits {
        cgroup: "/system.slice/docker-c0ffee.scope".into(),
        memory: known("memory.max"),
        swap: known("memory.swap.max"),
        pids: known("pids.max"),
        cpus: Limit { value: None, source: format!("{CGROUP}/cpu.max") },
        cpuset: Some("0-3".into()),
        cpu_weight: Some(100),
        ..Limits::default()
    };
    let listener = Socket {
        protocol: "tcp".into(),
        address: "0.0.0.0".into(),
        port: 3306,
        uid: 999,
        pid: Some(4711),
        process: Some("mariadbd".into()),
        ..Socket::default()
    };
    Effective {
        init_pid: 4711,
        processes: Fact::known(vec![process(4711, "mariadbd", 999)], "/proc"),
        namespaces: Fact::known(OWN_NAMESPACES, "/proc/4711/ns"),
        limits: Fact::known(limits, CGROUP),
        mounts: Fact::known(default_mounts(), "/proc/4711/mountinfo"),
        masks: Fact::known(default_masks(), "/proc/4711/mountinfo"),
        host_paths: Fact::known(default_host_paths(), "/proc/4711/mountinfo"),
        engine_sockets: Fact::known(Vec::new(), "/proc/4711/mountinfo"),
        devices: Fact::known(DeviceAccess::default(), "BPF_PROG_QUERY"),
        device_nodes: Fact::known(Vec::new(), "/proc/4711/root/dev"),
        listeners: Fact::known(vec![listener], "inet_diag"),
        host_descriptors: Fact::known(Vec::new(), "/proc/4711/fd"),
        uid_map: Fact::known(vec![(0, 0, u32::MAX)], "/proc/4711/uid_map"),
        rlimits: Fact::known(
            BTreeMap::from([
                ("nofile".to_owned(), (Some(1_048_576), Some(1_048_576))),
                ("nproc".to_owned(), (None, None)),
                ("core".to_owned(), (Some(0), None)),
            ]),
            "/proc/4711/limits",
        ),
        declared_seccomp: Fact::absent("BPF iterator over tasks"),
    }
}

const CGROUP: &str = "/sys/fs/cgroup/system.slice/docker-c0ffee.scope";

/// moby `oci/defaults.go`.
const MASKED: [&str; 10] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];

/// moby `oci/defaults.go`.
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

fn default_masks() -> Vec<PathMask> {
    let mask = |path: &str, wanted| PathMask { path: path.into(), wanted, found: MaskState::InForce };
    MASKED
        .iter()
        .map(|path| mask(path, MaskKind::Masked))
        .chain(READ_ONLY.iter().map(|path| mask(path, MaskKind::ReadOnly)))
        .collect()
}

fn default_mounts() -> Vec<Mount> {
    let mount = |id, target: &str, fs_type: &str, options: &str| Mount {
        id,
        parent: 700,
        root: "/".into(),
        target: target.into(),
        options: options.into(),
        fs_type: fs_type.into(),
        source: fs_type.into(),
        super_options: "rw".into(),
        ..Mount::default()
    };
    vec![
        mount(700, "/", "overlay", "rw,relatime"),
        mount(701, "/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
        mount(702, "/dev", "tmpfs", "rw,nosuid"),
        mount(703, "/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime"),
        mount(704, "/etc/hosts", "ext4", "rw,relatime"),
    ]
}

/// The files that Docker itself binds into every container.
fn default_host_paths() -> Vec<HostPath> {
    ["resolv.conf", "hostname", "hosts"]
        .iter()
        .map(|name| HostPath {
            host: format!("/var/lib/docker/containers/c0ffee/{name}"),
            target: format!("/etc/{name}"),
            writable: true,
            fs_type: "ext4".into(),
            ..HostPath::default()
        })
        .collect()
}
