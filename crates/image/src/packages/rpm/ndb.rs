//! `Packages.db` of rpm's ndb format (rpm, `lib/backend/ndb/rpmpkg.c`): a header of 32 bytes, pages of slots that say
//! in which blocks of 16 bytes a package's blob is, the blobs; little-endian.

use super::{Corrupt, EachBlob};
use crate::packages::bytes::{index, slice, u32_le};

const PAGE: usize = 4096;
const SLOT: usize = 16;
const BLOCK: usize = 16;
/// The first page begins with the header, which takes the place of two slots.
const FIRST_SLOT: usize = 32;

/// Shows the blob of each package.
pub(super) fn each_blob(db: &[u8], each: &mut EachBlob<'_>) -> Result<(), Corrupt> {
    if !db.starts_with(b"RpmP") || u32_le(db, 4) != Some(0) {
        return Err(Corrupt("it is not an ndb database of a version that is known"));
    }
    let pages = u32_le(db, 12).map(index).unwrap_or_default();
    let slots = pages.checked_mul(PAGE).and_then(|end| db.get(FIRST_SLOT..end));
    let slots = slots.ok_or(Corrupt("its pages of slots are cut off"))?;
    let mut budget = db.len();
    for slot in slots.chunks_exact(SLOT) {
        if !slot.starts_with(b"Slot") {
            return Err(Corrupt("a slot is none"));
        }
        let field = |at| u32_le(slot, at).map(index).unwrap_or_default();
        let (package, at, blocks) = (u32_le(slot, 4).unwrap_or_default(), field(8), field(12));
        if at == 0 {
            continue;
        }
        let size = blocks.saturating_mul(BLOCK);
        budget = budget.checked_sub(size).ok_or(Corrupt("its blobs overlap"))?;
        let stored = at.checked_mul(BLOCK).and_then(|at| slice(db, at, size));
        each(blob(stored.ok_or(Corrupt("a blob is cut off"))?, package)?)?;
    }
    Ok(())
}

/// The blob behind its own header: magic, package, time, length.
fn blob(stored: &[u8], package: u32) -> Result<&[u8], Corrupt> {
    if !stored.starts_with(b"BlbS") || u32_le(stored, 4) != Some(package) {
        return Err(Corrupt("a blob belongs to another package than its slot says"));
    }
    let length = u32_le(stored, 12).map(index).unwrap_or(usize::MAX);
    slice(stored, 16, length).ok_or(Corrupt("a blob is cut off"))
}
