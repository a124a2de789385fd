//! Holds the host's programs and kernel against the boundary advisories.

mod assess;
mod copy;
mod kernel;
mod programs;
#[cfg(test)]
mod tests;

use plimsoll_facts::{BoundaryVerdict, Fact, Facts};

use self::assess::Assessment;
use super::{BoundaryAdvisory, all};
use crate::support;

/// Fills in what this build knows beside the facts: [`Facts::boundary`], and until when distributions are mended.
pub fn judge(facts: &mut Facts) {
    support::fill(facts);
    facts.boundary = match all() {
        Ok(known) => {
            Fact::known(verdicts(facts, known), format!("{} boundary advisories of this build", known.len()))
        }
        Err(error) => Fact::unreadable("boundary advisories of this build", error.to_string()),
    };
}

fn verdicts(facts: &Facts, known: &[BoundaryAdvisory]) -> Vec<BoundaryVerdict> {
    let mut verdicts = kernel::judge(facts, known);
    for component in &facts.components {
        verdicts.extend(programs::judge(facts, component, known));
    }
    verdicts
}

/// A verdict without what only programs or kernels have.
fn verdict(
    advisory: &BoundaryAdvisory,
    program: &str,
    installed: &str,
    found: Assessment,
) -> BoundaryVerdict {
    BoundaryVerdict {
        id: advisory.id.clone(),
        title: advisory.title.clone(),
        component: advisory.component.clone(),
        subsystem: advisory.subsystem.clone(),
        program: program.to_owned(),
        status: found.status,
        reason: found.reason,
        certain: found.certain,
        installed: installed.to_owned(),
        fixed: found.fixed,
        source: found.source,
        severity: advisory.severity().id().to_owned(),
        exploited: advisory.exploited.clone(),
        metasploit: advisory.metasploit,
        impact: advisory.impact.clone(),
        precondition: advisory.precondition.clone(),
        kconfig: advisory.kconfig.clone(),
        ..BoundaryVerdict::default()
    }
}
