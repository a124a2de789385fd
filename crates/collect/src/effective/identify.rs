//! Which process is a container's first one.

use plimsoll_facts::Container;

use super::members::names_id;
use crate::procs::{Processes, Row};

/// How much later than the engine's own time stamp a first process may have started, in seconds: the engine notes the
/// time after the start, and `/proc` counts from a boot time in whole seconds.
const TOLERANCE: i64 = 10;

/// Finds the first process of a container, and makes sure that its number has not gone to another one.
///
/// # Errors
/// Why it cannot be told, as a sentence.
pub(super) fn init<'a>(processes: &'a Processes, container: &Container) -> Result<&'a Row, String> {
    let declared = match container.declared.require() {
        Ok(declared) => declared,
        Err(gap) => return Err(format!("the engine did not describe the container: {}", gap.reason)),
    };
    let pid = declared.pid;
    if pid == 0 {
        return Err("the engine names no process of it".to_owned());
    }
    let row = processes.get(pid).filter(|row| !row.zombie);
    let row =
        row.ok_or_else(|| format!("process {pid} has ended since the engine named it, or is not visible"))?;
    // The clock may have been set since: then the name of the cgroup tells.
    let in_time = match (processes.started_at(row), declared.started_at) {
        (Some(process), Some(container)) => process <= container.saturating_add(TOLERANCE),
        _ => false,
    };
    if in_time || in_cgroup_named(row, &container.id) {
        Ok(row)
    } else {
        Err(format!("process {pid} ({}) started after the container: its number was used again", row.name))
    }
}

fn in_cgroup_named(row: &Row, id: &str) -> bool {
    let lines = row.cgroups.iter().flat_map(|cgroups| &cgroups.0);
    lines.flat_map(|line| line.path.split('/')).any(|component| names_id(component, id))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Declared, Fact};
    use plimsoll_rootdir::RootDir;

    use super::*;

    #[test]
    fn a_number_that_was_used_again_is_noticed() {
        let processes = Processes::scan(&RootDir::open("/").unwrap()).unwrap();
        let me = processes.get(std::process::id()).unwrap();
        let now = processes.started_at(me).unwrap();
        let container = |pid, started_at| Container {
            id: "60b69a1376926a5d".into(),
            declared: Fact::known(Declared { pid, started_at, ..Declared::default() }, "inspect"),
            ..Container::default()
        };
        assert_eq!(init(&processes, &container(me.pid, Some(now))).unwrap().pid, me.pid);
        let why = |container| init(&processes, &container).unwrap_err();
        assert!(why(container(me.pid, Some(now - 100))).contains("used again"));
        assert!(why(container(me.pid, None)).contains("used again"));
        assert!(why(container(u32::MAX, Some(now))).contains("has ended"));
        assert!(why(container(0, Some(now))).contains("names no process"));
        assert!(why(Container::default()).contains("not collected"));
    }
}
