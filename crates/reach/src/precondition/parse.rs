//! Reads preconditions.

use super::words::{ACTORS, ENGINE_TRAITS, IMAGE_TRAITS, SPACES, VOLUMES};
use super::{Atom, BARE, Precondition};

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;

/// Why a text is no precondition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("precondition, byte {at}: {reason}")]
pub struct PreconditionError {
    /// Where, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Precondition {
    /// Reads a precondition.
    ///
    /// # Errors
    /// The first place that is not of the language.
    pub fn parse(text: &str) -> Result<Self, PreconditionError> {
        let mut parser = Parser { text, at: 0 };
        let whole = parser.any(0)?;
        match parser.peek() {
            None => Ok(whole),
            Some(other) => Err(parser.error(format!("`{other}` follows the end"))),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self, depth: usize) -> Result<Precondition, PreconditionError> {
        let mut parts = Vec::new();
        loop {
            match self.all(depth)? {
                Precondition::Any(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.take('|') {
                return Ok(one_or(parts, Precondition::Any));
            }
        }
    }

    fn all(&mut self, depth: usize) -> Result<Precondition, PreconditionError> {
        let mut parts = Vec::new();
        loop {
            match self.single(depth)? {
                Precondition::All(inner) => parts.extend(inner),
                part => parts.push(part),
            }
            if !self.take('&') {
                return Ok(one_or(parts, Precondition::All));
            }
        }
    }

    fn single(&mut self, depth: usize) -> Result<Precondition, PreconditionError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        if self.take('(') {
            let inner = self.any(depth + 1)?;
            return if self.take(')') { Ok(inner) } else { Err(self.error("`)` is missing")) };
        }
        self.atom().map(Precondition::Atom)
    }

    fn atom(&mut self) -> Result<Atom, PreconditionError> {
        self.peek();
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(length);
        let argument = after
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'))
            .map(|(argument, _)| argument)
            .ok_or_else(|| self.error("a condition is a name with its argument in parentheses"))?;
        self.at += length + argument.len() + 2;
        atom(name, argument).map_err(|reason| PreconditionError { at: start, reason })
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn error(&self, reason: impl Into<String>) -> PreconditionError {
        PreconditionError { at: self.at, reason: reason.into() }
    }
}

fn one_or(mut parts: Vec<Precondition>, join: fn(Vec<Precondition>) -> Precondition) -> Precondition {
    if parts.len() > 1 {
        return join(parts);
    }
    parts.pop().unwrap_or(Precondition::Atom(Atom::Always))
}

fn atom(name: &str, argument: &str) -> Result<Atom, String> {
    if let Some((_, atom)) = BARE.iter().find(|(bare, _)| *bare == name) {
        return if argument.is_empty() { Ok(atom.clone()) } else { Err(format!("{name} takes no argument")) };
    }
    if argument.is_empty() {
        return Err(format!("`{name}()` is no condition"));
    }
    let word = || argument.to_owned();
    Ok(match name {
        "cap" => {
            let (capability, space) = argument.split_once('@').ok_or("a capability counts `@` somewhere")?;
            Atom::Capability { name: capability.to_owned(), space: listed(space, &SPACES)? }
        }
        "sys" => Atom::SystemCalls(argument.split(',').map(str::to_owned).collect()),
        "sock" => match argument.split_once(':') {
            Some((family, kind)) => Atom::Socket { family: family.to_owned(), kind: Some(kind.to_owned()) },
            None => Atom::Socket { family: word(), kind: None },
        },
        "mod" => Atom::Module(word()),
        "mod_loaded" => Atom::ModuleLoaded(word()),
        "dev" => Atom::Device(word()),
        "vol" => Atom::Volume(listed(argument, &VOLUMES)?),
        "mnt" => Atom::Mounted(word()),
        "kconf" => match argument.strip_suffix("=n") {
            Some(name) => Atom::KernelOption { name: name.to_owned(), on: false },
            None => Atom::KernelOption { name: word(), on: true },
        },
        "sysctl" => sysctl(argument)?,
        "actor" => Atom::Actor(listed(argument, &ACTORS)?),
        "fs" => Atom::FileSystem(word()),
        "runtime" => Atom::Runtime(word()),
        "host" => Atom::Host(word()),
        "memory" => Atom::Memory(argument.parse().map_err(|_| format!("`{argument}` is no number of GiB"))?),
        "writable" => Atom::Writable(word()),
        "iface" => Atom::Interface(word()),
        "image" => Atom::Image(listed(argument, &IMAGE_TRAITS)?),
        "engine" => Atom::Engine(listed(argument, &ENGINE_TRAITS)?),
        _ => return Err(format!("`{name}({argument})` is no condition")),
    })
}

fn sysctl(argument: &str) -> Result<Atom, String> {
    let (name, value) = argument.split_once('=').ok_or("a sysctl is held against `=` or `<=`")?;
    let value = value.parse().map_err(|_| format!("`{value}` is no number"))?;
    let at_most = name.ends_with('<');
    Ok(Atom::Sysctl { name: name.trim_end_matches('<').to_owned(), at_most, value })
}

fn listed<T: Copy>(word: &str, words: &[(&str, T)]) -> Result<T, String> {
    words
        .iter()
        .find(|(listed, _)| *listed == word)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| format!("`{word}` is not one of its words"))
}

#[cfg(test)]
mod tests {
    use crate::precondition::{Atom, Precondition};

    #[test]
    fn all_binds_tighter_than_any() {
        let read = Precondition::parse("uid0() | userns() & mod(tls)").unwrap();
        assert_eq!(
            read,
            Precondition::Any(vec![
                Precondition::Atom(Atom::HostRoot),
                Precondition::All(vec![
                    Precondition::Atom(Atom::UserNamespace),
                    Precondition::Atom(Atom::Module("tls".into())),
                ]),
            ])
        );
        assert_eq!(read.atoms().len(), 3);
    }

    #[test]
    fn what_is_printed_reads_the_same() {
        for text in [
            "(cap(NET_ADMIN@netns) | userns()) & mod(nf_tables)",
            "sys(perf_event_open) & (cap(PERFMON@init) | sysctl(kernel.perf_event_paranoid<=2))",
            "actor(create) & engine(firewalld) & image(user-overflow) & memory(32)",
            "setuid() & writable(xfs) & iface(ufo) & host_cgroupns() & vol(bind-rw)",
            "sock(AF_INET6:DCCP) & kconf(X=n) | tty()",
        ] {
            assert_eq!(Precondition::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_of_the_language() {
        for (text, at) in [
            ("", 0),
            ("userns", 0),
            ("userns(x)", 0),
            ("uid0() &", 8),
            ("uid0() uid0()", 7),
            ("(uid0()", 7),
            ("uid0() & cap(NET_ADMIN)", 9),
            ("actor(god)", 0),
            ("sysctl(a=b)", 0),
            ("vol(tape)", 0),
            ("nothing(x)", 0),
            ("other(words)", 0),
            ("memory(much)", 0),
            ("mod()", 0),
        ] {
            assert_eq!(Precondition::parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(Precondition::parse(&"(".repeat(1000)).is_err());
    }
}
