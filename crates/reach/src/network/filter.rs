//! What the packet filter of one namespace says to a packet at one hook.

use plimsoll_facts::{FilterChain, FilterRule, FilterTable, FilterVerdict};

use super::packet::{Change, Hook, Packet, State, Stop};
use super::register::Registers;
use super::step::{At, Rule, Said};

/// How deep chains may lead into each other: the kernel allows 16.
const DEPTH: usize = 16;
/// Most rules that are asked about one packet at one hook.
const MOST_RULES: usize = 200_000;

/// The ways in which a chain may end for a packet: several where something is not known.
#[derive(Default)]
struct Endings {
    passes: bool,
    rewrites: Vec<Change>,
    drops: Option<String>,
    falls_through: bool,
    unknown: Option<String>,
}

impl Endings {
    fn add(&mut self, other: Self) {
        self.passes |= other.passes;
        self.rewrites.extend(other.rewrites);
        self.drops = self.drops.take().or(other.drops);
        self.unknown = self.unknown.take().or(other.unknown);
    }

    fn doubt(&mut self, why: String) {
        self.unknown.get_or_insert(why);
    }
}

/// What is asked, and how much may still be asked.
struct Question<'a> {
    at: At<'a>,
    rules_left: usize,
}

/// Asks every chain at this hook, in the order of their priorities. Returns how the packet is rewritten.
///
/// # Errors
/// Where the packet is dropped, or that is not known.
pub(super) fn ask<'a>(at: At<'a>, hook: Hook, packet: &mut Packet) -> Result<Vec<Change>, Stop> {
    if let Some(why) = &at.space.blind {
        return Err(Stop::Unknown(why.clone()));
    }
    let mut question = Question { at, rules_left: MOST_RULES };
    let mut changes = Vec::new();
    for (table, chain) in chains(at.space.tables(), hook, packet) {
        let is_nat = chain.hook.as_ref().is_some_and(|hook| hook.kind == "nat");
        // Only the first packet of a connection is shown to these, and only until one of them has rewritten it.
        if is_nat && (packet.state != State::New || !changes.is_empty()) {
            continue;
        }
        if let Some(change) = question.base(table, chain, packet)? {
            changes.push(change);
        }
    }
    Ok(changes)
}

/// Chains at this hook that see a packet of this family.
fn chains<'a>(
    tables: &'a [FilterTable],
    hook: Hook,
    packet: &Packet,
) -> Vec<(&'a FilterTable, &'a FilterChain)> {
    let own = if packet.destination.is_ipv6() { "ip6" } else { "ip" };
    let tables =
        tables.iter().filter(|table| !table.dormant && (table.family == own || table.family == "inet"));
    let mut chains: Vec<_> = tables
        .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)))
        .filter(|(_, chain)| chain.hook.as_ref().is_some_and(|it| it.point == hook.name()))
        .collect();
    chains.sort_by_key(|(_, chain)| chain.hook.as_ref().map_or(0, |hook| hook.priority));
    chains
}

impl<'a> Question<'a> {
    fn base(
        &mut self,
        table: &'a FilterTable,
        chain: &'a FilterChain,
        packet: &mut Packet,
    ) -> Result<Option<Change>, Stop> {
        let mut endings = self.chain(table, chain, packet, 0);
        if endings.falls_through {
            match chain.hook.as_ref().is_some_and(|hook| hook.drops) {
                true => {
                    endings.drops = endings.drops.or(Some(format!("policy drop of {}", place(table, chain))))
                }
                false => endings.passes = true,
            }
        }
        let goes_on = endings.passes || !endings.rewrites.is_empty();
        match (goes_on, endings.drops, endings.unknown) {
            (false, Some(by), _) => Err(Stop::Blocked(by)),
            (true, None, None) => Ok(endings.rewrites.pop()),
            (true, None, Some(why)) if !endings.rewrites.is_empty() => Err(Stop::Unknown(why)),
            (true, None, Some(_)) => Ok(None),
            (true, Some(by), why) => Err(Stop::Unknown(format!(
                "{by} depends on {}",
                why.unwrap_or_else(|| "what is not known".to_owned())
            ))),
            (false, None, why) => {
                Err(Stop::Unknown(why.unwrap_or_else(|| format!("{} has no end", place(table, chain)))))
            }
        }
    }

