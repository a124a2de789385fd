//! System calls and what they do, through every door that leads there.

use plimsoll_seccomp::{Abi, Arg, Outcome};

use crate::truth::Truth;

/// What lets system calls pass: the filters that the kernel holds, or the profile that they are made from.
pub trait Passes {
    /// What happens to calls of this name with such arguments.
    fn outcome(&self, abi: Abi, name: &str, args: &[Arg]) -> Outcome;
}

impl Passes for plimsoll_seccomp::Filter {
    fn outcome(&self, abi: Abi, name: &str, args: &[Arg]) -> Outcome {
        Self::outcome(self, abi, name, args)
    }
}

/// The calls of one thread.
pub struct Calls<'f> {
    /// The filter; the reason where it is not known.
    pub filter: Result<&'f dyn Passes, String>,
    /// Where the filter was read, as messages call it: `the kernel's filter`, `the declared profile`; empty where there
    /// is none.
    pub source: &'static str,
    /// Doors into the kernel, and whether it has them.
    pub doors: &'f [(Abi, Truth)],
    /// Whether io_uring can be used, seccomp aside.
    pub io_uring: Truth,
}

/// `SYS_SOCKET` of linux/net.h: what `socketcall` is told to do.
const SOCKETCALL_SOCKET: u32 = 1;

const CLONE_NEWUSER: u64 = 0x1000_0000;

impl Calls<'_> {
    /// Whether a call passes, by any door that has it.
    pub(crate) fn pass(&self, name: &str, args: &[Arg]) -> Truth {
        self.by_doors(name, |abi| abi.number(name).map(|_| (name, args.to_vec())))
    }

    /// Whether a socket can be made: by `socket`, by `socketcall` of 32-bit x86, whose arguments no filter sees, or by
    /// io_uring, which no filter sees at all.
    pub(crate) fn socket(&self, label: &str, family: u32, kind: Option<u32>, protocol: Option<u32>) -> Truth {
        // SOCK_NONBLOCK and SOCK_CLOEXEC share the argument with the type.
        let kind = kind.map_or(Arg::Any, |kind| Arg::MaskedEqual { mask: 0xf, value: kind.into() });
        let args = [Arg::Int(family), kind, protocol.map_or(Arg::Any, Arg::Int)];
        let what = format!("socket({label})");
        self.by_doors(&what, |abi| abi.number("socket").map(|_| ("socket", args.to_vec())))
            .or(|| {
                self.by_doors(&format!("socketcall for {label}"), |abi| {
                    let args = vec![Arg::Int(SOCKETCALL_SOCKET)];
                    abi.number("socketcall").map(|_| ("socketcall", args))
                })
            })
            .or(|| self.by_io_uring(&what))
    }

    /// Whether something that io_uring does too can be done without its own call.
    pub(crate) fn by_io_uring(&self, what: &str) -> Truth {
        self.pass("io_uring_setup", &[])
            .and(|| self.io_uring.clone())
            .and(|| Truth::yes(format!("{what} by io_uring, past the filter")))
    }

    /// Whether a user namespace can be made, privileges aside: by `unshare`, `clone` or `clone3`, whose flags no filter
    /// sees.
    pub(crate) fn new_user_namespace(&self, with: u64) -> Truth {
        let flags = CLONE_NEWUSER | with;
        let flags = Arg::MaskedEqual { mask: flags, value: flags };
        self.pass("unshare", &[flags]).or(|| self.pass("clone", &[flags])).or(|| self.pass("clone3", &[]))
    }

    /// By every door that the kernel has: one that lets it pass decides, then one that is unknown.
    fn by_doors<'a>(&self, what: &str, call: impl Fn(Abi) -> Option<(&'a str, Vec<Arg>)>) -> Truth {
        let mut denied = Vec::new();
        let mut answer = None::<Truth>;
        for (abi, exists) in self.doors {
            let (Some((name, args)), false) = (call(*abi), matches!(exists, Truth::No(_))) else { continue };
            match exists.clone().and(|| self.by_door(what, *abi, name, &args)) {
                Truth::No(how) => denied.extend(how),
                other => answer = Some(answer.map_or(other.clone(), |before| before.or(|| other))),
            }
        }
        answer.unwrap_or_else(|| match denied.is_empty() {
            true => Truth::no(format!("kernel: it serves no ABI that has {what}")),
            false => {
                Truth::no(format!("seccomp: {what} is denied by {} ({})", self.source, denied.join(", ")))
            }
        })
    }

    fn by_door(&self, what: &str, abi: Abi, name: &str, args: &[Arg]) -> Truth {
        let filter = match &self.filter {
            Ok(filter) => filter,
            Err(why) => return Truth::unknown(why.clone()),
        };
        let (abi_name, source) = (abi.name(), self.source);
        match filter.outcome(abi, name, args) {
            Outcome::Allowed { .. } | Outcome::Conditional { .. } if source.is_empty() => {
                Truth::yes(format!("{what} is not filtered ({abi_name})"))
            }
            Outcome::Allowed { .. } | Outcome::Conditional { .. } => {
                Truth::yes(format!("{what} passes {source} ({abi_name})"))
            }
            Outcome::Denied(how) => Truth::no(format!("{abi_name}: {how}")),
            Outcome::NoSuchCall => Truth::no(format!("{abi_name}: no such call")),
            Outcome::Unknown(doubt) => Truth::unknown(format!("{what} ({abi_name}): {doubt}")),
        }
    }
}
