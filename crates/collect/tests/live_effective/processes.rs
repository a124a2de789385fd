//! Who really runs in a container, and with which powers.

use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::mpsc;

use plimsoll_facts::{Belongs, Capabilities, MaskState};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::world::{container, docker, effective, enter, facts, init, processes, run};

#[test]
fn a_default_container() {
    let Some(mut world) = enter("default") else { return };
    let name = world.start("a", &[], &["sleep", "600"]);
    let facts = facts();
    let effective = effective(&facts, &name);
    let [process] = processes(&facts, &name) else { panic!("{:?}", effective.processes) };
    assert_eq!((process.pid, process.uids, process.belongs), (init(&name), [0; 4], Belongs::Cgroup));
    assert_eq!(process.cap_effective, Capabilities::DOCKER_DEFAULT);
    assert_eq!((process.seccomp_mode, process.no_new_privs, process.namespaces), (2, false, None));
    assert_eq!(process.exe.as_deref(), Some("/usr/bin/sleep"));
    // Process 1 without a handler: the engine waits for its whole time-out.
    assert!(process.ignores_sigterm);

    let host = facts.host.namespaces.require().unwrap();
    let own = effective.namespaces.require().unwrap();
    assert!(own.mnt != host.mnt && own.pid != host.pid && own.net != host.net && own.user == host.user);
    assert_eq!(effective.host_paths.require().unwrap(), &[]);
    assert_eq!(effective.engine_sockets.require().unwrap(), &[]);
    assert_eq!(effective.host_descriptors.require().unwrap(), &[]);
    assert_eq!(effective.device_nodes.require().unwrap(), &[] as &[String]);
    assert_eq!(effective.listeners.require().unwrap(), &[]);
    let asked = container(&facts, &name).declared.require().unwrap().host_config.masked_paths.clone();
    for mask in effective.masks.require().unwrap() {
        let wanted = asked.iter().flatten().any(|path| *path == mask.path);
        assert!(!wanted || mask.found != MaskState::Open, "{mask:?}");
    }
}

/// inspect: seccomp profile and capabilities as given. The kernel: no filter, the capabilities that were added.
#[test]
fn without_seccomp_and_with_more_capabilities() {
    let Some(mut world) = enter("powers") else { return };
    let options = ["--security-opt=seccomp=unconfined", "--cap-add=SYS_ADMIN", "--init"];
    let name = world.start("a", &options, &["sleep", "600"]);
    let facts = facts();
    let processes = processes(&facts, &name);
    assert_eq!(processes.len(), 2, "docker-init and sleep: {processes:?}");
    assert!(processes.iter().all(|p| p.seccomp_mode == 0 && p.cap_effective.has("SYS_ADMIN")));
    // docker-init passes SIGTERM on, and sleep is no longer process 1.
    assert!(processes.iter().all(|p| !p.ignores_sigterm));
    assert_eq!(effective(&facts, &name).host_paths.require().unwrap(), &[]);
}

/// inspect: user 1000, all capabilities dropped. The kernel: uid 0 by `docker exec`.
#[test]
fn an_exec_session_of_another_user() {
    let Some(mut world) = enter("exec") else { return };
    let name = world.start("a", &["--user=1000", "--cap-drop=ALL"], &["sleep", "600"]);
    docker(&["exec", "--detach", "--user=0", &name, "sleep", "601"]);
    let facts = facts();
    let uids: Vec<u32> = processes(&facts, &name).iter().map(|p| p.uids[0]).collect();
    assert_eq!(uids.len(), 2, "{uids:?}");
    assert!(uids.contains(&1000) && uids.contains(&0));
}

/// inspect: no exec session. The kernel: a process of the host in all of the container's namespaces, in no cgroup of
/// it, with all capabilities and no filter.
#[test]
fn a_process_that_entered_from_the_host() {
    let Some(mut world) = enter("nsenter") else { return };
    let name = world.start("a", &["--cap-drop=ALL"], &["sleep", "600"]);
    let target = init(&name).to_string();
    world.spawn(Command::new("nsenter").args(["--target", &target, "--all", "sleep", "602"]));
    let visitor = eventually(|| {
        let facts = facts();
        let all = processes(&facts, &name);
        all.iter().find(|p| p.belongs == Belongs::NamespaceOnly && p.name == "sleep").cloned()
    });
    assert_eq!((visitor.uids, visitor.seccomp_mode), ([0; 4], 0));
    assert!(visitor.cap_effective.has("SYS_ADMIN"));
}

