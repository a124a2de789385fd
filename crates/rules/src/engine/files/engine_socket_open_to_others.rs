use plimsoll_facts::{Facts, FileRole, FileStat};

use super::access::{Question, Wrong, belongs_to_rootless_engine, granted, show_mode};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-socket-open-to-others",
    title: "Others than root and its group may connect to the engine's socket",
    concern: Concern::Engine,
    severity: Severity::Critical,
    why: "Connecting needs the permission to write. Who has it starts a container with the host's disk in it and is root. \
          Permission bits, ACL entries and directories in which the socket could be replaced all count.",
    fix: "chmod 0660 SOCKET and setfacl -b SOCKET now; SocketMode=0660 in docker.socket so that it stays. Nothing stops; \
          clients beyond the group are refused from then on.",
    references: &["unix(7)", "https://docs.docker.com/engine/security/#docker-daemon-attack-surface"],
    cis: &["3.16"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[(FileRole::EngineSocket, "3.16")],
    expected: "0660 or fewer bits",
    none: "no engine's socket is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_mode, |file, stat| {
        open(stat, belongs_to_rootless_engine(facts, file, stat), Severity::Critical)
    })
}

/// Who beyond owner and group may connect, or put another socket in place.
pub(super) fn open(stat: &FileStat, rootless: bool, worst: Severity) -> Option<Wrong> {
    let wrong = |severity, what: String| Some(Wrong { severity, what });
    if stat.mode & 0o002 != 0 {
        return wrong(worst, "every account may connect to it".to_owned());
    }
    if let Some(entry) = granted(stat, 'w') {
        return wrong(Severity::High, format!("its ACL lets others connect ({entry})"));
    }
    if let (Some(directory), false) = (stat.replaceable_through.last(), rootless) {
        return wrong(Severity::High, format!("others may replace it, as they may write {directory}"));
    }
    let beyond = stat.mode & !0o660;
    (beyond != 0).then(|| Wrong { severity: Severity::Info, what: format!("its mode goes beyond 0660 ({beyond:04o})") })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::bare::{denied, host};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Fact, Facts, FileFact, FileRole, FileStat};

    fn socket(mode: u32, change: impl FnOnce(&mut FileStat)) -> Facts {
        one_file(FileRole::EngineSocket, "/run/docker.sock", mode, change)
    }

    #[test]
    fn case_03_0606_is_open_to_everybody() {
        let found = answer(&RULE, &socket(0o606, |_| ()));
        assert_eq!((found.status, found.severity), (Status::Fail, Severity::Critical));
    }

    #[test]
    fn bits_acls_directories() {
        assert_eq!(status_of(&RULE, &socket(0o660, |_| ())), Status::Pass);
        assert_eq!(answer(&RULE, &socket(0o664, |_| ())).severity, Severity::Info);
        let acl = socket(0o660, |s| s.acl = vec!["user:1000:rw-".into()]);
        assert_eq!(answer(&RULE, &acl).severity, Severity::High);
        let parent = socket(0o660, |s| s.replaceable_through = vec!["/run".into()]);
        assert_eq!(answer(&RULE, &parent).severity, Severity::High);
    }

    #[test]
    fn absent_and_unread() {
        let file = |stat| host(|h| h.files = vec![FileFact { role: FileRole::EngineSocket, path: "/s".into(), stat }]);
        assert_eq!(status_of(&RULE, &file(Fact::absent("/s"))), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &file(denied())), Status::Unknown);
    }
}
