//! The tables of nftables, and of iptables in its form for nftables (`NFNL_SUBSYS_NFTABLES`).

use std::collections::HashMap;

use plimsoll_facts::{FilterChain, FilterElement, FilterHook, FilterRule, FilterSet, FilterTable};

use super::expression::{self, Data, Fields, hexadecimal};
use crate::netlink::{Error, Netlink, array, attributes, be32, put};

const SUBSYSTEM: u16 = 10 << 8;
const GET_TABLE: u16 = SUBSYSTEM | 1;
const GET_CHAIN: u16 = SUBSYSTEM | 4;
const GET_RULE: u16 = SUBSYSTEM | 7;
const GET_SET: u16 = SUBSYSTEM | 10;
const GET_ELEMENT: u16 = SUBSYSTEM | 13;
/// `struct nfgenmsg`.
const GENERIC: usize = 4;
/// How often a dump is begun anew when the rules change meanwhile.
const TRIES: usize = 5;
/// Bounds on what is read of one namespace.
const MOST_TABLES: usize = 1024;
const MOST_CHAINS: usize = 16_384;
const MOST_RULES: usize = 131_072;
const MOST_SETS: usize = 4096;
/// Elements of all sets; beyond them a set counts as cut.
const MOST_ELEMENTS: usize = 65_536;
const SET_INTERVAL: u32 = 4;
const SET_MAP: u32 = 8;
const SET_TIMEOUT: u32 = 16;
const SET_EVALUATED: u32 = 32;
const SET_CONCATENATED: u32 = 128;
const DATA_VERDICT: u32 = 0xffff_ff00;

/// What a table holds, by the number of its family and its name.
type Key = (u8, String);

/// Every table, with its chains, rules and sets.
pub(super) fn tables(socket: &mut Netlink) -> Result<Vec<FilterTable>, Error> {
    let mut outcome = Err(Error::Changed);
    for _ in 0..TRIES {
        outcome = read(socket);
        if !matches!(outcome, Err(Error::Changed)) {
            break;
        }
    }
    outcome
}

fn read(socket: &mut Netlink) -> Result<Vec<FilterTable>, Error> {
    let mut reading = Reading::default();
    socket.dump(GET_TABLE, &[0; GENERIC], |message| reading.table(message))?;
    // Most namespaces have none, and each question costs.
    if reading.tables.is_empty() {
        return Ok(reading.tables);
    }
    socket.dump(GET_CHAIN, &[0; GENERIC], |message| reading.chain(message))?;
    socket.dump(GET_RULE, &[0; GENERIC], |message| reading.rule(message))?;
    socket.dump(GET_SET, &[0; GENERIC], |message| reading.set(message))?;
    for asked in std::mem::take(&mut reading.to_ask) {
        let mut request = vec![asked.family, 0, 0, 0];
        put(&mut request, 1, &terminated(&asked.table));
        put(&mut request, 2, &terminated(&asked.set));
        let mut elements = Vec::new();
        let listed = socket.dump(GET_ELEMENT, &request, |message| {
            raw_elements(message, &mut elements)?;
            if elements.len() > MOST_ELEMENTS { Err(Error::TooMany(MOST_ELEMENTS)) } else { Ok(()) }
        });
        reading.fill(&asked, elements, listed)?;
    }
    Ok(reading.tables)
}