/// A single thread of a process of the host: its leader's namespaces are the host's.
#[test]
fn a_thread_in_a_containers_network() {
    let Some(mut world) = enter("thread") else { return };
    let name = world.start("a", &[], &["sleep", "600"]);
    let namespace = File::open(format!("/proc/{}/ns/net", init(&name))).unwrap();
    let (entered, wait) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        entered.send(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        let _ = finished.recv();
    });
    let tid = wait.recv().unwrap();
    let facts = facts();
    drop(finish);
    thread.join().unwrap();
    let found: Vec<_> = processes(&facts, &name).iter().filter(|p| p.thread.is_some()).collect();
    let [row] = found[..] else { panic!("{found:?}") };
    assert_eq!((row.pid, row.belongs), (std::process::id(), Belongs::NamespaceOnly));
    assert_eq!(row.thread, Some(tid.cast_unsigned()));
    assert_eq!(row.namespaces.unwrap().net, effective(&facts, &name).namespaces.value().unwrap().net);
}

/// A thread inside a container that may do less than its leader.
#[test]
fn a_thread_with_other_powers() {
    let Some(mut world) = enter("powers-of-thread") else { return };
    let program = world.dir().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let volume = format!("{}:/program:ro", program.display());
    let command = ["/program", "--ignored", "--exact", "processes::in_a_container_a_thread_drops_its_powers"];
    let name = world.start("a", &["--volume", &volume], &command);
    let rows = eventually(|| {
        let facts = facts();
        let rows: Vec<_> = processes(&facts, &name).iter().filter(|p| p.thread.is_some()).cloned().collect();
        (!rows.is_empty()).then_some(rows)
    });
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert!(row.no_new_privs && row.belongs == Belongs::Cgroup && row.namespaces.is_none());
}

/// Runs in the container of the test above: libtest runs it in a thread of its own.
#[test]
#[ignore = "runs in a container"]
fn in_a_container_a_thread_drops_its_powers() {
    rustix::thread::set_no_new_privs(true).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(600));
}

/// inspect: user 1000. The kernel: effective uid 0, by a set-id program in a bind mount.
#[test]
fn a_set_id_program_from_a_bind_mount() {
    let Some(mut world) = enter("set-id") else { return };
    let program = world.dir().join("s");
    fs::copy("/bin/sleep", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(world.dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let volume = format!("{}:/s", world.dir().display());
    let name = world.start("a", &["--user=1000", "--volume", &volume], &["/s/s", "600"]);
    let facts = facts();
    let [process] = processes(&facts, &name) else { panic!() };
    assert_eq!(process.uids, [1000, 0, 0, 0]);
    assert!(process.cap_effective.has("DAC_OVERRIDE"));
    assert!(!effective(&facts, &name).host_paths.value().unwrap()[0].nosuid);
}

/// inspect: nothing. The kernel: a descriptor to the host's root directory in a process in the container's cgroup.
#[test]
fn a_descriptor_that_leads_out() {
    let Some(mut world) = enter("descriptor") else { return };
    let name = world.start("a", &[], &["sleep", "600"]);
    let target = init(&name).to_string();
    let enter_all = ["--target", &target, "--mount", "--uts", "--ipc", "--net", "sleep", "603"];
    let pid = world.spawn(Command::new("nsenter").args(enter_all).stdin(File::open("/").unwrap()));
    for line in fs::read_to_string(format!("/proc/{target}/cgroup")).unwrap().lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap(), fields.next().unwrap());
        let controllers = controllers.strip_prefix("name=").unwrap_or(controllers);
        let mount = if controllers.is_empty() { "unified" } else { controllers };
        for mount in [mount, ""] {
            let _ = fs::write(format!("/sys/fs/cgroup/{mount}{path}/cgroup.procs"), pid.to_string());
        }
    }
    let facts = eventually(|| {
        let facts = facts();
        processes(&facts, &name).iter().any(|p| p.pid == pid && p.name == "sleep").then_some(facts)
    });
    let [found] = &effective(&facts, &name).host_descriptors.require().unwrap()[..] else {
        panic!("{:?}", effective(&facts, &name).host_descriptors)
    };
    assert_eq!((found.pid, found.fd, found.link.as_str()), (pid, 0, "fd/0"));
    assert_eq!((found.target.as_str(), found.kind.as_str()), ("/", "directory"));
    let row = processes(&facts, &name).iter().find(|p| p.pid == pid).unwrap();
    assert_eq!(row.belongs, Belongs::Cgroup);
}

/// A container that stops between list and read is told apart from one that runs.
#[test]
fn containers_that_do_not_run() {
    let Some(mut world) = enter("stopped") else { return };
    let stopped = world.start("stopped", &[], &["true"]);
    let paused = world.start("paused", &[], &["sleep", "600"]);
    docker(&["wait", &stopped]);
    docker(&["pause", &paused]);
    let facts = facts();
    let effective = &container(&facts, &stopped).effective;
    assert!(matches!(effective, plimsoll_facts::Fact::Absent { .. }), "{effective:?}");
    assert_eq!(processes(&facts, &paused).len(), 1);
    assert!(run("docker", &["unpause", &paused]).0);
}

/// A process that was just started needs a moment to enter its namespaces.
fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..50 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("not seen in time");
}
