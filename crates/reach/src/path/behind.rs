//! The flaws behind a container's ports: those of the programs that listen, and of the packages that these consist of.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use plimsoll_facts::{
    Container, Ecosystem, Engine, Facts, Gap, ListeningProgram, PackageName, Process, Vulnerability,
};

use super::entry::Entry;
use super::graph::Weakness;

/// By how much the weight of a flaw is divided that may not be in what listens.
const DOUBT: u32 = 2;

/// What listens in a container, and the flaws by which somebody on the network could run code in it.
#[derive(Clone)]
pub(super) struct Behind<'f> {
    ports: Vec<Port<'f>>,
    /// Flaws of each program that listens.
    programs: Vec<Vec<Flaw<'f>>>,
    /// Flaws of the image, for what listens elsewhere.
    any: Vec<Flaw<'f>>,
}

/// A socket, and the place of the program that holds it, where that is known.
#[derive(Clone, Copy)]
struct Port<'f> {
    number: u16,
    protocol: &'f str,
    program: Option<usize>,
}

/// A flaw by which code could be run in what listens.
#[derive(Clone, Copy)]
pub(super) struct Flaw<'f> {
    known: &'f Vulnerability,
    listener: Option<Listener<'f>>,
    part: Part<'f>,
}

/// A program that listens, and the name of its process.
#[derive(Clone, Copy)]
struct Listener<'f> {
    name: &'f str,
    program: &'f ListeningProgram,
}

