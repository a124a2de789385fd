//! What a person has to look at, what is excepted, how much was checked, and the verdict.

use std::io;

use plimsoll_rules::Status;

use crate::layout::{self, BOLD, DIM, GOOD, PLAIN, Page, TerminalOptions, UNKNOWN, span};
use crate::{Audit, words};

pub(super) fn write(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    if options.full {
        for_a_person(page, audit)?;
    }
    exceptions(page, audit)?;
    policy(page, audit)?;
    page.heading("Coverage", "")?;
    coverage(page, audit, options)?;
    verdict(page, audit)
}

fn for_a_person(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    let questions: Vec<_> = audit.with_status(Status::NotAutomated).collect();
    if questions.is_empty() {
        return Ok(());
    }
    page.heading("For a person to look at", &words::count(questions.len(), "question"))?;
    for finding in questions {
        let title = audit.rule(&finding.rule).map_or(&*finding.rule, |rule| &rule.title);
        page.labelled("look", DIM, &[span(title, BOLD)])?;
        page.beside(&[span(&finding.rule, DIM)])?;
        page.beside(&[span(&finding.message, PLAIN)])?;
    }
    Ok(())
}

fn exceptions(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    if audit.coverage.excepted == 0 {
        return Ok(());
    }
    page.heading("Accepted by the policy", &words::count(audit.coverage.excepted, "failure"))?;
    for finding in audit.excepted() {
        let Some(exception) = &finding.exception else { continue };
        let subject = words::subject(audit, &finding.subject);
        let until = format!(" until {} by ", exception.expires);
        page.labelled(
            finding.severity.id(),
            layout::severity(finding.severity),
            &[span(&subject, BOLD), span(": ", PLAIN), span(&finding.rule, PLAIN)],
        )?;
        page.beside(&[span(&exception.reason, PLAIN), span(&until, DIM), span(&exception.owner, DIM)])?;
    }
    Ok(())
}

fn policy(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    let policy = &audit.policy;
    if policy.rules_off.is_empty() {
        return Ok(());
    }
    page.heading("Policy", &policy.name)?;
    page.labelled("off", DIM, &[span(&policy.rules_off.join(", "), PLAIN)])
}

fn coverage(page: &mut Page<'_>, audit: &Audit, options: &TerminalOptions) -> io::Result<()> {
    let it = &audit.coverage;
    page.paragraph(&[span(&words::asked(it), DIM)])?;
    page.paragraph(&[span(&words::coverage(it), PLAIN)])?;
    if !options.full {
        page.paragraph(&[span("--full shows every subject, every fact, and what needs a person", DIM)])?;
    }
    Ok(())
}

fn verdict(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    let style = match audit.worst() {
        Some(worst) => layout::severity(worst),
        None if audit.coverage.checked == 0 || audit.coverage.unknown > 0 => UNKNOWN,
        None => GOOD,
    };
    page.paragraph(&[span("Verdict: ", BOLD), span(&words::verdict(audit), style)])
}
