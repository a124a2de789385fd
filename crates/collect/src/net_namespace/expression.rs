//! The expressions of one rule of nftables (`linux/netfilter/nf_tables.h`), as steps.

use plimsoll_facts::{FilterStep, FilterVerdict};

use super::xtables;
use crate::netlink::{Error, attributes, be32, text};

/// Most steps of one rule: the kernel's own bound is 128.
const MOST_STEPS: usize = 128;

const META_KEYS: [&str; 26] = [
    "len",
    "protocol",
    "priority",
    "mark",
    "iif",
    "oif",
    "iifname",
    "oifname",
    "iiftype",
    "oiftype",
    "skuid",
    "skgid",
    "nftrace",
    "rtclassid",
    "secmark",
    "nfproto",
    "l4proto",
    "ibrname",
    "obrname",
    "pkttype",
    "cpu",
    "iifgroup",
    "oifgroup",
    "cgroup",
    "random",
    "ipsec",
];
const CT_KEYS: [&str; 4] = ["state", "direction", "status", "mark"];
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
const BASES: [&str; 3] = ["link", "network", "transport"];
const FIB_RESULTS: [&str; 4] = ["", "oif", "oifname", "type"];
/// Count, write down, or change what no later rule can see.
const NEUTRAL: [&str; 4] = ["counter", "log", "last", "flow_offload"];

/// The list of expressions of a rule of a table of this family.
pub(super) fn steps(list: &[u8], family: &str) -> Result<Vec<FilterStep>, Error> {
    let mut steps = Vec::new();
    for element in attributes(list) {
        let (_, element) = element?;
        steps.push(step(element, family)?);
        if steps.len() > MOST_STEPS {
            return Err(Error::TooMany(MOST_STEPS));
        }
    }
    Ok(steps)
}

fn step(element: &[u8], family: &str) -> Result<FilterStep, Error> {
    let (mut name, mut data) = (String::new(), &[][..]);
    for attribute in attributes(element) {
        match attribute? {
            (1, value) => name = text(value),
            (2, value) => data = value,
            _ => {}
        }
    }
    let fields = Fields::of(data)?;
    let known = match name.as_str() {
        "match" => Some(xtables::matching(&fields.text(1), fields.number(2).unwrap_or(0), fields.get(3))),
        "target" => {
            Some(xtables::target(&fields.text(1), fields.number(2).unwrap_or(0), fields.get(3), family))
        }
        "nat" => nat(&fields),
        "masq" => Some(FilterStep::Masquerade),
        // Whether a port is given cannot be told from here: it is in a register.
        "redir" if fields.get(1).is_none() => Some(FilterStep::Redirect { port: None }),
        "reject" => Some(FilterStep::Verdict { verdict: FilterVerdict::Reject }),
        "queue" => Some(FilterStep::Verdict { verdict: FilterVerdict::Queue }),
        name if NEUTRAL.contains(&name) => Some(FilterStep::Neutral { name: name.to_owned() }),
        name => load(name, &fields).or_else(|| decide(name, &fields)),
    };
    Ok(known.unwrap_or(FilterStep::Other { name }))
}

/// Expressions that fill a register, or change the packet's mark.
fn load(name: &str, fields: &Fields<'_>) -> Option<FilterStep> {
    Some(match name {
        "meta" => match fields.register(1) {
            Some(to) => FilterStep::Meta { key: name_of(&META_KEYS, fields.number(2)?), to },
            None if fields.number(2)? == 3 => FilterStep::SetMarkFrom { from: fields.register(3)? },
            None => FilterStep::Neutral { name: "meta set".to_owned() },
        },
        "ct" => match fields.register(1) {
            Some(to) => FilterStep::Connection { key: name_of(&CT_KEYS, fields.number(2)?), to },
            None => FilterStep::Neutral { name: "ct set".to_owned() },
        },
        "payload" => FilterStep::Payload {
            base: (*BASES.get(usize::try_from(fields.number(2)?).ok()?)?).to_owned(),
            offset: fields.number(3)?,
            length: fields.number(4)?,
            to: fields.register(1)?,
        },
        "fib" => FilterStep::Fib {
            result: (*FIB_RESULTS.get(usize::try_from(fields.number(2)?).ok()?)?).to_owned(),
            flags: fields.number(3)?,
            to: fields.register(1)?,
        },
        "bitwise" if fields.number(6).unwrap_or(0) == 0 => FilterStep::Bitwise {
            from: fields.register(1)?,
            to: fields.register(2)?,
            mask: fields.value(4)?,
            xor: fields.value(5)?,
        },
        _ => return None,
    })
}

