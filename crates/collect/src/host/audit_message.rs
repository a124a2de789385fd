//! Messages of `NETLINK_AUDIT` as bytes (netlink(7); include/uapi/linux/audit.h). All numbers are in the machine's
//! own byte order.

use std::fmt::Write;

use plimsoll_facts::AuditRule;

/// `NLMSG_ERROR`: also the acknowledgement, with error 0.
pub(super) const ERROR: u16 = 2;
/// `NLMSG_DONE`: the list is at its end.
pub(super) const DONE: u16 = 3;
/// `AUDIT_GET`: status.
pub(super) const GET: u16 = 1000;
/// `AUDIT_LIST_RULES`: one rule each.
pub(super) const LIST_RULES: u16 = 1013;

const HEADER: usize = 16;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;

/// `struct audit_rule_data` up to its strings: flags, action, field count; 64 words each of the syscall mask, fields,
/// values and operators; length of the strings.
const MASK: usize = 12;
const FIELDS: usize = MASK + WORDS;
const VALUES: usize = FIELDS + WORDS;
const OPERATORS: usize = VALUES + WORDS;
const STRINGS_LENGTH: usize = OPERATORS + WORDS;
const STRINGS: usize = STRINGS_LENGTH + 4;
const WORDS: usize = 64 * 4;

const LISTS: [&str; 8] = ["user", "task", "entry", "watch", "exit", "exclude", "filesystem", "io_uring"];
const ACTIONS: [&str; 3] = ["never", "possible", "always"];

const ARCHITECTURE: u32 = 11;
const WATCH: u32 = 105;
const PERMISSIONS: u32 = 106;
const DIR: u32 = 107;
const KEY: u32 = 210;

/// Names of fields as auditctl writes them; the others are shown by number.
const FIELD_NAMES: [(u32, &str); 19] = [
    (0, "pid"),
    (1, "uid"),
    (2, "euid"),
    (5, "gid"),
    (6, "egid"),
    (9, "auid"),
    (ARCHITECTURE, "arch"),
    (12, "msgtype"),
    (25, "sessionid"),
    (100, "devmajor"),
    (102, "inode"),
    (103, "exit"),
    (104, "success"),
    (WATCH, "path"),
    (PERMISSIONS, "perm"),
    (DIR, "dir"),
    (108, "filetype"),
    (112, "exe"),
    (KEY, "key"),
];

/// Fields whose value is a string: SELinux parts of subject and object, paths, program, key.
fn is_string(field: u32) -> bool {
    matches!(field, 13..=17 | 19..=23 | WATCH | DIR | 112 | KEY)
}

/// One message of a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// What it is.
    pub(super) kind: u16,
    /// What it carries.
    pub(super) payload: &'a [u8],
}

/// A request without payload, acknowledged.
pub(super) fn request(kind: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend((HEADER as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((NLM_F_REQUEST | NLM_F_ACK).to_ne_bytes());
    // Sequence number and port: one request at a time, the kernel fills in the port.
    bytes.extend([0; 8]);
    bytes
}

/// The messages of a datagram, up to the first that is malformed.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(word(datagram, 0)?).ok()?;
        let kind = u16::from_ne_bytes(datagram.get(4..6)?.try_into().ok()?);
        let message = datagram.get(..length).filter(|message| message.len() >= HEADER)?;
        let payload = message.get(HEADER..)?;
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, payload })
    })
}

/// The error number of an acknowledgement, positive.
pub(super) fn error(payload: &[u8]) -> Option<i32> {
    let error = i32::from_ne_bytes(payload.get(..4)?.try_into().ok()?);
    error.checked_neg().filter(|error| (0..=4095).contains(error))
}

/// `enabled` of `struct audit_status`.
pub(super) fn enabled(payload: &[u8]) -> Option<u32> {
    word(payload, 4)
}

