//! Processes of containers that the engine takes for stopped.

use plimsoll_facts::{ComponentKind, RunningProgram};
use plimsoll_rules::Evidence;

use super::Found;
use crate::view::{ContainerView, EngineView};

/// A container that the engine reports as stopped although its shim or its processes are there: starting it again
/// puts two programs on one set of data.
pub(super) fn orphaned_process(view: &EngineView<'_>) -> Option<Found> {
    let mut containers = Vec::new();
    let mut evidence = Vec::new();
    // One that is being removed has processes for a moment longer.
    let stopped = |container: &&ContainerView<'_>| {
        !container.container.is_running() && container.container.state != "removing"
    };
    for container in view.containers.iter().filter(stopped) {
        let Some(found) = left_behind(view, container) else { continue };
        containers.push(container.reference());
        evidence.push(found.expected(format!("none: the engine says {}", container.container.state)));
    }
    let trap = Found::about(
        containers,
        "the engine says that these do not run, but their processes do: they serve on without published ports, and a \
         start puts a second program on the same data",
        "do not start or restart them; stop the processes that are left in an orderly way first (a database by its \
         own shutdown), then start the container",
    );
    trap.map(|trap| Found { evidence, ..trap })
}

fn left_behind(view: &EngineView<'_>, container: &ContainerView<'_>) -> Option<Evidence> {
    let processes = container.processes();
    if let Some(process) = processes.first() {
        let value = format!("{} ({})", process.pid, process.name);
        return Some(Evidence::new(
            "process of the container",
            value,
            format!("/proc/{}/cgroup", process.pid),
        ));
    }
    let shims =
        view.facts.components.iter().filter(|component| component.kind == ComponentKind::ContainerdShim);
    let holds = |shim: &&RunningProgram| shim.container.as_deref() == Some(container.container.id.as_str());
    let shim = shims.flat_map(|component| &component.running).find(holds)?;
    Some(Evidence::new("shim of the container", shim.pid.to_string(), format!("/proc/{}/cmdline", shim.pid)))
}
