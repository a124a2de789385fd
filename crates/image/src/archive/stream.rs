//! The bytes of a layer: a region of a file, or what a compressed stream unpacks to, within bounds.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use sha2::{Digest, Sha256};

use super::tar::Source;
use crate::entry::Region;

/// Bytes that a stream may unpack to, whatever its size.
const MAX_UNPACKED: u64 = 256 << 30;
/// Bytes that a stream may unpack to before its ratio counts.
const FREE_UNPACKED: u64 = 1 << 30;
/// How many times its size a stream may unpack to: DEFLATE reaches 1032, file systems hardly 20.
const MAX_RATIO: u64 = 200;
/// Bytes by which a compression is told; an archive is longer.
pub(super) const HEAD: usize = 8;
/// How much is read at once.
const BUFFER: usize = 128 << 10;

/// How a stream is compressed, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
    /// One that is not covered, by name.
    Other(&'static str),
}

impl Compression {
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [b'B', b'Z', b'h', ..] => Self::Other("bzip2"),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Other("xz"),
            _ => Self::None,
        }
    }
}

/// A region of a file as bytes in order; what is passed over is not read.
pub(super) struct Window<'a> {
    file: &'a File,
    start: u64,
    size: u64,
    at: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a File, start: u64, size: u64) -> Self {
        Self { file, start, size, at: 0 }
    }

    /// The next so many bytes as a region.
    pub(super) fn region(&self, size: u64) -> Region<&'a File> {
        let size = size.min(self.size - self.at);
        Region { file: self.file, start: self.start + self.at, size }
    }

    /// Where it is.
    pub(super) fn position(&self) -> u64 {
        self.start + self.at
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
        let length = buffer.len().min(rest);
        let read = self.file.read_at(&mut buffer[..length], self.start + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Source for Window<'_> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        if bytes > self.size - self.at {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += bytes;
        Ok(())
    }
}

/// What a stream unpacks to.
pub(super) struct Unpacked<R: Read> {
    reader: BufReader<R>,
    read: u64,
    limit: u64,
}

/// Unpacks a stream of `size` bytes; what is not compressed is read as it is.
///
/// # Errors
/// When it is compressed in a way that is not covered.
pub(super) fn unpack<'a>(
    stream: impl Read + 'a,
    size: u64,
    compression: Compression,
) -> io::Result<Unpacked<Box<dyn Read + 'a>>> {
    Ok(Unpacked::new(decoder(stream, compression)?, size))
}

/// The same, and the SHA-256 of what it unpacks to is taken on the way.
///
/// # Errors
/// As [`unpack`].
pub(super) fn unpack_hashed<'a>(
    stream: impl Read + 'a,
    size: u64,
    compression: Compression,
) -> io::Result<Unpacked<Hashed<Box<dyn Read + 'a>>>> {
    Ok(Unpacked::new(Hashed::new(decoder(stream, compression)?), size))
}

fn decoder<'a>(stream: impl Read + 'a, compression: Compression) -> io::Result<Box<dyn Read + 'a>> {
    let stream = BufReader::with_capacity(BUFFER, stream);
    Ok(match compression {
        Compression::None => Box::new(stream),
        Compression::Gzip => Box::new(MultiGzDecoder::new(stream)),
        Compression::Zstd => Box::new(ZstdFrames { decoder: FrameDecoder::new(), stream }),
        Compression::Other(name) => {
            return Err(io::Error::other(format!("it is compressed with {name}, which is not covered")));
        }
    })
}

impl<R: Read> Unpacked<R> {
    /// What comes out of a decoder of `size` bytes.
    fn new(reader: R, size: u64) -> Self {
        let limit = size.saturating_mul(MAX_RATIO).clamp(FREE_UNPACKED, MAX_UNPACKED);
        Self { reader: BufReader::with_capacity(BUFFER, reader), read: 0, limit }
    }

    /// What it was made of.
    pub(super) fn into_inner(self) -> R {
        self.reader.into_inner()
    }

    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.read += bytes as u64;
        if self.read > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "it unpacks to more than {} bytes, which is out of proportion to its size",
                    self.limit
                ),
            ));
        }
        Ok(())
    }

    /// Reads what is left, so that the stream is seen whole.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        loop {
            let length = self.reader.fill_buf()?.len();
            if length == 0 {
                return Ok(());
            }
            self.reader.consume(length);
            self.count(length)?;
        }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count(read)?;
        Ok(read)
    }
}

impl<R: Read> Source for Unpacked<R> {
    fn skip(&mut self, mut bytes: u64) -> io::Result<()> {
        while bytes > 0 {
            let length = self.reader.fill_buf()?.len();
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(length);
            self.reader.consume(length);
            self.count(length)?;
            bytes -= length as u64;
        }
        Ok(())
    }
}

/// What the frames of a zstd stream unpack to.
pub(crate) fn unpack_zstd<'a>(bytes: &'a [u8]) -> impl Read + 'a {
    ZstdFrames { decoder: FrameDecoder::new(), stream: bytes }
}

/// All frames of a zstd stream (RFC 8878); those that are to be skipped are.
struct ZstdFrames<R> {
    decoder: FrameDecoder,
    stream: R,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                if self.stream.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.next_frame()?;
            } else {
                let one = ruzstd::decoding::BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.stream, one).map_err(io::Error::other)?;
            }
        }
    }
}

impl<R: BufRead> ZstdFrames<R> {
    fn next_frame(&mut self) -> io::Result<()> {
        match self.decoder.init(&mut self.stream) {
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let skipped = io::copy(&mut self.stream.by_ref().take(length.into()), &mut io::sink())?;
                if skipped == u64::from(length) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
            }
            other => other.map_err(io::Error::other),
        }
    }
}

/// A stream whose SHA-256 is taken on the way.
pub(super) struct Hashed<R> {
    stream: R,
    digest: Sha256,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, digest: Sha256::new() }
    }

    /// Reads what is left and answers with the sum of all, in hexadecimal.
    pub(super) fn finish(mut self) -> io::Result<String> {
        let mut buffer = vec![0; BUFFER];
        while self.read(&mut buffer)? > 0 {}
        Ok(hexadecimal(&self.digest.finalize()))
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

/// Fills a buffer as far as a stream goes; answers with how far.
pub(super) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
