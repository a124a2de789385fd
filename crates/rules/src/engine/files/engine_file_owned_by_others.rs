use plimsoll_facts::{Facts, FileRole};

use super::access::{Question, belongs_to_rootless_engine, not_roots, show_owner};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-file-owned-by-others",
    title: "A file that configures the engine does not belong to root",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "Whoever owns a unit, daemon.json or a defaults file may change it, and the daemon that reads it next is root: one \
          line names a runtime program or opens the API on the network. Links are followed to the file itself.",
    fix: "chown root:root FILE for each file of the evidence. Nothing stops.",
    references: &["chown(1)"],
    cis: &["3.1", "3.3", "3.5", "3.17", "3.19", "3.22"],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "owner",
    files: &[
        (FileRole::EngineService, "3.1"),
        (FileRole::EngineSocketUnit, "3.3"),
        (FileRole::EngineConfigDir, "3.5"),
        (FileRole::EngineConfig, "3.17"),
        (FileRole::DefaultsFile, "3.19"),
        (FileRole::SysconfigFile, "3.22"),
        (FileRole::ContainerdConfig, ""),
    ],
    expected: "root:root",
    none: "none of the files that configure an engine is there",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_owner, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) { None } else { not_roots(stat) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::bare::{ReachEngine, denied, engine, host};
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Fact, FileFact, FileRole};

    const PATH: &str = "/etc/docker/daemon.json";

    #[test]
    fn another_owner_is_high_another_group_a_note() {
        let owner = answer(&RULE, &one_file(FileRole::EngineConfig, PATH, 0o644, |s| s.uid = 1000));
        assert_eq!((owner.status, owner.severity), (Status::Fail, Severity::High));
        assert_eq!([owner.status_for("3.17"), owner.status_for("3.5")], [Status::Fail, Status::NotApplicable]);
        let group = answer(&RULE, &one_file(FileRole::EngineConfig, PATH, 0o644, |s| s.gid = 4));
        assert_eq!((group.status, group.severity), (Status::Fail, Severity::Info));
        let roots = one_file(FileRole::EngineConfig, PATH, 0o644, |_| ());
        assert_eq!(status_of(&RULE, &roots), Status::Pass);
    }

    #[test]
    fn case_48_the_files_of_a_rootless_engine_are_its_account_s() {
        let home = "/home/alice/.config/docker/daemon.json";
        let mut facts = one_file(FileRole::EngineConfig, home, 0o644, |s| s.uid = 1000);
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.engines = engine(|e| {
            e.daemon().uid = 1000;
            e.daemon().in_user_namespace = Some(true);
        })
        .engines;
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn absent_unread_not_collected() {
        let file = |stat| host(|h| h.files = vec![FileFact { role: FileRole::EngineConfig, path: PATH.into(), stat }]);
        assert_eq!(status_of(&RULE, &file(Fact::absent(PATH))), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &file(denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }

    #[test]
    fn one_wrong_file_outweighs_one_that_could_not_be_read() {
        let mut facts = one_file(FileRole::EngineConfig, PATH, 0o644, |s| s.uid = 1000);
        facts.host.files.push(FileFact { role: FileRole::DefaultsFile, path: "/d".into(), stat: denied() });
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
    }

    #[test]
    fn each_control_has_an_answer_of_its_own() {
        let mut facts = one_file(FileRole::EngineConfig, PATH, 0o644, |s| s.uid = 1000);
        let good = one_file(FileRole::DefaultsFile, "/etc/default/docker", 0o644, |_| ());
        facts.host.files.extend(good.host.files);
        let found = answer(&RULE, &facts);
        let of = |control| found.status_for(control);
        assert_eq!([of("3.17"), of("3.19"), of("3.1")], [Status::Fail, Status::Pass, Status::NotApplicable]);
    }
}
