//! Who can connect to whom, as terminal text, JSON and HTML.

pub mod html;
pub mod json;
pub mod terminal;

use std::borrow::Cow;

use plimsoll_facts::{Answer, ConnectionEnd, Connections, EndKind, Facts, Gap, ReachedListener, Way};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Tool;

/// Version of the document that this build writes.
pub const CONNECTIONS_SCHEMA: &str = "plimsoll.connections/1";

/// Who can connect to whom on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionReport {
    /// Always [`CONNECTIONS_SCHEMA`].
    pub schema: Cow<'static, str>,
    /// What worked it out.
    pub tool: Tool,
    /// Name of the host.
    pub host: String,
    /// When the facts were collected, in seconds since the Unix epoch.
    pub collected_at: i64,
    /// The answers.
    pub connections: Connections,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl ConnectionReport {
    /// Takes the answers out of facts.
    ///
    /// # Errors
    /// The gap, where they are not known.
    pub fn of(facts: &Facts) -> Result<Self, Gap> {
        Ok(Self {
            schema: Cow::Borrowed(CONNECTIONS_SCHEMA),
            tool: Tool::default(),
            host: facts.host.hostname.value().cloned().unwrap_or_else(|| "host".to_owned()),
            collected_at: facts.collected_at,
            connections: facts.connections.require()?.clone(),
            gaps: facts
                .gaps
                .iter()
                .filter(|gap| gap.subject.starts_with("network namespace"))
                .cloned()
                .collect(),
        })
    }

    /// Listeners that take connections, the containers' before the host's, by name and port.
    fn listeners(&self) -> Vec<&ReachedListener> {
        let mut listeners: Vec<_> =
            self.connections.listeners.iter().filter(|it| it.protocol == "tcp").collect();
        listeners.sort_by_key(|it| {
            let end = self.end(it.end);
            (end.map(|end| end.kind), end.map(|end| end.name.as_str()), it.port)
        });
        listeners
    }

    fn end(&self, place: usize) -> Option<&ConnectionEnd> {
        self.connections.ends.get(place)
    }

    fn reason(&self, answer: &Answer) -> &str {
        self.connections.reasons.get(answer.reason).map_or("", String::as_str)
    }

    /// The ends of a group, but for the listener's own.
    fn others(&self, group: usize, own: usize) -> impl Iterator<Item = &ConnectionEnd> {
        let members = self.connections.groups.get(group).map_or(&[][..], Vec::as_slice);
        members.iter().filter(move |place| **place != own).filter_map(|place| self.end(*place))
    }

    /// Names of everybody in these groups but the listener's own end, sorted.
    fn names(&self, groups: &[usize], own: usize) -> Vec<&str> {
        let mut names: Vec<&str> =
            groups.iter().flat_map(|group| self.others(*group, own)).map(|end| end.name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// What kind of end it is, in a word.
fn kind(end: &ConnectionEnd) -> &'static str {
    match end.kind {
        EndKind::Container => "container",
        EndKind::Host => "host",
        EndKind::Engine => "engine",
        EndKind::Outside => "outside",
    }
}

/// `3306 mariadbd`.
fn socket(listener: &ReachedListener) -> String {
    match &listener.process {
        Some(process) => format!("{} {process}", listener.port),
        None => listener.port.to_string(),
    }
}

/// `172.18.0.2:80 (DNAT to …, docker-proxy to …)`.
fn way(way: &Way) -> String {
    if way.via.is_empty() { way.to.clone() } else { format!("{} ({})", way.to, way.via.join(", ")) }
}
