//! Entrance for the fuzz target of `/fuzz`: programs that a process in a container loaded.

use crate::call::{Arg, Data};
use crate::{Abi, Filter, Outcome, Program};

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 1] = [("seccomp_program", program)];

/// A call (number, six arguments: 52 bytes) and up to two programs, parted by their length. What exploration says must
/// be what running the programs shows.
///
/// # Panics
/// When exploring and running contradict each other.
pub fn program(bytes: &[u8]) {
    let Some((head, programs)) = bytes.split_first_chunk::<53>() else { return };
    let (first, second) = programs.split_at(programs.len().min(usize::from(head[52]) * 8));
    let decoded = [first, second].into_iter().filter_map(|bytes| Program::from_bytes(bytes).ok());
    let Ok(filter) = Filter::new(decoded.collect()) else { return };
    let number = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
    let mut args = [0; 6];
    for (arg, bytes) in args.iter_mut().zip(head[4..52].as_chunks().0) {
        *arg = u64::from_le_bytes(*bytes);
    }
    for abi in Abi::ALL {
        agree(&filter, abi, number, args);
    }
}

/// Runs one call, and asks about sets of calls that hold it.
fn agree(filter: &Filter, abi: Abi, number: u32, args: [u64; 6]) {
    let args = if abi == Abi::I386 { args.map(|arg| arg & u64::from(u32::MAX)) } else { args };
    let call = Data { number, arch: abi.audit_arch(), instruction_pointer: args[5], args };
    let allowed = filter.run(&call).allows();
    let sets = [
        [Arg::Any; 6],
        args.map(Arg::Equal),
        args.map(|arg| Arg::Int(arg as u32)),
        args.map(|arg| Arg::MaskedEqual { mask: arg, value: arg }),
    ];
    for set in sets {
        match filter.outcome_of_number(abi, number, &set) {
            Outcome::Allowed { witness } => {
                assert!(allowed, "{call:?} is denied");
                assert!(filter.run(&witness).allows(), "{witness:?} is denied");
            }
            Outcome::Conditional { witness, .. } => {
                assert!(filter.run(&witness).allows(), "{witness:?} is denied");
            }
            Outcome::Denied(_) => assert!(!allowed, "{call:?} is allowed"),
            Outcome::Unknown(_) | Outcome::NoSuchCall => {}
        }
    }
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
