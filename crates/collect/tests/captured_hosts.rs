//! The collectors on captured trees of hosts that differ from the one that runs the tests: both versions of cgroups,
//! AppArmor, SELinux, and the packages of three managers.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use plimsoll_collect::{Options, collect};
use plimsoll_facts::{CgroupMode, Component, Fact, Facts, FileRole};
use plimsoll_rootdir::RootDir;

/// What every host has: kthreadd, and the files that a rule always asks for.
const COMMON: &[(&str, &str)] = &[
    ("proc/2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 24 0 0 1\n"),
    ("proc/stat", "cpu 1 2 3\nbtime 1700000000\n"),
    ("proc/meminfo", "MemTotal:        2097152 kB\nMemFree: 1 kB\n"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("etc/group", "root:x:0:\ndocker:x:998:ana\n"),
    (
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\nci:x:1001:998::/home/ci:/bin/sh\n",
    ),
];

fn write(root: &Path, path: &str, content: impl AsRef<[u8]>) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn read(files: &[(&str, &str)], images: &[(&str, &str)]) -> Facts {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in COMMON.iter().chain(files) {
        write(dir.path(), path, content);
    }
    for (path, version) in images {
        write(dir.path(), path, bzimage(version));
    }
    fs::create_dir_all(dir.path().join("proc/2/ns")).unwrap();
    symlink("mnt:[4026531841]", dir.path().join("proc/2/ns/mnt")).unwrap();
    let options = Options { endpoints: Vec::new(), version: "0.0.0", stop_threads: false, progress: &|_| {} };
    collect(&RootDir::open(dir.path()).unwrap(), &options)
}

/// Linux/x86 boot protocol: magic, and the offset of the version string.
fn bzimage(version: &str) -> Vec<u8> {
    let mut image = vec![0; 0x400];
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x20f] = 2;
    image.extend(version.as_bytes());
    image.push(0);
    image
}

fn reason<T: std::fmt::Debug>(fact: &Fact<T>) -> &str {
    let Fact::Unreadable { reason, .. } = fact else { panic!("{fact:?} could be read") };
    reason
}

fn component<'a>(facts: &'a Facts, path: &str) -> &'a Component {
    facts.components.iter().find(|component| component.path == path).unwrap()
}

#[test]
fn debian_with_cgroup_v1_and_a_newer_kernel_installed() {
    let status = "Package: linux-image-6.1.0-18-amd64\nStatus: install ok installed\nArchitecture: amd64\nSource: linux-signed-amd64 (6.1.76+1)\nVersion: 6.1.76-1\n\nPackage: linux-image-6.1.0-9-amd64\nStatus: install ok installed\nArchitecture: amd64\nSource: linux-signed-amd64 (6.1.27+1)\nVersion: 6.1.27-1\n";
    let facts = read(
        &[
            (
                "etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n",
            ),
            ("proc/sys/kernel/osrelease", "6.1.0-9-amd64\n"),
            ("proc/sys/kernel/version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.27-1 (2023-05-08)\n"),
            ("proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz-6.1.0-9-amd64 systemd.unified_cgroup_hierarchy=0\n"),
            (
                "proc/1/mountinfo",
                "27 1 254:0 / / rw - ext4 /dev/vda rw\n32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
            ),
            ("proc/sys/user/max_user_namespaces", "63000\n"),
            (
                "boot/config-6.1.0-9-amd64",
                "CONFIG_USER_NS=y\nCONFIG_LSM=\"yama,apparmor\"\nCONFIG_SECURITY_APPARMOR=y\nCONFIG_SECURITY_YAMA=y\n",
            ),
            ("var/lib/dpkg/status", status),
            ("var/lib/dpkg/info/linux-image-6.1.0-9-amd64.list", "/boot/vmlinuz-6.1.0-9-amd64\n"),
            ("var/lib/dpkg/info/linux-image-6.1.0-18-amd64.list", "/boot/vmlinuz-6.1.0-18-amd64\n"),
            ("etc/audit/audit.rules", "-D\n-w /usr/bin/dockerd -k docker\n"),
            ("lib/systemd/system/docker.service", "[Service]\n"),
        ],
        &[
            ("boot/vmlinuz-6.1.0-9-amd64", "6.1.0-9-amd64 (a@b) #1 SMP Debian 6.1.27-1 (2023-05-08)"),
            ("boot/vmlinuz-6.1.0-18-amd64", "6.1.0-18-amd64 (a@b) #1 SMP Debian 6.1.76-1 (2024-02-01)"),
        ],
    );
    let (host, kernel) = (&facts.host, &facts.host.kernel);
    let installed = kernel.installed.value().unwrap();
    assert_eq!(installed[0].release, "6.1.0-18-amd64");
    assert_eq!(installed[0].package.as_ref().unwrap().source.as_deref(), Some("linux-signed-amd64"));
    assert_eq!(kernel.package.value().unwrap().version, "6.1.27-1");
    assert_eq!(
        kernel.running.value().unwrap().machine,
        "",
        "uname of this machine says nothing about that one"
    );
    assert_eq!(kernel.lsms.value().unwrap(), &["capability", "yama", "apparmor"]);
    assert!(matches!(kernel.lockdown, Fact::Absent { .. }));
    assert!(matches!(kernel.sysctls["kernel.io_uring_disabled"], Fact::Absent { .. }));
    assert_eq!(kernel.boot_time.value(), Some(&1_700_000_000));
    let cgroups = host.cgroups.value().unwrap();
    assert_eq!(
        (cgroups.mode, cgroups.controllers["cpu"].mount.as_str()),
        (CgroupMode::V1, "/sys/fs/cgroup/cpu,cpuacct")
    );
    assert_eq!((host.memory.value(), host.cpus.value()), (Some(&2_147_483_648), Some(&4)));
    let accounts = host.accounts.value().unwrap();
    assert_eq!(accounts.docker_group.iter().map(|m| m.user.as_str()).collect::<Vec<_>>(), ["ana", "ci"]);
    let audit = host.audit.value().unwrap();
    assert_eq!((audit.enabled, audit.rules[0].path.as_deref()), (None, Some("/usr/bin/dockerd")));
    let unit = host.files.iter().find(|file| file.role == FileRole::EngineService).unwrap();
    assert_eq!(unit.path, "/lib/systemd/system/docker.service");
}

