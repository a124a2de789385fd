use plimsoll_facts::{
    AttackPath, Connections, Container, ContainerReach, EndKind, Facts, Gain, Gap, PathCut, PathGoal, ReachOutcome,
};

use crate::answer::{fail, gap, not_applicable, pass};
use crate::connections::{SOURCE, listeners_of, open};
use crate::{Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// How many paths a finding shows; the rest is counted.
const SHOWN: usize = 5;
/// Weight from which a path is one that somebody goes: its flaws are known to be exploited.
const LIKELY: u32 = 700;

pub(super) const RULE: Rule = Rule {
    id: "attack-path",
    title: "A path leads from an open port to the host or to another container",
    concern: Concern::Exposure,
    severity: Severity::Medium,
    why: "Somebody outside reaches a port of this container, and from there a way goes on: by flaws of the program that \
          listens, shared namespaces and files, open gates and flaws of the wall, to the host or to a container that is not \
          published. A flaw counts in the package of the program, in a library or module that it uses, or in a package that \
          an interpreter may run; other processes, to which it may hand on what it gets, are not asked. Each step is one \
          that the facts show, or is said to be an assumption: that a program of no known package has a flaw of its image, \
          or that it has one that nobody published yet. Whoever goes it has the data and the machine.",
    fix: "Make the cheapest cut that the finding names: it was tried on the facts, and the path is gone with it. \
          `plimsoll what-if CONTAINER …` shows what else a change opens and closes. A container has to be made anew with \
          other options, which stops it; what an upgrade of the host stops is in the report.",
    references: &[
        "https://docs.docker.com/engine/security/",
        "https://attack.mitre.org/matrices/enterprise/containers/",
        "capabilities(7)",
        "ptrace(2)",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    if container.effective.get()?.is_none() {
        return not_applicable("the container does not run");
    }
    let all = cx.facts.attack_paths.require()?;
    let paths: Vec<&AttackPath> = all.iter().filter(|path| path.entry_id() == container.id).collect();
    if !paths.is_empty() {
        return fail(problem(&paths, cx.facts.attack_paths.source()));
    }
    let connections = cx.facts.connections.require()?;
    let own = listeners_of(connections, container);
    let reached = open(connections, own, |_, _, _, end| end.kind == EndKind::Outside)?;
    let Some(port) = reached.first() else {
        return pass(Evidence::new("ports that somebody outside reaches", "none", SOURCE));
    };
    doubt(cx.facts, connections, container).map_or_else(
        || pass(Evidence::new(format!("ways on from {}", port.way.to), "none", cx.facts.attack_paths.source())),
        Err,
    )
}

/// Why it cannot be told that no path begins here.
fn doubt(facts: &Facts, connections: &Connections, container: &Container) -> Option<Gap> {
    let reach = facts.reach.value()?.iter().find(|reach| reach.container == container.id);
    if let Some(what) = reach.and_then(doubtful) {
        return Some(gap(facts.reach.source(), what));
    }
    let is_own = |group: &usize| {
        let mut ends = connections.groups.get(*group).into_iter().flatten().filter_map(|end| connections.ends.get(*end));
        ends.any(|end| end.containers.contains(&container.id))
    };
    let of_other = connections.listeners.iter().filter(|it| it.container.as_ref().is_some_and(|id| *id != container.id));
    let neighbour = of_other.flat_map(|listener| &listener.ways).find(|way| way.open.iter().any(is_own))?;
    let missing = facts.package_flaws.require().err()?;
    let reason = format!("it connects to {}, and the flaws there are not known: {}", neighbour.to, missing.reason);
    Some(gap(missing.source, reason))
}

/// A way to the host of which it is not known whether it can be gone.
fn doubtful(reach: &ContainerReach) -> Option<String> {
    let gates = reach.gates.iter().filter(|gate| gate.gives_host && gate.outcome == ReachOutcome::Unknown);
    let gate = gates.map(|gate| (&gate.title, &gate.reasons)).next();
    let flaw = reach.flaws.iter().find(|flaw| {
        let there = flaw.gain == Gain::Host && flaw.present.is_affected();
        there && flaw.outcome == ReachOutcome::Unknown && !flaw.needs_others
    });
    let (what, reasons) = gate.or_else(|| flaw.map(|flaw| (&flaw.id, &flaw.reasons)))?;
    Some(format!("whether it leads out: {what} ({})", reasons.join("; ")))
}

fn problem(paths: &[&AttackPath], source: &str) -> Problem {
    let of = |goal: PathGoal| paths.iter().filter(|path| path.goal == goal).count();
    let goals = match (of(PathGoal::Host), of(PathGoal::Neighbour)) {
        (0, _) => "to other containers",
        (_, 0) => "to the host",
        _ => "to the host and to other containers",
    };
    let known = paths.iter().filter(|path| path.shown).count();
    let by = match known {
        0 => "if its application is broken into",
        _ => "by known flaws",
    };
    let count = match paths.len() {
        1 => "a path leads".to_owned(),
        many => format!("{many} paths lead"),
    };
    let mut evidence: Vec<Evidence> = paths.iter().take(SHOWN).map(|path| shown(path, source)).collect();
    let rest = paths.len().saturating_sub(SHOWN);
    if rest > 0 {
        evidence.push(Evidence::new("further paths", rest.to_string(), source));
    }
    let severity = paths.iter().map(|path| severity(path)).max().unwrap_or(RULE.severity);
    let confidence = if known > 0 { Confidence::Medium } else { Confidence::Low };
    let problem = Problem::new(format!("{count} from its open port {goals} {by}"), evidence)
        .severity(severity)
        .confidence(confidence);
    match remedy(paths) {
        Some(remedy) => problem.remediation(remedy),
        None => problem,
    }
}

/// How bad it is: what is won, and how likely somebody goes there.
fn severity(path: &AttackPath) -> Severity {
    let worst = match path.goal {
        PathGoal::Host => Severity::Critical,
        PathGoal::Neighbour => Severity::High,
    };
    match (path.shown, path.weight >= LIKELY) {
        (true, true) => worst,
        (true, false) => worst.milder(),
        (false, _) => worst.milder().milder(),
    }
}

fn shown(path: &AttackPath, source: &str) -> Evidence {
    let route: Vec<&str> = path.through().chain((path.goal == PathGoal::Host).then_some("the host")).collect();
    let steps: Vec<&str> = path.steps.iter().map(|step| step.what.as_str()).collect();
    Evidence::new(route.join(" → "), steps.join("; then "), source)
}

/// The cheapest cut of each path that is shown, each once.
fn remedy(paths: &[&AttackPath]) -> Option<String> {
    let mut cuts: Vec<&PathCut> = Vec::new();
    for cut in paths.iter().take(SHOWN).filter_map(|path| path.cuts.first()) {
        if !cuts.iter().any(|known| (&known.container, &known.change) == (&cut.container, &cut.change)) {
            cuts.push(cut);
        }
    }
    let said: Vec<String> = cuts.into_iter().map(sentence).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

fn sentence(cut: &PathCut) -> String {
    let ends = match (cut.assumed_left, cut.paths) {
        (true, 1) => "mends what is known of one path".to_owned(),
        (true, many) => format!("mends what is known of {many} paths"),
        (false, 1) => "cuts one path".to_owned(),
        (false, many) => format!("cuts {many} paths"),
    };
    match &cut.container {
        Some(container) => format!("For {container}: {} ({ends}; {}).", cut.change, cut.effort),
        None => format!("{} ({ends}; {}).", cut.change, cut.effort),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{
        AttackPath, ConnectionEnd, ContainerReach, Fact, Facts, GateVerdict, PackageFlaws, PathCut, PathPlace,
        PathStep, ReachOutcome, ReachedListener, Way,
    };

    use super::*;
    use crate::Status;
    use crate::testing::{World, answer, container, status_of, stopped};

    fn path(goal: PathGoal, shown: bool, weight: u32) -> AttackPath {
        let step = |what: &str| PathStep { what: what.into(), ..PathStep::default() };
        AttackPath {
            goal,
            shown,
            weight,
            container: "db".into(),
            container_id: "db-id".into(),
            steps: vec![step("connects to 0.0.0.0:80/tcp"), step("commands the engine by its socket")],
            cuts: vec![PathCut {
                container: Some("db".into()),
                change: "without the mount at /run/docker.sock".into(),
                effort: "makes this container anew".into(),
                paths: 2,
                assumed_left: false,
            }],
            ..AttackPath::default()
        }
    }

    /// A container whose port 80 is reached from outside, and that reaches port 3306 of another.
    fn with(paths: Vec<AttackPath>, gate: ReachOutcome) -> Facts {
        let mut facts = container(|_| ());
        let id = facts.engine().containers.value_mut().unwrap()[0].id.clone();
        let place = PathPlace { name: "web".into(), id: id.clone() };
        let paths = paths.into_iter().map(|path| AttackPath { before: vec![place.clone()], ..path });
        facts.attack_paths = Fact::known(paths.collect(), "test");
        let gate = GateVerdict { gives_host: true, outcome: gate, ..GateVerdict::default() };
        let reach = ContainerReach { container: id.clone(), gates: vec![gate], ..ContainerReach::default() };
        facts.reach = Fact::known(vec![reach], "test");
        facts.package_flaws = Fact::known(PackageFlaws::default(), "test");
        let listener = |end: usize, container: &str, group: usize| ReachedListener {
            end,
            protocol: "tcp".into(),
            container: Some(container.into()),
            ways: vec![Way { open: vec![group], ..Way::default() }],
            ..ReachedListener::default()
        };
        let listeners = vec![listener(0, &id, 1), listener(2, "db-id", 0)];
        let end = |kind, containers: &[&str]| ConnectionEnd {
            kind,
            containers: containers.iter().map(|id| (*id).to_owned()).collect(),
            ..ConnectionEnd::default()
        };
        let ends =
            vec![end(EndKind::Container, &[&id]), end(EndKind::Outside, &[]), end(EndKind::Container, &["db-id"])];
        let groups = vec![vec![0], vec![1], vec![2]];
        facts.connections = Fact::known(Connections { ends, groups, listeners, ..Connections::default() }, "test");
        facts
    }

    #[test]
    fn the_goal_and_how_likely_it_is_decide() {
        let severity = |goal, shown, weight| {
            answer(&RULE, &with(vec![path(goal, shown, weight)], ReachOutcome::Blocked)).severity
        };
        assert_eq!(severity(PathGoal::Host, true, 1000), Severity::Critical);
        assert_eq!(severity(PathGoal::Host, true, 300), Severity::High);
        assert_eq!(severity(PathGoal::Host, false, 50), Severity::Medium);
        assert_eq!(severity(PathGoal::Neighbour, true, 800), Severity::High);
        assert_eq!(severity(PathGoal::Neighbour, false, 40), Severity::Low);
    }

    #[test]
    fn the_cheapest_cut_is_the_remedy() {
        let two = vec![path(PathGoal::Host, true, 900), path(PathGoal::Host, false, 40)];
        let finding = answer(&RULE, &with(two, ReachOutcome::Reachable));
        assert_eq!(finding.status, Status::Fail);
        assert_eq!(finding.evidence[0].fact, "web → db → the host");
        assert!(finding.remediation.starts_with("For db: without the mount at /run/docker.sock (cuts 2 paths;"));
        assert!(!finding.remediation.contains(") For"), "{}", finding.remediation);
    }

    #[test]
    fn no_path_passes_where_everything_is_known() {
        let none = || with(Vec::new(), ReachOutcome::Blocked);
        assert_eq!(status_of(&RULE, &none()), Status::Pass);
        assert_eq!(status_of(&RULE, &with(Vec::new(), ReachOutcome::Unknown)), Status::Unknown);
        let mut facts = none();
        facts.package_flaws = Fact::default();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        let mut alone = none();
        alone.package_flaws = Fact::default();
        alone.connections.value_mut().unwrap().listeners.truncate(1);
        assert_eq!(status_of(&RULE, &alone), Status::Pass);
        let mut closed = with(Vec::new(), ReachOutcome::Unknown);
        closed.connections.value_mut().unwrap().listeners.clear();
        assert_eq!(status_of(&RULE, &closed), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Unknown);
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
    }
}
