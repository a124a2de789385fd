//! A captured host with cgroup v2, the systemd driver, AppArmor and several kinds of members.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use plimsoll_facts::{
    Belongs, CgroupHome, CgroupLayout, CgroupMode, Container, Declared, Effective, Engine, Fact, Namespaces,
    Process,
};
use plimsoll_rootdir::RootDir;

use super::*;
use crate::mountinfo;

const WEB: &str = "60b69a1376926a5d9394290b47ebab4842efd13ee563face76983ee88fcc669f";
const SIDE: &str = "a002fabe3f0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f809";
const HOST: Namespaces = Namespaces { cgroup: 1, ipc: 2, mnt: 3, net: 4, pid: 5, time: 6, user: 7, uts: 8 };
const OF_WEB: Namespaces = Namespaces { cgroup: 11, ipc: 12, mnt: 13, net: 14, pid: 15, ..HOST };
/// `docker run --network container:web`.
const OF_SIDE: Namespaces = Namespaces { cgroup: 21, ipc: 22, mnt: 23, pid: 25, ..OF_WEB };
const MOUNTINFO: &str = "1 0 0:50 / / rw - overlay overlay rw\n\
    2 1 0:51 / /proc rw,nosuid - proc proc rw\n\
    3 1 8:1 /srv/app /app ro - ext4 /dev/sda1 rw\n";
const ON_HOST: &str = "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n";

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, path: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// One process; its status is that of a default container unless a line is replaced.
    fn process(&self, pid: u32, ppid: u32, exe: &str, cgroup: &str, ns: &Namespaces) {
        let dir = format!("proc/{pid}");
        let name = Path::new(exe).file_name().unwrap().to_str().unwrap();
        let numbers = "0 -1 FLAGS 0 0 0 0 0 0 0 0 20 0 1 0 300 0 0 0";
        let numbers = numbers.replace("FLAGS", if pid == 2 { "2129984" } else { "4194560" });
        self.write(&format!("{dir}/stat"), &format!("{pid} ({name}) S {ppid} {pid} {pid} {numbers}\n"));
        let status = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t\nNSpid:\t9\t1\nSigBlk:\t0\nSigIgn:\t0\nSigCgt:\t4000\n\
            CapInh:\t0\nCapPrm:\ta80425fb\nCapEff:\ta80425fb\nCapBnd:\ta80425fb\nCapAmb:\t0\nNoNewPrivs:\t0\n\
            Seccomp:\t2\nSeccomp_filters:\t1\n";
        self.write(&format!("{dir}/status"), status);
        self.write(&format!("{dir}/cgroup"), &format!("0::{cgroup}\n"));
        self.write(&format!("{dir}/attr/current"), "docker-default (enforce)\n");
        self.write(&format!("{dir}/mountinfo"), MOUNTINFO);
        self.write(&format!("{dir}/uid_map"), "0 0 4294967295\n");
        self.write(
            &format!("{dir}/limits"),
            "Max open files            1024                 2048                 files\n",
        );
        fs::create_dir_all(self.0.path().join(&dir).join("ns")).unwrap();
        let kinds = [
            ("cgroup", ns.cgroup),
            ("ipc", ns.ipc),
            ("mnt", ns.mnt),
            ("net", ns.net),
            ("pid", ns.pid),
            ("time", ns.time),
            ("user", ns.user),
            ("uts", ns.uts),
        ];
        for (kind, inode) in kinds {
            symlink(format!("{kind}:[{inode}]"), self.0.path().join(&dir).join("ns").join(kind)).unwrap();
        }
        symlink(exe, self.0.path().join(&dir).join("exe")).unwrap();
    }

    /// Fills the containers `web` (process 100) and `side` (process 200); returns what is in force, and the gaps.
    fn fill(&self) -> (Vec<Effective>, Vec<plimsoll_facts::Gap>) {
        let root = RootDir::open(self.0.path()).unwrap();
        self.process(2, 0, "kthreadd", "/", &HOST);
        self.write("proc/stat", "cpu 1\nbtime 1700000000\n");
        let containers = [("web", WEB, 100), ("side", SIDE, 200)].map(|(name, id, pid)| Container {
            id: id.into(),
            name: name.into(),
            state: "running".into(),
            declared: Fact::known(
                Declared { pid, started_at: Some(1_700_000_004), ..Declared::default() },
                "inspect",
            ),
            ..Container::default()
        });
        let engine = Engine { containers: Fact::known(containers.to_vec(), "list"), ..Engine::default() };
        let home = CgroupHome { version: 2, mount: "/sys/fs/cgroup".into() };
        let controllers =
            ["memory", "pids", "cpu", "cpuset", "io"].map(|name| (name.to_owned(), home.clone()));
        let layout = CgroupLayout { mode: CgroupMode::V2, controllers: controllers.into(), v2_mount: None };
        let mut host = Host {
            namespaces: Fact::known(HOST, "/proc/2/ns"),
            mounts: Fact::known(mountinfo::parse(ON_HOST.as_bytes()).unwrap(), "mountinfo"),
            cgroups: Fact::known(layout, "mountinfo"),
            ..Host::default()
        };
        let (mut engines, mut gaps) = ([engine], Gaps::default());
        let means = Means { collector: &Collector::default(), stop_threads: false };
        fill(&root, &Processes::scan(&root), &means, &mut host, &mut engines, &mut gaps);
        let effective = |container: &Container| container.effective.require().unwrap().clone();
        (engines[0].containers.value().unwrap().iter().map(effective).collect(), gaps.into_sorted())
    }
}

