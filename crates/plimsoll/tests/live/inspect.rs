//! Where `docker inspect` says one thing and the kernel does another: eighteen cases that were measured on real engines,
//! each as a container, and what the audit must answer. The engine's description is right in none of them.
//!
//! | case | inspect says | the kernel says | test |
//! | --- | --- | --- | --- |
//! | 1 | privileged | not every capability of this kernel | `inspect_01_…` in `privileged.rs` |
//! | 2 | privileged, with a seccomp profile | no filter | `inspect_02_…` in `privileged.rs` |
//! | 3 | user 1000, no capability | a session is root with every capability | `inspect_03_…` in `privileged.rs` |
//! | 4 | no capability, no session | a process of the host is in all its namespaces | `inspect_04_…` here |
//! | 5 | the network of another container | that which the other one had before | `inspect_05_…` in `connections.rs` |
//! | 6 | a read-only mount | a writable one below it | `inspect_06_…` here |
//! | 7 | 512 MiB, 100 processes | 64 MiB, 20 processes, by the parent cgroup | `inspect_07_…` here |
//! | 8 | 64 MiB | no limit | `inspect_08_…` here |
//! | 9 | 1 MB a second is written at most | that holds for direct writes only | `inspect_09_…` here |
//! | 10 | user 1000 | root, by a set-id program in a mount | `inspect_10_…` here |
//! | 11 | a read-only mount of a directory | the engine answers on the socket in it | `inspect_11_…` here |
//! | 12 | one mount | `/etc` of the host, which arrived later | `inspect_12_…` here |
//! | 13 | no network | an interface that was moved by hand | `inspect_13_…` in `connections.rs` |
//! | 14 | no device | the cgroup lets it use a disk | `inspect_14_…` here |
//! | 15 | read-only kernel paths | `/proc/sys` is writable | `inspect_15_…` here |
//! | 16 | nothing | a descriptor that leads to the host's root | `inspect_16_…` here |
//! | 17 | no connections between containers | open both ways | `inspect_17_…` in `connections.rs` |
//! | 18 | both on one network | a rule of hand drops it | `inspect_18_…` in `connections.rs` |

use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::docker::{self, BASE, docker};
use crate::own_engine::unmount;
use crate::scene::{Report, Test};

/// A case: how its container is made, what is done to it, and what the audit must answer. In every text `DIR` stands for
/// a directory of the case and `CGROUP` for a cgroup of this run; scripts know the container's `$ID` and first `$PID`.
struct Case {
    name: &'static str,
    before: &'static str,
    options: &'static [&'static str],
    command: &'static [&'static str],
    after: &'static str,
    expect: &'static [(&'static str, &'static str)],
}

const USUAL: Case =
    Case { name: "", before: "", options: &[], command: &["sleep", "900"], after: "", expect: &[] };

