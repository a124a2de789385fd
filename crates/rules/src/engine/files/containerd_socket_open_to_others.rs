use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, belongs_to_rootless_engine, show_mode};
use super::engine_socket_open_to_others::open;
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "containerd-socket-open-to-others",
    title: "Others than root may connect to containerd's socket",
    concern: Concern::Engine,
    severity: Severity::Critical,
    why: "Connecting needs the permission to write. Who has it has containerd start any program as root on the host, out of \
          the engine's sight.",
    fix: "chmod 0660 SOCKET and setfacl -b SOCKET; restart containerd so that it stays (systemctl restart containerd stops \
          no container).",
    references: &["unix(7)", "https://containerd.io/docs/"],
    cis: &["3.24"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[(FileRole::ContainerdSocket, "3.24")],
    expected: "0660 or fewer bits",
    none: "no containerd's socket is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_mode, |file, stat| {
        open(stat, belongs_to_rootless_engine(facts, file, stat), Severity::Critical)
    })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::FileRole;

    #[test]
    fn write_for_others_is_critical() {
        let with = |mode| one_file(FileRole::ContainerdSocket, "/run/containerd/containerd.sock", mode, |_| ());
        assert_eq!(answer(&RULE, &with(0o662)).severity, Severity::Critical);
        assert_eq!(status_of(&RULE, &with(0o660)), Status::Pass);
    }
}
