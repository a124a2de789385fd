//! Containers that other auditors judge wrongly. The numbers are those of a list of fifty wrong verdicts of
//! docker-bench-security, each reproduced on a real engine; cases of the host and the daemon have their tests in
//! `own_engine.rs` and beside the rules.

use std::fs;
use std::process::{Command, Stdio};

use crate::docker::{BASE, MARIADB, MARIADB_ROOT, docker, pid};
use crate::scene::Case;

const SLEEP: &[&str] = &["sleep", "600"];

/// A container of Docker's defaults.
const DEFAULT: Case = Case {
    name: "",
    container: "",
    options: &[],
    image: BASE,
    command: SLEEP,
    after: |_| Ok(()),
    expect: &[],
};

/// Everything that is wrong with the worst containers here, without `--privileged`: this machine may lack a
/// capability of the full set, which runc would refuse.
const POWERS: &[&str] = &[
    "--cap-add",
    "ALL",
    "--cap-drop",
    "SYS_RESOURCE",
    "--security-opt",
    "seccomp=unconfined",
    "--security-opt",
    "apparmor=unconfined",
    "--device-cgroup-rule",
    "a *:* rwm",
    "--pid",
    "host",
];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "defaults_pass_where_docker_is_right",
        container: "defaults",
        expect: &[
            ("container-privileged", "pass"),
            ("capabilities-beyond-default", "pass"),
            ("seccomp-disabled", "pass"),
            ("host-network-namespace", "pass"),
            ("host-pid-namespace", "pass"),
            ("engine-socket-mounted", "pass"),
            ("sensitive-host-path", "pass"),
            ("entered-from-outside", "pass"),
        ],
        ..DEFAULT
    },
    Case {
        name: "case_05_no_user_namespace",
        container: "userns",
        expect: &[("host-user-namespace", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_08_powers_added_one_by_one",
        container: "powers",
        options: POWERS,
        expect: &[
            ("container-privileged", "fail"),
            ("capabilities-beyond-default", "fail"),
            ("seccomp-disabled", "fail"),
            ("host-pid-namespace", "fail"),
        ],
        ..DEFAULT
    },
    Case {
        name: "case_10_a_file_of_the_host_through_a_volume",
        container: "volume-bind",
        options: &[
            "--mount",
            "type=volume,dst=/conf,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/etc",
        ],
        expect: &[("sensitive-host-path", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_10_the_root_of_the_host_read_only",
        container: "root-ro",
        options: &["-v", "/:/host:ro"],
        expect: &[("sensitive-host-path", "fail"), ("engine-socket-mounted", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_11_the_socket_s_directory_under_another_name",
        container: "run-dir",
        options: &["-v", "/run:/hostrun"],
        expect: &[("engine-socket-mounted", "fail")],
        ..DEFAULT
    },
    Case {
        name: "a_host_mode_container_to_join",
        container: "hostnet",
        options: &["--network", "host"],
        expect: &[("host-network-namespace", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_14_the_namespace_of_a_container_in_the_host_s",
        container: "joined",
        options: &["--network", "container:plt-hostnet"],
        expect: &[("host-network-namespace", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_16_no_new_privileges_false",
        container: "nnp-false",
        options: &["--security-opt", "no-new-privileges=false"],
        expect: &[("new-privileges-allowed", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_17_a_limit_beyond_the_host_s_memory",
        container: "mem-1t",
        options: &["--memory", "1t"],
        expect: &[("memory-unlimited", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_19_user_0_0",
        container: "zero",
        options: &["--user", "0:0"],
        expect: &[("root-process", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_21_a_name_with_nil",
        container: "r1-c-vanilla",
        options: POWERS,
        expect: &[("container-privileged", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_22_a_label_that_silences_others",
        container: "r1",
        options: &["--label", "docker.bench.security=x", "--cap-add", "NET_ADMIN"],
        expect: &[("capabilities-beyond-default", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_33_stopped_and_dangerous",
        container: "stopped",
        options: POWERS,
        after: |name| docker(&["kill", name]).map(drop),
        expect: &[("capabilities-beyond-default", "fail"), ("seccomp-disabled", "fail")],
        ..DEFAULT
    },
    Case {
        name: "case_36_mariadb_that_drops_root",
        container: "maria-root",
        image: MARIADB_ROOT,
        command: &[],
        after: |name| wait_for_user(name, "mariadbd"),
        expect: &[("root-process", "pass"), ("container-privileged", "pass")],
        ..DEFAULT
    },
    Case {
        name: "mariadb_as_mysql_is_unprivileged",
        container: "maria",
        image: MARIADB,
        command: &[],
        after: |name| wait_for_user(name, "mariadbd"),
        expect: &[("root-process", "pass")],
        ..DEFAULT
    },
    Case {
        name: "case_37_no_security_module_is_not_a_failure",
        container: "no-lsm",
        expect: &[("apparmor-unconfined", "not-applicable"), ("selinux-unconfined", "not-applicable")],
        ..DEFAULT
    },
    Case {
        name: "case_42_a_volume_at_boot",
        container: "volume-at-boot",
        options: &["-v", "plt-data:/boot"],
        expect: &[("sensitive-host-path", "pass")],
        ..DEFAULT
    },
    Case {
        name: "kernel_limit_raised_behind_the_engine_s_back",
        container: "mem-raised",
        options: &["--memory", "64m"],
        after: raise_memory,
        expect: &[("memory-unlimited", "fail")],
        ..DEFAULT
    },
    Case {
        name: "a_process_that_came_in_by_nsenter",
        container: "entered",
        options: &["--cap-drop", "ALL", "--user", "1000"],
        after: enter,
        expect: &[("entered-from-outside", "fail")],
        ..DEFAULT
    },
];

/// Waits until the container's server runs and is not root.
fn wait_for_user(name: &str, server: &str) -> Result<(), String> {
    for _ in 0..100 {
        let status = fs::read_to_string(format!("/proc/{}/status", pid(name)?)).unwrap_or_default();
        let is_server = status.lines().any(|line| line == format!("Name:\t{server}"));
        let is_root = status.lines().any(|line| line.starts_with("Uid:\t0\t"));
        if is_server && !is_root {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(format!("{server} did not start in {name}"))
}

/// Takes the limit away in the kernel; the engine still says 64 MiB.
fn raise_memory(name: &str) -> Result<(), String> {
    let cgroups = fs::read_to_string(format!("/proc/{}/cgroup", pid(name)?)).map_err(|e| e.to_string())?;
    let v1 = cgroups.lines().find_map(|line| line.split_once(":memory:")).map(|(_, path)| path);
    let v2 = cgroups.lines().find_map(|line| line.strip_prefix("0::"));
    let tries = [
        v1.map(|path| (format!("/sys/fs/cgroup/memory{path}/memory.memsw.limit_in_bytes"), "-1")),
        v1.map(|path| (format!("/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"), "-1")),
        v2.map(|path| (format!("/sys/fs/cgroup{path}/memory.max"), "max")),
    ];
    let written = tries.into_iter().flatten().filter(|(file, value)| fs::write(file, value).is_ok()).count();
    if written > 0 { Ok(()) } else { Err("no limit could be raised".to_owned()) }
}

fn enter(name: &str) -> Result<(), String> {
    let pid = pid(name)?.to_string();
    Command::new("nsenter")
        .args(["-t", &pid, "-m", "-n", "-p", "-i", "-u", "sleep", "600"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| error.to_string())?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    Ok(())
}
