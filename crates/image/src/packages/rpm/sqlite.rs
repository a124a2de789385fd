//! The `Packages` table of `rpmdb.sqlite`, with what its write-ahead log adds (SQLite, "Database File Format").
//!
//! `CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)` (rpm, `lib/backend/sqlite.c`).

use std::collections::HashMap;

use super::{Corrupt, EachBlob};
use crate::packages::bytes::{index, slice, u16_be, u32_be, u32_le};

const MAGIC: &[u8] = b"SQLite format 3\0";
const CUT: Corrupt = Corrupt("a page is cut off");
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;
/// No table of 4 billion pages is deeper.
const MAX_DEPTH: usize = 32;

/// Shows the blob of each row of `Packages`.
pub(super) fn each_blob(db: &[u8], log: &[u8], each: &mut EachBlob<'_>) -> Result<(), Corrupt> {
    let mut pages = Pages::of(db, log)?;
    let mut root = None;
    pages.each_row(1, &mut |row| {
        let columns = columns(row)?;
        let is =
            |column: usize, text: &[u8]| matches!(columns.get(column), Some(Value::Bytes(b)) if *b == text);
        if let (true, true, Some(Value::Number(page))) = (is(0, b"table"), is(1, b"Packages"), columns.get(3))
        {
            root = u32::try_from(*page).ok();
        }
        Ok(())
    })?;
    let root = root.ok_or(Corrupt("there is no table Packages in it"))?;
    pages.each_row(root, &mut |row| match columns(row)?.get(1) {
        Some(Value::Bytes(blob)) => each(blob),
        _ => Err(Corrupt("a row of Packages holds no blob")),
    })
}

/// The pages of a database, those of the log first.
struct Pages<'a> {
    db: &'a [u8],
    log: &'a [u8],
    /// Page number → where it begins in the log.
    logged: HashMap<u32, usize>,
    size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    /// Pages that may still be read: each belongs to one place, so a database that needs more is looping.
    budget: u64,
}

impl<'a> Pages<'a> {
    fn of(db: &'a [u8], log: &'a [u8]) -> Result<Self, Corrupt> {
        if !db.starts_with(MAGIC) {
            return Err(Corrupt("it is not an SQLite database"));
        }
        let size = match u16_be(db, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err(Corrupt("its page size is none that SQLite has")),
        };
        let reserved = usize::from(*db.get(20).ok_or(CUT)?);
        let usable = size.checked_sub(reserved).filter(|usable| *usable >= 480);
        let logged = committed(log, size);
        let budget = (db.len() / size + logged.len()) as u64 + 1;
        // The schema is read before the table, from the same budget.
        Ok(Self { db, log, logged, size, usable: usable.ok_or(CUT)?, budget: budget * 2 })
    }

    fn page(&mut self, number: u32) -> Result<&'a [u8], Corrupt> {
        self.budget = self.budget.checked_sub(1).ok_or(Corrupt("its pages lead in a circle"))?;
        if let Some(at) = self.logged.get(&number) {
            return slice(self.log, *at, self.size).ok_or(CUT);
        }
        let before = index(number).checked_sub(1).and_then(|before| before.checked_mul(self.size));
        slice(self.db, before.ok_or(Corrupt("a page number is out of range"))?, self.size).ok_or(CUT)
    }

    /// Shows the record of each row of the table whose root page this is.
    fn each_row(&mut self, root: u32, each: &mut EachBlob<'_>) -> Result<(), Corrupt> {
        let mut pending = vec![(root, 0)];
        while let Some((number, depth)) = pending.pop() {
            let page = self.page(number)?;
            let header = if number == 1 { 100 } else { 0 };
            let kind = *page.get(header).ok_or(CUT)?;
            let cells = usize::from(u16_be(page, header + 3).ok_or(CUT)?);
            let pointers = header + if kind == INTERIOR { 12 } else { 8 };
            let cell = |n: usize| u16_be(page, pointers + n * 2).map(usize::from).ok_or(CUT);
            match kind {
                LEAF => {
                    for n in 0..cells {
                        let record = self.record(page, cell(n)?)?;
                        each(&record)?;
                    }
                }
                INTERIOR if depth < MAX_DEPTH => {
                    pending.push((u32_be(page, header + 8).ok_or(CUT)?, depth + 1));
                    for n in (0..cells).rev() {
                        pending.push((u32_be(page, cell(n)?).ok_or(CUT)?, depth + 1));
                    }
                }
                _ => return Err(Corrupt("a page is not one of a table")),
            }
        }
        Ok(())
    }

    /// The record of a cell of a leaf, put together from its overflow pages.
    fn record(&mut self, page: &[u8], cell: usize) -> Result<Vec<u8>, Corrupt> {
        let (length, at) = varint(page, cell).ok_or(CUT)?;
        let (_row, at) = varint(page, at).ok_or(CUT)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= self.db.len() + self.log.len());
        let length = length.ok_or(Corrupt("a record is larger than the database"))?;
        let local = local_size(length, self.usable);
        let mut record = slice(page, at, local).ok_or(CUT)?.to_vec();
        let mut next = if length > local { u32_be(page, at + local).ok_or(CUT)? } else { 0 };
        while record.len() < length {
            let page = self.page(next)?;
            next = u32_be(page, 0).ok_or(CUT)?;
            let rest = (length - record.len()).min(self.usable - 4);
            record.extend_from_slice(slice(page, 4, rest).ok_or(CUT)?);
        }
        Ok(record)
    }
}

