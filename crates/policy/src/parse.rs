//! From the text of `plimsoll.toml` to a policy.

mod trust;

use jiff::civil::Date;
use plimsoll_rules::{Concern, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::did_you_mean;
use crate::keys::{CONCERN, CONNECTION, EXCEPTION, POLICY, RULE, TOP};
use crate::policy::{Controls, Covers, Exception, ExpectedConnection, Policy, RuleSetting};
use crate::table::{Source, Table, wrong_type};
use crate::{FlawPattern, MistakeKind, Mistakes, SubjectPattern};

/// The longest text that an exception may hold, in characters.
const LONGEST_TEXT: usize = 4096;
/// The longest pattern of an exception, in characters.
const LONGEST_PATTERN: usize = 512;

/// One policy file by itself: what it extends has not been looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What it extends: the name of a ready-made policy, or a path.
    pub extends: Option<String>,
    /// What it says itself.
    pub policy: Policy,
}

/// Reads the text of a policy file. `path` is the name of the file in messages.
///
/// # Errors
/// Every mistake in it.
pub fn parse(text: &str, path: &str) -> Result<Draft, Mistakes> {
    let mut source = Source::new(path, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let message = error.message().to_owned();
        source.mistake(&error.span().unwrap_or(0..0), MistakeKind::Syntax(message), None);
    }
    source.check()?;
    let draft = draft(&mut source, &document);
    source.check()?;
    Ok(draft)
}

fn draft(source: &mut Source<'_>, document: &Spanned<DeTable<'_>>) -> Draft {
    let top = Table::new(source, "the file", document.span(), document.get_ref(), TOP);
    let mut draft =
        Draft { extends: None, policy: Policy { name: source.path.to_owned(), ..Policy::default() } };
    if let Some(value) = top.get("policy") {
        header(source, value, &mut draft);
    }
    if let Some(value) = top.get("rules") {
        rules(source, value, &mut draft.policy);
    }
    if let Some(value) = top.get("concerns") {
        concerns(source, value, &mut draft.policy);
    }
    if let Some(value) = top.get("exceptions") {
        exceptions(source, value, &mut draft.policy);
    }
    if let Some(value) = top.get("connections") {
        connections(source, value, &mut draft.policy);
    }
    if let Some(value) = top.get("trust") {
        trust::rules(source, value, &mut draft.policy);
    }
    draft
}

fn header(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, draft: &mut Draft) {
    let Some(table) = Table::of(source, "[policy]", value, POLICY) else { return };
    draft.extends = table.text(source, "extends").map(|text| (*text.get_ref()).to_owned());
    draft.policy.fail_on = table.choice(source, "fail-on", &severities());
    let catalogues = [Controls::CisDocker].map(|controls| (controls.id(), controls));
    draft.policy.controls = table.choice(source, "controls", &catalogues);
}

fn rules(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, policy: &mut Policy) {
    let Some(all) = value.get_ref().as_table() else { return wrong_type(source, "rules", "a table", value) };
    for (id, value) in all {
        if !known_rule(source, id.get_ref(), &id.span()) {
            continue;
        }
        let name = format!("[rules.{}]", id.get_ref());
        let Some(table) = Table::of(source, name, value, RULE) else { continue };
        let setting = RuleSetting {
            enabled: table.bool(source, "enabled"),
            severity: table.choice(source, "severity", &severities()),
        };
        policy.rules.insert(id.get_ref().to_string(), setting);
    }
}

fn concerns(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, policy: &mut Policy) {
    let Some(all) = value.get_ref().as_table() else {
        return wrong_type(source, "concerns", "a table", value);
    };
    for (id, value) in all {
        let Some(concern) = Concern::ALL.into_iter().find(|concern| concern.id() == id.get_ref().as_ref())
        else {
            let hint = did_you_mean(id.get_ref(), Concern::ALL.map(Concern::id));
            source.mistake(&id.span(), MistakeKind::UnknownConcern(id.get_ref().to_string()), hint);
            continue;
        };
        let name = format!("[concerns.{}]", concern.id());
        let Some(table) = Table::of(source, name, value, CONCERN) else { continue };
        if let Some(enabled) = table.bool(source, "enabled") {
            policy.concerns.insert(concern, enabled);
        }
    }
}

fn exceptions(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, policy: &mut Policy) {
    let Some(all) = value.get_ref().as_array() else {
        return wrong_type(source, "exceptions", "a list of tables ([[exceptions]])", value);
    };
    for value in all {
        let Some(table) = Table::of(source, "[[exceptions]]", value, EXCEPTION) else { continue };
        policy.exceptions.extend(exception(source, &table));
    }
}

