//! Who can do what to a file: permission bits as a mask, ACL entries, and the directories above it.

use plimsoll_facts::{Facts, FileFact, FileKind, FileRole, FileStat, Gap};

use super::super::is_rootless;
use crate::answer::{fail, gap, not_applicable};
use crate::{Evidence, Judgement, Outcome, Problem, Severity};

/// What is wrong with one file, how bad it is, and what is in its place right.
pub(super) struct Wrong {
    pub(super) severity: Severity,
    pub(super) what: String,
}

/// One question about files of some roles, each with the control that asks it.
pub(super) struct Question {
    /// What is looked at: `owner`, `mode`.
    pub(super) about: &'static str,
    /// Roles, each with the control that asks; empty where none does.
    pub(super) files: &'static [(FileRole, &'static str)],
    /// The bound in words.
    pub(super) expected: &'static str,
    /// Why the question does not arise where none of the files exists.
    pub(super) none: &'static str,
}

impl Question {
    /// Asks it about each file. One that could not be read makes the answer unknown, unless another is wrong.
    pub(super) fn ask(
        &self,
        facts: &Facts,
        show: impl Fn(&FileStat) -> String,
        check: impl Fn(&FileFact, &FileStat) -> Option<Wrong>,
    ) -> Judgement {
        if facts.host.files.is_empty() {
            return Err(gap("", "the engine's files were not looked at"));
        }
        let mut evidence = Vec::new();
        let mut wrongs: Vec<(&str, Wrong)> = Vec::new();
        let mut unread: Option<Gap> = None;
        for file in &facts.host.files {
            let Some((_, control)) = self.files.iter().find(|(role, _)| *role == file.role) else { continue };
            let stat = match file.stat.get() {
                Ok(None) => continue,
                Ok(Some(stat)) => stat,
                Err(missing) => {
                    unread = unread.or(Some(missing));
                    continue;
                }
            };
            let fact = format!("{} of {}", self.about, file.path);
            let seen = Evidence::new(fact, show(stat), source(file, stat)).expected(self.expected);
            let answer =
                |met| if control.is_empty() { seen.clone() } else { seen.clone().answers(*control, met) };
            match check(file, stat) {
                None => evidence.push(answer(true)),
                Some(wrong) => {
                    evidence.insert(wrongs.len(), answer(false));
                    wrongs.push((&file.path, wrong));
                }
            }
        }
        let worst = wrongs.iter().map(|(_, wrong)| wrong.severity).max();
        match (worst, unread) {
            (Some(worst), _) => fail(Problem::new(message(&wrongs), evidence).severity(worst)),
            (None, Some(unread)) => Err(unread),
            (None, None) if evidence.is_empty() => not_applicable(self.none),
            (None, None) => Ok(Outcome::Pass(evidence)),
        }
    }
}

/// Files that somebody could change without effect on the host: those of a rootless engine belong to its account.
pub(super) fn belongs_to_rootless_engine(facts: &Facts, file: &FileFact, stat: &FileStat) -> bool {
    const HOMES: [&str; 3] = ["/home/", "/run/user/", "/var/home/"];
    let owner = |engine| {
        let engine: &plimsoll_facts::Engine = engine;
        is_rootless(engine) && engine.daemon.value().is_some_and(|daemon| daemon.uid == stat.uid)
    };
    HOMES.iter().any(|home| stat.resolved.starts_with(home) || file.path.starts_with(home))
        && facts.engines.iter().any(owner)
}

/// Whether the owner is root; the group is a lesser matter, as it grants what the mode says only.
pub(super) fn not_roots(stat: &FileStat) -> Option<Wrong> {
    if stat.uid != 0 {
        let what = format!("belongs to {}", user(stat));
        return Some(Wrong { severity: Severity::High, what });
    }
    let what = format!("belongs to the group {}", group(stat));
    (stat.gid != 0).then_some(Wrong { severity: Severity::Info, what })
}

/// What of a mode goes beyond `allowed`, and who may write the file by its mode, its ACL or a directory above it.
pub(super) fn writable(stat: &FileStat, allowed: u32) -> Option<Wrong> {
    let beyond = stat.mode & !allowed;
    let wrong = |severity, what: String| Some(Wrong { severity, what });
    if beyond & 0o002 != 0 {
        return wrong(Severity::Critical, "every account may write it".to_owned());
    }
    if let Some(directory) = stat.replaceable_through.last() {
        return wrong(Severity::High, format!("others may replace it, as they may write {directory}"));
    }
    if let Some(entry) = granted(stat, 'w') {
        return wrong(Severity::High, format!("its ACL lets others write it ({entry})"));
    }
    if beyond & 0o020 != 0 && stat.acl.is_empty() {
        let severity = if stat.gid == 0 { Severity::Low } else { Severity::High };
        return wrong(severity, format!("the group {} may write it", group(stat)));
    }
    let rest = beyond & !0o020;
    (rest != 0)
        .then(|| Wrong { severity: Severity::Info, what: format!("its mode goes beyond {allowed:04o}") })
}