const CASES: &[Case] = &[
    Case {
        name: "inspect_04_a_process_that_entered",
        options: &["--cap-drop", "ALL"],
        after: "nsenter -t $PID -m -u -i -n -p sleep 901 >/dev/null 2>&1 & settle",
        expect: &[("entered-from-outside", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_06_a_writable_mount_below_a_read_only_one",
        before: "mkdir -p DIR/m/sub && mount -t tmpfs none DIR/m/sub",
        options: &["-v", "DIR/m:/m:ro"],
        expect: &[("read-only-not-in-force", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_07_a_parent_cgroup_with_less",
        before: "mkdir /sys/fs/cgroup/memory/CGROUP /sys/fs/cgroup/pids/CGROUP
                 echo 67108864 >/sys/fs/cgroup/memory/CGROUP/memory.limit_in_bytes
                 echo 20 >/sys/fs/cgroup/pids/CGROUP/pids.max",
        options: &["--cgroup-parent", "/CGROUP", "--memory", "512m", "--pids-limit", "100"],
        expect: &[("limit-not-in-force", "fail"), ("memory-unlimited", "pass")],
        ..USUAL
    },
    Case {
        name: "inspect_08_a_limit_that_was_lifted",
        options: &["--memory", "64m"],
        after: "cd /sys/fs/cgroup/memory/docker/$ID && { echo -1 >memory.memsw.limit_in_bytes; echo -1 >memory.limit_in_bytes; }",
        expect: &[("limit-not-in-force", "fail"), ("memory-unlimited", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_09_a_throttle_that_buffered_writes_pass",
        options: &["--device-write-bps", "/dev/loop0:1mb"],
        expect: &[("buffered-writes-unthrottled", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_10_a_set_id_program_in_a_mount",
        before: "cp /bin/sleep DIR/s && chmod 4755 DIR/s && chmod 755 DIR",
        options: &["--user", "1000", "-v", "DIR:/s"],
        command: &["/s/s", "900"],
        expect: &[("user-not-in-force", "fail"), ("root-process", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_11_an_engine_socket_in_a_read_only_mount",
        options: &["-v", "/run:/data:ro"],
        expect: &[("engine-socket-mounted", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_12_a_mount_that_arrived_later",
        before: "mkdir DIR/m && mount --bind DIR/m DIR/m && mount --make-shared DIR/m && mkdir DIR/m/h",
        options: &["-v", "DIR/m:/m2:rslave"],
        after: "mount --bind /etc DIR/m/h",
        expect: &[("sensitive-host-path", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_14_a_disk_that_was_allowed_by_hand",
        after: "echo 'b 7:0 rwm' >/sys/fs/cgroup/devices/docker/$ID/devices.allow",
        expect: &[("undeclared-device-access", "fail"), ("host-devices-exposed", "fail")],
        ..USUAL
    },
    Case {
        name: "inspect_15_a_kernel_path_that_was_opened",
        after: "nsenter -t $PID -m mount -o remount,rw,bind /proc/sys",
        expect: &[("read-only-not-in-force", "fail"), ("kernel-paths-unmasked", "fail")],
        ..USUAL
    },
    Case {
        name: "a_seccomp_profile_that_was_changed_after_the_start",
        after: r#"bundle=/proc/$(awk '/PPid/ { print $2 }' /proc/$PID/status)/cwd
                  sed 's/"ptrace"/"keyctl"/' $bundle/config.json >DIR/changed && cat DIR/changed >$bundle/config.json"#,
        expect: &[("seccomp-profile-not-in-force", "fail")],
        ..USUAL
    },
    Case {
        name: "a_seccomp_profile_as_it_was_at_the_start",
        expect: &[("seccomp-profile-not-in-force", "pass")],
        ..USUAL
    },
    Case {
        name: "inspect_16_a_descriptor_that_leads_out",
        after: r#"sh -c 'for list in /sys/fs/cgroup/*/docker/$1/cgroup.procs; do echo $$ >$list; done
                      exec nsenter -t $2 -m -u -i -n sleep 902 3</' sh $ID $PID >/dev/null 2>&1 & echo $! >>DIR/pids; settle"#,
        expect: &[("host-descriptor-open", "fail")],
        ..USUAL
    },
];

/// Waits until what was started in the background is where it goes.
const SETTLE: &str = "set -e; settle() { sleep 0.5; }\n";

/// The tests, which read one audit.
pub(crate) fn tests() -> impl Iterator<Item = Test> {
    CASES.iter().map(|case| {
        Test::new(case.name, move || {
            static SCENE: OnceLock<Scene> = OnceLock::new();
            SCENE.get_or_init(Scene::play).check(case)
        })
    })
}

struct Scene {
    failed: Vec<(&'static str, String)>,
    report: Result<Report, String>,
}

impl Scene {
    /// Everything is made, looked at once, and taken away.
    fn play() -> Self {
        let mut props = Vec::new();
        let mut failed = Vec::new();
        for case in CASES {
            let begun = Prop::make(case).and_then(|prop| {
                let begun = prop.begin(case);
                props.push(prop);
                begun
            });
            failed.extend(begun.err().map(|why| (case.name, why)));
        }
        Self { failed, report: Report::of(&["--host", docker::SOCKET]) }
    }

    fn check(&self, case: &Case) -> Result<(), String> {
        if let Some((_, why)) = self.failed.iter().find(|(name, _)| *name == case.name) {
            return Err(format!("could not be set up: {why}"));
        }
        let report = self.report.as_ref().map_err(Clone::clone)?;
        for (rule, wanted) in case.expect {
            let found = report.answers(rule, &container(case));
            if found.len() != 1 || found[0]["status"] != *wanted {
                return Err(format!("{rule}: wanted {wanted}, found {found:#?}"));
            }
        }
        Ok(())
    }
}

/// What one case leaves on the host; taken away when dropped.
struct Prop {
    container: String,
    folder: TempDir,
}

impl Prop {
    fn make(case: &Case) -> Result<Self, String> {
        // Not /tmp: it may be mounted without set-id programs.
        let folder = tempfile::Builder::new().prefix("plt").tempdir_in("/var/tmp");
        Ok(Self { container: container(case), folder: folder.map_err(|error| error.to_string())? })
    }

    fn begin(&self, case: &Case) -> Result<(), String> {
        let folder = self.folder.path().to_string_lossy();
        let text = |text: &str| text.replace("DIR", &folder).replace("CGROUP", &cgroup());
        shell(&text(case.before), "", "")?;
        let options: Vec<String> = case.options.iter().map(|option| text(option)).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let id = docker::run(&self.container, &options, BASE, case.command)?;
        shell(&text(case.after), &id, &docker::pid(&self.container)?.to_string())
    }
}

impl Drop for Prop {
    fn drop(&mut self) {
        let folder = self.folder.path();
        let end = "if [ -e \"$DIR/pids\" ]; then kill $(cat \"$DIR/pids\"); fi
                   find /sys/fs/cgroup -depth -type d -name \"$CGROUP\" -exec rmdir {} +";
        let mut command = Command::new("sh");
        command.args(["-c", end]).env("DIR", folder).env("CGROUP", cgroup());
        // Whatever stays is seen by the next run.
        let _ = docker(&["rm", "-fv", &self.container]);
        let _ = command.output();
        unmount(folder);
    }
}

fn container(case: &Case) -> String {
    format!("plt-{}-{}", std::process::id(), case.name)
}

fn cgroup() -> String {
    format!("plt-{}", std::process::id())
}

fn shell(script: &str, id: &str, pid: &str) -> Result<(), String> {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{SETTLE}{script}")]).env("ID", id).env("PID", pid);
    let output = command.output().map_err(|error| error.to_string())?;
    docker::text(output).map(drop)
}