fn exception(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Exception> {
    let covers = covers(source, table);
    let owner = mandatory(source, table, "owner", LONGEST_TEXT);
    let reason = mandatory(source, table, "reason", LONGEST_TEXT);
    let expires = expires(source, table);
    let (covers, owner, reason) = (covers?, owner?, reason?);
    Some(Exception {
        covers,
        owner: owner.into_inner().to_owned(),
        reason: reason.into_inner().to_owned(),
        expires: expires?,
        place: source.place(table.span()),
    })
}

/// Failures of a rule on a subject, or published flaws, by id, package or both.
fn covers(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Covers> {
    let of_flaws = ["vulnerability", "package"].into_iter().find(|key| table.get(key).is_some());
    let Some(key) = of_flaws else {
        let rule = mandatory(source, table, "rule", LONGEST_PATTERN);
        let rule = rule.filter(|rule| known_rule(source, rule.get_ref(), &rule.span()));
        let subject = mandatory(source, table, "subject", LONGEST_PATTERN);
        let (rule, subject) = (rule?.into_inner().to_owned(), SubjectPattern::new(subject?.into_inner()));
        return Some(Covers::Rule { rule, subject });
    };
    if let Some(rule) = table.get("rule") {
        source.mistake(&rule.span(), MistakeKind::Excludes { key: "rule", other: key }, None);
        return None;
    }
    let mut named = |key| match table.get(key) {
        None => Some(None),
        Some(_) => mandatory(source, table, key, LONGEST_PATTERN).map(|text| Some(text.into_inner())),
    };
    let (vulnerability, package, subject) = (named("vulnerability"), named("package"), named("subject"));
    Some(Covers::Flaws(FlawPattern {
        vulnerability: vulnerability?.map(str::to_owned),
        package: package?.map(str::to_owned),
        subject: subject?.map(SubjectPattern::new),
    }))
}

fn connections(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>, policy: &mut Policy) {
    let Some(all) = value.get_ref().as_array() else {
        return wrong_type(source, "connections", "a list of tables ([[connections]])", value);
    };
    for value in all {
        let Some(table) = Table::of(source, "[[connections]]", value, CONNECTION) else { continue };
        policy.connections.extend(connection(source, &table));
    }
}

fn connection(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<ExpectedConnection> {
    let from = mandatory(source, table, "from", LONGEST_PATTERN);
    let to = mandatory(source, table, "to", LONGEST_PATTERN);
    let reason = mandatory(source, table, "reason", LONGEST_TEXT);
    let port = match table.get("port") {
        Some(_) => Some(table.number(source, "port", u16::MAX, "a port from 1 to 65535")?),
        None => None,
    };
    let pattern = |text: Spanned<&str>| (text.get_ref().to_string(), SubjectPattern::new(text.get_ref()));
    Some(ExpectedConnection {
        from: pattern(from?),
        to: pattern(to?),
        port,
        reason: reason?.into_inner().to_owned(),
        place: source.place(table.span()),
    })
}

/// A text that must be there and say something.
fn mandatory<'a>(
    source: &mut Source<'_>,
    table: &Table<'a, '_>,
    key: &'static str,
    limit: usize,
) -> Option<Spanned<&'a str>> {
    table.missing(source, key, None);
    optional(source, table, key, limit)
}

/// A text that says something where it is there.
fn optional<'a>(
    source: &mut Source<'_>,
    table: &Table<'a, '_>,
    key: &'static str,
    limit: usize,
) -> Option<Spanned<&'a str>> {
    let text = table.text(source, key)?;
    let kind = match text.get_ref().trim().is_empty() {
        true => MistakeKind::Empty(key),
        false if text.get_ref().chars().count() > limit => MistakeKind::TooLong { key, limit },
        false => return Some(text),
    };
    source.mistake(&text.span(), kind, None);
    None
}

/// The last day of an exception, as a string or as TOML's own date.
fn expires(source: &mut Source<'_>, table: &Table<'_, '_>) -> Option<Date> {
    const HINT: &str = "a day such as 2027-03-31";
    table.missing(source, "expires", Some(HINT));
    let value = table.get("expires")?;
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        _ => {
            wrong_type(source, "expires", "a date", value);
            return None;
        }
    };
    let date = (text.len() == "YYYY-MM-DD".len()).then(|| text.parse().ok()).flatten();
    if date.is_none() {
        source.mistake(&value.span(), MistakeKind::Date(text), Some(HINT.to_owned()));
    }
    date
}

fn known_rule(source: &mut Source<'_>, id: &str, span: &std::ops::Range<usize>) -> bool {
    let known = plimsoll_rules::find(id).is_some();
    if !known {
        let hint = did_you_mean(id, plimsoll_rules::all().map(|rule| rule.id))
            .unwrap_or_else(|| "`plimsoll rules` lists them".to_owned());
        source.mistake(span, MistakeKind::UnknownRule(id.to_owned()), Some(hint));
    }
    known
}

fn severities() -> [(&'static str, Severity); 5] {
    Severity::WORST_FIRST.map(|severity| (severity.id(), severity))
}
