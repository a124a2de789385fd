//! Names and plurals, in one place.

use std::borrow::Cow;

use plimsoll_facts::{AttackPath, Gap, PathCut, PathGoal, StepKind};
use plimsoll_rules::{Concern, Evidence, ExceptionNote, Finding, Severity, Subject, SubjectKind};
use plimsoll_upgrade::{EffectKind, Estimate, Pending, Step};

use crate::{Audit, CisStatus, CisView, Coverage, EngineSummary};

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

/// `2026-12-08`, of seconds since the Unix epoch, in UTC.
pub(crate) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// `32 containers`, or `5 subjects` where they are of several kinds.
pub(crate) fn subjects(findings: &[&Finding]) -> String {
    let kind = findings.first().map(|finding| finding.subject.kind);
    let alike = findings.iter().all(|finding| Some(finding.subject.kind) == kind);
    count(findings.len(), kind.filter(|_| alike).map_or("subject", SubjectKind::id))
}

/// What a person calls a subject: its name, and what tells it from others of that name: the path of a program,
/// the engine where it is not the first that answered.
pub(crate) fn subject<'a>(audit: &Audit, it: &'a Subject) -> Cow<'a, str> {
    let of_engine = match it.kind {
        SubjectKind::Component if it.id != it.name => return Cow::Owned(format!("{} ({})", it.name, it.id)),
        SubjectKind::Host | SubjectKind::Component | SubjectKind::Engine | SubjectKind::Policy => false,
        SubjectKind::Network | SubjectKind::Image | SubjectKind::Container | SubjectKind::Service => true,
    };
    match of_engine && !is_first_engine(audit, &it.engine) {
        true => Cow::Owned(format!("{} ({})", it.name, it.engine)),
        false => Cow::Borrowed(&it.name),
    }
}

/// Whether no other engine answered before this one; most hosts have one, which needs no name.
fn is_first_engine(audit: &Audit, endpoint: &str) -> bool {
    let first = audit.host.engines.iter().find(|engine| engine.version.is_some());
    first.is_none_or(|first| first.endpoint == endpoint)
}

/// `container db`, for a place where the kind is not said elsewhere.
pub(crate) fn subject_with_kind(audit: &Audit, it: &Subject) -> String {
    format!("{} {}", it.kind.id(), subject(audit, it))
}

/// `source: reason`, as the rules word a gap.
pub(crate) fn gap(gap: &Gap) -> String {
    match gap.source.as_str() {
        "" => gap.reason.clone(),
        source => format!("{source}: {}", gap.reason),
    }
}

/// `accepted until 2027-03-31 by dba@example.org: not reachable`.
pub(crate) fn exception(it: &ExceptionNote) -> String {
    format!("accepted until {} by {}: {}", it.expires, it.owner, it.reason)
}

/// `seccomp mode = 0 (expected 2) [/proc/4711/status Seccomp]`.
pub(crate) fn evidence(it: &Evidence) -> String {
    format!("{} = {}{} [{}]", it.fact, it.value, expected(it), it.source)
}

/// ` (expected 2)`, where there is a bound.
pub(crate) fn expected(it: &Evidence) -> String {
    it.expected.as_ref().map_or(String::new(), |bound| format!(" (expected {bound})"))
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

/// `203 checked: 180 passed, 23 failed; 9 could not be checked; 14 need a person`.
pub(crate) fn coverage(it: &Coverage) -> String {
    let excepted = match it.excepted {
        0 => String::new(),
        number => format!(", {number} excepted"),
    };
    let need = if it.not_automated == 1 { "needs" } else { "need" };
    format!(
        "{} checked: {} passed, {} failed{excepted}; {} could not be checked; {} {need} a person",
        it.checked, it.passed, it.failed, it.unknown, it.not_automated
    )
}

/// `9 rules about 1 host, 6 components`.
pub(crate) fn asked(it: &Coverage) -> String {
    let subjects: Vec<_> = it.subjects.iter().map(|(kind, number)| count(*number, kind.id())).collect();
    format!("{} about {}", count(it.rules, "rule"), subjects.join(", "))
}

/// `118 controls: 40 passed, 12 failed`, without what is zero.
pub(crate) fn controls(view: &CisView) -> String {
    let parts = CisStatus::ALL.into_iter().map(|status| (view.count(status), control_status(status)));
    let parts: Vec<_> = parts
        .filter(|(number, _)| *number > 0)
        .map(|(number, status)| format!("{number} {status}"))
        .collect();
    parts.join(", ")
}

/// How a control came out, in words.
pub(crate) fn control_status(status: CisStatus) -> &'static str {
    match status {
        CisStatus::Fail => "failed",
        CisStatus::Unknown => "could not be checked",
        CisStatus::NotAutomated => "for a person",
        CisStatus::Excepted => "accepted",
        CisStatus::Pass => "passed",
        CisStatus::NotApplicable => "not applicable",
        CisStatus::Off => "switched off",
    }
}

