use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, Wrong, belongs_to_rootless_engine, group, not_roots, show_owner};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "containerd-socket-owned-by-others",
    title: "containerd's socket does not belong to root",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "containerd starts whatever it is told to, as root, below the engine and out of its sight: no authorization plugin \
          and no log of the engine sees it. Nobody but root has business there.",
    fix: "chown root:root SOCKET, and gid = 0 in the [grpc] section of /etc/containerd/config.toml. Nothing stops.",
    references: &["https://containerd.io/docs/"],
    cis: &["3.23"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "owner",
    files: &[(FileRole::ContainerdSocket, "3.23")],
    expected: "root:root",
    none: "no containerd's socket is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_owner, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) {
            return None;
        }
        if stat.uid == 0 && stat.gid != 0 && stat.mode & 0o020 != 0 {
            let what = format!("members of {} are root through it", group(stat));
            return Some(Wrong { severity: Severity::High, what });
        }
        not_roots(stat)
    })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::answer;
    use crate::{Severity, Status};
    use plimsoll_facts::FileRole;

    #[test]
    fn a_group_with_write_permission_is_root() {
        let with = |uid, gid, mode| {
            let facts = one_file(FileRole::ContainerdSocket, "/run/containerd/containerd.sock", mode, |s| {
                (s.uid, s.gid) = (uid, gid);
            });
            let found = answer(&RULE, &facts);
            (found.status, found.severity)
        };
        assert_eq!(with(0, 0, 0o660), (Status::Pass, Severity::High));
        assert_eq!(with(0, 998, 0o660), (Status::Fail, Severity::High));
        assert_eq!(with(0, 998, 0o600), (Status::Fail, Severity::Info));
        assert_eq!(with(1000, 0, 0o600), (Status::Fail, Severity::High));
    }
}