fn terminated(name: &str) -> Vec<u8> {
    [name.as_bytes(), &[0]].concat()
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Reading {
    tables: Vec<FilterTable>,
    table_at: HashMap<Key, usize>,
    chain_at: HashMap<(Key, String), usize>,
    chains: usize,
    rules: usize,
    elements: usize,
    to_ask: Vec<AskedSet>,
}

/// A set whose elements are asked for.
struct AskedSet {
    family: u8,
    table: String,
    set: String,
    interval: bool,
}

impl Reading {
    /// One `NFT_MSG_NEWTABLE`.
    pub(super) fn table(&mut self, body: &[u8]) -> Result<(), Error> {
        let (family, fields) = generic(body)?;
        let name = fields.text(1);
        bounded(self.tables.len(), MOST_TABLES)?;
        self.table_at.insert((family, name.clone()), self.tables.len());
        let dormant = fields.number(2).unwrap_or(0) & 1 != 0;
        self.tables.push(FilterTable {
            family: family_name(family),
            name,
            dormant,
            ..FilterTable::default()
        });
        Ok(())
    }

    /// One `NFT_MSG_NEWCHAIN`.
    pub(super) fn chain(&mut self, body: &[u8]) -> Result<(), Error> {
        let (family, fields) = generic(body)?;
        let key = (family, fields.text(1));
        let name = fields.text(3);
        self.chains += 1;
        bounded(self.chains, MOST_CHAINS)?;
        let hook = match fields.get(4) {
            Some(nested) => Some(hook(family, &Fields::of(nested)?, &fields)?),
            None => None,
        };
        let Some(table) = self.table_at.get(&key).and_then(|at| self.tables.get_mut(*at)) else {
            return changed();
        };
        self.chain_at.insert((key, name.clone()), table.chains.len());
        table.chains.push(FilterChain { name, hook, rules: Vec::new() });
        Ok(())
    }

    /// One `NFT_MSG_NEWRULE`.
    pub(super) fn rule(&mut self, body: &[u8]) -> Result<(), Error> {
        let (family, fields) = generic(body)?;
        let key = (family, fields.text(1));
        self.rules += 1;
        bounded(self.rules, MOST_RULES)?;
        let Some(table) = self.table_at.get(&key).and_then(|at| self.tables.get_mut(*at)) else {
            return changed();
        };
        let steps = expression::steps(fields.get(4).unwrap_or_default(), &table.family)?;
        let handle = fields.get(3).map_or(Ok(0), |value| array(value, 0).map(u64::from_be_bytes))?;
        let chain = self.chain_at.get(&(key, fields.text(2))).and_then(|at| table.chains.get_mut(*at));
        let Some(chain) = chain else { return changed() };
        chain.rules.push(FilterRule { handle, steps });
        Ok(())
    }

    /// One `NFT_MSG_NEWSET`.
    pub(super) fn set(&mut self, body: &[u8]) -> Result<(), Error> {
        let (family, fields) = generic(body)?;
        let (table, name) = (fields.text(1), fields.text(2));
        let flags = fields.number(3).unwrap_or(0);
        let Some(at) = self.table_at.get(&(family, table.clone())).and_then(|at| self.tables.get_mut(*at))
        else {
            return changed();
        };
        bounded(at.sets.len(), MOST_SETS)?;
        at.sets.push(FilterSet {
            name: name.clone(),
            changes: flags & (SET_TIMEOUT | SET_EVALUATED) != 0,
            verdicts: flags & SET_MAP != 0 && fields.number(6) == Some(DATA_VERDICT),
            concatenated: flags & SET_CONCATENATED != 0,
            parts: parts(fields.get(9).unwrap_or_default())?,
            ..FilterSet::default()
        });
        self.to_ask.push(AskedSet { family, table, set: name, interval: flags & SET_INTERVAL != 0 });
        Ok(())
    }

    fn fill(
        &mut self,
        asked: &AskedSet,
        raw: Vec<RawElement>,
        listed: Result<(), Error>,
    ) -> Result<(), Error> {
        let table =
            self.table_at.get(&(asked.family, asked.table.clone())).and_then(|at| self.tables.get_mut(*at));
        let Some(set) = table.and_then(|table| table.sets.iter_mut().find(|set| set.name == asked.set))
        else {
            return changed();
        };
        match listed {
            Err(Error::TooMany(_)) => set.cut = true,
            other => other?,
        }
        self.elements += raw.len();
        set.cut |= self.elements > MOST_ELEMENTS;
        if !set.cut {
            set.elements = elements(raw, asked.interval);
        }
        Ok(())
    }
}

/// Rules name what the lists before did not: they changed meanwhile.
fn changed() -> Result<(), Error> {
    Err(Error::Changed)
}

fn generic(body: &[u8]) -> Result<(u8, Fields<'_>), Error> {
    let family = *body.first().ok_or(Error::Malformed)?;
    Ok((family, Fields::of(body.get(GENERIC..).ok_or(Error::Malformed)?)?))
}

fn family_name(family: u8) -> String {
    match family {
        1 => "inet",
        2 => "ip",
        3 => "arp",
        5 => "netdev",
        7 => "bridge",
        10 => "ip6",
        _ => "unknown",
    }
    .to_owned()
}

fn hook(family: u8, hook: &Fields<'_>, chain: &Fields<'_>) -> Result<FilterHook, Error> {
    let points: &[&str] = match family {
        5 => &["ingress", "egress"],
        3 => &["input", "output", "forward"],
        _ => &["prerouting", "input", "forward", "output", "postrouting", "ingress"],
    };
    let number = hook.number(1).ok_or(Error::Malformed)?;
    let point = usize::try_from(number).ok().and_then(|number| points.get(number)).copied();
    Ok(FilterHook {
        kind: chain.text(7),
        point: point.unwrap_or("unknown").to_owned(),
        priority: hook.number(2).unwrap_or(0).cast_signed(),
        drops: chain.number(5) == Some(0),
    })
}

/// `NFTA_SET_DESC_CONCAT`: the length of each part of a key.
fn parts(description: &[u8]) -> Result<Vec<u32>, Error> {
    let mut parts = Vec::new();
    for attribute in attributes(Fields::of(description)?.get(2).unwrap_or_default()) {
        let (_, field) = attribute?;
        parts.extend(Fields::of(field)?.number(1));
    }
    Ok(parts)
}

/// An element as the kernel tells it.
pub(super) struct RawElement {
    key: String,
    key_end: Option<String>,
    ends: bool,
    catch_all: bool,
    data: Option<Data>,
}

/// One `NFT_MSG_NEWSETELEM`.
pub(super) fn raw_elements(body: &[u8], to: &mut Vec<RawElement>) -> Result<(), Error> {
    let (_, fields) = generic(body)?;
    for element in attributes(fields.get(3).unwrap_or_default()) {
        let (_, element) = element?;
        let fields = Fields::of(element)?;
        let flags = fields.get(3).map_or(Ok(0), be32)?;
        let value = |number| match fields.get(number).and_then(expression::data) {
            Some(Data::Value(value)) => Some(value),
            _ => None,
        };
        to.push(RawElement {
            key: value(1).unwrap_or_default(),
            key_end: value(10),
            ends: flags & 1 != 0,
            catch_all: flags & 2 != 0,
            data: fields.get(2).and_then(expression::data),
        });
    }
    Ok(())
}

/// Elements of a set. In a set of intervals, each element reaches to the next one, which either ends it (and is none
/// itself) or begins another; with keys of several values it has its own end.
pub(super) fn elements(mut raw: Vec<RawElement>, interval: bool) -> Vec<FilterElement> {
    let own_ends = raw.iter().any(|element| element.key_end.is_some());
    if interval && !own_ends {
        raw.sort_by(|a, b| (&a.key, !a.ends).cmp(&(&b.key, !b.ends)));
    }
    let next: Vec<Option<String>> = raw
        .iter()
        .skip(1)
        .map(|element| Some(element.key.clone()))
        .chain([None])
        .map(|key| key.map(|key| before(&key)))
        .collect();
    let mut elements = Vec::new();
    for (element, next) in raw.into_iter().zip(next) {
        if element.ends {
            continue;
        }
        let high = match element.key_end {
            Some(end) => end,
            None if interval && !own_ends => next.unwrap_or_else(|| "f".repeat(element.key.len())),
            None => element.key.clone(),
        };
        let (value, verdict) = match element.data {
            Some(Data::Value(value)) => (Some(value), None),
            Some(Data::Verdict(verdict)) => (None, Some(verdict)),
            None => (None, None),
        };
        elements.push(FilterElement { low: element.key, high, catch_all: element.catch_all, value, verdict });
    }
    elements
}

/// The number before this one, in hexadecimal of the same length.
fn before(key: &str) -> String {
    let mut bytes: Vec<u8> = key
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    for byte in bytes.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            break;
        }
    }
    hexadecimal(&bytes)
}

fn bounded(length: usize, most: usize) -> Result<(), Error> {
    if length > most { Err(Error::TooMany(most)) } else { Ok(()) }
}
