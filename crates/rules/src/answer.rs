//! Short ways to say what a rule found.

use plimsoll_facts::{Gap, Image};

use crate::{Evidence, Judgement, Outcome, Problem};

/// Checked, and it is right, as this shows.
pub(crate) fn pass(evidence: Evidence) -> Judgement {
    Ok(Outcome::Pass(vec![evidence]))
}

/// Checked, and it is wrong.
pub(crate) fn fail(problem: Problem) -> Judgement {
    Ok(Outcome::Fail(problem))
}

/// The question does not arise here.
pub(crate) fn not_applicable(why: impl Into<String>) -> Judgement {
    Ok(Outcome::NotApplicable(why.into()))
}

/// A person has to answer, who is told what to look at.
pub(crate) fn not_automated(look_at: impl Into<String>) -> Judgement {
    Ok(Outcome::NotAutomated(look_at.into()))
}

/// The facts were read, but do not decide the question.
pub(crate) fn unknown(source: impl Into<String>, reason: impl Into<String>) -> Judgement {
    Err(gap(source, reason))
}

/// A fact that is missing.
pub(crate) fn gap(source: impl Into<String>, reason: impl Into<String>) -> Gap {
    Gap { subject: String::new(), source: source.into(), reason: reason.into() }
}

/// That nothing was found in an image's files means something only where all of them were read.
///
/// # Errors
/// The first gap, where they were read in part or not at all.
pub(crate) fn complete(image: &Image) -> Result<(), Gap> {
    match image.content.require()?.gaps.first() {
        Some(reason) => Err(gap(image.content.source(), reason.clone())),
        None => Ok(()),
    }
}

/// What a sentence says of what it does not name; nothing where it names all.
pub(crate) fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" and {count} more") }
}