#[test]
fn ubuntu_with_cgroup_v2_apparmor_and_an_update_in_the_lists() {
    let containerd = "Package: containerd\nArchitecture: amd64\nVersion: 1.7.24-0ubuntu1~24.04.2\n\n";
    let facts = read(
        &[
            ("etc/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"),
            ("proc/sys/kernel/osrelease", "6.8.0-48-generic\n"),
            ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
            ("proc/1/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n"),
            ("sys/kernel/security/lsm", "lockdown,capability,landlock,yama,apparmor"),
            ("sys/kernel/security/lockdown", "none [integrity] confidentiality\n"),
            ("run/reboot-required", ""),
            ("run/reboot-required.pkgs", "linux-image-6.8.0-49-generic\n"),
            ("etc/nsswitch.conf", "passwd: files systemd sss\ngroup: files systemd\n"),
            ("usr/bin/containerd", "#!/bin/sh\n"),
            (
                "var/lib/dpkg/status",
                "Package: containerd\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.7.12-0ubuntu4\n",
            ),
            ("var/lib/dpkg/info/containerd.list", "/usr/bin/containerd\n"),
            ("var/lib/apt/lists/u_dists_noble-updates_InRelease", "Suite: noble-updates\n"),
            ("var/lib/apt/lists/u_dists_noble-updates_main_binary-amd64_Packages", containerd),
        ],
        &[],
    );
    let (host, kernel) = (&facts.host, &facts.host.kernel);
    assert_eq!(host.cgroups.value().unwrap().mode, CgroupMode::V2);
    assert_eq!(kernel.lsms.value().unwrap().last().unwrap(), "apparmor");
    assert_eq!(kernel.lockdown.value().unwrap(), "integrity");
    assert_eq!(kernel.sysctls["kernel.apparmor_restrict_unprivileged_userns"].value().unwrap(), "1");
    assert_eq!(host.reboot_required.value().unwrap(), &["linux-image-6.8.0-49-generic"]);
    assert!(reason(&kernel.config).contains("6.8.0-48-generic"));
    assert!(facts.gaps.iter().any(|gap| gap.source == "/etc/nsswitch.conf" && gap.reason.contains("`sss`")));
    let containerd = component(&facts, "/usr/bin/containerd");
    assert_eq!(containerd.version.value().unwrap(), "1.7.12-0ubuntu4");
    assert_eq!(containerd.candidate.value().unwrap(), "1.7.24-0ubuntu1~24.04.2");
}

