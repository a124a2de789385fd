//! Containers and what leads from one to the next, as numbers: how each is won most likely, and what is worth telling.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Most steps from one container to the next on one path.
const MAX_MOVES: u32 = 3;
/// What a step from one container to the next takes from a likelihood, in thousandths.
const MOVE: u64 = 800;
/// Weight of a flaw that is only assumed: every application may have one that nobody published yet.
const ASSUMED: u32 = 50;
/// A likelihood of one.
const SURE: u64 = 1_000_000_000;

/// Containers, and what leads from one to the next.
#[derive(Clone, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// For each group of network namespaces, the containers that it connects to, and what is known of the flaws there.
    pub(super) groups: Vec<Vec<(usize, Weakness)>>,
}

/// What is known of the flaw by which code is run behind ports, and its weight, from 1 to 1000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weakness {
    /// None is known.
    #[default]
    Assumed,
    /// It is in the image, and may be in what listens.
    Possible(u32),
    /// It is in what listens.
    Known(u32),
}

/// A container.
#[derive(Clone, Default)]
pub(super) struct Node {
    /// What is known of the flaws behind the ports that are reached from outside, where one is.
    pub(super) entered: Option<Weakness>,
    /// What is known of the flaws behind all of its ports.
    pub(super) listens: Weakness,
    /// Weights of the ways to the host, by what they go through.
    pub(super) exits: Vec<(String, u32)>,
    /// Groups of the network namespaces that it is in.
    pub(super) groups: Vec<usize>,
    /// Containers to which something else than the network leads.
    pub(super) beside: Vec<Edge>,
}

/// Something that leads from one container to another, other than a connection over a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) by: Beside,
    pub(super) evidence: Vec<String>,
}

/// What leads from one container to another, other than a connection over a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Beside {
    /// The same network namespace: what listens there is reached without a network.
    Network,
    /// The same PID namespace, and the right to take over a process.
    Processes,
    /// Files that one can write and the other runs.
    Programs,
    /// Files that both see.
    Files,
}

/// How a container is won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Won {
    /// From which one; `None` from outside.
    pub(super) from: Option<usize>,
    /// By what, where it is not over a network.
    pub(super) beside: Option<Beside>,
    likelihood: u64,
    moves: u32,
    /// Whether each flaw on the way is known.
    pub(super) shown: bool,
    /// Whether the last step to it rests on something that was found.
    found: bool,
}

/// The end of a path: a container, and the way to the host, or none where the container itself is the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Goal {
    pub(super) node: usize,
    pub(super) exit: Option<usize>,
    /// From 1 to 1000.
    pub(super) weight: u32,
    pub(super) shown: bool,
}

