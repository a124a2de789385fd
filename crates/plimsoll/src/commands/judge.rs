//! Judges facts under a policy.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plimsoll_facts::Facts;
use plimsoll_policy::{Covers, FlawExceptions, LoadError, Policy};
use plimsoll_report::{Audit, PolicySummary};
use plimsoll_rules::{Judge, Rule};

use crate::exit::Usage;

/// Where a policy is looked for when none is named, the nearest first.
const PLACES: [&str; 2] = ["plimsoll.toml", "/etc/plimsoll/plimsoll.toml"];

/// The policy that is named, or found, or built in.
///
/// # Errors
/// When the file cannot be read or holds mistakes.
pub(crate) fn policy(named: Option<&Path>) -> Result<Policy> {
    let policy = match named {
        Some(path) => Policy::open(path),
        None => match found()? {
            Some(path) => Policy::open(&path),
            None => Policy::baseline(),
        },
    };
    policy.map_err(|error| match error {
        LoadError::Read { .. } => error.into(),
        mistake => Usage(mistake.to_string()).into(),
    })
}

/// Holds the host against the boundary knowledge, notes what the policy accepts of its packages' flaws, asks the rules
/// that the policy wants, applies its decisions, and adds what upgrade steps would stop. The packages were held against
/// the local advisories before.
///
/// # Errors
/// When the facts bear no date.
pub(crate) fn judge(facts: &mut Facts, policy: &Policy) -> Result<Audit> {
    // The day of the facts, not of the judgement: the same facts give the same answer on any day.
    let today = day(facts.collected_at)?;
    reach(facts);
    let unused = plimsoll_policy::expect(policy, facts);
    let mut exceptions = FlawExceptions::new(policy, today);
    exceptions.note_all(facts);
    let (mut wanted, off): (Vec<&Rule>, Vec<&Rule>) =
        plimsoll_rules::all().partition(|rule| policy.enables(rule));
    let mut report = plimsoll_rules::judge(facts, wanted.iter().copied());
    report.findings.extend(unused);
    plimsoll_policy::apply(policy, today, &exceptions, &mut report);
    let answers = |rule: &&Rule| report.findings.iter().any(|finding| finding.rule == rule.id);
    wanted.extend(plimsoll_policy::RULES.iter().filter(answers));
    let mut audit = Audit::new(facts, wanted, report);
    audit.policy = PolicySummary {
        name: policy.name.clone(),
        rules_off: off.iter().map(|rule| rule.id.to_owned()).collect(),
    };
    audit.effects = plimsoll_upgrade::effects(facts);
    Ok(audit)
}

/// Works out what containers can reach: which flaws are there, who connects to whom, and which flaws can be exercised.
pub(crate) fn reach(facts: &mut Facts) {
    plimsoll_advisories::boundary::judge(facts);
    plimsoll_reach::network::judge(facts);
    plimsoll_reach::judge(facts);
}

/// Asks the rules about images, and nothing else: facts that hold only images say nothing about a host. Exceptions for
/// other subjects have nothing to cover here, which is no reason to report them.
///
/// # Errors
/// When the facts bear no date.
pub(crate) fn images(facts: &Facts, mut policy: Policy) -> Result<Audit> {
    let is_wanted = |rule: &&Rule| matches!(rule.judge, Judge::Image(_)) && policy.enables(rule);
    let wanted: Vec<&Rule> = plimsoll_rules::all().filter(is_wanted).collect();
    let mut report = plimsoll_rules::judge(facts, wanted.iter().copied());
    policy.exceptions.retain(|exception| match &exception.covers {
        Covers::Rule { rule, subject } => {
            let mut answers = report.findings.iter().filter(|finding| finding.rule == rule.as_str());
            answers.any(|finding| subject.matches(&finding.subject))
        }
        Covers::Flaws(_) => false,
    });
    let today = day(facts.collected_at)?;
    plimsoll_policy::apply(&policy, today, &FlawExceptions::new(&policy, today), &mut report);
    let mut audit = Audit::of_images(facts, wanted, report);
    audit.policy.name = policy.name;
    Ok(audit)
}

/// The policy in one of the usual places. One that another user wrote is not taken unasked: root would apply the
/// exceptions of whoever owns the folder that it happens to be in.
fn found() -> Result<Option<PathBuf>> {
    for path in PLACES.map(Path::new) {
        let Ok(file) = fs::metadata(path) else { continue };
        let writer = file.uid();
        if writer != 0 && writer != rustix::process::geteuid().as_raw() {
            let path = path.display();
            let hint = format!("{path} belongs to user {writer}; name it with --policy if it is meant");
            return Err(Usage(hint).into());
        }
        return Ok(Some(path.to_owned()));
    }
    Ok(None)
}

/// The day of a time in seconds since the Unix epoch, in UTC.
///
/// # Errors
/// When it is no time.
pub(crate) fn day(seconds: i64) -> Result<Date> {
    let time = Timestamp::from_second(seconds).context("the facts' collected_at is no time")?;
    Ok(time.to_zoned(TimeZone::UTC).date())
}
