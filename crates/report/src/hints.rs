//! What would make more of the host checkable.

use plimsoll_rules::Status;

use crate::Audit;

/// What to try next, one sentence each; nothing where nothing is missing.
pub(crate) fn of(audit: &Audit) -> Vec<String> {
    let mut hints = Vec::new();
    let missing = !audit.gaps.is_empty() || audit.with_status(Status::Unknown).next().is_some();
    if missing && audit.collector.uid != 0 {
        hints.push(format!(
            "it ran as user {}; as root it sees more: sudo plimsoll {}",
            audit.collector.uid,
            if audit.is_of_images() { "lint" } else { "audit" }
        ));
    }
    if missing && audit.collector.in_host_namespaces == Some(false) {
        hints.push("it ran inside a container: run it on the host, in the host's namespaces".to_owned());
    }
    if !audit.is_of_images() && audit.host.engines.iter().all(|engine| engine.version.is_none()) {
        hints.push(
            "no engine answered: name its socket, plimsoll audit --host unix:///var/run/docker.sock"
                .to_owned(),
        );
    }
    hints
}
