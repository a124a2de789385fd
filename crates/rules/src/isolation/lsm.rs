//! What the two security modules for containers have in common: whether one is active, and the processes' labels.

use plimsoll_facts::{Effective, Gap, Process};

use crate::answer::{fail, gap};
use crate::engine::has_security_option;
use crate::processes::{evidence_of, label, labels, members};
use crate::{EngineContext, Evidence, Judgement, Outcome, Problem};

/// Why a rule about this module does not apply, where it is not active in the kernel.
pub(super) fn inactive(cx: &EngineContext<'_>, module: &str) -> Result<Option<String>, Gap> {
    let modules = &cx.facts.host.kernel.lsms;
    let active = modules.get()?.map_or(&[][..], Vec::as_slice);
    let why =
        || format!("{module} is not active in this kernel ({}: {})", modules.source(), active.join(","));
    Ok((!active.iter().any(|name| name.eq_ignore_ascii_case(module))).then(why))
}

/// Whether the engine gives its containers a label of this module.
pub(super) fn engine_uses(cx: &EngineContext<'_>, module: &str) -> Result<bool, Gap> {
    let options = &cx.engine.info.require()?.security_options;
    Ok(has_security_option(options, module))
}

/// The label without the line end or zero byte with which some kernels close it.
pub(super) fn label_of(process: &Process) -> Option<&str> {
    process.lsm_label.as_deref().map(|label| label.trim_end_matches(['\n', '\0']))
}

/// Judges the label of every member: `confines` tells a label that holds its process.
pub(super) fn judge_labels(
    effective: &Effective,
    module: &'static str,
    expected: &'static str,
    confines: impl Fn(&str) -> bool,
) -> Judgement {
    let members = members(effective)?;
    if let Some(unlabelled) = members.iter().find(|p| label_of(p).is_none()) {
        let reason = format!("the {module} label of {} was not read", label(unlabelled));
        return Err(gap(format!("/proc/{}/attr/current", unlabelled.pid), reason));
    }
    let loose: Vec<_> = members.iter().copied().filter(|p| !label_of(p).is_some_and(&confines)).collect();
    if loose.is_empty() {
        return Ok(Outcome::Pass(evidence(&members[..1], expected)));
    }
    let message = format!("{module} does not confine {}", labels(&loose));
    fail(Problem::new(message, evidence(&loose, expected)))
}

/// The labels of processes, against what is expected.
pub(super) fn evidence(processes: &[&Process], expected: impl Into<String>) -> Vec<Evidence> {
    let expected = expected.into();
    evidence_of(processes, |p| {
        let source = format!("/proc/{}/attr/current", p.pid);
        Evidence::new(format!("label of {}", label(p)), label_of(p).unwrap_or("none"), source)
            .expected(expected.clone())
    })
}
