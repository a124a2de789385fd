use std::collections::{BTreeMap, BTreeSet};

use plimsoll_facts::{ComponentKind, Facts};

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "runtime-versions-mixed",
    title: "Several versions of one runtime are on this host",
    concern: Concern::Runtime,
    severity: Severity::Low,
    why: "An update mends one copy; containers may be started by the other. Which one an engine takes depends on its \
          configuration and its PATH, so a fixed version on disk proves nothing.",
    fix: "Remove what no package owns (dpkg -S PATH, rpm -qf PATH tell) and name the runtime's path in \"runtimes\" of \
          daemon.json. Nothing stops; containers change over with their next start.",
    references: &["https://docs.docker.com/engine/daemon/alternative-runtimes/"],
    cis: &[],
    judge: Judge::Host(judge),
};

const KINDS: [ComponentKind; 4] =
    [ComponentKind::Runc, ComponentKind::Containerd, ComponentKind::ContainerdShim, ComponentKind::Dockerd];

fn judge(facts: &Facts) -> Judgement {
    let mut versions: BTreeMap<ComponentKind, BTreeSet<&str>> = BTreeMap::new();
    let mut evidence: BTreeMap<ComponentKind, Vec<Evidence>> = BTreeMap::new();
    for component in facts.components.iter().filter(|c| KINDS.contains(&c.kind)) {
        let seen = versions.entry(component.kind).or_default();
        let shown = evidence.entry(component.kind).or_default();
        if let Some(version) = component.version.value() {
            seen.insert(version);
            let fact = format!("version of {}", component.path);
            shown.push(Evidence::new(fact, version.clone(), component.version.source()));
        }
        for process in &component.running {
            let Some(version) = &process.version else { continue };
            if seen.insert(version) {
                let fact = format!("version that process {} runs", process.pid);
                shown.push(Evidence::new(fact, version.clone(), format!("/proc/{}/exe", process.pid)));
            }
        }
    }
    versions.retain(|_, seen| !seen.is_empty());
    if versions.is_empty() {
        return not_applicable("no version of any runtime is known on this host");
    }
    let mixed: Vec<_> = versions.iter().filter(|(_, seen)| seen.len() > 1).collect();
    if mixed.is_empty() {
        let names: Vec<_> = versions.keys().map(|kind| kind.name()).collect();
        return pass(Evidence::new("runtimes of one version each", names.join(" "), "files and processes"));
    }
    let names: Vec<_> = mixed
        .iter()
        .map(|(kind, seen)| format!("{} ({})", kind.name(), seen.iter().copied().collect::<Vec<_>>().join(", ")))
        .collect();
    let seen = mixed.iter().filter_map(|(kind, _)| evidence.remove(kind)).flatten().collect();
    fail(Problem::new(format!("in several versions: {}", names.join("; ")), seen))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{component, host, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Component, ComponentKind, RunningProgram};

    #[test]
    fn on_disk_and_in_memory() {
        let mut facts = component(ComponentKind::Runc, |c| c.version = known("1.1.5".into()));
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
        let second = Component {
            kind: ComponentKind::Runc,
            path: "/usr/local/sbin/runc".into(),
            version: known("1.4.0".into()),
            ..Component::default()
        };
        facts.components.push(second);
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
        let shims = component(ComponentKind::ContainerdShim, |c| {
            c.version = known("2.1.9".into());
            c.running = vec![RunningProgram { version: Some("1.6.20".into()), ..RunningProgram::default() }];
        });
        assert_eq!(status_of(&RULE, &shims), Status::Fail);
        assert_eq!(status_of(&RULE, &host(|_| ())), Status::NotApplicable);
    }
}
