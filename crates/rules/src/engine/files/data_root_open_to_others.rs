use plimsoll_facts::{Facts, FileRole, FileStat};

use super::access::{Question, Wrong, belongs_to_rootless_engine, granted, show_mode};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "data-root-open-to-others",
    title: "Every account of the host can go into the engine's data directory",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "Below it lie the files of all containers, set-id programs among them: a user of the host runs one that he put into \
          his container, or reads a database's files whose own modes are wide (CVE-2021-41091). The daemon makes it 0710 \
          since 20.10.9.",
    fix: "chmod 0710 DIRECTORY. Nothing stops.",
    references: &["https://github.com/moby/moby/security/advisories/GHSA-3fwx-pjgw-3558"],
    cis: &[],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "mode",
    files: &[(FileRole::DataRoot, "")],
    expected: "0710 or fewer bits",
    none: "no engine's data directory is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    QUESTION.ask(facts, show_mode, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) && stat.mode & 0o002 == 0 {
            return None;
        }
        open(stat)
    })
}

fn open(stat: &FileStat) -> Option<Wrong> {
    let wrong = |severity, what: String| Some(Wrong { severity, what });
    if stat.mode & 0o002 != 0 {
        return wrong(Severity::Critical, "every account may write into it".to_owned());
    }
    if let Some(entry) = granted(stat, 'w') {
        return wrong(Severity::High, format!("its ACL lets others write into it ({entry})"));
    }
    if stat.mode & 0o005 != 0 {
        return wrong(Severity::Medium, "every account may go into it".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::FileRole;

    #[test]
    fn others_may_not_even_pass_through() {
        let with = |mode| one_file(FileRole::DataRoot, "/var/lib/docker", mode, |_| ());
        assert_eq!(answer(&RULE, &with(0o711)).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &with(0o777)).severity, Severity::Critical);
        assert_eq!(status_of(&RULE, &with(0o710)), Status::Pass);
    }
}
