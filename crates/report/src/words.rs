//! Names and plurals, in one place.

use plimsoll_rules::{Concern, Severity, Subject, SubjectKind};

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
