//! `Packages` of Berkeley DB's hash format, as far as rpm uses it (rpm, `lib/backend/bdb_ro.c`; Berkeley DB, `db_page.h`):
//! pages of entries, keys and values in turn; a large value is a chain of overflow pages.

use super::{Corrupt, EachBlob};
use crate::packages::bytes::{index, slice, u32_le};

const HASH_MAGIC: u32 = 0x0006_1561;
const CUT: Corrupt = Corrupt("a page is cut off");

const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// Bytes in front of a page's entries.
const PAGE_HEADER: usize = 26;
/// Entry that is on the page itself.
const ON_PAGE: u8 = 1;
/// Entry that is on overflow pages.
const OFF_PAGE: u8 = 3;

/// Shows the value of each package.
pub(super) fn each_blob(db: &[u8], each: &mut EachBlob<'_>) -> Result<(), Corrupt> {
    let mut file = File::of(db)?;
    for number in 1..=file.last {
        let page = file.page(number)?;
        if !matches!(page.get(25), Some(&HASH | &HASH_UNSORTED)) {
            continue;
        }
        let entries = usize::from(file.u16(page, 20)?);
        let mut end = file.size;
        let mut key = None;
        for n in 0..entries {
            let at = usize::from(file.u16(page, PAGE_HEADER + n * 2)?);
            let entry = page.get(at..end).filter(|entry| !entry.is_empty()).ok_or(CUT)?;
            end = at;
            if n % 2 == 0 {
                key = entry.get(1..).map(<[u8]>::to_vec);
            } else if key.as_deref() != Some(&[0; 4]) {
                // Key 0 holds the number of the next package.
                each(&file.value(entry)?)?;
            }
        }
    }
    Ok(())
}

struct File<'a> {
    bytes: &'a [u8],
    swapped: bool,
    size: usize,
    last: u32,
    /// Bytes that may still be collected from overflow pages: more than the file holds means that chains overlap.
    budget: usize,
}

impl<'a> File<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let swapped = match u32_le(bytes, 12) {
            Some(HASH_MAGIC) => false,
            Some(magic) if magic.swap_bytes() == HASH_MAGIC => true,
            _ => return Err(Corrupt("it is not a Berkeley DB hash database")),
        };
        let mut file = Self { bytes, swapped, size: 0, last: 0, budget: bytes.len() };
        if !(8..=10).contains(&file.u32(bytes, 16)?) {
            return Err(Corrupt("it has a version of Berkeley DB that is not known"));
        }
        if bytes.get(24) != Some(&0) {
            return Err(Corrupt("it is encrypted"));
        }
        file.size = index(file.u32(bytes, 20)?);
        file.last = file.u32(bytes, 32)?;
        if !(512..=65_536).contains(&file.size) || !file.size.is_power_of_two() {
            return Err(Corrupt("its page size is none that Berkeley DB has"));
        }
        if bytes.len() / file.size <= index(file.last) {
            return Err(Corrupt("it is cut off"));
        }
        Ok(file)
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Result<u32, Corrupt> {
        let number = u32_le(bytes, at).ok_or(CUT)?;
        Ok(if self.swapped { number.swap_bytes() } else { number })
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Result<u16, Corrupt> {
        let pair = slice(bytes, at, 2).and_then(|pair| pair.try_into().ok()).ok_or(CUT)?;
        Ok(if self.swapped { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    }

    fn page(&self, number: u32) -> Result<&'a [u8], Corrupt> {
        let at = index(number).checked_mul(self.size).ok_or(CUT)?;
        slice(self.bytes, at, self.size).ok_or(CUT)
    }

    fn value(&mut self, entry: &[u8]) -> Result<Vec<u8>, Corrupt> {
        match entry.split_first() {
            Some((&ON_PAGE, value)) => Ok(value.to_vec()),
            Some((&OFF_PAGE, _)) if entry.len() == 12 => {
                self.overflow(self.u32(entry, 4)?, index(self.u32(entry, 8)?))
            }
            _ => Err(Corrupt("an entry has a type that rpm does not use")),
        }
    }

    fn overflow(&mut self, first: u32, length: usize) -> Result<Vec<u8>, Corrupt> {
        self.budget = self.budget.checked_sub(length).ok_or(Corrupt("its values overlap"))?;
        let mut value = Vec::with_capacity(length);
        let mut number = first;
        while value.len() < length {
            let page = self.page(number)?;
            let used = usize::from(self.u16(page, 22)?);
            if page.get(25) != Some(&OVERFLOW) || used == 0 || used > length - value.len() {
                return Err(Corrupt("a chain of overflow pages is broken"));
            }
            value.extend_from_slice(slice(page, PAGE_HEADER, used).ok_or(CUT)?);
            number = self.u32(page, 16)?;
        }
        Ok(value)
    }
}
