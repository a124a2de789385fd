//! What has to hold for a flaw to be exercised: conditions joined by `&` (all) and `|` (any), `&` binding tighter.
//!
//! ```text
//! (cap(NET_ADMIN@netns) | userns()) & mod(nf_tables)
//! ```

mod parse;
mod words;

use std::fmt;

pub use parse::PreconditionError;
use words::{ACTORS, ENGINE_TRAITS, IMAGE_TRAITS, SPACES, VOLUMES, word_of};
pub use words::{Actor, CapabilitySpace, EngineTrait, ImageTrait, VolumeKind};

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
    Volume(VolumeKind),
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
    /// `setuid()`: a set-user-ID program can be run in the container, and its bit counts.
    SetUserId,
    /// `new_privs()`: running a program can raise privileges.
    NewPrivileges,
    /// `host_cgroupns()`: the cgroup namespace is the host's.
    HostCgroupNamespace,
    /// `memory(n)`: the container may use this much memory, in GiB.
    Memory(u64),
    /// `writable(x)`: a file system of this type can be written to.
    Writable(String),
    /// `iface(x)`: a network interface of the container has this feature.
    Interface(String),
    /// `image(x)`: the image is made so.
    Image(ImageTrait),
    /// `engine(x)`: the engine is set up so.
    Engine(EngineTrait),
}

/// Names of conditions that take no argument.
const BARE: [(&str, Atom); 13] = [
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
    ("setuid", Atom::SetUserId),
    ("new_privs", Atom::NewPrivileges),
    ("host_cgroupns", Atom::HostCgroupNamespace),
];

impl Precondition {
    /// Its conditions, in order of appearance.
    pub fn atoms(&self) -> Vec<&Atom> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::atoms).collect(),
            Self::Atom(atom) => vec![atom],
        }
    }
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
            Self::Volume(kind) => write!(f, "vol({})", word_of(kind, &VOLUMES)),
            Self::Mounted(what) => write!(f, "mnt({what})"),
            Self::KernelOption { name, on } => write!(f, "kconf({name}{})", if *on { "" } else { "=n" }),
            Self::Sysctl { name, at_most, value } => {
                write!(f, "sysctl({name}{}={value})", if *at_most { "<" } else { "" })
            }
            Self::Actor(actor) => write!(f, "actor({})", word_of(actor, &ACTORS)),
            Self::FileSystem(name) => write!(f, "fs({name})"),
            Self::Runtime(name) => write!(f, "runtime({name})"),
            Self::Host(name) => write!(f, "host({name})"),
            Self::Memory(gib) => write!(f, "memory({gib})"),
            Self::Writable(fs) => write!(f, "writable({fs})"),
            Self::Interface(feature) => write!(f, "iface({feature})"),
            Self::Image(image) => write!(f, "image({})", word_of(image, &IMAGE_TRAITS)),
            Self::Engine(engine) => write!(f, "engine({})", word_of(engine, &ENGINE_TRAITS)),
            bare => write!(f, "{}()", word_of(bare, &BARE)),
        }
    }
}
