use plimsoll_facts::{AuditRule, ComponentKind, Facts, FileKind, FileRole};

use super::audit_coverage::{Watched, canonical, covering, is_narrow};
use crate::answer::{fail, gap, not_applicable};
use crate::{Concern, Confidence, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "engine-files-unaudited",
    title: "Changes of the engine's programs and files leave no trace",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "After a break-in the audit log is what tells who changed a runtime, a unit or daemon.json, and when. A file counts \
          as watched where a loaded rule covers its path for writing and for changes of attributes, no earlier rule takes it \
          out, and auditing is on; rules for other paths or narrowed to certain callers do not count.",
    fix: "Put `-w PATH -p wa -k docker` for each path of the evidence into /etc/audit/rules.d/docker.rules and run augenrules \
          --load. Nothing stops. Below a busy data directory watch only the directory of containers' configurations.",
    references: &["auditctl(8)", "audit.rules(7)", "augenrules(8)"],
    cis: &[
        "1.1.3", "1.1.4", "1.1.5", "1.1.6", "1.1.7", "1.1.8", "1.1.9", "1.1.10", "1.1.11", "1.1.12", "1.1.13",
        "1.1.14", "1.1.15", "1.1.16", "1.1.17", "1.1.18",
    ],
    judge: Judge::Host(judge),
};

/// Roles of files, each with the control that asks for its audit.
const FILES: [(FileRole, &str); 10] = [
    (FileRole::DataRoot, "1.1.5"),
    (FileRole::EngineConfigDir, "1.1.6"),
    (FileRole::EngineService, "1.1.7"),
    (FileRole::ContainerdSocket, "1.1.8"),
    (FileRole::EngineSocketUnit, "1.1.9"),
    (FileRole::EngineSocket, "1.1.9"),
    (FileRole::DefaultsFile, "1.1.10"),
    (FileRole::EngineConfig, "1.1.11"),
    (FileRole::ContainerdConfig, "1.1.12"),
    (FileRole::SysconfigFile, "1.1.13"),
];

/// Where a file's state is kept that containerd makes at its start.
const CONTAINERD_STATE: &str = "/run/containerd";

fn judge(facts: &Facts) -> Judgement {
    let watched = watched(facts)?;
    if watched.is_empty() {
        return not_applicable("none of the engine's programs and files is on this host");
    }
    let audit = &facts.host.audit;
    let all = || watched.iter().collect();
    let Some(state) = audit.get()? else {
        return unaudited(facts, all(), Vec::new(), "the kernel has no audit");
    };
    if state.enabled == Some(0) {
        return unaudited(facts, all(), Vec::new(), "auditing is off (enabled 0)");
    }
    let takes_all_out = |rule: &&AuditRule| rule.list == "task" && rule.action == "never" && !is_narrow(rule);
    if let Some(rule) = state.rules.iter().find(takes_all_out) {
        return unaudited(facts, all(), Vec::new(), &format!("`{}` takes every process out", rule.text));
    }
    let mut open = Vec::new();
    let mut covered = Vec::new();
    for file in &watched {
        match covering(&state.rules, file) {
            None => open.push(file),
            Some(rule) => covered.push(evidence(file, &rule.text, audit.source(), true)),
        }
    }
    if open.is_empty() {
        return Ok(Outcome::Pass(covered));
    }
    unaudited(facts, open, covered, "no rule watches it for changes")
}

fn evidence(file: &Watched, found: &str, source: &str, met: bool) -> Evidence {
    let seen = Evidence::new(format!("audit of {}", file.path), found, source);
    seen.expected("writing and attributes (wa)").answers(file.control, met)
}

fn unaudited(facts: &Facts, open: Vec<&Watched>, covered: Vec<Evidence>, why: &str) -> Judgement {
    let audit = &facts.host.audit;
    let missing = open.iter().map(|file| evidence(file, why, audit.source(), false));
    let lines: Vec<_> = open.iter().map(|file| format!("-w {} -p wa -k docker", file.path)).collect();
    let message = match open.as_slice() {
        [one] => format!("changes of {} are not audited: {why}", one.path),
        [first, rest @ ..] => format!("changes of {} and {} more are not audited: {why}", first.path, rest.len()),
        [] => why.to_owned(),
    };
    let problem = Problem::new(message, missing.chain(covered).collect()).remediation(format!(
        "Put these lines into /etc/audit/rules.d/docker.rules and run augenrules --load (nothing stops):\n{}",
        lines.join("\n")
    ));
    // Rules that were read from files may not be the ones that are loaded.
    let from_files = audit.value().is_some_and(|state| state.enabled.is_none());
    fail(if from_files { problem.confidence(Confidence::Medium) } else { problem })
}