/// How a flaw comes to be in what listens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part<'f> {
    /// It is in the package of the program.
    Own,
    /// It is in a package that the program consists of.
    Uses(&'f PackageName),
    /// It is in a package of a language that the program interprets.
    Runs,
    /// It is in the image, and the gap keeps from knowing whether it is in the program.
    May(Option<&'f Gap>),
}

impl<'f> Behind<'f> {
    /// What listens in a container of this engine.
    pub(super) fn of(facts: &'f Facts, engine: &'f Engine, container: &'f Container) -> Self {
        let remote: Vec<&Vulnerability> = remote(facts, container).collect();
        let (mut ports, mut programs) = (Vec::new(), Vec::new());
        let mut places: HashMap<u32, usize> = HashMap::new();
        let effective = container.effective.value();
        let processes = effective.and_then(|it| it.processes.value()).into_iter().flatten();
        let own: HashMap<u32, &Process> =
            processes.filter(|it| it.thread.is_none()).map(|it| (it.pid, it)).collect();
        let sockets = effective.and_then(|it| it.listeners.value()).into_iter().flatten();
        for socket in sockets.filter(|socket| socket.port != 0) {
            let process = socket.pid.map(|pid| own.get(&pid));
            // Another container of the same network namespace listens there.
            if process == Some(None) {
                continue;
            }
            let process = process.flatten();
            let program = process.and_then(|process| {
                let place = process.program?;
                let program = engine.programs.get(usize::try_from(place).ok()?)?;
                Some(*places.entry(place).or_insert_with(|| {
                    programs.push(flaws(Listener { name: &process.name, program }, &remote));
                    programs.len() - 1
                }))
            });
            let protocol = socket.protocol.trim_end_matches('6');
            ports.push(Port { number: socket.port, protocol, program });
        }
        let any = remote.into_iter().map(|known| Flaw { known, listener: None, part: Part::May(None) });
        Self { ports, programs, any: any.collect() }
    }

    /// The flaw behind these ports by which somebody would most likely run code.
    pub(super) fn worst(&self, entries: &[Entry]) -> Option<Flaw<'f>> {
        let of_entry = |entry: &Entry| {
            let of_port = move |port: &Port<'_>| port.number == entry.port && port.protocol == entry.protocol;
            self.worst_of(of_port)
        };
        entries.iter().filter_map(of_entry).max_by(Flaw::cmp)
    }

    /// The same, behind all of its ports.
    pub(super) fn worst_of_all(&self) -> Option<Flaw<'f>> {
        self.worst_of(|_| true)
    }

    fn worst_of(&self, wanted: impl Fn(&Port<'f>) -> bool) -> Option<Flaw<'f>> {
        let mut ports = self.ports.iter().filter(|port| wanted(port)).map(|port| port.program).peekable();
        let nobody = ports.peek().is_none().then_some(None);
        ports.chain(nobody).flat_map(|program| self.of_program(program)).copied().max_by(Flaw::cmp)
    }

    /// Flaws of a program that listens, or, where it is not known, those of the image.
    fn of_program(&self, program: Option<usize>) -> &[Flaw<'f>] {
        program.and_then(|place| self.programs.get(place)).unwrap_or(&self.any)
    }

    /// Packages behind all of its ports that mend flaws, and the version that does, the worst first and each once.
    pub(super) fn upgrades(&self) -> Vec<(&'f str, &'f str)> {
        let unknown = self.ports.is_empty() || self.ports.iter().any(|port| port.program.is_none());
        let any = self.any.iter().filter(|_| unknown);
        let mut flaws: Vec<&Flaw<'f>> = self.programs.iter().flatten().chain(any).collect();
        flaws.sort_by(|a, b| b.cmp(a));
        let mut packages: Vec<(&str, &str)> = Vec::new();
        for flaw in flaws {
            let package = flaw.known.package.as_str();
            let fixed =
                flaw.known.fixed.as_deref().filter(|_| !packages.iter().any(|(it, _)| *it == package));
            packages.extend(fixed.map(|version| (package, version)));
        }
        packages
    }

    /// The same after each flaw that has a fix was mended.
    pub(super) fn upgraded(&self) -> Self {
        let mut after = self.clone();
        for flaws in after.programs.iter_mut().chain([&mut after.any]) {
            flaws.retain(|flaw| flaw.known.fixed.is_none());
        }
        after
    }

    /// What is known of the flaws behind these ports.
    pub(super) fn weakness(&self, entries: &[Entry]) -> Weakness {
        self.worst(entries).map_or(Weakness::Assumed, |flaw| flaw.weakness())
    }

    /// What is known of the flaws behind all of its ports.
    pub(super) fn weakness_of_all(&self) -> Weakness {
        self.worst_of_all().map_or(Weakness::Assumed, |flaw| flaw.weakness())
    }
}

impl<'f> Flaw<'f> {
    /// By which name the world knows it.
    pub(super) fn id(&self) -> &'f str {
        &self.known.id
    }

    /// Name of the process that has it, where that is known.
    pub(super) fn process(&self) -> Option<&'f str> {
        self.listener.map(|listener| listener.name)
    }

    /// Whether it is in what listens, not only in the image.
    pub(super) fn is_shown(&self) -> bool {
        !matches!(self.part, Part::May(_))
    }

    fn weakness(&self) -> Weakness {
        let weight = weight(self.known);
        if self.is_shown() { Weakness::Known(weight) } else { Weakness::Possible(weight / DOUBT) }
    }

    /// Of equally likely flaws, that of the program's own package, then the first by name.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = |it: &Self| (it.weakness(), it.part == Part::Own, Reverse(it.id()));
        order(self).cmp(&order(other))
    }

    /// What shows that it is there: process, program, package and flaw.
    pub(super) fn evidence(&self) -> Vec<String> {
        let Vulnerability { id, package, installed, evidence, .. } = self.known;
        let flaw = format!("{id} in {package} ({evidence})");
        let program = self.listener.map(|it| it.words()).unwrap_or_default();
        match self.part {
            Part::Own => vec![format!("{program}: {flaw}")],
            Part::Uses(PackageName { ecosystem, name, version }) => {
                let uses = match ecosystem {
                    Ecosystem::Go | Ecosystem::Cargo => "is built from",
                    _ => "uses",
                };
                vec![format!("{program} {uses} {name} {version}: {flaw}")]
            }
            Part::Runs => vec![format!("{program} may run {package} {installed}: {flaw}")],
            Part::May(Some(Gap { source, reason, .. })) => {
                vec![format!("{program} may have any flaw of the image: {source}: {reason}"), flaw]
            }
            Part::May(None) => {
                let unknown = "the program of this port is not known: any flaw of the image may be in it";
                vec![unknown.to_owned(), flaw]
            }
        }
    }
}