/// The first ACL entry that grants this access to somebody other than root.
pub(super) fn granted(stat: &FileStat, access: char) -> Option<&str> {
    stat.acl
        .iter()
        .filter(|entry| !entry.starts_with("user:0:") && !entry.starts_with("group:0:"))
        .find(|entry| entry.rsplit(':').next().is_some_and(|letters| letters.contains(access)))
        .map(String::as_str)
}

/// The mode that a file of this kind may have at most.
pub(super) fn usual_mode(stat: &FileStat) -> u32 {
    if stat.kind == FileKind::Directory { 0o755 } else { 0o644 }
}

/// A mode and its ACL, as `ls -l` and getfacl(1) would tell.
pub(super) fn show_mode(stat: &FileStat) -> String {
    let acl = if stat.acl.is_empty() { String::new() } else { format!(" + {}", stat.acl.join(" ")) };
    format!("{:04o}{acl}", stat.mode)
}

/// Owner and group by name and number.
pub(super) fn show_owner(stat: &FileStat) -> String {
    format!("{}:{}", user(stat), group(stat))
}

/// The owner by name, else by number.
pub(super) fn user(stat: &FileStat) -> String {
    stat.user.clone().unwrap_or_else(|| stat.uid.to_string())
}

/// The group by name, else by number.
pub(super) fn group(stat: &FileStat) -> String {
    stat.group.clone().unwrap_or_else(|| stat.gid.to_string())
}

fn source(file: &FileFact, stat: &FileStat) -> String {
    if stat.resolved.is_empty() || stat.resolved == file.path {
        return file.path.clone();
    }
    format!("{} → {}", file.path, stat.resolved)
}

fn message(wrongs: &[(&str, Wrong)]) -> String {
    let each: Vec<_> = wrongs.iter().map(|(path, wrong)| format!("{path}: {}", wrong.what)).collect();
    each.join("; ")
}

/// A host with one file of this role, root's own; `change` makes the case.
#[cfg(test)]
pub(super) fn one_file(role: FileRole, path: &str, mode: u32, change: impl FnOnce(&mut FileStat)) -> Facts {
    let mut stat = FileStat { resolved: path.into(), mode, ..FileStat::default() };
    change(&mut stat);
    crate::testing::bare::host(|h| {
        h.files = vec![FileFact { role, path: path.into(), stat: crate::testing::bare::known(stat) }];
    })
}

#[cfg(test)]
mod tests {
    use super::{Wrong, granted, writable};
    use crate::Severity;
    use plimsoll_facts::FileStat;

    fn severity(mode: u32, change: impl FnOnce(&mut FileStat)) -> Option<Severity> {
        let mut stat = FileStat { mode, ..FileStat::default() };
        change(&mut stat);
        writable(&stat, 0o644).map(|Wrong { severity, .. }| severity)
    }

    #[test]
    fn modes_are_masks_not_numbers() {
        assert_eq!(severity(0o606, |_| ()), Some(Severity::Critical));
        assert_eq!(severity(0o622, |_| ()), Some(Severity::Critical));
        assert_eq!(severity(0o664, |s| s.gid = 999), Some(Severity::High));
        assert_eq!(severity(0o664, |_| ()), Some(Severity::Low));
        assert_eq!(severity(0o755, |_| ()), Some(Severity::Info));
        assert_eq!(severity(0o600, |_| ()), None);
        assert_eq!(severity(0o444, |_| ()), None);
    }

    #[test]
    fn acls_and_directories_above() {
        assert_eq!(severity(0o664, |s| s.acl = vec!["user:1000:rw-".into()]), Some(Severity::High));
        assert_eq!(severity(0o644, |s| s.acl = vec!["user:1000:r--".into()]), None);
        assert_eq!(severity(0o664, |s| s.acl = vec!["user:0:rw-".into()]), None);
        assert_eq!(severity(0o644, |s| s.replaceable_through = vec!["/etc".into()]), Some(Severity::High));
        let stat = FileStat { acl: vec!["group:5:r--".into()], ..FileStat::default() };
        assert_eq!(granted(&stat, 'r'), Some("group:5:r--"));
    }
}