/// The programs and files that exist, each once.
fn watched(facts: &Facts) -> Result<Vec<Watched>, plimsoll_facts::Gap> {
    if facts.host.files.is_empty() && facts.components.is_empty() {
        return Err(gap("", "the engine's programs and files were not looked at"));
    }
    let mut found: Vec<Watched> = Vec::new();
    for file in &facts.host.files {
        let Some((_, control)) = FILES.iter().find(|(role, _)| *role == file.role) else { continue };
        let Some(stat) = file.stat.get()? else { continue };
        let path = if stat.resolved.is_empty() { file.path.clone() } else { stat.resolved.clone() };
        if control == &"1.1.8" && canonical(&path).starts_with("/run/containerd/") {
            let path = CONTAINERD_STATE.to_owned();
            found.push(Watched { path, directory: true, control: "1.1.4" });
        }
        found.push(Watched { path, directory: stat.kind == FileKind::Directory, control });
    }
    let programs = facts.components.iter().filter_map(|c| Some((c.path.clone(), control_of(c.kind, &c.path)?)));
    let daemons = facts.engines.iter().filter_map(|engine| engine.daemon.value());
    let daemons = daemons.filter(|d| d.exe.ends_with("/dockerd")).map(|d| (d.exe.clone(), "1.1.3"));
    found.extend(programs.chain(daemons).map(|(path, control)| Watched { path, directory: false, control }));
    found.sort_by(|a, b| (&a.path, a.control).cmp(&(&b.path, b.control)));
    found.dedup_by(|a, b| a.path == b.path && a.control == b.control);
    Ok(found)
}

