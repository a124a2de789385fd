//! Names and plurals, in one place.

use plimsoll_rules::{Concern, Severity, Subject, SubjectKind};
use plimsoll_upgrade::{EffectKind, Estimate, Pending, Step};

/// `1 container`, `3 containers`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {}", plural(number, noun))
}

/// The noun that goes with a number.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    }
}

/// What a person calls a subject: its name, and the path where several may share a name.
pub(crate) fn subject(subject: &Subject) -> String {
    match subject.kind {
        SubjectKind::Component if subject.id != subject.name => format!("{} ({})", subject.name, subject.id),
        _ => subject.name.clone(),
    }
}

/// `container db`, for a place where the kind is not said elsewhere.
pub(crate) fn subject_with_kind(it: &Subject) -> String {
    format!("{} {}", it.kind.id(), subject(it))
}

/// The heading of a concern's section.
pub(crate) fn concern(concern: Concern) -> &'static str {
    match concern {
        Concern::Kernel => "Kernel",
        Concern::Isolation => "Isolation",
        Concern::Limits => "Limits",
        Concern::Runtime => "Runtime",
        Concern::Engine => "Engine",
        Concern::Authenticity => "Authenticity",
        Concern::Privilege => "Privilege",
        Concern::Freshness => "Freshness",
        Concern::Exposure => "Exposure",
    }
}

/// `3 critical, 5 high`, worst first, without what is zero.
pub(crate) fn severities(count_of: impl Fn(Severity) -> usize) -> String {
    let parts: Vec<_> = Severity::WORST_FIRST
        .into_iter()
        .map(|severity| (count_of(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {}", severity.id()))
        .collect();
    parts.join(", ")
}

/// `restart the daemon: dockerd 20.10.24 → 26.1.5`.
pub(crate) fn step(step: &Step) -> String {
    let versions = match (&step.from, &step.to) {
        (Some(from), Some(to)) => format!(" {from} → {to}"),
        (Some(version), None) | (None, Some(version)) => format!(" {version}"),
        (None, None) => String::new(),
    };
    format!("{}: {}{versions}", step.action.phrase(), step.layer.name())
}

/// Whether a step is due, in a word.
pub(crate) fn pending(pending: Pending) -> &'static str {
    match pending {
        Pending::Installed => "pending",
        Pending::Offered => "offered",
        Pending::Unknown => "unknown",
        Pending::No => "what if",
    }
}

/// What happens to a container, as what it does.
pub(crate) fn effect(kind: EffectKind) -> &'static str {
    match kind {
        EffectKind::Removed => "is removed",
        EffectKind::StaysDown => "stays down",
        EffectKind::Unknown => "unknown",
        EffectKind::Killed => "is killed",
        EffectKind::Restart => "restarts",
        EffectKind::Starts => "starts",
        EffectKind::CutExec => "loses exec",
        EffectKind::CutLoopback => "loses 127.0.0.1",
        EffectKind::CutDns => "loses names",
        EffectKind::None => "goes on",
    }
}

/// `about 13 s, at most 20 s (assumed)`.
pub(crate) fn estimate(estimate: &Estimate) -> String {
    let at_most = estimate.at_most.map_or(String::new(), |bound| format!(", at most {}", seconds(bound)));
    format!("about {}{at_most} ({})", seconds(estimate.seconds), estimate.basis.phrase())
}

/// A length of time with as many digits as such a number deserves.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}
