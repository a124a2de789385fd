//! Files of paragraphs and fields (deb822(5)), read piece by piece in bounded memory.

use std::io::{self, Read};

use memchr::memmem;

/// Longest paragraph that is understood; the longest of Debian's own have some ten kilobytes.
const MAX_PARAGRAPH: usize = 1 << 20;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// Calls `visit` with each paragraph of at most `limit` bytes of text.
///
/// # Errors
/// When reading fails, the text is longer than `limit`, or a paragraph is longer than [`MAX_PARAGRAPH`].
pub(super) fn each(reader: impl Read, limit: u64, mut visit: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = reader.take(limit.saturating_add(1));
    let separator = memmem::Finder::new("\n\n");
    let (mut buffer, mut total) = (Vec::with_capacity(2 * CHUNK), 0_u64);
    loop {
        let read = reader.by_ref().take(CHUNK as u64).read_to_end(&mut buffer)?;
        total = total.saturating_add(read as u64);
        if total > limit {
            return Err(io::Error::other(format!("longer than the {limit} bytes that are read of it")));
        }
        let mut start = 0;
        while let Some(rest) = buffer.get(start..)
            && let Some(length) = separator.find(rest)
        {
            visit(rest.get(..=length).unwrap_or_default());
            start += length + 2;
        }
        buffer.drain(..start);
        if read == 0 {
            visit(&buffer);
            return Ok(());
        }
        if buffer.len() > MAX_PARAGRAPH {
            return Err(io::Error::other("not a file of paragraphs and fields"));
        }
    }
}

/// The value of a field's first line.
pub(super) fn field<'a>(paragraph: &'a [u8], name: &str) -> Option<&'a str> {
    paragraph.split(|b| *b == b'\n').find_map(|line| {
        let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        std::str::from_utf8(value).ok().map(str::trim)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &[u8], limit: u64) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        each(text, limit, |p| names.extend(field(p, "Package").map(str::to_owned)))?;
        Ok(names)
    }

    #[test]
    fn across_chunks() {
        let one = format!("Package: a\nDescription: {}\n Package: no\n\n", "x".repeat(CHUNK / 3));
        let text = format!("{}Package: last\n", one.repeat(7));
        let found = names(text.as_bytes(), 1 << 24).unwrap();
        assert_eq!(found.len(), 8);
        assert_eq!(found[7], "last");
    }

    #[test]
    fn bounds() {
        assert!(names(b"Package: a\n\n", 11).is_err());
        assert_eq!(names(b"Package: a\n\n", 12).unwrap(), ["a"]);
        assert!(names(&b"x".repeat(MAX_PARAGRAPH + 2), 1 << 30).is_err());
        assert_eq!(names(b"", 0).unwrap(), [""; 0]);
    }
}
