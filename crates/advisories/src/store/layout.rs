//! Where things stand in a file. All numbers are little-endian.

/// First bytes of every file.
pub(super) const MAGIC: [u8; 8] = *b"PLIMADV\n";
/// The format that this build writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Length of the header.
pub(super) const HEADER: usize = 40;
/// Length of one line of the table of packages.
pub(super) const PACKAGE: usize = 20;
/// Length of one line of the table of advisories: offset, length and checksum of the record.
pub(super) const ADVISORY: usize = 12;

/// The header, after magic and format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// Lines of the table of packages.
    pub(super) packages: u32,
    /// Lines of the table of advisories.
    pub(super) advisories: u32,
    /// Length of the names.
    pub(super) names: u32,
    /// Length of the JSON.
    pub(super) about: u32,
    /// Length of the blocks and records.
    pub(super) data: u32,
    /// CRC-32 of header (this field as 0), tables, names and JSON.
    pub(super) checksum: u32,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        let numbers =
            [FORMAT, self.packages, self.advisories, self.names, self.about, self.data, self.checksum, 0];
        for (place, number) in bytes[8..].chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The header and the format; nothing where these are no such bytes.
    pub(super) fn parse(bytes: &[u8]) -> Option<(u32, Self)> {
        if bytes.get(..8)? != MAGIC {
            return None;
        }
        let number = |i: usize| u32_at(bytes, 8 + 4 * i);
        let header = Self {
            packages: number(1)?,
            advisories: number(2)?,
            names: number(3)?,
            about: number(4)?,
            data: number(5)?,
            checksum: number(6)?,
        };
        Some((number(0)?, header))
    }
}

/// A little-endian number at an offset, where there is one.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let end = offset.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(offset..end)?.try_into().ok()?))
}
