//! Who reaches what, as rules ask for it.

use plimsoll_facts::{ConnectionEnd, Connections, Container, EndKind, Gap, ReachedListener, Way};

use crate::Evidence;
use crate::answer::gap;
use crate::exposure::ports::internal_service;

/// Where the answers come from.
pub(crate) const SOURCE: &str = "routes, packet filters and sockets of the network namespaces";

/// One listener that somebody reaches, and by which way.
pub(crate) struct Reached<'a> {
    /// The socket.
    pub(crate) listener: &'a ReachedListener,
    /// The way.
    pub(crate) way: &'a Way,
    /// Who, each once.
    pub(crate) by: Vec<&'a ConnectionEnd>,
}

impl Reached<'_> {
    /// What is reached, from whom, and how.
    pub(crate) fn evidence(&self) -> Evidence {
        /// Names that are told.
        const NAMES: usize = 4;
        let mut names: Vec<_> = self.by.iter().map(|end| end.name.as_str()).collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let via =
            if self.way.via.is_empty() { String::new() } else { format!(", {}", self.way.via.join(", ")) };
        let value = format!("by {} ({}{via})", names.join(", "), self.way.to);
        Evidence::new(format!("{} is reached", socket(self.listener)), format!("{value}{more}"), SOURCE)
    }
}

/// `3306/tcp (mariadbd)`.
pub(crate) fn socket(listener: &ReachedListener) -> String {
    let process = listener.process.as_deref().unwrap_or("unknown");
    format!("{}/{} ({process})", listener.port, listener.protocol)
}

/// What usually listens on a port that is for neighbours only.
pub(crate) fn internal(reached: &Reached<'_>) -> Option<&'static str> {
    internal_service(reached.listener.port)
}

/// The TCP listeners that a container holds, or that are in its network namespace and nobody is known to hold.
pub(crate) fn listeners_of<'a>(
    connections: &'a Connections,
    container: &'a Container,
) -> impl Iterator<Item = &'a ReachedListener> {
    connections.listeners.iter().filter(move |listener| {
        let ends = connections.ends.get(listener.end);
        let within = ends.is_some_and(|end| end.containers.contains(&container.id));
        let held = listener.container.as_ref().is_none_or(|holder| *holder == container.id);
        listener.protocol == "tcp" && within && held
    })
}

/// The ways to some listeners that are open for ends of which `who` holds.
///
/// # Errors
/// Where none is, and for one it is not known.
pub(crate) fn open<'a>(
    connections: &'a Connections,
    listeners: impl Iterator<Item = &'a ReachedListener>,
    who: impl Fn(&ReachedListener, &Way, usize, &ConnectionEnd) -> bool,
) -> Result<Vec<Reached<'a>>, Gap> {
    let (mut reached, mut doubt) = (Vec::new(), None);
    for listener in listeners {
        for way in &listener.ways {
            let among = |groups: &[usize]| -> Vec<&'a ConnectionEnd> {
                let members = groups.iter().filter_map(|group| connections.groups.get(*group)).flatten();
                let others = members.filter(|place| **place != listener.end);
                let ends = others.filter_map(|place| Some((*place, connections.ends.get(*place)?)));
                ends.filter(|(place, end)| who(listener, way, *place, end)).map(|(_, end)| end).collect()
            };
            let by = among(&way.open);
            if !by.is_empty() {
                reached.push(Reached { listener, way, by });
            }
            for answer in way.unknown.iter().filter(|answer| !among(&answer.groups).is_empty()) {
                doubt.get_or_insert((way, answer.reason));
            }
        }
    }
    match doubt {
        Some((way, reason)) if reached.is_empty() => {
            let why = connections.reasons.get(reason).map_or("not known", String::as_str);
            Err(gap(SOURCE, format!("who reaches {}: {why}", way.to)))
        }
        _ => Ok(reached),
    }
}

/// Whether an end is a container's.
pub(crate) fn is_container(end: &ConnectionEnd) -> bool {
    end.kind == EndKind::Container
}