    fn chain(
        &mut self,
        table: &'a FilterTable,
        chain: &'a FilterChain,
        packet: &mut Packet,
        depth: usize,
    ) -> Endings {
        let mut endings = Endings::default();
        for rule in &chain.rules {
            let Some(left) = self.rules_left.checked_sub(1) else {
                endings.doubt(format!("more than {MOST_RULES} rules"));
                return endings;
            };
            self.rules_left = left;
            let (said, doubt) = self.rule(table, rule, packet);
            let by = || format!("{} handle {}", place(table, chain), rule.handle);
            let certain = doubt.is_none();
            let mut one = Endings::default();
            let ends = match said {
                None => continue,
                Some(Said::End(verdict)) => self.verdict(table, &verdict, &by(), packet, depth, &mut one),
                Some(Said::Rewrite(change)) => {
                    one.rewrites.push(change);
                    true
                }
                Some(Said::RewriteUnknown(why)) => {
                    one.doubt(format!("{} rewrites to {why}", by()));
                    one.passes = true;
                    one.drops = Some(by());
                    true
                }
                Some(_) => false,
            };
            let returns = std::mem::take(&mut one.falls_through);
            let says_something = one.passes || one.drops.is_some() || !one.rewrites.is_empty() || returns;
            if let (Some(why), true) = (doubt, says_something) {
                endings.doubt(format!("{why} ({})", by()));
            }
            endings.add(one);
            endings.falls_through |= returns;
            if ends && certain {
                return endings;
            }
        }
        endings.falls_through = true;
        endings
    }

    /// Takes the steps of a rule: how it ends where it matches, and why it may not match. `None`: it does not.
    fn rule(
        &self,
        table: &'a FilterTable,
        rule: &FilterRule,
        packet: &mut Packet,
    ) -> (Option<Said>, Option<String>) {
        let mut asked = Rule { at: self.at, table, registers: Registers::default() };
        let mut doubt = None;
        let mark = packet.mark;
        for step in &rule.steps {
            match asked.take(step, packet) {
                Said::Go => {}
                Said::No => {
                    packet.mark = mark;
                    return (None, None);
                }
                Said::Perhaps(why) => {
                    doubt.get_or_insert(why);
                }
                end => {
                    if doubt.is_some() && packet.mark != mark {
                        packet.mark = None;
                    }
                    return (Some(end), doubt);
                }
            }
        }
        if doubt.is_some() && packet.mark != mark {
            packet.mark = None;
        }
        (Some(Said::Go), None)
    }

    /// Whether a verdict ends its chain; what it brings is added to `endings`, of which `falls_through` is a return.
    fn verdict(
        &mut self,
        table: &'a FilterTable,
        verdict: &FilterVerdict,
        by: &str,
        packet: &mut Packet,
        depth: usize,
        endings: &mut Endings,
    ) -> bool {
        let (name, comes_back) = match verdict {
            FilterVerdict::Accept => {
                endings.passes = true;
                return true;
            }
            FilterVerdict::Drop | FilterVerdict::Reject => {
                endings.drops = Some(by.to_owned());
                return true;
            }
            FilterVerdict::Return => {
                endings.falls_through = true;
                return true;
            }
            FilterVerdict::Continue => return false,
            FilterVerdict::Queue => {
                endings.doubt(format!("a program decides ({by})"));
                endings.passes = true;
                endings.drops = Some(by.to_owned());
                return true;
            }
            FilterVerdict::Jump { chain } => (chain, true),
            FilterVerdict::Goto { chain } => (chain, false),
        };
        let Some(chain) = table.chains.iter().find(|chain| chain.name == *name).filter(|_| depth < DEPTH)
        else {
            endings.doubt(format!("chain {name} was not read ({by})"));
            endings.passes = true;
            endings.drops = Some(by.to_owned());
            return true;
        };
        let inner = self.chain(table, chain, packet, depth + 1);
        let falls = inner.falls_through;
        endings.add(inner);
        if falls && !comes_back {
            endings.falls_through = true;
        }
        !(falls && comes_back)
    }
}

fn place(table: &FilterTable, chain: &FilterChain) -> String {
    let tool = if table.legacy { "iptables-legacy" } else { "nftables" };
    format!("{tool} {} {} {}", table.family, table.name, chain.name)
}
