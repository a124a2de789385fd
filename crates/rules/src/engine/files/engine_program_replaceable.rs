use plimsoll_facts::{Facts, FileRole, FileStat};

use super::access::{Question, Wrong, belongs_to_rootless_engine, not_roots, show_mode, show_owner, writable};
use crate::{Concern, Judge, Judgement, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-program-replaceable",
    title: "Others than root may change a program that runs as root",
    concern: Concern::Engine,
    severity: Severity::Critical,
    why: "runC, the shims and the daemon run as root at every start of a container. Who may write one of them, or a directory \
          on the way to it, waits for the next start.",
    fix: "Install the package again (apt-get install --reinstall, dnf reinstall), then chown root:root and chmod go-w on file \
          and directories. Look first whether the file was already changed: dpkg -V PACKAGE, rpm -V PACKAGE.",
    references: &["path_resolution(7)", "chmod(1)"],
    cis: &[],
    judge: Judge::Host(judge),
};

const QUESTION: Question = Question {
    about: "owner and mode",
    files: &[(FileRole::Program, "")],
    expected: "root, 0755 or fewer bits",
    none: "no program of an engine is on this host",
};

fn judge(facts: &Facts) -> Judgement {
    let show = |stat: &FileStat| format!("{} {}", show_owner(stat), show_mode(stat));
    QUESTION.ask(facts, show, |file, stat| {
        if belongs_to_rootless_engine(facts, file, stat) {
            return None;
        }
        let owner = not_roots(stat).filter(|_| stat.uid != 0);
        owner.or_else(|| set_id(stat)).or_else(|| writable(stat, 0o755).filter(|w| w.severity > Severity::Low))
    })
}

/// These programs trust their caller: with a set-id bit every account is such a caller.
fn set_id(stat: &FileStat) -> Option<Wrong> {
    let what = "runs with its owner's rights for every caller".to_owned();
    (stat.mode & 0o6000 != 0).then_some(Wrong { severity: Severity::Critical, what })
}

#[cfg(test)]
mod tests {
    use super::super::access::one_file;
    use super::RULE;
    use crate::testing::{answer, status_of};
    use crate::{Severity, Status};
    use plimsoll_facts::{Facts, FileRole, FileStat};

    fn runc(mode: u32, change: impl FnOnce(&mut FileStat)) -> Facts {
        one_file(FileRole::Program, "/usr/sbin/runc", mode, change)
    }

    #[test]
    fn who_may_change_it() {
        assert_eq!(answer(&RULE, &runc(0o757, |_| ())).severity, Severity::Critical);
        assert_eq!(answer(&RULE, &runc(0o755, |s| s.uid = 1000)).severity, Severity::High);
        let directory = runc(0o755, |s| s.replaceable_through = vec!["/usr/local/bin".into()]);
        assert_eq!(answer(&RULE, &directory).severity, Severity::High);
        assert_eq!(status_of(&RULE, &runc(0o755, |_| ())), Status::Pass);
        assert_eq!(answer(&RULE, &runc(0o4755, |_| ())).severity, Severity::Critical);
    }
}
