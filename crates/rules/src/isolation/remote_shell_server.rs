use plimsoll_facts::{Container, Process};

use crate::answer::{fail, pass};
use crate::processes::{evidence_of, label, labels, members};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Programs that let people log in.
const SERVERS: [&str; 8] =
    ["sshd", "sshd-session", "dropbear", "tinysshd", "telnetd", "in.telnetd", "in.rlogind", "in.rshd"];

pub(super) const RULE: Rule = Rule {
    id: "remote-shell-server",
    title: "A login server runs in the container",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "It adds accounts, keys and a port that nobody rotates, logs or updates with the host's, and whoever logs in \
          changes the container in ways that its image does not show.",
    fix: "Remove the server from the image and use docker exec, or docker over SSH to the host (DOCKER_HOST=ssh://…). \
          A container whose purpose is SSH (a bastion, SFTP) deserves an exception with a reason. Recreating the \
          container stops it.",
    references: &["https://docs.docker.com/reference/cli/docker/container/exec/", "https://docs.docker.com/engine/security/protect-access/"],
    cis: &["5.7"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let members = members(effective)?;
        let servers: Vec<_> = members.iter().copied().filter(|p| server(p).is_some()).collect();
        if servers.is_empty() {
            let shown = format!("none among {} processes", members.len());
            return pass(Evidence::new("login servers", shown, effective.processes.source()));
        }
        let evidence = evidence_of(&servers, |p| {
            let program = p.exe.as_deref().unwrap_or(&p.name);
            Evidence::new(label(p), program, format!("/proc/{}/exe", p.pid)).expected("no login server")
        });
        fail(Problem::new(format!("a login server runs: {}", labels(&servers)), evidence))
    })
}

/// A login server by the name of its program or, where it calls itself otherwise, by its own name.
fn server(process: &Process) -> Option<&'static str> {
    let program = process.exe.as_deref().and_then(|exe| exe.rsplit('/').next()).unwrap_or_default();
    SERVERS.into_iter().find(|name| *name == program || *name == process.name)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, process, status_of, stopped};

    /// Seen from the host's /proc; the image needs no `ps`.
    #[test]
    fn case_12_without_ps_in_the_image() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes().push(process(4720, "sshd", 0)))), Status::Fail);
        let renamed = container(|c| {
            let mut hidden = process(4720, "worker", 0);
            hidden.exe = Some("/usr/sbin/dropbear".into());
            c.processes().push(hidden);
        });
        assert_eq!(status_of(&RULE, &renamed), Status::Fail);
    }

    #[test]
    fn others_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        assert_eq!(
            status_of(&RULE, &container(|c| c.processes().push(process(4720, "sshd-exporter", 0)))),
            Status::Pass
        );
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }

    #[test]
    fn unreadable_processes_are_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.effective().processes = Default::default())), Status::Unknown);
    }
}