/// Expressions that compare, look up or end.
fn decide(name: &str, fields: &Fields<'_>) -> Option<FilterStep> {
    Some(match name {
        "immediate" => match data(fields.get(2)?)? {
            Data::Value(value) => FilterStep::Immediate { value, to: fields.register(1)? },
            Data::Verdict(verdict) => FilterStep::Verdict { verdict },
        },
        "cmp" => FilterStep::Compare {
            from: fields.register(1)?,
            operator: (*COMPARISONS.get(usize::try_from(fields.number(2)?).ok()?)?).to_owned(),
            value: fields.value(3)?,
        },
        "range" => FilterStep::Range {
            from: fields.register(1)?,
            negate: fields.number(2)? == 1,
            low: fields.value(3)?,
            high: fields.value(4)?,
        },
        "lookup" => FilterStep::Lookup {
            set: fields.text(1),
            from: fields.register(2)?,
            negate: fields.number(5).unwrap_or(0) & 1 != 0,
            // Register 0 takes the verdict of a map of verdicts.
            to: fields.register(3),
        },
        _ => return None,
    })
}

fn nat(fields: &Fields<'_>) -> Option<FilterStep> {
    let end = if fields.number(1)? == 0 { "source" } else { "destination" };
    Some(FilterStep::NatRegisters {
        end: end.to_owned(),
        address: fields.register(3),
        port: fields.register(5),
    })
}

/// A key that is not among those that are understood is named by its number.
fn name_of(names: &[&str], key: u32) -> String {
    let name = usize::try_from(key).ok().and_then(|key| names.get(key));
    name.map_or_else(|| format!("key {key}"), |name| (*name).to_owned())
}

/// What an `NFTA_DATA_*` holds.
pub(super) enum Data {
    /// Bytes, in hexadecimal.
    Value(String),
    /// A verdict.
    Verdict(FilterVerdict),
}

/// `None` where it is neither a value nor a verdict that is understood.
pub(super) fn data(bytes: &[u8]) -> Option<Data> {
    let fields = Fields::of(bytes).ok()?;
    if let Some(value) = fields.get(1) {
        return Some(Data::Value(hexadecimal(value)));
    }
    let verdict = Fields::of(fields.get(2)?).ok()?;
    Some(Data::Verdict(match verdict.number(1)?.cast_signed() {
        0 => FilterVerdict::Drop,
        1 => FilterVerdict::Accept,
        -1 => FilterVerdict::Continue,
        -3 => FilterVerdict::Jump { chain: verdict.text(2) },
        -4 => FilterVerdict::Goto { chain: verdict.text(2) },
        -5 => FilterVerdict::Return,
        code if code & 0xff == 3 => FilterVerdict::Queue,
        _ => return None,
    }))
}

/// Bytes as hexadecimal text.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The attributes of one expression by their number; of each the first.
pub(super) struct Fields<'a>([Option<&'a [u8]>; 16]);

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut fields = [None; 16];
        for attribute in attributes(bytes) {
            let (kind, value) = attribute?;
            if let Some(field) = fields.get_mut(usize::from(kind)) {
                field.get_or_insert(value);
            }
        }
        Ok(Self(fields))
    }

    pub(super) fn get(&self, number: usize) -> Option<&'a [u8]> {
        self.0.get(number).copied().flatten()
    }

    pub(super) fn number(&self, number: usize) -> Option<u32> {
        self.get(number).and_then(|value| be32(value).ok())
    }

    pub(super) fn text(&self, number: usize) -> String {
        self.get(number).map(text).unwrap_or_default()
    }

    fn value(&self, number: usize) -> Option<String> {
        match data(self.get(number)?)? {
            Data::Value(value) => Some(value),
            Data::Verdict(_) => None,
        }
    }

    /// A register by 4 bytes: the older numbers 1 to 4 stand for 16 bytes each, those from 8 on for 4. `None` for the
    /// register of the verdict.
    fn register(&self, number: usize) -> Option<u8> {
        match self.number(number)? {
            wide @ 1..=4 => u8::try_from((wide - 1) * 4).ok(),
            narrow @ 8..=23 => u8::try_from(narrow - 8).ok(),
            _ => None,
        }
    }
}
