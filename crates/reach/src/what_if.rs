//! What a change would open and close, before anybody restarts anything.

use plimsoll_facts::{AttackPath, ContainerReach, Fact, Facts, ReachOutcome};

use crate::change::Change;
use crate::verdict;

/// What changes for one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What could be done before and not after, each with what stops it then.
    pub closed: Vec<(String, Vec<String>)>,
    /// What could not be done before and can be after, each with what shows it.
    pub opened: Vec<(String, Vec<String>)>,
    /// Attack paths that end.
    pub cut: Vec<AttackPath>,
    /// Attack paths through the container that stay.
    pub left: Vec<AttackPath>,
}

/// Applies changes to judged facts and tells what is different for the container of this id.
///
/// # Errors
/// When the container does not run, so that nothing is known about it.
pub fn what_if(facts: &Facts, container: &str, changes: &[Change]) -> Result<Difference, NotRunning> {
    let mut after = facts.clone();
    for change in changes {
        change.apply(&mut after, container);
    }
    verdict::judge(&mut after);
    let (old, new) = (reach(facts, container)?, reach(&after, container)?);
    let mut difference = Difference::default();
    compare(&mut difference, old, new);
    let paths = |facts: &Fact<Vec<AttackPath>>| facts.value().cloned().unwrap_or_default();
    let is_through = |path: &AttackPath| {
        path.container_id == container || path.before.iter().any(|place| place.id == container)
    };
    let (before, mut stays) = (paths(&facts.attack_paths), paths(&after.attack_paths));
    let is_left = |path: &AttackPath| {
        let same = |left: &AttackPath| {
            (&left.container_id, &left.boundary) == (&path.container_id, &path.boundary)
                && (left.shown || !path.shown)
        };
        stays.iter().any(same)
    };
    difference.cut = before.into_iter().filter(|path| !is_left(path)).collect();
    stays.retain(is_through);
    difference.left = stays;
    Ok(difference)
}

/// The container does not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the container does not run: what the kernel would enforce for it is not known")]
pub struct NotRunning;

fn reach<'f>(facts: &'f Facts, container: &str) -> Result<&'f ContainerReach, NotRunning> {
    facts.reach.value().into_iter().flatten().find(|it| it.container == container).ok_or(NotRunning)
}

fn compare(difference: &mut Difference, old: &ContainerReach, new: &ContainerReach) {
    for (before, after) in old.gates.iter().zip(&new.gates) {
        let what = format!("can {}", before.title);
        note(difference, what, before.outcome, (after.outcome, &after.reasons));
    }
    for before in &old.flaws {
        let Some(after) = new.flaws.iter().find(|it| it.id == before.id && it.program == before.program)
        else {
            if before.outcome == ReachOutcome::Reachable {
                difference.closed.push((before.id.clone(), vec!["the flaw is mended".to_owned()]));
            }
            continue;
        };
        let gets = before.gain.words();
        let what = format!("can exercise {} in {}, which gets {gets}", before.id, before.component);
        note(difference, what, before.outcome, (after.outcome, &after.reasons));
    }
}

fn note(
    difference: &mut Difference,
    what: String,
    before: ReachOutcome,
    (after, reasons): (ReachOutcome, &[String]),
) {
    match (before, after) {
        (ReachOutcome::Reachable, ReachOutcome::Blocked | ReachOutcome::Unknown) => {
            difference.closed.push((what, reasons.to_vec()));
        }
        (ReachOutcome::Blocked | ReachOutcome::Unknown, ReachOutcome::Reachable) => {
            difference.opened.push((what, reasons.to_vec()));
        }
        _ => {}
    }
}
