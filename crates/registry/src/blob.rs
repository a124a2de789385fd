//! The bytes of a blob, verified while they are read.

use std::fmt;
use std::io::{self, Read};

use ureq::BodyReader;

use crate::digest::Hasher;
use crate::documents::Descriptor;
use crate::error::Error;
use crate::http::{content, failed};

/// The bytes of a blob. They count only once the end was reached: where they are more or fewer than their descriptor says,
/// or have another digest, reading fails with an [`Error`] inside ([`Error::of_read`]).
pub struct Blob {
    body: BodyReader<'static>,
    what: String,
    descriptor: Descriptor,
    read: u64,
    state: State,
}

enum State {
    Reading(Hasher),
    Verified,
    Failed(Error),
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("descriptor", &self.descriptor).field("read", &self.read).finish()
    }
}

impl Blob {
    pub(crate) fn new(body: BodyReader<'static>, what: String, descriptor: Descriptor) -> Self {
        let state = State::Reading(descriptor.digest.hasher());
        Self { body, what, descriptor, read: 0, state }
    }

    fn verify(&self, hasher: Hasher) -> Result<State, Error> {
        let size = self.descriptor.size;
        if self.read < size {
            return Err(content(&self.what, format!("it ends after {} of {size} bytes", self.read)));
        }
        if hasher.finish() != self.descriptor.digest.sum() {
            return Err(content(&self.what, "its bytes have another digest".to_owned()));
        }
        Ok(State::Verified)
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let State::Reading(hasher) = &mut self.state else { return Ok(0) };
        let read = self.body.read(buffer).map_err(|error| failed(&self.what, error.into()))?;
        self.read += read as u64;
        if self.read > self.descriptor.size {
            return Err(content(&self.what, format!("it is longer than its {} bytes", self.descriptor.size)));
        }
        if read > 0 {
            hasher.update(&buffer[..read]);
            return Ok(read);
        }
        if let State::Reading(hasher) = std::mem::replace(&mut self.state, State::Verified) {
            self.state = self.verify(hasher)?;
        }
        Ok(0)
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let State::Failed(error) = &self.state {
            return Err(io::Error::other(error.clone()));
        }
        self.next(buffer).map_err(|error| {
            self.state = State::Failed(error.clone());
            io::Error::other(error)
        })
    }
}
