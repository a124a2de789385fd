//! Tables of iptables-legacy: the kernel's own form of them (`linux/netfilter/x_tables.h`) as the terms of nftables.

use std::collections::BTreeMap;

use plimsoll_facts::{FilterChain, FilterHook, FilterRule, FilterStep, FilterTable, FilterVerdict};
use plimsoll_probe::xtables::Table;

use super::expression::hexadecimal;
use super::xtables;
use crate::netlink::{Error, array};

/// Most rules of one table.
const MAX_RULES: usize = 200_000;
/// Most matches of one rule.
const MAX_MATCHES: usize = 64;
/// Names of the hooks, by their numbers (`enum nf_inet_hooks`), in capitals those of their chains.
const HOOKS: [(&str, &str); 5] = [
    ("prerouting", "PREROUTING"),
    ("input", "INPUT"),
    ("forward", "FORWARD"),
    ("output", "OUTPUT"),
    ("postrouting", "POSTROUTING"),
];
/// `struct xt_entry_match` and `xt_entry_target` without what follows: size, name, revision.
const PART: usize = 32;
/// Flag of a rule whose jump does not come back: `IPT_F_GOTO`, `IP6T_F_GOTO`.
const GOTO: [u8; 2] = [2, 4];
/// Flags of a rule that asks for more than is understood: `IPT_F_FRAG`; `IP6T_F_TOS`.
const MORE: [u8; 2] = [1, 2];

/// Bits of `invflags` (`IPT_INV_*`, `IP6T_INV_*`).
mod inverted {
    pub(super) const INPUT: u8 = 1;
    pub(super) const OUTPUT: u8 = 2;
    pub(super) const SOURCE: u8 = 8;
    pub(super) const DESTINATION: u8 = 16;
    pub(super) const PROTOCOL: u8 = 64;
}

/// Where things stand in `struct ipt_entry` or `ip6t_entry`.
struct Layout {
    family: &'static str,
    /// Length of an address, and where both stand in a packet.
    address: usize,
    in_packet: [u32; 2],
    interfaces: usize,
    protocol: usize,
    flags: usize,
    offsets: usize,
    parts: usize,
}

const IP: Layout = Layout {
    family: "ip",
    address: 4,
    in_packet: [12, 16],
    interfaces: 16,
    protocol: 80,
    flags: 82,
    offsets: 88,
    parts: 112,
};
const IP6: Layout = Layout {
    family: "ip6",
    address: 16,
    in_packet: [8, 24],
    interfaces: 64,
    protocol: 128,
    flags: 131,
    offsets: 140,
    parts: 168,
};

/// A table of the family `ip` or `ip6`.
///
/// # Errors
/// Where it is not in the kernel's form, or holds too much.
pub(crate) fn table(family: &str, name: &str, table: &Table) -> Result<FilterTable, Error> {
    let layout = if family == "ip6" { &IP6 } else { &IP };
    let entries = entries(layout, &table.entries)?;
    let names = names(table, &entries);
    let mut chains: Vec<FilterChain> = Vec::new();
    let mut drops = BTreeMap::new();
    for (at, entry) in &entries {
        if let Some(chain) = names.get(at) {
            chains.push(FilterChain { name: chain.clone(), ..FilterChain::default() });
        }
        if entry.heads_chain().is_some() {
            continue;
        }
        let chain = chains.last_mut().ok_or(Error::Malformed)?;
        if hook_of(table, &table.policies, *at).is_some() {
            drops.insert(chain.name.clone(), matches!(entry.verdict(&names, *at), Some(FilterVerdict::Drop)));
            continue;
        }
        let handle = u64::try_from(chain.rules.len()).map_err(|_| Error::Malformed)? + 1;
        chain.rules.push(FilterRule { handle, steps: entry.steps(&names, *at)? });
    }
    // The entry that ends a table looks like one that names a chain.
    chains.pop_if(|chain| chain.name == "ERROR" && chain.rules.is_empty());
    for chain in &mut chains {
        let number = HOOKS.iter().position(|(_, builtin)| *builtin == chain.name);
        let is_at = |number: &usize| table.hooks & (1 << number) != 0;
        chain.hook = number.filter(is_at).map(|number| {
            let drops = drops.get(&chain.name).copied().unwrap_or_default();
            hook(name, HOOKS.get(number).map_or("", |(point, _)| point), drops)
        });
    }
    Ok(FilterTable {
        family: layout.family.to_owned(),
        name: name.to_owned(),
        legacy: true,
        chains,
        ..FilterTable::default()
    })
}

