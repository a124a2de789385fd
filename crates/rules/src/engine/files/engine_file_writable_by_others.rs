use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, belongs_to_rootless_engine, show_mode, usual_mode, writable};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-file-writable-by-others",
    title: "Others than root may write a file that configures the engine",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Who writes a unit, daemon.json or a defaults file decides what the root daemon does at its next start. Permission \
          bits, ACL entries and directories above in which the file could be replaced all count.",
    fix: "chmod go-w FILE and setfacl -b FILE for each file of the evidence, chmod go-w on the directories. Nothing stops.",
    references: &["chmod(1)", "acl(5)", "path_resolution(7)"],
    cis: &["3.2", "3.4", "3.6", "3.18", "3.20", "3.21"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[
        (FileRole::EngineService, "3.2"),
        (FileRole::EngineSocketUnit, "3.4"),
        (FileRole::EngineConfigDir, "3.6"),
        (FileRole::EngineConfig, "3.18"),
        (FileRole::DefaultsFile, "3.20"),
        (FileRole::SysconfigFile, "3.21"),
        (FileRole::ContainerdConfig, ""),
    ],
    expected: "0644 (directories 0755) or fewer bits",
    none: "none of the files that configure an engine is there",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_mode, |file, stat| {
        // A rootless engine's files lie in directories of its account by design.
        let own = belongs_to_rootless_engine(facts, file, stat) && stat.mode & 0o022 == 0 && stat.acl.is_empty();
        if own { None } else { writable(stat, usual_mode(stat)) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::bare::{denied, host};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Fact, FileFact, FileKind, FileRole};

    #[test]
    fn case_04_modes_that_are_small_as_decimals() {
        let directory = one_file(FileRole::EngineConfigDir, "/etc/docker", 0o737, |s| s.kind = FileKind::Directory);
        let config = one_file(FileRole::EngineConfig, "/etc/docker/daemon.json", 0o622, |_| ());
        let defaults = one_file(FileRole::DefaultsFile, "/etc/default/docker", 0o636, |_| ());
        for facts in [directory, config, defaults] {
            let found = answer(&RULE, &facts);
            assert_eq!((found.status, found.severity), (Status::Fail, Severity::Critical));
        }
    }

    #[test]
    fn case_46_a_link_is_followed_to_the_file() {
        let facts = one_file(FileRole::EngineConfig, "/etc/docker/daemon.json", 0o600, |s| {
            s.resolved = "/srv/docker/daemon.json".into();
        });
        let found = answer(&RULE, &facts);
        assert_eq!(found.status, Status::Pass);
        assert_eq!(found.evidence[0].source, "/etc/docker/daemon.json → /srv/docker/daemon.json");
    }

    #[test]
    fn a_directory_may_be_searched() {
        let usual = one_file(FileRole::EngineConfigDir, "/etc/docker", 0o755, |s| s.kind = FileKind::Directory);
        assert_eq!(status_of(&RULE, &usual), Status::Pass);
    }

    #[test]
    fn absent_and_unread() {
        let file = |stat| host(|h| h.files = vec![FileFact { role: FileRole::SysconfigFile, path: "/s".into(), stat }]);
        assert_eq!(status_of(&RULE, &file(Fact::absent("/s"))), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &file(denied())), Status::Unknown);
    }
}