impl Graph {
    /// How each container is won most likely, where it can be.
    pub(super) fn won(&self) -> Vec<Option<Won>> {
        let mut won: Vec<Option<Won>> = vec![None; self.nodes.len()];
        let mut expanded = vec![false; self.groups.len()];
        let mut heap = BinaryHeap::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let Some(weakness) = node.entered else { continue };
            let entered = Won::from_outside(weakness);
            heap.push((entered.likelihood, Reverse(place), entered));
        }
        while let Some((_, Reverse(place), how)) = heap.pop() {
            let (Some(slot), Some(node)) = (won.get_mut(place), self.nodes.get(place)) else { continue };
            if slot.is_some() {
                continue;
            }
            *slot = Some(how);
            if how.moves == MAX_MOVES {
                continue;
            }
            let mut push = |to: usize, next: Won| {
                if won.get(to).is_some_and(Option::is_none) {
                    heap.push((next.likelihood, Reverse(to), next));
                }
            };
            for edge in &node.beside {
                let listens = self.nodes.get(edge.to).map(|node| node.listens).unwrap_or_default();
                push(edge.to, how.beside(place, edge.by, listens));
            }
            for group in &node.groups {
                // Whoever of a group comes first wins what it reaches no later than the others.
                let first = expanded.get_mut(*group).is_some_and(|done| !std::mem::replace(done, true));
                for (to, weakness) in self.groups.get(*group).filter(|_| first).into_iter().flatten() {
                    push(*to, how.by_flaw(place, None, *weakness));
                }
            }
        }
        won
    }

    /// What is worth telling: each way to the host, and each container that is won by what was found, but for what a
    /// likelier way to the host on the same path has already given. The likeliest first.
    pub(super) fn goals(&self, won: &[Option<Won>]) -> Vec<Goal> {
        let mut goals = Vec::new();
        for (place, how) in won.iter().enumerate() {
            let (Some(how), Some(node)) = (how, self.nodes.get(place)) else { continue };
            let given = self.given_before(won, how);
            let weight = |of: u32| how.likelihood * u64::from(of) / 1000;
            for (exit, (_, of)) in node.exits.iter().enumerate().filter(|(_, (_, of))| weight(*of) > given) {
                goals
                    .push((weight(*of), Goal { node: place, exit: Some(exit), weight: 0, shown: how.shown }));
            }
            let is_won = how.from.is_some() && how.found && node.exits.is_empty();
            if is_won && weight(1000) > given {
                goals.push((weight(1000), Goal { node: place, exit: None, weight: 0, shown: how.shown }));
            }
        }
        goals.sort_by_key(|(weight, goal)| (Reverse(*weight), goal.exit.is_none(), goal.node, goal.exit));
        let scaled = |(weight, goal): (u64, Goal)| {
            let weight = u32::try_from(weight * 1000 / SURE).unwrap_or(u32::MAX).max(1);
            Goal { weight, ..goal }
        };
        goals.into_iter().map(scaled).collect()
    }

    /// How likely a container on the way to one has given the host already.
    fn given_before(&self, won: &[Option<Won>], how: &Won) -> u64 {
        let before = chain(won, how.from);
        let given = before.filter_map(|place| {
            let likelihood = won.get(place)?.as_ref()?.likelihood;
            let best = self.nodes.get(place)?.exits.iter().map(|(_, weight)| *weight).max()?;
            Some(likelihood * u64::from(best) / 1000)
        });
        given.max().unwrap_or(0)
    }
}

/// A container, the one before it, and so on, back to the one with the open port.
pub(super) fn chain(won: &[Option<Won>], last: Option<usize>) -> impl Iterator<Item = usize> {
    std::iter::successors(last, |place| won.get(*place)?.as_ref()?.from)
}

impl Won {
    /// A container whose ports are reached from outside.
    fn from_outside(weakness: Weakness) -> Self {
        let sure = Self { from: None, beside: None, likelihood: SURE, moves: 0, shown: true, found: true };
        sure.weakened(weakness)
    }

    /// A container whose ports are reached from one that is won.
    fn by_flaw(self, from: usize, beside: Option<Beside>, weakness: Weakness) -> Self {
        self.moved(from, beside).weakened(weakness)
    }

    /// A container that something else than a network joins with one that is won; `listens` is what is known of the flaws
    /// behind its ports.
    fn beside(self, from: usize, by: Beside, listens: Weakness) -> Self {
        let moved = self.moved(from, Some(by));
        match by {
            Beside::Network => moved.weakened(listens),
            Beside::Files => moved.weakened(Weakness::Assumed),
            Beside::Processes | Beside::Programs => moved,
        }
    }

    fn moved(self, from: usize, beside: Option<Beside>) -> Self {
        let likelihood = self.likelihood * MOVE / 1000;
        Self { from: Some(from), beside, likelihood, moves: self.moves + 1, found: true, ..self }
    }

    fn weakened(self, weakness: Weakness) -> Self {
        let (weight, found, shown) = match weakness {
            Weakness::Assumed => (ASSUMED, false, false),
            Weakness::Possible(weight) => (weight, true, false),
            Weakness::Known(weight) => (weight, true, true),
        };
        let likelihood = self.likelihood * u64::from(weight) / 1000;
        Self { likelihood, shown: self.shown && shown, found, ..self }
    }
}

