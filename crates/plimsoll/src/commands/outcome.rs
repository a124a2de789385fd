//! How a judgement is written down, and how the command ends.

use anyhow::Result;
use plimsoll_policy::Policy;
use plimsoll_report::{Audit, html, json, junit, markdown, sarif, terminal};
use plimsoll_rules::{Severity, Status};

use crate::cli::{Format, ReportArgs};
use crate::{Exit, output};

/// Writes a report where and as the command line says.
pub(super) fn write(audit: &Audit, args: &ReportArgs) -> Result<()> {
    let ReportArgs { full, .. } = *args;
    output::with(args.output.as_deref(), |out| match args.format {
        Format::Terminal => {
            terminal::write(audit, &output::terminal_options(full, args.output.as_deref()), out)
        }
        Format::Json => json::write(audit, out),
        Format::Sarif => sarif::write(audit, out),
        Format::Junit => junit::write(audit, out),
        Format::Markdown => markdown::write(audit, full, out),
        Format::Html => html::write(audit, out),
    })
}

/// What the exit code says of a report.
pub(super) fn exit(audit: &Audit, args: &ReportArgs, policy: &Policy) -> Exit {
    let fail_on = args.fail_on.or(policy.fail_on);
    Exit::Done {
        findings: fail_on.is_some_and(|bound| audit.worst() >= Some(bound)),
        // What is only worth knowing does not make an audit blind.
        unknown: audit.with_status(Status::Unknown).any(|finding| finding.severity > Severity::Info),
    }
}