/// The hook that begins, or whose policy stands, at an offset.
fn hook_of(table: &Table, offsets: &[u32; 5], at: usize) -> Option<usize> {
    let fits = |(hook, offset): &(usize, &u32)| {
        table.hooks & (1 << hook) != 0 && usize::try_from(**offset) == Ok(at)
    };
    offsets.iter().enumerate().find(fits).map(|(hook, _)| hook)
}

/// Names of chains by where they begin: those of hooks at their first rule, others at the entry that names them.
fn names(table: &Table, entries: &BTreeMap<usize, Entry<'_>>) -> BTreeMap<usize, String> {
    let mut names = BTreeMap::new();
    for (at, entry) in entries {
        if let Some(hook) = hook_of(table, &table.starts, *at) {
            names.insert(*at, HOOKS.get(hook).map_or("", |(_, chain)| chain).to_owned());
        } else if let Some(name) = entry.heads_chain() {
            names.insert(*at, name);
        }
    }
    names
}

/// As the kernel registers the tables (`enum nf_ip_hook_priorities`).
fn hook(table: &str, point: &str, drops: bool) -> FilterHook {
    let (kind, priority) = match (table, point) {
        ("raw", _) => ("filter", -300),
        ("mangle", "output") => ("route", -150),
        ("mangle", _) => ("filter", -150),
        ("nat", "prerouting" | "output") => ("nat", -100),
        ("nat", _) => ("nat", 100),
        ("security", _) => ("filter", 50),
        _ => ("filter", 0),
    };
    FilterHook { kind: kind.to_owned(), point: point.to_owned(), priority, drops }
}

/// One rule, its matches and its target.
struct Entry<'b> {
    layout: &'static Layout,
    head: &'b [u8],
    matches: Vec<Part<'b>>,
    target: Part<'b>,
    next: usize,
}

/// A match or a target.
struct Part<'b> {
    name: String,
    revision: u32,
    info: &'b [u8],
}

fn entries<'b>(layout: &'static Layout, bytes: &'b [u8]) -> Result<BTreeMap<usize, Entry<'b>>, Error> {
    let mut entries = BTreeMap::new();
    let mut at = 0;
    while at < bytes.len() {
        if entries.len() == MAX_RULES {
            return Err(Error::TooMany(MAX_RULES));
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let offset = |place: usize| array::<2>(rest, place).map(|it| usize::from(u16::from_ne_bytes(it)));
        let (target, next) = (offset(layout.offsets)?, offset(layout.offsets + 2)?);
        let whole = rest.get(..next).filter(|_| target >= layout.parts).ok_or(Error::Malformed)?;
        let parts = whole.get(layout.parts..target).ok_or(Error::Malformed)?;
        let target = whole.get(target..).ok_or(Error::Malformed)?;
        let mut targets = split(target)?;
        let target = targets.drain(..).next().ok_or(Error::Malformed)?;
        entries.insert(at, Entry { layout, head: whole, matches: split(parts)?, target, next });
        at += next;
    }
    Ok(entries)
}

fn split(mut bytes: &[u8]) -> Result<Vec<Part<'_>>, Error> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        if parts.len() == MAX_MATCHES {
            return Err(Error::TooMany(MAX_MATCHES));
        }
        let size = usize::from(u16::from_ne_bytes(array(bytes, 0)?));
        let part = bytes.get(..size).filter(|part| part.len() >= PART).ok_or(Error::Malformed)?;
        parts.push(Part {
            name: text(part.get(2..PART - 1).unwrap_or_default()),
            revision: part.get(PART - 1).copied().unwrap_or_default().into(),
            info: part.get(PART..).unwrap_or_default(),
        });
        bytes = bytes.get(size..).unwrap_or_default();
    }
    Ok(parts)
}