/// The version of an engine, or why there is no answer.
pub(crate) fn engine(engine: &EngineSummary) -> String {
    match (&engine.version, &engine.error) {
        (Some(version), _) => version.clone(),
        (None, Some(error)) => format!("no answer: {error}"),
        (None, None) => "no answer".to_owned(),
    }
}

/// Who collected the facts.
pub(crate) fn who(audit: &Audit) -> String {
    match audit.collector.uid {
        0 => "root".to_owned(),
        uid => format!("user {uid}"),
    }
}

/// What keeps plimsoll from seeing, in one line; only where there is something.
pub(crate) fn blindness(audit: &Audit) -> String {
    format!("plimsoll does not see everything: {}", audit.blindness.join("; "))
}

/// How the audit came out, in one line.
pub(crate) fn verdict(audit: &Audit) -> String {
    let it = &audit.coverage;
    match (it.failed, it.checked, it.unknown) {
        (0, 0, _) => "nothing could be checked".to_owned(),
        (0, _, 0) => "nothing wrong was found".to_owned(),
        (0, _, unknown) => format!("nothing wrong was found, but {unknown} could not be checked"),
        _ => severities(|severity| it.failed_by_severity.get(&severity).copied().unwrap_or(0)),
    }
}

/// `restart the daemon: dockerd 20.10.24 → 26.1.5`, with the engine where it is not the first that answered.
pub(crate) fn step(audit: &Audit, step: &Step) -> String {
    let versions = match (&step.from, &step.to) {
        (Some(from), Some(to)) => format!(" {from} → {to}"),
        (Some(version), None) | (None, Some(version)) => format!(" {version}"),
        (None, None) => String::new(),
    };
    let engine = match step.engine.as_str() {
        "" => String::new(),
        engine if is_first_engine(audit, engine) => String::new(),
        engine => format!(" ({engine})"),
    };
    format!("{}: {}{versions}{engine}", step.action.phrase(), step.layer.name())
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

/// How many attack paths there are, as a sentence.
pub(crate) fn paths(paths: &[AttackPath]) -> String {
    let shown = paths.iter().filter(|path| path.shown).count();
    let assumed = paths.len() - shown;
    match (shown, assumed) {
        (0, _) => format!("{} if an application is broken into", count(assumed, "path")),
        (_, 0) => format!("{} by known flaws", count(shown, "path")),
        _ => format!("{} by known flaws, {assumed} if an application is broken into", count(shown, "path")),
    }
}

/// Where a path goes: `web → db → the host`.
pub(crate) fn route(path: &AttackPath) -> String {
    let host = (path.goal == PathGoal::Host).then_some("the host");
    path.through().chain(host).collect::<Vec<_>>().join(" → ")
}

/// A kind of step, as a label.
pub(crate) fn step_kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Entry => "enter",
        StepKind::Connect => "move",
        StepKind::Break => "break in",
        StepKind::Root => "win more",
        StepKind::Boundary => "get out",
    }
}

/// A change that ends paths, and what it disturbs.
pub(crate) fn cut(cut: &PathCut) -> String {
    let of = cut.container.as_ref().map_or(String::new(), |container| format!("{container}: "));
    let ends = match cut.assumed_left {
        true => "leaves only unpublished flaws for",
        false => "ends",
    };
    format!("{of}{} {ends} {}, {}", cut.change, count(cut.paths as usize, "path"), cut.effort)
}
