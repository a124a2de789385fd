use plimsoll_facts::{Component, ComponentKind, Facts};

use crate::runtime::binary;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-binary-replaced",
    title: "The engine was updated on disk, but its old code still runs",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Debian's and Ubuntu's docker.io does not restart the daemon when it is updated, and needrestart leaves it out: the \
          package manager calls the engine fixed while the old one answers on the socket, as root.",
    fix: "\"live-restore\": true and `systemctl reload docker` first (stops nothing), then `systemctl restart docker`. With \
          live-restore containers go on and only loopback ports and name lookups pause; without it every container stops.",
    references: &["proc_pid_exe(5)", "https://docs.docker.com/engine/daemon/live-restore/"],
    cis: &["1.2.2"],
    judge: Judge::Component(&[ComponentKind::Dockerd, ComponentKind::DockerProxy, ComponentKind::Buildkitd], judge),
};

fn judge(_: &Facts, component: &Component) -> Judgement {
    binary::judge(component, match component.kind {
        ComponentKind::Dockerd => "systemctl restart docker (stops every container unless live-restore is on)",
        ComponentKind::DockerProxy => "docker restart NAME, or a restart of the daemon, starts the new docker-proxy",
        _ => "restart the service that runs it",
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, known};
    use crate::testing::{answer, status_of};
    use plimsoll_facts::{ComponentKind, Facts, RunningBinary, RunningProgram};

    fn dockerd(binary: RunningBinary) -> Facts {
        component(ComponentKind::Dockerd, |c| {
            c.version = known("28.5.2".into());
            c.running = vec![RunningProgram { binary, version: Some("26.1.5".into()), ..RunningProgram::default() }];
        })
    }

    #[test]
    fn an_update_without_a_restart() {
        let found = answer(&RULE, &dockerd(RunningBinary::Replaced { path: "/usr/sbin/dockerd".into() }));
        assert_eq!(found.status, Status::Fail);
        assert!(found.message.contains("28.5.2 was installed since"));
        assert_eq!(status_of(&RULE, &dockerd(RunningBinary::Current)), Status::Pass);
        let hidden = RunningBinary::Unknown { reason: "permission denied".into() };
        assert_eq!(status_of(&RULE, &dockerd(hidden)), Status::Unknown);
    }
}