fn host_with_two_containers() -> Tree {
    let tree = Tree::new();
    let cgroup = |id: &str| format!("/system.slice/docker-{id}.scope");
    tree.process(50, 1, "/usr/bin/containerd-shim-runc-v2", "/system.slice/containerd.service", &HOST);
    tree.process(51, 1, "/usr/bin/containerd-shim-runc-v2", "/system.slice/containerd.service", &HOST);
    // It moved itself into a cgroup below the one that it was given.
    tree.process(100, 50, "/usr/sbin/init", &format!("{}/init.scope", cgroup(WEB)), &OF_WEB);
    tree.process(101, 100, "/usr/sbin/nginx", &format!("{}/nginx", cgroup(WEB)), &OF_WEB);
    tree.process(200, 51, "/usr/bin/sleep", &cgroup(SIDE), &OF_SIDE);
    tree.process(300, 1, "/usr/bin/bash", "/user.slice", &Namespaces { mnt: OF_WEB.mnt, ..HOST });
    tree.process(301, 1, "/usr/bin/tcpdump", "/user.slice", &Namespaces { net: OF_WEB.net, ..HOST });
    tree.process(302, 1, "/usr/bin/vi", "/user.slice", &HOST);
    let slice = "sys/fs/cgroup/system.slice";
    tree.write(&format!("{slice}/memory.max"), "67108864\n");
    tree.write(&format!("{slice}/docker-{WEB}.scope/memory.max"), "536870912\n");
    tree.write(&format!("{slice}/docker-{WEB}.scope/init.scope/memory.max"), "max\n");
    tree.write(&format!("{slice}/docker-{SIDE}.scope/memory.max"), "max\n");
    tree
}

fn members(effective: &Effective) -> Vec<(u32, Belongs)> {
    let of = |process: &Process| (process.pid, process.belongs);
    effective.processes.require().unwrap().iter().map(of).collect()
}

#[test]
fn members_by_cgroup_and_by_namespace() {
    let (effective, _) = host_with_two_containers().fill();
    let [web, side] = &effective[..] else { panic!() };
    let visitors = [(300, Belongs::NamespaceOnly), (301, Belongs::NamespaceOnly)];
    assert_eq!(members(web), [&[(100, Belongs::Cgroup), (101, Belongs::Cgroup)][..], &visitors].concat());
    // Both are in the network that the visitor entered; neither is a visitor of the other.
    assert_eq!(members(side), [(200, Belongs::Cgroup), visitors[1]]);
    let visitor = web.processes.value().unwrap().iter().find(|p| p.pid == 300).unwrap();
    assert_eq!(visitor.namespaces, Some(Namespaces { mnt: OF_WEB.mnt, ..HOST }));
    let first = &web.processes.value().unwrap()[0];
    assert_eq!(first.lsm_label.as_deref(), Some("docker-default (enforce)"));
    assert!(!first.ignores_sigterm);
}

#[test]
fn what_a_captured_tree_tells_and_what_not() {
    let (effective, gaps) = host_with_two_containers().fill();
    let web = &effective[0];
    let limits = web.limits.require().unwrap();
    assert_eq!(limits.memory.value, Some(64 << 20));
    assert_eq!(limits.memory.source, "/sys/fs/cgroup/system.slice/memory.max");
    assert_eq!(web.rlimits.require().unwrap()["nofile"], (Some(1024), Some(2048)));
    let paths = web.host_paths.require().unwrap();
    assert_eq!((paths.len(), paths[0].host.as_str(), paths[0].target.as_str()), (1, "/srv/app", "/app"));
    for source in ["/proc/100/cgroup", "/proc/100/root/dev", "NETLINK_SOCK_DIAG in /proc/100/ns/net"] {
        assert!(gaps.iter().any(|gap| gap.subject == "container web" && gap.source == source), "{source}");
    }
    assert!(web.devices.require().is_err_and(|gap| gap.reason.contains("BPF")));
}

/// Rootless without a cgroup driver: everything stays in the session's cgroup, and the engine's own namespaces are
/// not the host's.
#[test]
fn containers_without_a_cgroup() {
    let tree = Tree::new();
    let rootless = Namespaces { user: 70, mnt: 30, net: 40, ..HOST };
    let session = "/user.slice/session-1.scope";
    tree.process(40, 1, "/usr/bin/dockerd", session, &rootless);
    tree.process(50, 40, "/usr/bin/containerd-shim-runc-v2", session, &rootless);
    tree.process(100, 50, "/usr/bin/sleep", session, &Namespaces { user: 70, ..OF_WEB });
    tree.process(101, 100, "/usr/bin/sleep", session, &Namespaces { user: 70, ..OF_WEB });
    tree.process(200, 50, "/usr/bin/sleep", session, &Namespaces { user: 70, ..OF_SIDE });
    let (effective, _) = tree.fill();
    assert_eq!(members(&effective[0]), [(100, Belongs::Cgroup), (101, Belongs::Cgroup)]);
    assert_eq!(members(&effective[1]), [(200, Belongs::Cgroup)]);
}