impl Listener<'_> {
    fn words(&self) -> String {
        let path = &self.program.path;
        match &self.program.package {
            Some(PackageName { name, version, .. }) => {
                format!("{} ({path}, package {name} {version})", self.name)
            }
            None => format!("{} ({path})", self.name),
        }
    }
}

/// Flaws that a program has by its packages, and those that it may have.
fn flaws<'f>(listener: Listener<'f>, remote: &[&'f Vulnerability]) -> Vec<Flaw<'f>> {
    let ListeningProgram { package, parts, runs, gap, .. } = listener.program;
    let own: BTreeMap<(Ecosystem, &str), &PackageName> =
        parts.iter().map(|part| ((part.ecosystem, part.name.as_str()), part)).collect();
    let part = |known: &Vulnerability| {
        if package.as_ref().is_some_and(|package| is_of(known, package)) {
            return Some(Part::Own);
        }
        let named = known.installed_as.iter().filter_map(|name| own.get(&(known.ecosystem, name.as_str())));
        let used = named.copied().find(|part| is_of(known, part)).map(Part::Uses);
        let may = gap.as_ref().map(|gap| Part::May(Some(gap)));
        used.or(runs.contains(&known.ecosystem).then_some(Part::Runs)).or(may)
    };
    let found =
        remote.iter().filter_map(|known| Some(Flaw { known, listener: Some(listener), part: part(known)? }));
    found.collect()
}

/// Whether a flaw is one of this package. Of modules several versions may be beside each other in one image.
fn is_of(known: &Vulnerability, package: &PackageName) -> bool {
    let is_version = || match package.ecosystem {
        Ecosystem::Go => package.version.trim_start_matches('v') == known.installed,
        Ecosystem::Cargo => package.version == known.installed,
        _ => true,
    };
    package.ecosystem == known.ecosystem && known.installed_as.contains(&package.name) && is_version()
}

/// Flaws in a container's packages by which somebody on the network could run code.
fn remote<'f>(facts: &'f Facts, container: &Container) -> impl Iterator<Item = &'f Vulnerability> + use<'f> {
    let image = container.declared.value().map(|declared| declared.image_id.as_str());
    let known = facts.package_flaws.value();
    let inventory = known.and_then(|known| known.of(&container.id).or_else(|| known.of(image?)));
    let flaws = inventory.into_iter().flat_map(|inventory| &inventory.flaws);
    flaws.filter(|flaw| !flaw.is_suppressed() && is_remote(flaw))
}

/// Whether CVSS says that it can be exercised over the network by somebody without an account, and the distribution does
/// not say that it does no harm.
fn is_remote(flaw: &Vulnerability) -> bool {
    let vector = flaw.vector.as_deref().unwrap_or_default();
    if flaw.state.as_deref() == Some("unimportant") {
        return false;
    }
    vector.contains("/AV:N") && (vector.contains("/PR:N") || vector.contains("/Au:N"))
}

/// From 1 to 1000.
fn weight(flaw: &Vulnerability) -> u32 {
    let by_severity = match flaw.severity.as_str() {
        "critical" => 600,
        "high" => 400,
        "medium" => 200,
        _ => 100,
    };
    let by_probability = flaw.epss.map_or(0, |epss| (epss.clamp(0.0, 1.0) * 900.0) as u32);
    if flaw.exploited.is_some() { 1000 } else { by_severity.max(by_probability) }
}
