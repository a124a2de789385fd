//! What could not be read, and why.

use std::fmt::Display;

use plimsoll_facts::{Fact, Gap};

/// Collects gaps; each is noted where it arises and comes back as the unreadable fact.
#[derive(Default)]
pub(crate) struct Gaps {
    gaps: Vec<Gap>,
}

impl Gaps {
    /// Notes a gap about `subject` and returns the fact that stands for it.
    pub(crate) fn unreadable<T>(
        &mut self,
        subject: &str,
        source: impl Into<String>,
        why: impl Display,
    ) -> Fact<T> {
        let gap = Gap { subject: subject.to_owned(), source: source.into(), reason: why.to_string() };
        let fact = Fact::unreadable(gap.source.clone(), gap.reason.clone());
        self.gaps.push(gap);
        fact
    }

    /// Notes the gap that a fact stands for, if it is one, and hands the fact on.
    pub(crate) fn keep<T>(&mut self, subject: &str, fact: Fact<T>) -> Fact<T> {
        match fact {
            Fact::Unreadable { source, reason } => self.unreadable(subject, source, reason),
            other => other,
        }
    }

    /// Takes over the gaps of a part.
    pub(crate) fn append(&mut self, part: Self) {
        self.gaps.extend(part.gaps);
    }

    /// Every gap once, in a stable order.
    pub(crate) fn into_sorted(mut self) -> Vec<Gap> {
        self.gaps.sort();
        self.gaps.dedup();
        self.gaps
    }
}