#[test]
fn rhel_with_selinux_a_live_patch_and_rpm() {
    let facts = read(
        &[
            ("etc/os-release", "ID=\"rhel\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n"),
            ("proc/sys/kernel/osrelease", "5.14.0-427.13.1.el9_4.x86_64\n"),
            ("proc/1/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,seclabel\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n"),
            ("sys/kernel/security/lsm", "lockdown,capability,landlock,yama,selinux,bpf"),
            ("sys/kernel/livepatch/kpatch_5_14_0/enabled", "1\n"),
            ("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\0"),
            ("etc/sysconfig/docker", "OPTIONS=\n"),
            ("lib/modules/5.14.0-427.13.1.el9_4.x86_64/config", "CONFIG_USER_NS=y\n"),
            ("lib/modules/5.14.0-427.13.1.el9_4.x86_64/modules.dep", ""),
        ],
        &[("lib/modules/5.14.0-427.20.1.el9_4.x86_64/vmlinuz", "5.14.0-427.20.1.el9_4.x86_64 (m@b) #1 SMP")],
    );
    let (host, kernel) = (&facts.host, &facts.host.kernel);
    assert!(kernel.livepatches.value().unwrap()["kpatch_5_14_0"]);
    assert_eq!(kernel.lsms.value().unwrap()[4], "selinux");
    assert_eq!(kernel.config.value().unwrap()["CONFIG_USER_NS"], "y");
    let releases: Vec<_> = kernel.installed.value().unwrap().iter().map(|k| k.release.as_str()).collect();
    assert_eq!(releases, ["5.14.0-427.20.1.el9_4.x86_64", "5.14.0-427.13.1.el9_4.x86_64"]);
    assert!(reason(&kernel.package).contains("rpmdb.sqlite"), "it is cut off after its first line");
    assert!(reason(&host.audit).contains("captured"));
    let sysconfig = host.files.iter().find(|file| file.role == FileRole::SysconfigFile).unwrap();
    assert!(sysconfig.stat.value().is_some());
}

#[test]
fn packages_of_rpm_own_the_programs_and_the_kernel() {
    let dir = tempfile::tempdir().unwrap();
    let release = "5.14.0-427.13.1.el9_4.x86_64";
    for (path, content) in COMMON.iter().chain(&[
        ("etc/os-release", "ID=\"rhel\"\nVERSION_ID=\"9.4\"\n"),
        ("proc/sys/kernel/osrelease", "5.14.0-427.13.1.el9_4.x86_64\n"),
        ("usr/bin/runc", "#!/bin/sh\n"),
        ("usr/bin/dockerd", "#!/bin/sh\n"),
        ("usr/local/bin/crun", "#!/bin/sh\n"),
    ]) {
        write(dir.path(), path, content);
    }
    write(dir.path(), &format!("boot/vmlinuz-{release}"), bzimage(release));
    write(dir.path(), "var/lib/rpm/rpmdb.sqlite", include_bytes!("data/rpm/rpmdb.sqlite"));
    let options = Options { endpoints: Vec::new(), version: "0.0.0", stop_threads: false, progress: &|_| {} };
    let facts = collect(&RootDir::open(dir.path()).unwrap(), &options);
    let kernel = facts.host.kernel.package.value().unwrap();
    assert_eq!((kernel.name.as_str(), kernel.version.as_str()), ("kernel-core", "5.14.0-427.13.1.el9_4"));
    let owner = |path| component(&facts, path).package.value().map(|package| package.name.as_str());
    assert_eq!(owner("/usr/bin/runc"), Some("runc"));
    assert_eq!(owner("/usr/bin/dockerd"), Some("docker-ce"));
    assert_eq!(owner("/usr/local/bin/crun"), None);
    assert!(matches!(component(&facts, "/usr/local/bin/crun").package, Fact::Absent { .. }));
}

#[test]
fn alpine_with_apk_and_a_kernel_without_a_number_in_its_name() {
    let installed = "P:runc\nV:1.1.12-r5\nA:x86_64\no:runc\nF:usr/bin\nR:runc\n\nP:linux-lts\nV:6.6.58-r0\nA:x86_64\nF:boot\nR:vmlinuz-lts\n\n";
    let facts = read(
        &[
            ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
            ("proc/sys/kernel/osrelease", "6.6.58-0-lts\n"),
            ("proc/1/mountinfo", "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 none rw\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n"),
            ("lib/apk/db/installed", installed),
            ("usr/bin/runc", "#!/bin/sh\n"),
        ],
        &[("boot/vmlinuz-lts", "6.6.58-0-lts (buildozer@build) #1-Alpine SMP PREEMPT_DYNAMIC 2024-10-22")],
    );
    let kernel = &facts.host.kernel;
    assert_eq!(
        kernel.installed.value().unwrap()[0].build.as_deref(),
        Some("#1-Alpine SMP PREEMPT_DYNAMIC 2024-10-22")
    );
    assert_eq!(kernel.package.value().unwrap().version, "6.6.58-r0");
    assert!(facts.host.files.iter().all(|file| file.role != FileRole::EngineService));

    let runc = component(&facts, "/usr/bin/runc");
    assert_eq!(runc.version.value().unwrap(), "1.1.12-r5");
    assert!(reason(&runc.candidate).contains("apk"));
}
