//! Where members of the kernel's structures lie: read from its own description of its types
//! (`/sys/kernel/btf/vmlinux`, format: Documentation/bpf/btf.rst).

/// Kinds of types (`BTF_KIND_…`).
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const FUNC: u32 = 12;

const MAGIC: u16 = 0xeb9f;
const TYPE_HEADER: usize = 12;
const MEMBER: usize = 12;
/// How deep anonymous members nest.
const MAX_DEPTH: u32 = 16;

/// The description of all types.
pub(crate) struct Btf {
    bytes: Vec<u8>,
    strings: usize,
    /// Where each type begins; number 0 is `void`.
    types: Vec<usize>,
}

/// One member.
struct Member {
    name: usize,
    of_type: u32,
    /// Offset in bits.
    offset: u32,
}

impl Btf {
    /// Reads the sections; `None` where they are not what the format says.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        let magic = u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?);
        let header = word(&bytes, 4)? as usize;
        let section = |at| header.checked_add(word(&bytes, at)? as usize);
        if magic != MAGIC {
            return None;
        }
        let (start, length, strings) = (section(8)?, word(&bytes, 12)? as usize, section(16)?);
        let mut types = vec![start];
        let mut at = start;
        while at < start.checked_add(length)? {
            types.push(at);
            at = at.checked_add(TYPE_HEADER)?.checked_add(trailer(word(&bytes, at + 4)?)?)?;
        }
        Some(Self { bytes, strings, types })
    }

    /// The number of the first function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        self.find(FUNC, name)
    }

    /// Offset in bytes of a member of a structure; a dot leads into the member's own type.
    pub(crate) fn offset(&self, structure: &str, path: &str) -> Option<i16> {
        let mut of_type = self.find(STRUCT, structure)?;
        let mut bits = 0_u32;
        for name in path.split('.') {
            let (offset, next) = self.member(of_type, name, MAX_DEPTH)?;
            bits = bits.checked_add(offset)?;
            of_type = self.resolved(next)?;
        }
        if bits.is_multiple_of(8) { i16::try_from(bits / 8).ok() } else { None }
    }

    fn find(&self, kind: u32, name: &str) -> Option<u32> {
        let (number, _) = self.types.iter().enumerate().skip(1).find(|(_, at)| {
            let info = word(&self.bytes, **at + 4).unwrap_or_default();
            kind_of(info) == kind && self.is_named(**at, name)
        })?;
        u32::try_from(number).ok()
    }

    /// Whether the string whose offset stands at `at` is this one.
    fn is_named(&self, at: usize, name: &str) -> bool {
        let start = word(&self.bytes, at).map(|offset| self.strings + offset as usize);
        let text = start.and_then(|start| self.bytes.get(start..start + name.len() + 1));
        text.is_some_and(|text| text.strip_suffix(&[0]) == Some(name.as_bytes()))
    }

    /// Offset in bits and type of a member, looked for in anonymous members too.
    fn member(&self, of_type: u32, name: &str, depth: u32) -> Option<(u32, u32)> {
        let depth = depth.checked_sub(1)?;
        for member in self.members(of_type)? {
            let member = member?;
            if self.is_named(member.name, name) {
                return Some((member.offset, member.of_type));
            }
            if word(&self.bytes, member.name)? == 0
                && let Some(inner) = self.resolved(member.of_type)
                && let Some((offset, of_type)) = self.member(inner, name, depth)
            {
                return Some((member.offset.checked_add(offset)?, of_type));
            }
        }
        None
    }

    fn members(&self, of_type: u32) -> Option<impl Iterator<Item = Option<Member>>> {
        let at = *self.types.get(of_type as usize)?;
        let info = word(&self.bytes, at + 4)?;
        let count = if matches!(kind_of(info), STRUCT | UNION) { (info & 0xffff) as usize } else { 0 };
        // With the flag, a size in bits stands above the offset.
        let mask = if info >> 31 == 1 { 0xff_ffff } else { u32::MAX };
        Some((0..count).map(move |index| {
            let at = at + TYPE_HEADER + index * MEMBER;
            let offset = word(&self.bytes, at + 8)? & mask;
            Some(Member { name: at, of_type: word(&self.bytes, at + 4)?, offset })
        }))
    }

    /// The type behind names and qualifiers (typedef, volatile, const, restrict, type tag).
    fn resolved(&self, mut number: u32) -> Option<u32> {
        for _ in 0..MAX_DEPTH {
            let at = *self.types.get(number as usize)?;
            if !matches!(kind_of(word(&self.bytes, at + 4)?), 8..=11 | 18) {
                return Some(number);
            }
            number = word(&self.bytes, at + 8)?;
        }
        None
    }
}

fn kind_of(info: u32) -> u32 {
    info >> 24 & 31
}

/// Bytes that follow the header of a type; `None` for a kind that is not known.
fn trailer(info: u32) -> Option<usize> {
    let count = (info & 0xffff) as usize;
    Some(match kind_of(info) {
        1 | 14 | 17 => 4,
        3 => 12,
        STRUCT | UNION | 15 | 19 => 12 * count,
        6 | 13 => 8 * count,
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}