/// A rule as auditctl would list it.
pub(super) fn rule(payload: &[u8]) -> Option<AuditRule> {
    let count = usize::try_from(word(payload, 8)?).ok().filter(|count| *count <= 64)?;
    let strings_length = usize::try_from(word(payload, STRINGS_LENGTH)?).ok()?;
    let mut strings = payload.get(STRINGS..STRINGS.checked_add(strings_length)?)?;
    let name = |table: &[&str], number: u32| {
        let name = usize::try_from(number).ok().and_then(|index| table.get(index).copied());
        name.map_or_else(|| number.to_string(), str::to_owned)
    };
    let mut rule = AuditRule {
        // The highest bit asks for the rule to be put first.
        list: name(&LISTS, word(payload, 0)? & 0x7fff_ffff),
        action: name(&ACTIONS, word(payload, 4)?),
        permissions: super::audit_rules::ALL_PERMISSIONS.to_owned(),
        ..AuditRule::default()
    };
    rule.text = format!("-a {},{}", rule.action, rule.list);
    rule.text.push_str(&syscalls(payload.get(MASK..FIELDS)?));
    for index in 0..count {
        let field = word(payload, FIELDS + index * 4)?;
        let value = word(payload, VALUES + index * 4)?;
        let operator = operator(word(payload, OPERATORS + index * 4)?);
        let text = if is_string(field) {
            let (string, rest) = strings.split_at_checked(usize::try_from(value).ok()?)?;
            strings = rest;
            String::from_utf8_lossy(string).into_owned()
        } else if field == PERMISSIONS {
            permissions(value)
        } else if field == ARCHITECTURE {
            // `__AUDIT_ARCH_64BIT`
            if value & 0x8000_0000 != 0 { "b64" } else { "b32" }.to_owned()
        } else {
            value.cast_signed().to_string()
        };
        let name = FIELD_NAMES.iter().find(|known| known.0 == field);
        let name = name.map_or_else(|| format!("field{field}"), |known| known.1.to_owned());
        let _ = write!(rule.text, " -F {name}{operator}{text}");
        match field {
            WATCH => rule.path = Some(text),
            DIR => rule.dir = Some(text),
            PERMISSIONS => rule.permissions = text,
            _ => {}
        }
    }
    Some(rule)
}

/// `-S` for the mask: numbers, for names depend on the architecture.
fn syscalls(mask: &[u8]) -> String {
    let words = mask.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
    let bits: Vec<usize> = words
        .enumerate()
        .flat_map(|(index, word)| {
            (0..32).filter(move |bit| word & (1 << bit) != 0).map(move |bit| index * 32 + bit)
        })
        .collect();
    // auditctl fills the words that hold system calls, not those for classes of them.
    match bits.len() {
        0 => String::new(),
        1984.. => " -S all".to_owned(),
        _ => format!(" -S {}", bits.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
    }
}

fn operator(bits: u32) -> &'static str {
    match bits & 0x7800_0000 {
        0x3000_0000 => "!=",
        0x1000_0000 => "<",
        0x2000_0000 => ">",
        0x5000_0000 => "<=",
        0x6000_0000 => ">=",
        0x0800_0000 => "&",
        0x4800_0000 => "&=",
        _ => "=",
    }
}

/// `AUDIT_PERM_*` in the order of auditctl's letters.
fn permissions(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x'), (8, 'a')]
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, c)| c)
        .collect()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernel lists `-w PATH -p wa -k docker`.
    fn listed(fields: &[(u32, u32, u32)], strings: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; STRINGS];
        let mut put = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        put(0, 4);
        put(4, 2);
        put(8, fields.len() as u32);
        for index in 0..63 {
            put(MASK + index * 4, u32::MAX);
        }
        for (index, (field, value, operator)) in fields.iter().enumerate() {
            put(FIELDS + index * 4, *field);
            put(VALUES + index * 4, *value);
            put(OPERATORS + index * 4, *operator);
        }
        put(STRINGS_LENGTH, strings.len() as u32);
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn a_watch() {
        let bytes = listed(
            &[
                (DIR, 11, 0x4000_0000),
                (PERMISSIONS, 10, 0x4000_0000),
                (11, 0xc000_003e, 0x4000_0000),
                (9, u32::MAX, 0x3000_0000),
                (KEY, 6, 0x4000_0000),
            ],
            b"/etc/dockerdocker",
        );
        let rule = rule(&bytes).unwrap();
        assert_eq!(
            (rule.dir.as_deref(), rule.path.as_deref(), rule.permissions.as_str()),
            (Some("/etc/docker"), None, "wa")
        );
        assert_eq!(
            rule.text,
            "-a always,exit -S all -F dir=/etc/docker -F perm=wa -F arch=b64 -F auid!=-1 -F key=docker"
        );
    }

    #[test]
    fn rules_that_lie_about_their_length() {
        assert_eq!(rule(&[]), None);
        assert_eq!(rule(&listed(&[(WATCH, 12, 0)], b"/etc/docker")), None);
        let mut bytes = listed(&[], b"");
        bytes[8] = 65;
        assert_eq!(rule(&bytes), None);
        let mut bytes = listed(&[], b"");
        bytes[STRINGS_LENGTH] = 1;
        assert_eq!(rule(&bytes), None);
    }

    #[test]
    fn several_messages_in_a_datagram() {
        let mut datagram = request(GET);
        datagram.extend(17_u32.to_ne_bytes());
        datagram.extend(DONE.to_ne_bytes());
        datagram.extend([0; 10]);
        datagram.extend([7, 0, 0, 0]);
        datagram.extend([255; 9]);
        let found: Vec<_> = messages(&datagram).map(|m| (m.kind, m.payload.to_vec())).collect();
        assert_eq!(found, [(GET, vec![]), (DONE, vec![7])]);
        assert_eq!(error(&(-1_i32).to_ne_bytes()), Some(1));
        assert_eq!(error(&i32::MIN.to_ne_bytes()), None);
    }
}
