//! Distinct filters and programs, as the facts keep them.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plimsoll_facts::{Seccomp, SeccompFilter, SeccompSource};
use plimsoll_seccomp::{Profile, Program};

use super::declared;

/// Most bytes of programs that are kept; a container may load as many different ones as it likes.
const MAX_BYTES: usize = 8 << 20;

/// Filters so far.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) seccomp: Seccomp,
    /// By their bytes as they were read, and in canonical form.
    programs: HashMap<Vec<u8>, u32>,
    filters: HashMap<SeccompFilter, u32>,
    /// Few: containers of one engine have one of some profiles.
    profiles: Vec<(Profile, Result<u32, String>)>,
    bytes: usize,
}

impl Kept {
    /// The place of a filter.
    ///
    /// # Errors
    /// When one of its programs is none that the kernel would accept, or there is no room for it.
    pub(super) fn filter<'p>(
        &mut self,
        source: SeccompSource,
        programs: impl Iterator<Item = &'p [u8]>,
        uncertain: Vec<String>,
    ) -> Result<u32, String> {
        let programs = programs.map(|program| self.program(program)).collect::<Result<_, _>>()?;
        let filter = SeccompFilter { source, programs, uncertain };
        Ok(*self.filters.entry(filter).or_insert_with_key(|filter| {
            self.seccomp.filters.push(filter.clone());
            place(&self.seccomp.filters)
        }))
    }

    /// The place of the filter that a profile comes to: each is compiled once.
    ///
    /// # Errors
    /// When it is no profile, or there is no room for it.
    pub(super) fn profile(&mut self, profile: Profile) -> Result<u32, String> {
        if let Some((_, known)) = self.profiles.iter().find(|(known, _)| *known == profile) {
            return known.clone();
        }
        let place = declared::compiled(&profile).and_then(|compiled| {
            let program = compiled.program.to_bytes();
            let uncertain = compiled.uncertain.into_iter().collect();
            self.filter(SeccompSource::Declared, [program.as_slice()].into_iter(), uncertain)
        });
        self.profiles.push((profile, place.clone()));
        place
    }

    fn program(&mut self, program: &[u8]) -> Result<u32, String> {
        if let Some(place) = self.programs.get(program) {
            return Ok(*place);
        }
        let canonical = Program::from_bytes(program)
            .map_err(|error| format!("a program that was read is none: {error}"))?
            .canonical_bytes();
        let known = match self.programs.get(&canonical) {
            Some(known) => *known,
            None => {
                let next = self.seccomp.programs.len() as u32;
                self.remember(&canonical, next)?;
                self.seccomp.programs.push(STANDARD.encode(&canonical));
                next
            }
        };
        self.remember(program, known)?;
        Ok(known)
    }

    fn remember(&mut self, form: &[u8], place: u32) -> Result<(), String> {
        if self.programs.contains_key(form) {
            return Ok(());
        }
        self.bytes += form.len();
        if self.bytes > MAX_BYTES {
            return Err(format!("the containers' distinct programs have more than {MAX_BYTES} bytes"));
        }
        self.programs.insert(form.to_owned(), place);
        Ok(())
    }
}

/// The place of the last of a list that [`MAX_BYTES`] keeps far below 2³².
fn place<T>(list: &[T]) -> u32 {
    list.len().saturating_sub(1) as u32
}
