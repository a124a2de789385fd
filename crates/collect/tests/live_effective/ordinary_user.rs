//! Without root: much cannot be seen, and nothing that cannot be seen looks fine.

use std::os::unix::fs::PermissionsExt;

use plimsoll_facts::Fact;

use crate::world::{container, enter, facts, run};

/// An ordinary user who may speak to the engine collects.
#[test]
fn what_an_ordinary_user_sees() {
    let Some(mut world) = enter("ordinary") else { return };
    let name = world.start("a", &[], &["sleep", "600"]);
    let program = world.dir().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(world.dir(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let group = rustix::fs::stat("/var/run/docker.sock").unwrap().st_gid;
    let arguments = [
        "--reuid=65534",
        "--regid=65534",
        &format!("--groups={group}"),
        "--inh-caps=-all",
        "--bounding-set=-all",
        program.to_str().unwrap(),
        "--ignored",
        "--exact",
        "ordinary_user::collects_as_an_ordinary_user",
    ];
    let output =
        std::process::Command::new("setpriv").args(arguments).env("CONTAINER", &name).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(run("docker", &["inspect", &name]).0);
}

#[test]
#[ignore = "run by the test above as an ordinary user"]
fn collects_as_an_ordinary_user() {
    let name = std::env::var("CONTAINER").unwrap();
    let facts = facts();
    assert_eq!(facts.collector.uid, 65534);
    assert!(facts.collector.capabilities.is_empty());
    let Fact::Known { value: effective, .. } = &container(&facts, &name).effective else {
        panic!("{:?}", container(&facts, &name).effective)
    };
    let why = |state: Result<(), plimsoll_facts::Gap>| state.unwrap_err().reason;
    for reason in [
        why(effective.processes.require().map(drop)),
        why(effective.namespaces.require().map(drop)),
        why(effective.engine_sockets.require().map(drop)),
        why(effective.device_nodes.require().map(drop)),
        why(effective.listeners.require().map(drop)),
        why(effective.host_descriptors.require().map(drop)),
    ] {
        assert!(reason.contains("permission") || reason.contains("cannot be read"), "{reason}");
    }
    // Mounts and limits may be read by everybody.
    assert!(effective.mounts.value().is_some() && effective.limits.value().is_some());
    let subject = format!("container {name}");
    assert!(facts.gaps.iter().any(|gap| gap.subject == subject));
}
