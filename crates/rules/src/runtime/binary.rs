//! Whether the processes of a program run the file that is on disk now.

use plimsoll_facts::{Component, RunningBinary, RunningProgram};

use crate::answer::{fail, not_applicable, unknown};
use crate::{Evidence, Judgement, Outcome, Problem, Severity};

/// How many processes a finding shows; the rest is counted.
const SHOWN: usize = 8;

/// Fails where a process runs a file that was replaced or deleted. `renew` says what puts the new one in force.
pub(crate) fn judge(component: &Component, renew: &str) -> Judgement {
    if component.running.is_empty() {
        return not_applicable("no process runs it between two uses: the file on disk is what counts");
    }
    let old: Vec<_> =
        component.running.iter().filter(|p| matches!(p.binary, RunningBinary::Replaced { .. })).collect();
    if !old.is_empty() {
        return replaced(component, &old, renew);
    }
    for process in &component.running {
        if let RunningBinary::Unknown { reason } = &process.binary {
            return unknown(format!("/proc/{}/exe", process.pid), reason.clone());
        }
    }
    let shown = format!("{}: the file on disk", component.running.len());
    Ok(Outcome::Pass(vec![Evidence::new("processes and what they run", shown, "/proc/PID/exe")]))
}

fn replaced(component: &Component, old: &[&RunningProgram], renew: &str) -> Judgement {
    let on_disk = component.version.value().map_or("not known", String::as_str);
    let mut evidence = vec![Evidence::new("version on disk", on_disk, component.version.source())];
    evidence.extend(old.iter().take(SHOWN).map(|process| {
        let version = process.version.as_deref().unwrap_or("not known");
        let holds =
            process.container.as_deref().map(|id| format!(", holds container {id}")).unwrap_or_default();
        let fact = format!("version that process {} runs", process.pid);
        Evidence::new(fact, format!("{version}{holds}"), format!("/proc/{}/exe (deleted)", process.pid))
            .expected("the file on disk")
    }));
    if old.len() > SHOWN {
        evidence.push(Evidence::new("further processes", (old.len() - SHOWN).to_string(), "/proc/PID/exe"));
    }
    let processes =
        if old.len() == 1 { "1 process runs".to_owned() } else { format!("{} processes run", old.len()) };
    let message = format!("{processes} a file that is no longer on disk; {on_disk} was installed since");
    let problem = Problem::new(message, evidence).remediation(renew);
    // The same version again: the package was installed anew, nothing was mended.
    let same = old.iter().all(|p| p.version.is_some() && p.version == component.version.value().cloned());
    fail(if same { problem.severity(Severity::Info) } else { problem })
}
