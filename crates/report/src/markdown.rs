//! The audit as Markdown, for a comment on a change or an auditor's file. Whatever a name holds, it formats,
//! links and mentions nothing.

use std::io::{self, Write};

use plimsoll_rules::{Finding, Status};

use crate::escape::{lines, markdown as prose, markdown_cell as cell, markdown_code as code};
use crate::group::{self, RuleGroup};
use crate::{Audit, hints, words};

/// Subjects of one rule that are named, unless all are asked for: a comment has a limited size.
const SUBJECTS: usize = 10;
/// Containers in the table, unless all are asked for.
const CONTAINERS: usize = 50;

/// Writes the audit as Markdown (CommonMark with tables). `full` names every subject.
///
/// # Errors
/// What the writer answers.
pub fn write(audit: &Audit, full: bool, out: &mut dyn Write) -> io::Result<()> {
    head(audit, out)?;
    containers(audit, full, out)?;
    for concern in group::by_concern(audit.failures()) {
        write!(out, "\n## {}\n", words::concern(concern.concern))?;
        for rule in &concern.rules {
            failures_of(audit, rule, full, out)?;
        }
    }
    paths(audit, full, out)?;
    effects(audit, full, out)?;
    controls(audit, out)?;
    unknown(audit, full, out)?;
    accepted(audit, out)?;
    for_a_person(audit, out)
}

fn head(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let host = &audit.host;
    writeln!(out, "# {} on {}\n", audit.tool.name, code(&host.name))?;
    writeln!(out, "**{}**\n", words::verdict(audit))?;
    writeln!(out, "{}.\n", words::coverage(&audit.coverage))?;
    if !audit.blindness.is_empty() {
        writeln!(out, "{}.\n", prose(&words::blindness(audit)))?;
    }
    writeln!(out, "| | |\n| --- | --- |")?;
    let unknown = "unknown";
    if !audit.is_of_images() {
        writeln!(out, "| distribution | {} |", prose(host.os.as_deref().unwrap_or(unknown)))?;
        writeln!(out, "| kernel | {} |", prose(host.kernel.as_deref().unwrap_or(unknown)))?;
    }
    for engine in &host.engines {
        writeln!(out, "| engine | {} {} |", cell(&engine.endpoint), prose(&words::engine(engine)))?;
    }
    writeln!(out, "| collected | {}, as user {} |", prose(&audit.collected_at), audit.collector.uid)?;
    if !audit.policy.name.is_empty() {
        writeln!(out, "| policy | {} |", cell(&audit.policy.name))?;
    }
    writeln!(out, "| {} | {} |", audit.tool.name, prose(&audit.tool.version))?;
    Ok(())
}

fn containers(audit: &Audit, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let lines = group::containers(audit);
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Containers\n\n| container | worst | problems | unknown |\n| --- | --- | --- | --- |"
    )?;
    let shown = if full { lines.len() } else { lines.len().min(CONTAINERS) };
    for line in lines.iter().take(shown) {
        let worst = match line.worst() {
            Some(severity) => severity.id(),
            None if line.unknown > 0 => "unknown",
            None => "ok",
        };
        let problems: Vec<_> = line.failures.iter().map(|finding| cell(&finding.rule)).collect();
        writeln!(out, "| {} | {worst} | {} | {} |", cell(&line.name), problems.join(" "), line.unknown)?;
    }
    and_more(lines.len() - shown, out)
}

fn failures_of(audit: &Audit, group: &RuleGroup<'_>, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let text = audit.rule(group.rule);
    let (title, fix) = text.map_or((group.rule, ""), |rule| (&*rule.title, &*rule.fix));
    write!(
        out,
        "\n### {}: {}\n\n{} · {}\n\n",
        group.severity.id(),
        prose(title),
        code(group.rule),
        words::subjects(&group.findings)
    )?;
    let shown = if full { group.findings.len() } else { group.findings.len().min(SUBJECTS) };
    for finding in group.findings.iter().take(shown) {
        failure(audit, finding, fix, out)?;
    }
    and_more(group.findings.len() - shown, out)?;
    if group.findings.iter().any(|finding| finding.remediation == fix) {
        write!(out, "\nFix: {}\n", lines(fix, prose, "\\\n"))?;
    }
    Ok(())
}

fn failure(audit: &Audit, finding: &Finding, fix: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "- {}: {}", code(&words::subject(audit, &finding.subject)), prose(&finding.message))?;
    for fact in &finding.evidence {
        writeln!(
            out,
            "  - {}: {}{}, from {}",
            prose(&fact.fact),
            code(&fact.value),
            prose(&words::expected(fact)),
            code(&fact.source)
        )?;
    }
    match finding.remediation == fix {
        true => Ok(()),
        false => writeln!(out, "  - Fix: {}", lines(&finding.remediation, prose, "\\\n    ")),
    }
}

