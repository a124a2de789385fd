//! Whether anybody still mends the series that a program belongs to.

use plimsoll_facts::Component;

use crate::answer::{fail, pass, unknown};
use crate::support::{Series, Support, is_backported, support};
use crate::{Confidence, Evidence, Judgement, Problem, Severity};

/// Fails where the project has left the series; milder where a distribution made the package and mends it by itself.
pub(crate) fn judge(
    name: &str,
    table: &[Series],
    version: &str,
    source: &str,
    component: Option<&Component>,
    now: i64,
) -> Judgement {
    let evidence = Evidence::new(format!("version of {name}"), version, source);
    let since = match support(table, version, now) {
        Support::Unreadable => return unknown(source, format!("{version:?} is no version with numbers")),
        Support::Supported(None) => return pass(evidence),
        Support::Supported(Some(end)) => {
            return pass(evidence.expected(format!("a series that is mended (until {end})")));
        }
        Support::Ended(end) => format!("since {end}"),
        Support::LongEnded => "since long".to_owned(),
    };
    let evidence = evidence.expected("a series that its project still mends");
    let message =
        format!("{name} {version} is of a series that its project does not mend any more ({since})");
    let Some(package) = component.and_then(is_backported) else {
        return fail(Problem::new(message, vec![evidence]));
    };
    let vendor = package.vendor.as_deref().unwrap_or_default();
    let maker = vendor.split_once(" <").map_or(vendor, |(name, _)| name);
    let package_source = component.map(|c| c.package.source()).unwrap_or_default();
    let backports = Evidence::new(
        "maker of the package",
        format!("{maker} ({} {})", package.name, package.version),
        package_source,
    );
    let message = format!("{message}; what is mended in it comes from {maker} alone");
    fail(
        Problem::new(message, vec![evidence, backports])
            .severity(Severity::Low)
            .confidence(Confidence::Medium),
    )
}