/// Text up to the first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

impl Entry<'_> {
    /// The chain that begins after this entry (`XT_ERROR_TARGET`); the last one of a table names none.
    fn heads_chain(&self) -> Option<String> {
        (self.target.name == "ERROR").then(|| text(self.target.info))
    }

    /// What the rule says, where its target is none of a module.
    fn verdict(&self, names: &BTreeMap<usize, String>, at: usize) -> Option<FilterVerdict> {
        if !self.target.name.is_empty() {
            return None;
        }
        let said = i32::from_ne_bytes(array(self.target.info, 0).ok()?);
        let Ok(to) = usize::try_from(said) else {
            // `-NF_DROP - 1` and so on (`linux/netfilter.h`), `XT_RETURN`.
            return Some(match said {
                -1 => FilterVerdict::Drop,
                -2 => FilterVerdict::Accept,
                -4 => FilterVerdict::Queue,
                -5 => FilterVerdict::Return,
                _ => return None,
            });
        };
        if to == at + self.next {
            return Some(FilterVerdict::Continue);
        }
        // A jump leads to the first rule of a chain, which stands behind the entry that names it.
        let chain = names.range(..to).next_back()?.1.clone();
        let goes = self.flags() & GOTO[usize::from(self.layout.family == "ip6")] != 0;
        Some(if goes { FilterVerdict::Goto { chain } } else { FilterVerdict::Jump { chain } })
    }

    fn flags(&self) -> u8 {
        self.head.get(self.layout.flags).copied().unwrap_or_default()
    }

    fn is_inverted(&self, what: u8) -> bool {
        self.head.get(self.layout.flags + 1).is_some_and(|flags| flags & what != 0)
    }

    fn steps(&self, names: &BTreeMap<usize, String>, at: usize) -> Result<Vec<FilterStep>, Error> {
        let mut steps = Vec::new();
        let directions = [("iifname", inverted::INPUT), ("oifname", inverted::OUTPUT)];
        for (number, (key, flag)) in directions.into_iter().enumerate() {
            self.interface(number, key, self.is_inverted(flag), &mut steps)?;
        }
        for (number, flag) in [inverted::SOURCE, inverted::DESTINATION].into_iter().enumerate() {
            self.address(number, self.is_inverted(flag), &mut steps)?;
        }
        let protocol = u16::from_ne_bytes(array(self.head, self.layout.protocol)?);
        if protocol != 0 {
            let value = format!("{:02x}", protocol & 0xff);
            steps.push(FilterStep::Meta { key: "l4proto".to_owned(), to: 0 });
            steps.push(compare(self.is_inverted(inverted::PROTOCOL), value));
        }
        if self.flags() & MORE[usize::from(self.layout.family == "ip6")] != 0 {
            steps.push(FilterStep::Other { name: "fragments or type of service (iptables)".to_owned() });
        }
        steps.extend(
            self.matches.iter().map(|part| xtables::matching(&part.name, part.revision, Some(part.info))),
        );
        steps.push(match self.verdict(names, at) {
            Some(verdict) => FilterStep::Verdict { verdict },
            None => xtables::target(
                &self.target.name,
                self.target.revision,
                Some(self.target.info),
                self.layout.family,
            ),
        });
        Ok(steps)
    }

    /// The name of an interface, or its first letters.
    fn interface(
        &self,
        number: usize,
        key: &str,
        negate: bool,
        steps: &mut Vec<FilterStep>,
    ) -> Result<(), Error> {
        let at = self.layout.interfaces + number * 16;
        let (name, mask): ([u8; 16], [u8; 16]) = (array(self.head, at)?, array(self.head, at + 32)?);
        let length = mask.iter().take_while(|byte| **byte == 0xff).count();
        if length == 0 {
            return Ok(());
        }
        // The zero at the end is compared, too, where the name is whole.
        let whole = name.iter().take(length).any(|byte| *byte == 0);
        let value = name.get(..if whole { 16 } else { length }).unwrap_or_default();
        steps.push(FilterStep::Meta { key: key.to_owned(), to: 0 });
        steps.push(compare(negate, hexadecimal(value)));
        Ok(())
    }

    fn address(&self, number: usize, negate: bool, steps: &mut Vec<FilterStep>) -> Result<(), Error> {
        let length = self.layout.address;
        let part = |place: usize| {
            let at = place * length;
            self.head.get(at..at + length).ok_or(Error::Malformed)
        };
        let (address, mask) = (part(number)?, part(number + 2)?);
        if mask.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        steps.push(FilterStep::Payload {
            base: "network".to_owned(),
            offset: self.layout.in_packet.get(number).copied().unwrap_or_default(),
            length: if length == 4 { 4 } else { 16 },
            to: 0,
        });
        if mask.iter().any(|byte| *byte != 0xff) {
            let xor = hexadecimal(&vec![0; length]);
            steps.push(FilterStep::Bitwise { from: 0, to: 0, mask: hexadecimal(mask), xor });
        }
        steps.push(compare(negate, hexadecimal(address)));
        Ok(())
    }
}