/// How much of a record is in the leaf itself ("B-tree Cell Format").
fn local_size(length: usize, usable: usize) -> usize {
    let most = usable - 35;
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (length - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}

/// The pages that the log's committed transactions changed: page number → offset. What follows a frame that does not
/// hold is left over from before ("WAL File Format").
fn committed(log: &[u8], size: usize) -> HashMap<u32, usize> {
    let mut pages = HashMap::new();
    let word = match u32_be(log, 0) {
        Some(0x377f_0682) => u32_le,
        Some(0x377f_0683) => u32_be,
        _ => return pages,
    };
    let Some(head) = log.get(..32) else { return pages };
    if u32_be(log, 8).map(index) != Some(size) {
        return pages;
    }
    let mut sum = checksum(&head[..24], (0, 0), word);
    if (u32_be(head, 24), u32_be(head, 28)) != (Some(sum.0), Some(sum.1)) {
        return pages;
    }
    let mut pending = HashMap::new();
    let frames = log.get(32..).unwrap_or_default().chunks_exact(24 + size);
    for (n, frame) in frames.enumerate() {
        let (head, page) = frame.split_at(24);
        sum = checksum(page, checksum(&head[..8], sum, word), word);
        let salts = log.get(16..24) == head.get(8..16);
        if !salts || (u32_be(head, 16), u32_be(head, 20)) != (Some(sum.0), Some(sum.1)) {
            break;
        }
        pending.insert(u32_be(head, 0).unwrap_or_default(), 32 + n * (24 + size) + 24);
        if u32_be(head, 4) != Some(0) {
            pages.extend(pending.drain());
        }
    }
    pages
}

fn checksum(bytes: &[u8], seed: (u32, u32), word: fn(&[u8], usize) -> Option<u32>) -> (u32, u32) {
    bytes.chunks_exact(8).fold(seed, |(first, second), pair| {
        let first = first.wrapping_add(word(pair, 0).unwrap_or_default()).wrapping_add(second);
        (first, second.wrapping_add(word(pair, 4).unwrap_or_default()).wrapping_add(first))
    })
}

/// A value of a record.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The first values of a record ("Record Format"); a table of rpm's has at most five.
fn columns(record: &[u8]) -> Result<Vec<Value<'_>>, Corrupt> {
    let (end, mut at) = varint(record, 0).ok_or(CUT)?;
    let mut body = usize::try_from(end).map_err(|_| CUT)?;
    let end = body;
    let mut values = Vec::new();
    while at < end && values.len() < 5 {
        let (kind, next) = varint(record, at).ok_or(CUT)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).map_err(|_| CUT)?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(Corrupt("a record has a type that SQLite does not write")),
            _ => usize::try_from((kind - 12) / 2).map_err(|_| CUT)?,
        };
        let bytes = slice(record, body, length).ok_or(CUT)?;
        body += length;
        values.push(match kind {
            1..=6 => Value::Number(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            12.. => Value::Bytes(bytes),
            _ => Value::Other,
        });
    }
    Ok(values)
}

/// A variable-length number, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut number = 0;
    for length in 0..9 {
        let byte = *bytes.get(at.checked_add(length)?)?;
        if length == 8 {
            return Some((number << 8 | u64::from(byte), at + 9));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((number, at + length + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_numbers() {
        assert_eq!(varint(&[0x7f], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xff; 8], 0), None);
        assert_eq!(varint(&[], usize::MAX), None);
    }
}
