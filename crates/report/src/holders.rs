//! What holds packages, with their published flaws: images, containers that changed theirs, the host.

use std::borrow::Cow;
use std::collections::HashMap;

use plimsoll_facts::{InventoryFlaws, NotCovered, Vulnerability};

use crate::{Audit, words};

/// Flaws of one holder that a page shows.
const SHOWN: usize = 50;

/// One holder of packages.
pub(crate) struct HolderRows<'a> {
    pub(crate) name: Cow<'a, str>,
    /// How its packages came out, in words.
    pub(crate) summary: String,
    /// Worst first.
    pub(crate) flaws: Vec<&'a Vulnerability>,
    /// Flaws that are not shown.
    pub(crate) more: usize,
    pub(crate) not_covered: &'a [NotCovered],
}

/// Those of which something is to be told, the one with the worst flaw first.
pub(crate) fn of(audit: &Audit) -> Vec<HolderRows<'_>> {
    let subjects: HashMap<&str, _> =
        audit.findings.iter().map(|finding| (&*finding.subject.id, &finding.subject)).collect();
    let name = |id: &str| match subjects.get(id) {
        Some(subject) => Cow::Owned(words::subject_with_kind(audit, subject)),
        None => Cow::Owned(id.to_owned()),
    };
    let inventories = audit.package_flaws.iter().flat_map(|it| &it.inventories);
    let told = inventories.filter(|it| !it.flaws.is_empty() || !it.not_covered.is_empty());
    let mut rows: Vec<_> = told.map(|it| rows(name(&it.holder), it)).collect();
    rows.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    rows
}

fn rows<'a>(name: Cow<'a, str>, found: &'a InventoryFlaws) -> HolderRows<'a> {
    let open = found.flaws.iter().filter(|flaw| !flaw.is_suppressed()).count();
    let fixable = found.flaws.iter().filter(|flaw| !flaw.is_suppressed() && flaw.fixed.is_some()).count();
    let summary = format!(
        "{}, {fixable} with a fix; {} of {} covered",
        words::count(open, "flaw"),
        found.covered,
        words::count(found.packages as usize, "package"),
    );
    HolderRows {
        name,
        summary,
        flaws: found.flaws.iter().take(SHOWN).collect(),
        more: found.flaws.len().saturating_sub(SHOWN) + found.left_out as usize,
        not_covered: &found.not_covered,
    }
}

/// Exploited, then with a fix, then by severity: as the flaws themselves are sorted, of which the first decides.
fn rank(rows: &HolderRows<'_>) -> (bool, bool, usize) {
    const WORST_FIRST: [&str; 4] = ["critical", "high", "medium", "low"];
    let first = rows.flaws.first();
    let severity = first.and_then(|flaw| WORST_FIRST.iter().position(|word| *word == flaw.severity));
    (
        first.is_none_or(|flaw| flaw.exploited.is_none()),
        first.is_none_or(|flaw| flaw.fixed.is_none()),
        severity.unwrap_or(WORST_FIRST.len()),
    )
}