fn compare(negate: bool, value: String) -> FilterStep {
    FilterStep::Compare { from: 0, operator: if negate { "!=" } else { "==" }.to_owned(), value }
}

/// A table from bytes, for fuzzing: hooks, where they begin, where their policies stand, entries.
#[cfg(any(fuzzing, test))]
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Table> {
    let word = |at: usize| crate::netlink::u32_at(bytes, at * 4).ok();
    let words =
        |from: usize| Some([word(from)?, word(from + 1)?, word(from + 2)?, word(from + 3)?, word(from + 4)?]);
    Some(Table {
        hooks: word(0)?,
        starts: words(1)?,
        policies: words(6)?,
        entries: bytes.get(44..)?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAT: &[u8] = include_bytes!("../../../../fuzz/seeds/collect_xtables/ip-nat");
    const FILTER: &[u8] = include_bytes!("../../../../fuzz/seeds/collect_xtables/ip-filter");
    const FILTER6: &[u8] = include_bytes!("../../../../fuzz/seeds/collect_xtables/ip6-filter");

    fn read(family: &str, name: &str, bytes: &[u8]) -> FilterTable {
        table(family, name, &from_bytes(bytes).unwrap()).unwrap()
    }

    fn chain<'t>(table: &'t FilterTable, name: &str) -> &'t FilterChain {
        table.chains.iter().find(|chain| chain.name == name).unwrap()
    }

    fn meta(key: &str) -> FilterStep {
        FilterStep::Meta { key: key.into(), to: 0 }
    }

    #[test]
    fn chains_and_their_policies() {
        let filter = read("ip", "filter", FILTER);
        let names: Vec<_> = filter.chains.iter().map(|chain| chain.name.as_str()).collect();
        assert_eq!(names, ["INPUT", "FORWARD", "OUTPUT", "DOCKER", "DOCKER-USER"]);
        let hook = |name| chain(&filter, name).hook.clone();
        assert!(
            hook("FORWARD").is_some_and(|hook| hook.drops && hook.point == "forward" && hook.priority == 0)
        );
        assert!(hook("INPUT").is_some_and(|hook| !hook.drops));
        assert!(hook("DOCKER").is_none() && filter.legacy);
        let nat = read("ip", "nat", NAT);
        let at = |name| chain(&nat, name).hook.as_ref().map(|hook| (hook.kind.as_str(), hook.priority));
        assert_eq!((at("PREROUTING"), at("POSTROUTING")), (Some(("nat", -100)), Some(("nat", 100))));
    }

    #[test]
    fn jumps_interfaces_addresses_and_ports() {
        let filter = read("ip", "filter", FILTER);
        let rules = &chain(&filter, "FORWARD").rules;
        let jump = FilterVerdict::Jump { chain: "DOCKER-USER".into() };
        assert_eq!(rules[0].steps, [FilterStep::Verdict { verdict: jump }]);
        // `br-+` compares three letters, `docker0` the whole name.
        assert_eq!(rules[1].steps[..2], [meta("oifname"), compare(false, "62722d".into())]);
        let whole = "646f636b657230000000000000000000";
        let goto = FilterVerdict::Goto { chain: "DOCKER".into() };
        let expected = [meta("oifname"), compare(false, whole.into()), FilterStep::Verdict { verdict: goto }];
        assert_eq!(rules[2].steps, expected);
        let steps = &chain(&filter, "DOCKER").rules[0].steps;
        assert_eq!(steps[..2], [meta("iifname"), compare(true, whole.into())]);
        let load = FilterStep::Payload { base: "network".into(), offset: 16, length: 4, to: 0 };
        assert_eq!(steps[4..6], [load, compare(false, "ac110002".into())]);
        assert_eq!(steps[6..8], [meta("l4proto"), compare(false, "06".into())]);
        assert!(matches!(&steps[8], FilterStep::Ports { destination, .. } if *destination == [(80, 80)]));
        assert_eq!(
            chain(&filter, "DOCKER").rules.last().unwrap().steps,
            [FilterStep::Verdict { verdict: FilterVerdict::Return }]
        );
    }

    #[test]
    fn rewriting_and_what_is_not_understood() {
        let nat = read("ip", "nat", NAT);
        let last = |name: &str, number: usize| chain(&nat, name).rules[number].steps.last().unwrap().clone();
        assert_eq!(last("POSTROUTING", 0), FilterStep::Masquerade);
        assert!(
            matches!(last("DOCKER", 1), FilterStep::Nat { address: Some(to), port: Some(80), .. } if to == "172.17.0.2")
        );
        let filter = read("ip", "filter", FILTER);
        let user = &chain(&filter, "DOCKER-USER").rules;
        assert!(matches!(&user[0].steps[0], FilterStep::Other { name } if name.starts_with("recent")));
        assert!(
            user[1]
                .steps
                .iter()
                .any(|step| matches!(step, FilterStep::Bitwise { mask, .. } if mask == "ff00ff00"))
        );
        assert!(user[1].steps.iter().any(|step| matches!(step, FilterStep::Other { .. })), "-f");
    }

    #[test]
    fn of_ipv6() {
        let filter = read("ip6", "filter", FILTER6);
        let steps = &chain(&filter, "INPUT").rules[0].steps;
        let load = FilterStep::Payload { base: "network".into(), offset: 8, length: 16, to: 0 };
        assert_eq!(steps[0], load);
        assert_eq!(steps[2], compare(false, "fd000000000000000000000000000000".into()));
        assert_eq!(steps[3..5], [meta("l4proto"), compare(true, "06".into())]);
        assert_eq!(steps[5], FilterStep::Verdict { verdict: FilterVerdict::Drop });
    }

    #[test]
    fn what_is_cut_short_is_malformed() {
        for length in [FILTER.len() - 1, 44 + 100, 44 + 112] {
            assert_eq!(table("ip", "filter", &from_bytes(&FILTER[..length]).unwrap()), Err(Error::Malformed));
        }
    }
}
