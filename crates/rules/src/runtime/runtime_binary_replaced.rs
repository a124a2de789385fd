use plimsoll_facts::{Component, ComponentKind, Facts};

use super::binary;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "runtime-binary-replaced",
    title: "A runtime was updated on disk, but its old code still runs",
    concern: Concern::Runtime,
    severity: Severity::Medium,
    why: "The package manager says that the program is fixed, memory holds what was started before. A shim lives as long as \
          its container, so the bugs of its day stay with it for months.",
    fix: "systemctl restart containerd stops no container. A shim is renewed by restarting its container (docker restart \
          NAME), which stops that one.",
    references: &["proc_pid_exe(5)", "https://containerd.io/docs/"],
    cis: &[],
    judge: Judge::Component(
        &[
            ComponentKind::Runc,
            ComponentKind::Crun,
            ComponentKind::Containerd,
            ComponentKind::ContainerdShim,
            ComponentKind::Podman,
            ComponentKind::DockerInit,
        ],
        judge,
    ),
};

fn judge(_: &Facts, component: &Component) -> Judgement {
    binary::judge(component, match component.kind {
        ComponentKind::Containerd => "systemctl restart containerd (stops no container)",
        ComponentKind::ContainerdShim | ComponentKind::DockerInit => {
            "docker restart NAME for each container that is held (stops that container)"
        }
        _ => "restart what started the process (the service or the container)",
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{component, known};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{ComponentKind, Facts, RunningBinary, RunningProgram};

    fn shim(binary: RunningBinary, version: &str) -> Facts {
        component(ComponentKind::ContainerdShim, |c| {
            c.version = known("1.7.24".into());
            let version = Some(version.to_owned());
            c.running = vec![RunningProgram { pid: 7, binary, version, ..RunningProgram::default() }];
        })
    }

    #[test]
    fn old_code_in_memory() {
        let replaced = || RunningBinary::Replaced { path: "/usr/bin/containerd-shim-runc-v2".into() };
        let found = answer(&RULE, &shim(replaced(), "1.6.20"));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Medium));
        assert_eq!(answer(&RULE, &shim(replaced(), "1.7.24")).severity, Severity::Info);
    }

    #[test]
    fn current_unknown_idle() {
        assert_eq!(status_of(&RULE, &shim(RunningBinary::Current, "1.7.24")), Status::Pass);
        let denied = RunningBinary::Unknown { reason: "permission denied".into() };
        assert_eq!(status_of(&RULE, &shim(denied, "1.7.24")), Status::Unknown);
        assert_eq!(status_of(&RULE, &component(ComponentKind::Runc, |_| ())), Status::NotApplicable);
    }
}
