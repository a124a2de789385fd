use std::collections::BTreeMap;

use plimsoll_facts::{Connections, Facts, SynProbe};

use crate::answer::{fail, not_applicable, pass};
use crate::connections::SOURCE;
use crate::processes::shortened;
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "connection-model-disagrees",
    title: "A probe reaches what the packet filters should block, or the other way round",
    concern: Concern::Isolation,
    severity: Severity::High,
    why: "Who can connect to whom is worked out from routes, bridges and packet filters. Where a SYN gets another answer, \
          something decides that these do not show: an eBPF program, a filter that changed meanwhile, or an error of \
          plimsoll. Until it is known what, the other answers about connections are in doubt, too.",
    fix: "Look at the named pair: `tc filter show`, `bpftool net`, `nft list ruleset` in both network namespaces (nsenter \
          -t PID -n). Run the probe again on a quiet host. This stops nothing.",
    references: &["https://man7.org/linux/man-pages/man8/tc-bpf.8.html", "https://wiki.nftables.org/wiki-nftables/index.php/Netfilter_hooks"],
    cis: &[],
    judge: Judge::Host(judge),
};

/// How reasons begin by which somebody else answers than the listener.
const ELSEWHERE: [&str; 2] = ["docker-proxy", "leaves the host by"];

fn judge(facts: &Facts) -> Judgement {
    let Some(probes) = facts.syn_probes.get()? else {
        return not_applicable("nobody asked for the probe (--probe-syn)");
    };
    let connections = facts.connections.require()?;
    let asked: usize = probes.iter().map(|probe| probe.open.len() + probe.refused.len() + probe.silent.len()).sum();
    let wrong: Vec<_> = probes.iter().flat_map(|probe| disagreements(connections, probe)).collect();
    if wrong.is_empty() {
        return pass(Evidence::new("answers to SYN that were as worked out", asked.to_string(), "SYN"));
    }
    let evidence = shortened(
        &wrong,
        |it| Evidence::new(format!("{} to {}", it.from, it.to), it.found, "SYN").expected(format!("{} by {SOURCE}", it.wanted)),
        "pairs",
    );
    fail(Problem::new(format!("{} of {asked} answers to SYN are not as worked out", wrong.len()), evidence))
}

struct Disagreement<'a> {
    from: &'a str,
    to: &'a str,
    found: &'static str,
    wanted: &'static str,
}

/// What is worked out about one address, over all listeners behind it.
#[derive(Default, Clone, Copy)]
struct Worked {
    open: bool,
    unsure: bool,
}

fn disagreements<'a>(connections: &'a Connections, probe: &'a SynProbe) -> Vec<Disagreement<'a>> {
    let place = connections.ends.iter().position(|end| end.namespace == probe.namespace);
    let Some((place, end)) = place.and_then(|place| Some((place, connections.ends.get(place)?))) else { return Vec::new() };
    let Some(group) = connections.groups.iter().position(|group| group.contains(&place)) else { return Vec::new() };
    let worked = worked(connections, group, place);
    let answers = [(&probe.open, "open"), (&probe.refused, "refused"), (&probe.silent, "no answer")];
    let mut wrong = Vec::new();
    for (to, found) in answers.into_iter().flat_map(|(list, found)| list.iter().map(move |to| (to, found))) {
        let Some(known) = worked.get(to.as_str()).filter(|known| !known.unsure) else { continue };
        if known.open != (found == "open") {
            let wanted = if known.open { "open" } else { "blocked" };
            wrong.push(Disagreement { from: &end.name, to, found, wanted });
        }
    }
    wrong
}

/// What is worked out for one end, by address. Its own sockets are left out; what is behind a proxy: a SYN proves only that the
/// proxy takes connections; and what leaves the host: somebody out there may have the same address.
fn worked(connections: &Connections, group: usize, place: usize) -> BTreeMap<&str, Worked> {
    let mut worked: BTreeMap<&str, Worked> = BTreeMap::new();
    for listener in connections.listeners.iter().filter(|listener| listener.protocol == "tcp") {
        for way in &listener.ways {
            let it = worked.entry(&way.to).or_default();
            let of_somebody_else = way.blocked.iter().any(|answer| {
                let reason = connections.reasons.get(answer.reason).map_or("", String::as_str);
                answer.groups.contains(&group) && ELSEWHERE.iter().any(|start| reason.starts_with(start))
            });
            it.open |= way.open.contains(&group);
            it.unsure |= listener.end == place || of_somebody_else;
            it.unsure |= way.unknown.iter().any(|answer| answer.groups.contains(&group));
        }
    }
    worked
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Answer, ConnectionEnd, Connections, Fact, Facts, ReachedListener, SynProbe, Way};

    use super::RULE;
    use crate::Status;
    use crate::testing::{host, status_of};

    fn probed(open: &[&str], silent: &[&str]) -> Facts {
        let mut facts = host();
        let way = |to: &str, open, blocked| Way { to: to.into(), open, blocked, ..Way::default() };
        let blocked = vec![Answer { groups: vec![0], reason: 0 }];
        facts.connections = Fact::known(
            Connections {
                ends: vec![
                    ConnectionEnd { namespace: 1, ..ConnectionEnd::default() },
                    ConnectionEnd { namespace: 2, ..ConnectionEnd::default() },
                ],
                groups: vec![vec![0], vec![1]],
                listeners: vec![ReachedListener {
                    end: 1,
                    protocol: "tcp".into(),
                    ways: vec![way("172.18.0.2:80", vec![0], Vec::new()), way("172.18.0.2:81", Vec::new(), blocked)],
                    ..ReachedListener::default()
                }],
                reasons: vec!["a rule".into()],
                ..Connections::default()
            },
            "test",
        );
        let list = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let probe = SynProbe { namespace: 1, open: list(open), silent: list(silent), ..SynProbe::default() };
        facts.syn_probes = Fact::known(vec![probe], "SYN");
        facts
    }

    #[test]
    fn answers_are_held_against_what_was_worked_out() {
        assert_eq!(status_of(&RULE, &probed(&["172.18.0.2:80"], &["172.18.0.2:81"])), Status::Pass);
        assert_eq!(status_of(&RULE, &probed(&["172.18.0.2:80", "172.18.0.2:81"], &[])), Status::Fail);
        assert_eq!(status_of(&RULE, &probed(&[], &["172.18.0.2:80", "172.18.0.2:81"])), Status::Fail);
    }

    #[test]
    fn nobody_asked_and_unreadable() {
        let mut facts = probed(&[], &[]);
        facts.syn_probes = Fact::unreadable("SYN", "needs CAP_NET_RAW");
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.syn_probes = Fact::absent("SYN");
        assert_eq!(status_of(&RULE, &facts), Status::NotApplicable);
    }
}
