//! What a rule is.

use plimsoll_facts::{
    Component, ComponentKind, Container, Engine, Fact, Facts, Image, Network, PackageInventory, Service,
};

use crate::{Concern, Judgement, Severity};

/// One judgement over facts: its page and its function. Everything that is written about a rule (the reference
/// page, `plimsoll explain`, SARIF help) is made from here.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, and the name of the problem: it reads right after "allow …".
    pub id: &'static str,
    /// One line: what is wrong where it fails.
    pub title: &'static str,
    /// The concern that it belongs to.
    pub concern: Concern,
    /// How bad it is, unless a case says otherwise.
    pub severity: Severity,
    /// Why it matters: what an attacker or an outage makes of it.
    pub why: &'static str,
    /// How to fix it, as commands or settings, and what that stops.
    pub fix: &'static str,
    /// Where the claim can be checked: manual pages, specifications, advisories.
    pub references: &'static [&'static str],
    /// The controls of the CIS Docker Benchmark that it answers, by their 1.8 ids (see [`crate::cis`]).
    pub cis: &'static [&'static str],
    /// The function.
    pub judge: Judge,
}

/// A rule's function, by the kind of its subject.
#[derive(Debug)]
pub enum Judge {
    /// Once.
    Host(fn(&Facts) -> Judgement),
    /// For each program of these kinds.
    Component(&'static [ComponentKind], fn(&Facts, &Component) -> Judgement),
    /// For each engine.
    Engine(fn(&Facts, &Engine) -> Judgement),
    /// For each network of each engine.
    Network(fn(&EngineContext<'_>, &Network) -> Judgement),
    /// For each image of each engine.
    Image(fn(&EngineContext<'_>, &Image) -> Judgement),
    /// For each container of each engine.
    Container(fn(&EngineContext<'_>, &Container) -> Judgement),
    /// For each image, and each running container that changed the packages of its image.
    Packages(fn(&EngineContext<'_>, Holder<'_>) -> Judgement),
    /// For each service of a swarm.
    Service(fn(&EngineContext<'_>, &Service) -> Judgement),
    /// Never: no fact can decide it. What a person should look at, and where.
    Manual(&'static str),
}

/// What holds packages of its own.
#[derive(Clone, Copy, Debug)]
pub enum Holder<'a> {
    /// An image.
    Image(&'a Image),
    /// A running container in which something changed what its image brought.
    Container(&'a Container),
}

impl<'a> Holder<'a> {
    /// The id by which facts call it.
    pub fn id(self) -> &'a str {
        match self {
            Self::Image(image) => &image.id,
            Self::Container(container) => &container.id,
        }
    }

    /// Its packages.
    pub fn packages(self) -> &'a Fact<PackageInventory> {
        match self {
            Self::Image(image) => &image.packages,
            Self::Container(container) => &container.packages,
        }
    }
}

/// What surrounds a container, an image, a network or a service.
#[derive(Clone, Copy, Debug)]
pub struct EngineContext<'a> {
    /// Everything.
    pub facts: &'a Facts,
    /// The engine that it belongs to.
    pub engine: &'a Engine,
}

impl<'a> EngineContext<'a> {
    /// The image of a container, where the engine still has it.
    pub fn image_of(&self, container: &Container) -> Option<&'a Image> {
        let wanted = &container.declared.value()?.image_id;
        self.engine.images.value()?.iter().find(|image| image.id == *wanted)
    }
}