impl PartialOrd for Won {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Won {
    /// Of equally likely ways, the shorter, then the one from the first container.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = |won: &Self| (won.likelihood, Reverse(won.moves), Reverse(won.from), Reverse(won.beside));
        order(self).cmp(&order(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(flaw: Option<u32>, exits: &[u32]) -> Node {
        let exits = exits.iter().map(|weight| (format!("exit {weight}"), *weight)).collect();
        let listens = flaw.map_or(Weakness::Assumed, Weakness::Known);
        Node { listens, exits, groups: vec![0], ..Node::default() }
    }

    /// Containers of one network, the first of which can be reached from outside.
    fn network(mut nodes: Vec<Node>) -> Graph {
        nodes[0].entered = Some(nodes[0].listens);
        let groups = vec![nodes.iter().map(|node| node.listens).enumerate().collect()];
        Graph { nodes, groups }
    }

    fn told(graph: &Graph) -> Vec<(usize, Option<usize>, bool)> {
        let won = graph.won();
        graph.goals(&won).into_iter().map(|goal| (goal.node, goal.exit, goal.shown)).collect()
    }

    #[test]
    fn a_neighbour_with_a_known_flaw_is_a_goal_and_one_without_is_not() {
        let graph = network(vec![node(Some(1000), &[]), node(Some(600), &[]), node(None, &[])]);
        assert_eq!(told(&graph), [(1, None, true)]);
    }

    #[test]
    fn what_is_behind_the_port_that_is_reached_counts() {
        let mut graph = network(vec![node(Some(1000), &[]), node(Some(600), &[])]);
        graph.groups[0][1].1 = Weakness::Assumed;
        assert_eq!(told(&graph), []);
        graph.groups[0][1].1 = Weakness::Possible(300);
        assert_eq!(told(&graph), [(1, None, false)]);
        graph.nodes[0].entered = Some(Weakness::Possible(1000));
        graph.groups[0][1].1 = Weakness::Known(600);
        assert_eq!(told(&graph), [(1, None, false)]);
    }

    #[test]
    fn a_neighbour_that_leads_to_the_host_is_on_the_way() {
        let graph = network(vec![node(Some(1000), &[]), node(None, &[1000])]);
        assert_eq!(told(&graph), [(1, Some(0), false)]);
    }

    #[test]
    fn what_the_host_gives_already_is_not_told_again() {
        let graph = network(vec![node(Some(1000), &[900]), node(Some(600), &[1000])]);
        assert_eq!(told(&graph), [(0, Some(0), true)]);
        // A likelier way through a neighbour is.
        let graph = network(vec![node(Some(1000), &[400]), node(Some(900), &[1000])]);
        assert_eq!(told(&graph), [(1, Some(0), true), (0, Some(0), true)]);
    }

    #[test]
    fn paths_are_bounded_and_the_shortest_is_taken() {
        let mut nodes: Vec<Node> = (0..6).map(|_| node(Some(1000), &[])).collect();
        for (place, node) in nodes.iter_mut().enumerate() {
            node.groups.clear();
            let edge = |to| Edge { to, by: Beside::Processes, evidence: Vec::new() };
            node.beside = vec![edge(place + 1)];
        }
        nodes[0].entered = Some(nodes[0].listens);
        let graph = Graph { nodes, groups: Vec::new() };
        let won = graph.won();
        assert_eq!(won.iter().flatten().count(), 1 + MAX_MOVES as usize);
        assert_eq!(chain(&won, Some(3)).collect::<Vec<_>>(), [3, 2, 1, 0]);
        assert_eq!(graph.goals(&won).len(), 3);
    }

    #[test]
    fn files_that_both_see_are_an_assumption() {
        let edge = |by| Edge { to: 1, by, evidence: Vec::new() };
        let with = |by| {
            let mut graph = network(vec![node(Some(1000), &[]), node(None, &[])]);
            graph.groups.clear();
            graph.nodes[0].beside = vec![edge(by)];
            told(&graph)
        };
        assert_eq!(with(Beside::Files), []);
        assert_eq!(with(Beside::Programs), [(1, None, true)]);
        assert_eq!(with(Beside::Processes), [(1, None, true)]);
    }
}
