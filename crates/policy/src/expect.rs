//! Which connections the owner expects.

use std::borrow::Cow;

use plimsoll_facts::{ConnectionEnd, Connections, EndKind, Facts, ReachedListener};
use plimsoll_rules::{
    Concern, Confidence, Evidence, Finding, Judge, Rule, Severity, Status, Subject, SubjectKind,
};

use crate::{ExpectedConnection, Policy};

pub(crate) const UNUSED: Rule = Rule {
    id: "connection-unused",
    title: "A connection that the policy expects cannot be made by anybody",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "Either one of its ends is gone, and the declaration waits for whoever takes the name; or a name is misspelt, and what \
          should be expected counts as unauthorised.",
    fix: "Remove the declaration, or correct its names and its port. Neither stops anything.",
    references: &["docs/policy.md"],
    cis: &[],
    judge: Judge::Manual("answered from the policy file and the connections"),
};

/// Notes on each listener from whom the policy expects connections, and reports declarations that fit no listener.
pub fn expect(policy: &Policy, facts: &mut Facts) -> Vec<Finding> {
    let names = Names::of(facts);
    let Some(connections) = facts.connections.value_mut() else { return Vec::new() };
    if policy.connections.is_empty() {
        return Vec::new();
    }
    let Connections { ends, listeners, declared, .. } = connections;
    *declared = true;
    let mut unused = Vec::new();
    for expected in &policy.connections {
        let from: Vec<usize> = (0..ends.len())
            .filter(|place| {
                ends.get(*place).is_some_and(|end| names.fits(end, |s| expected.from.1.matches(s)))
            })
            .collect();
        let mut fits = false;
        for listener in listeners.iter_mut().filter(|listener| is_of(listener, expected, ends, &names)) {
            fits |= !from.is_empty();
            listener.expected.extend(&from);
        }
        if !fits {
            unused.push(finding(expected));
        }
    }
    for listener in listeners {
        listener.expected.sort_unstable();
        listener.expected.dedup();
    }
    unused
}

fn is_of(
    listener: &ReachedListener,
    expected: &ExpectedConnection,
    ends: &[ConnectionEnd],
    names: &Names,
) -> bool {
    let to = |subject: &Subject| {
        // One of several containers that share a network holds the socket.
        let held = listener
            .container
            .as_ref()
            .is_none_or(|holder| subject.kind != SubjectKind::Container || subject.id == *holder);
        held && expected.to.1.matches(subject)
    };
    expected.port.is_none_or(|port| port == listener.port)
        && ends.get(listener.end).is_some_and(|end| names.fits(end, to))
}

/// Names of containers by their ids.
struct Names(std::collections::BTreeMap<String, String>);

impl Names {
    fn of(facts: &Facts) -> Self {
        let containers = facts.engines.iter().filter_map(|engine| engine.containers.value()).flatten();
        Self(containers.map(|container| (container.id.clone(), container.name.clone())).collect())
    }

    /// Whether one of the subjects that an end stands for fits.
    fn fits(&self, end: &ConnectionEnd, fits: impl Fn(&Subject) -> bool) -> bool {
        let subject = |kind, name: &str, id: &str| Subject {
            kind,
            name: name.to_owned(),
            id: id.to_owned(),
            engine: String::new(),
        };
        let containers = || {
            end.containers.iter().any(|id| {
                fits(&subject(SubjectKind::Container, self.0.get(id).map_or("", String::as_str), id))
            })
        };
        match end.kind {
            EndKind::Host => fits(&subject(SubjectKind::Host, "host", &end.name)) || containers(),
            EndKind::Outside => fits(&subject(SubjectKind::Network, "outside", "outside")),
            EndKind::Container | EndKind::Engine => containers(),
        }
    }
}

fn finding(expected: &ExpectedConnection) -> Finding {
    let port = expected.port.map_or_else(|| "any port".to_owned(), |port| format!("port {port}"));
    let what = format!("{} to {}, {port}", expected.from.0, expected.to.0);
    Finding {
        rule: Cow::Borrowed(UNUSED.id),
        concern: UNUSED.concern,
        severity: UNUSED.severity,
        confidence: Confidence::High,
        status: Status::Fail,
        subject: Subject {
            kind: SubjectKind::Policy,
            name: expected.place.path.clone(),
            id: expected.place.to_string(),
            engine: String::new(),
        },
        message: format!(
            "the connection from {what} ({}): no listener and nobody of these names",
            expected.reason
        ),
        evidence: vec![
            Evidence::new("listeners and ends that it fits", "none", expected.place.to_string())
                .expected("both"),
        ],
        remediation: Cow::Borrowed(UNUSED.fix),
        exception: None,
    }
}