fn control_of(kind: ComponentKind, path: &str) -> Option<&'static str> {
    match (kind, path.rsplit('/').next().unwrap_or_default()) {
        (ComponentKind::Dockerd, _) => Some("1.1.3"),
        (ComponentKind::Containerd, _) => Some("1.1.14"),
        (ComponentKind::ContainerdShim, "containerd-shim-runc-v1") => Some("1.1.16"),
        (ComponentKind::ContainerdShim, "containerd-shim-runc-v2") => Some("1.1.17"),
        (ComponentKind::ContainerdShim, _) => Some("1.1.15"),
        (ComponentKind::Runc, _) => Some("1.1.18"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::bare::{denied, engine, host, known};
    use crate::testing::{answer, status_of};
    use crate::{Confidence, Status};
    use plimsoll_facts::{
        Audit, AuditRule, Component, ComponentKind, Fact, Facts, FileFact, FileKind, FileRole, FileStat,
    };

    fn watch(path: &str, directory: bool, permissions: &str) -> AuditRule {
        let (path, dir) = if directory { (None, Some(path.to_owned())) } else { (Some(path.to_owned()), None) };
        AuditRule {
            list: "exit".into(),
            action: "always".into(),
            path,
            dir,
            permissions: permissions.into(),
            ..AuditRule::default()
        }
    }

    /// A host with one program, one directory or one file, and these rules loaded.
    fn case(change: impl FnOnce(&mut Facts), rules: Vec<AuditRule>) -> Facts {
        let mut facts = host(|h| h.audit = known(Audit { enabled: Some(1), rules }));
        change(&mut facts);
        facts
    }

    fn program(kind: ComponentKind, path: &str) -> impl FnOnce(&mut Facts) {
        move |facts| facts.components = vec![Component { kind, path: path.into(), ..Component::default() }]
    }

    fn file(role: FileRole, path: &str, kind: FileKind) -> impl FnOnce(&mut Facts) {
        move |facts| {
            let stat = known(FileStat { resolved: path.into(), kind, ..FileStat::default() });
            facts.host.files = vec![FileFact { role, path: path.into(), stat }];
        }
    }

    const DOCKER_DIR: &str = "/etc/docker";

    #[test]
    fn case_26_other_paths_are_other_paths() {
        let config_only = vec![watch("/etc/docker/daemon.json", false, "rwxa")];
        let directory = case(file(FileRole::EngineConfigDir, DOCKER_DIR, FileKind::Directory), config_only);
        assert_eq!(status_of(&RULE, &directory), Status::Fail);
        let v2_only = vec![watch("/usr/bin/containerd-shim-runc-v2", false, "rwxa")];
        let shim = case(program(ComponentKind::ContainerdShim, "/usr/bin/containerd-shim"), v2_only);
        assert_eq!(status_of(&RULE, &shim), Status::Fail);
        let deleted = case(program(ComponentKind::Containerd, "/usr/bin/containerd"), Vec::new());
        assert_eq!(status_of(&RULE, &deleted), Status::Fail);
    }

    #[test]
    fn case_47_the_daemon_is_where_its_process_says() {
        let mut facts = engine(|_| ());
        facts.host.files = vec![FileFact { stat: Fact::absent("/etc/docker"), ..FileFact::default() }];
        facts.host.audit = known(Audit { enabled: Some(1), rules: vec![watch("/usr/sbin/dockerd", false, "wa")] });
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
        facts.host.audit = known(Audit { enabled: Some(1), rules: vec![watch("/usr/bin/dockerd", false, "wa")] });
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
    }

    #[test]
    fn each_control_has_an_answer_of_its_own() {
        let mut facts = case(program(ComponentKind::Runc, "/usr/bin/runc"), vec![watch("/usr/bin/runc", false, "wa")]);
        let kind = ComponentKind::Containerd;
        facts.components.push(Component { kind, path: "/usr/bin/containerd".into(), ..Component::default() });
        let found = answer(&RULE, &facts);
        let of = |control| found.status_for(control);
        assert_eq!([of("1.1.18"), of("1.1.14"), of("1.1.3")], [Status::Pass, Status::Fail, Status::NotApplicable]);
    }

    #[test]
    fn permissions_aliases_directories() {
        let runc = |rules| status_of(&RULE, &case(program(ComponentKind::Runc, "/usr/bin/runc"), rules));
        assert_eq!(runc(vec![watch("/usr/bin/runc", false, "x")]), Status::Fail);
        assert_eq!(runc(vec![watch("/bin/runc", false, "wa")]), Status::Pass);
        assert_eq!(runc(vec![watch("/usr/bin", true, "wa")]), Status::Pass);
        assert_eq!(runc(vec![watch("/usr/bi", true, "wa")]), Status::Fail);
        let parts = vec![watch("/usr/bin/runc", false, "w"), watch("/usr/bin/runc", false, "a")];
        assert_eq!(runc(parts), Status::Pass);
    }

    #[test]
    fn never_before_always_and_narrow_rules() {
        let runc = |rules| status_of(&RULE, &case(program(ComponentKind::Runc, "/usr/bin/runc"), rules));
        let never = AuditRule { action: "never".into(), ..watch("/usr/bin", true, "rwxa") };
        let always = watch("/usr/bin/runc", false, "wa");
        assert_eq!(runc(vec![never.clone(), always.clone()]), Status::Fail);
        assert_eq!(runc(vec![always.clone(), never]), Status::Pass);
        let text = "-a always,exit -F path=/usr/bin/runc -F perm=wa -F success=0 -F key=docker".to_owned();
        assert_eq!(runc(vec![AuditRule { text, ..always.clone() }]), Status::Fail);
        let text = "-a always,exit -S all -F path=/usr/bin/runc -F perm=wa -F auid>=1000 -F key=docker".to_owned();
        assert_eq!(runc(vec![AuditRule { text, ..always.clone() }]), Status::Pass);
        let nobody = AuditRule { list: "task".into(), action: "never".into(), ..AuditRule::default() };
        assert_eq!(runc(vec![nobody, always]), Status::Fail);
    }

    #[test]
    fn off_absent_unread_nothing_there() {
        let mut facts = case(program(ComponentKind::Runc, "/usr/bin/runc"), vec![watch("/usr/bin/runc", false, "wa")]);
        facts.host.audit.value_mut().unwrap().enabled = Some(0);
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.host.audit.value_mut().unwrap().enabled = None;
        facts.host.audit.value_mut().unwrap().rules.clear();
        assert_eq!(answer(&RULE, &facts).confidence, Confidence::Medium);
        facts.host.audit = Fact::absent("NETLINK_AUDIT");
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        facts.host.audit = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        let nothing = host(|h| h.files = vec![FileFact { stat: Fact::absent("/x"), ..FileFact::default() }]);
        assert_eq!(status_of(&RULE, &nothing), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::Unknown);
    }
}
