//! What has to hold for a flaw to be exercised: conditions joined by `&` (all) and `|` (any), `&` binding tighter.
//!
//! ```text
//! (cap(NET_ADMIN@netns) | userns()) & mod(nf_tables)
//! ```

use std::fmt;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 16;

/// A precondition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// All of these.
    All(Vec<Precondition>),
    /// Any of these.
    Any(Vec<Precondition>),
    /// One condition.
    Atom(Atom),
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Atom {
    /// `always()`: any code in a container can do it.
    Always,
    /// `cap(NAME@SPACE)`: a capability counts in that namespace's user namespace.
    Capability {
        /// Without `CAP_`.
        name: String,
        /// Where it has to count.
        space: CapabilitySpace,
    },
    /// `userns()`: may make a user namespace.
    UserNamespace,
    /// `sys(a,b)`: all these system calls pass.
    SystemCalls(Vec<String>),
    /// `sock(FAMILY:TYPE)`: may make such a socket.
    Socket {
        /// `AF_…`.
        family: String,
        /// Type or protocol, where one is needed.
        kind: Option<String>,
    },
    /// `mod(x)`: the module is there, or would be loaded.
    Module(String),
    /// `mod_loaded(x)`: the module is loaded already.
    ModuleLoaded(String),
    /// `dev(path)`: the device can be opened.
    Device(String),
    /// `vol(any|shared|bind|bind-rw)`: a volume of this kind.
    Volume(String),
    /// `mnt(docker.sock)`: this is mounted into the container.
    Mounted(String),
    /// `hostnet()`: the host's network namespace.
    HostNetwork,
    /// `uid0()`: the host's user 0.
    HostRoot,
    /// `kconf(X)`, `kconf(X=n)`: the kernel was built so.
    KernelOption {
        /// Without `CONFIG_`.
        name: String,
        /// Whether it has to be on.
        on: bool,
    },
    /// `sysctl(name=n)`, `sysctl(name<=n)`.
    Sysctl {
        /// Dotted name.
        name: String,
        /// Whether less is enough.
        at_most: bool,
        /// Bound.
        value: i64,
    },
    /// `actor(x)`: an attacker provides, or somebody does, this.
    Actor(Actor),
    /// `cgroup_v1()`: a v1 hierarchy can be mounted or is.
    CgroupV1,
    /// `fs(x)`: the file system is there.
    FileSystem(String),
    /// `runtime(x)`: the container's runtime.
    Runtime(String),
    /// `host(x)`: this is installed or runs on the host.
    Host(String),
    /// `cri()`: containerd serves Kubernetes.
    Cri,
    /// `authz_plugin()`: an authorization plugin guards the engine's API.
    AuthorizationPlugin,
    /// `rootless()`: the engine runs without root.
    Rootless,
    /// `userns_remap()`: the engine maps container root to another user.
    UsernsRemap,
    /// `tty()`: the container has a console.
    Tty,
    /// `other(words)`: what no fact decides.
    Other(String),
}

/// Where a capability has to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapabilitySpace {
    /// The initial user namespace.
    Init,
    /// The user namespace that owns the container's network namespace.
    Netns,
    /// The user namespace of the process.
    Userns,
}

/// What an attacker provides, or somebody does to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The image that runs.
    Image,
    /// The options with which a container is made.
    Create,
    /// `docker exec`.
    Exec,
    /// `docker cp`.
    Copy,
    /// `docker build`.
    Build,
    /// `docker pull`.
    Pull,
    /// Requests to the engine's API.
    Api,
    /// `docker import`.
    Import,
    /// `docker load`.
    Load,
}

/// Names of conditions that take no argument.
const BARE: [(&str, Atom); 10] = [
    ("always", Atom::Always),
    ("userns", Atom::UserNamespace),
    ("hostnet", Atom::HostNetwork),
    ("uid0", Atom::HostRoot),
    ("cgroup_v1", Atom::CgroupV1),
    ("cri", Atom::Cri),
    ("authz_plugin", Atom::AuthorizationPlugin),
    ("rootless", Atom::Rootless),
    ("userns_remap", Atom::UsernsRemap),
    ("tty", Atom::Tty),
];

const ACTORS: [(&str, Actor); 9] = [
    ("image", Actor::Image),
    ("create", Actor::Create),
    ("exec", Actor::Exec),
    ("cp", Actor::Copy),
    ("build", Actor::Build),
    ("pull", Actor::Pull),
    ("api", Actor::Api),
    ("import", Actor::Import),
    ("load", Actor::Load),
];

const SPACES: [(&str, CapabilitySpace); 3] =
    [("init", CapabilitySpace::Init), ("netns", CapabilitySpace::Netns), ("userns", CapabilitySpace::Userns)];

const VOLUMES: [&str; 4] = ["any", "shared", "bind", "bind-rw"];

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

    /// Its conditions, in order of appearance.
    pub fn atoms(&self) -> Vec<&Atom> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::atoms).collect(),
            Self::Atom(atom) => vec![atom],
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn any(&mut self, depth: usize) -> Result<Precondition, PreconditionError> {
        let mut parts = vec![self.all(depth)?];
        while self.take('|') {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Precondition::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Precondition, PreconditionError> {
        let mut parts = vec![self.single(depth)?];
        while self.take('&') {
            parts.push(self.single(depth)?);
        }
        Ok(one_or(parts, Precondition::All))
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
        "vol" if VOLUMES.contains(&argument) => Atom::Volume(word()),
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
        "other" => Atom::Other(word()),
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

fn word_of<T: PartialEq>(meaning: &T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, listed)| listed == meaning).map_or("", |(word, _)| word)
}

impl fmt::Display for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, joint) = match self {
            Self::Atom(atom) => return atom.fmt(f),
            Self::All(parts) => (parts, " & "),
            Self::Any(parts) => (parts, " | "),
        };
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(joint)?;
            }
            match (self, part) {
                (Self::All(_), Self::Any(_) | Self::All(_)) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability { name, space } => write!(f, "cap({name}@{})", word_of(space, &SPACES)),
            Self::SystemCalls(calls) => write!(f, "sys({})", calls.join(",")),
            Self::Socket { family, kind: None } => write!(f, "sock({family})"),
            Self::Socket { family, kind: Some(kind) } => write!(f, "sock({family}:{kind})"),
            Self::Module(name) => write!(f, "mod({name})"),
            Self::ModuleLoaded(name) => write!(f, "mod_loaded({name})"),
            Self::Device(path) => write!(f, "dev({path})"),
            Self::Volume(kind) => write!(f, "vol({kind})"),
            Self::Mounted(what) => write!(f, "mnt({what})"),
            Self::KernelOption { name, on } => write!(f, "kconf({name}{})", if *on { "" } else { "=n" }),
            Self::Sysctl { name, at_most, value } => {
                write!(f, "sysctl({name}{}={value})", if *at_most { "<" } else { "" })
            }
            Self::Actor(actor) => write!(f, "actor({})", word_of(actor, &ACTORS)),
            Self::FileSystem(name) => write!(f, "fs({name})"),
            Self::Runtime(name) => write!(f, "runtime({name})"),
            Self::Host(name) => write!(f, "host({name})"),
            Self::Other(words) => write!(f, "other({words})"),
            bare => write!(f, "{}()", word_of(bare, &BARE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "actor(create) & other(the attacker's words, as they are)",
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
            ("mod()", 0),
        ] {
            assert_eq!(Precondition::parse(text).unwrap_err().at, at, "{text}");
        }
        assert!(Precondition::parse(&"(".repeat(1000)).is_err());
    }
}
