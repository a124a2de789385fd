//! Published flaws that the owner accepts.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use plimsoll_facts::{Container, Engine, Fact, Facts, Image, Vulnerability};
use plimsoll_rules::{Subject, SubjectKind};

use crate::subject::glob_matches;
use crate::{Covers, Exception, Policy, SubjectPattern};

/// Which published flaws an exception covers: all that are named have to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlawPattern {
    /// The id by which the world knows the flaw, or that of the record.
    pub vulnerability: Option<String>,
    /// Pattern of the package that the advisory names, or of one that is built from it.
    pub package: Option<String>,
    /// What holds the package: an image, a container or the host.
    pub subject: Option<SubjectPattern>,
}

impl FlawPattern {
    /// Whether it covers a flaw of what goes by any of these names.
    pub fn matches(&self, subjects: &[Subject], flaw: &Vulnerability) -> bool {
        let is_id = |id: &String| flaw.id.eq_ignore_ascii_case(id) || flaw.advisory.eq_ignore_ascii_case(id);
        let is_package = |pattern: &String| {
            let mut names = flaw.installed_as.iter().chain([&flaw.package]);
            names.any(|name| glob_matches(pattern, name))
        };
        self.vulnerability.as_ref().is_none_or(is_id)
            && self.package.as_ref().is_none_or(is_package)
            && self.subject.as_ref().is_none_or(|pattern| subjects.iter().any(|it| pattern.matches(it)))
    }
}

impl fmt::Display for FlawPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.vulnerability.as_deref().unwrap_or("every flaw"))?;
        if let Some(package) = &self.package {
            write!(f, " of {package}")?;
        }
        match &self.subject {
            Some(subject) => write!(f, " on {subject}"),
            None => Ok(()),
        }
    }
}

/// The exceptions of a policy at work on published flaws.
#[derive(Debug)]
pub struct FlawExceptions<'p> {
    policy: &'p Policy,
    today: Date,
    /// Whether each exception of the policy covers a flaw, or would if it had not expired.
    covers: Vec<bool>,
    /// Whether every package could be held against advisories.
    is_whole: bool,
}

impl<'p> FlawExceptions<'p> {
    /// The exceptions of this policy; `today` decides which of them still hold.
    pub fn new(policy: &'p Policy, today: Date) -> Self {
        Self { policy, today, covers: vec![false; policy.exceptions.len()], is_whole: true }
    }

    /// Notes the first exception that holds on each flaw of something that goes by these names.
    pub fn note(&mut self, subjects: &[Subject], flaws: &mut [Vulnerability]) {
        for (exception, covers) in self.policy.exceptions.iter().zip(&mut self.covers) {
            let Covers::Flaws(pattern) = &exception.covers else { continue };
            for flaw in flaws.iter_mut().filter(|flaw| pattern.matches(subjects, flaw)) {
                *covers = true;
                if exception.expires >= self.today && flaw.exception.is_none() {
                    flaw.exception = Some(exception.note());
                }
            }
        }
    }

    /// The same for every image, every container and the host.
    pub fn note_all(&mut self, facts: &mut Facts) {
        let mut names = names(facts);
        self.is_whole = is_whole(facts);
        for inventory in facts.package_flaws.value_mut().into_iter().flat_map(|it| &mut it.inventories) {
            let subjects = names.remove(&inventory.holder).unwrap_or_default();
            self.note(&subjects, &mut inventory.flaws);
        }
    }

    /// Exceptions whose day is over, though they would still cover something.
    pub fn expired(&self) -> impl Iterator<Item = &'p Exception> {
        let all = self.policy.exceptions.iter().zip(&self.covers);
        all.filter(|(it, covers)| **covers && it.expires < self.today).map(|(it, _)| it)
    }

    /// Whether the policy's exception of this number covers a flaw.
    pub(crate) fn covers(&self, number: usize) -> bool {
        self.covers.get(number).copied().unwrap_or_default()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }
}

fn is_whole(facts: &Facts) -> bool {
    let unread = |packages: &Fact<_>| matches!(packages, Fact::Unreadable { .. });
    let of_engine = |engine: &Engine| {
        let images = engine.images.value().into_iter().flatten().any(|it| unread(&it.packages));
        images || engine.containers.value().into_iter().flatten().any(|it| unread(&it.packages))
    };
    facts.package_flaws.value().is_some() && !facts.engines.iter().any(of_engine)
}

/// What each holder of packages may be called: an image by every tag, a container by its own name and its image's.
fn names(facts: &Facts) -> BTreeMap<String, Vec<Subject>> {
    let mut names: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
    let host = facts.host.hostname.value().map_or("host", String::as_str);
    names.insert("host".to_owned(), vec![subject(SubjectKind::Host, host, host)]);
    for engine in &facts.engines {
        for image in engine.images.value().into_iter().flatten() {
            names.entry(image.id.clone()).or_default().extend(names_of_image(image));
        }
        for container in engine.containers.value().into_iter().flatten() {
            names.entry(container.id.clone()).or_default().extend(names_of_container(container));
        }
    }
    names
}

fn names_of_image(image: &Image) -> impl Iterator<Item = Subject> {
    let named = [image.name()].into_iter().chain(image.tags.iter().skip(1).cloned());
    named.map(|name| subject(SubjectKind::Image, &name, &image.id))
}

fn names_of_container(container: &Container) -> impl Iterator<Item = Subject> {
    let image = container.declared.value();
    let image = image.map(|it| subject(SubjectKind::Image, &it.image, &it.image_id));
    [subject(SubjectKind::Container, &container.name, &container.id)].into_iter().chain(image)
}

fn subject(kind: SubjectKind, name: &str, id: &str) -> Subject {
    Subject { kind, name: name.to_owned(), id: id.to_owned(), engine: String::new() }
}