fn paths(audit: &Audit, full: bool, out: &mut dyn Write) -> io::Result<()> {
    if audit.attack_paths.is_empty() {
        return Ok(());
    }
    write!(out, "\n## Attack paths: {}\n\n", words::paths(&audit.attack_paths))?;
    let shown = if full { audit.attack_paths.len() } else { audit.attack_paths.len().min(SUBJECTS) };
    for path in &audit.attack_paths[..shown] {
        writeln!(out, "- {}", code(&words::route(path)))?;
        for step in &path.steps {
            writeln!(out, "  - {}: {}", words::step_kind(step.kind), prose(&step.what))?;
        }
        for cut in &path.cuts {
            writeln!(out, "  - cut: {}", prose(&words::cut(cut)))?;
        }
    }
    match audit.attack_paths.len() - shown {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}

fn effects(audit: &Audit, full: bool, out: &mut dyn Write) -> io::Result<()> {
    if audit.effects.steps.is_empty() {
        return Ok(());
    }
    write!(out, "\n## Upgrades: what each step does to the containers\n\n")?;
    writeln!(out, "| step | | effect | containers | why |\n| --- | --- | --- | --- | --- |")?;
    for step in &audit.effects.steps {
        for same in group::by_effect(step) {
            let shown = if full { same.containers.len() } else { same.containers.len().min(SUBJECTS) };
            let mut names: Vec<_> = same.containers.iter().take(shown).map(|name| cell(name)).collect();
            if shown < same.containers.len() {
                names.push(format!("and {} more", same.containers.len() - shown));
            }
            let estimate = same.first.estimate.as_ref().map(words::estimate).unwrap_or_default();
            writeln!(
                out,
                "| {} | {} | {} | {} | {} {} |",
                prose(&words::step(audit, step)),
                words::pending(step.pending),
                words::effect(same.kind),
                names.join(" "),
                prose(&same.first.reason),
                prose(&estimate)
            )?;
        }
    }
    for trap in &audit.effects.traps {
        write!(out, "\nTrap: {}. Beforehand: {}\n", prose(&trap.message), prose(&trap.remedy))?;
    }
    Ok(())
}

fn controls(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let Some(view) = &audit.cis else { return Ok(()) };
    write!(out, "\n## CIS Docker Benchmark {}\n\n{}.\n\n", view.benchmark.id(), words::controls(view))?;
    writeln!(out, "| control | status | failures | rules |\n| --- | --- | --- | --- |")?;
    for control in &view.controls {
        let rules: Vec<_> = control.rules.iter().map(|rule| cell(rule)).collect();
        writeln!(
            out,
            "| {} {} | {} | {} | {} |",
            prose(&control.id),
            prose(&control.title),
            words::control_status(control.status),
            control.failed,
            rules.join(" ")
        )?;
    }
    Ok(())
}

fn unknown(audit: &Audit, full: bool, out: &mut dyn Write) -> io::Result<()> {
    let unknown: Vec<_> = audit.with_status(Status::Unknown).collect();
    let hints = hints::of(audit);
    if unknown.is_empty() && hints.is_empty() {
        return Ok(());
    }
    write!(out, "\n## Could not be checked\n\n")?;
    for hint in hints {
        writeln!(out, "{}.\n", prose(&hint))?;
    }
    let same = group::by_message(&unknown);
    let shown = if full { same.len() } else { same.len().min(SUBJECTS) };
    for same in same.iter().take(shown) {
        writeln!(out, "- {}: {}", prose(same.message), words::count(same.findings.len(), "answer"))?;
    }
    and_more(same.len() - shown, out)
}

fn accepted(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    if audit.coverage.excepted == 0 {
        return Ok(());
    }
    write!(out, "\n## Accepted by the policy\n\n| rule | subject | reason | owner | until |\n")?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for finding in audit.excepted() {
        let Some(exception) = &finding.exception else { continue };
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            cell(&finding.rule),
            cell(&words::subject(audit, &finding.subject)),
            prose(&exception.reason),
            prose(&exception.owner),
            prose(&exception.expires)
        )?;
    }
    Ok(())
}

fn for_a_person(audit: &Audit, out: &mut dyn Write) -> io::Result<()> {
    let questions: Vec<_> = audit.with_status(Status::NotAutomated).collect();
    if questions.is_empty() {
        return Ok(());
    }
    write!(out, "\n## For a person to look at\n\n")?;
    for finding in questions {
        let title = audit.rule(&finding.rule).map_or("", |rule| &rule.title);
        writeln!(out, "- {} ({}): {}", prose(title), code(&finding.rule), prose(&finding.message))?;
    }
    Ok(())
}

fn and_more(hidden: usize, out: &mut dyn Write) -> io::Result<()> {
    match hidden {
        0 => Ok(()),
        hidden => write!(out, "\nand {hidden} more\n"),
    }
}
