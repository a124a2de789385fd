//! What filters allow, from small programs written by hand.

use plimsoll_seccomp::{Abi, Action, Arg, Data, Denial, Doubt, Filter, Instruction, Outcome, Program};
use proptest::prelude::*;

const AF_ALG: u32 = 38;
const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x5_0001;

fn op(code: u16, constant: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, constant }
}

fn branch(code: u16, constant: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction { code, jump_true, jump_false, constant }
}

fn load(word: u32) -> Instruction {
    op(0x20, 4 * word)
}

fn ret(value: u32) -> Instruction {
    op(0x06, value)
}

fn filter(programs: &[&[Instruction]]) -> Filter {
    let checked = programs.iter().map(|program| Program::new(program.to_vec()).expect("a valid program"));
    Filter::new(checked.collect()).expect("no more than a thread may have")
}

fn socket(filter: &Filter, args: &[Arg]) -> Outcome {
    filter.outcome(Abi::X86_64, "socket", args)
}

/// `socket(AF_ALG, …)` fails; the comparison looks at 32 bits.
fn no_af_alg() -> [Instruction; 6] {
    [load(0), branch(0x15, 41, 0, 3), load(4), branch(0x15, AF_ALG, 0, 1), ret(EPERM), ret(ALLOW)]
}

#[test]
fn no_program_allows_everything() {
    assert!(matches!(socket(&filter(&[]), &[]), Outcome::Allowed { .. }));
}

#[test]
fn arguments_decide() {
    let filter = filter(&[&no_af_alg()]);
    let outcome = socket(&filter, &[]);
    let Outcome::Conditional { witness, denied } = outcome else { panic!("{outcome:?}") };
    assert_ne!(witness.args[0] as u32, AF_ALG);
    assert_eq!(denied, Some(Denial::Errno(1)));
    assert_eq!(socket(&filter, &[Arg::Int(AF_ALG)]), Outcome::Denied(Denial::Errno(1)));
    assert!(matches!(socket(&filter, &[Arg::Int(2)]), Outcome::Allowed { .. }));
    assert!(matches!(filter.outcome(Abi::X86_64, "splice", &[]), Outcome::Allowed { .. }));
    assert_eq!(filter.outcome(Abi::X86_64, "socketcall", &[]), Outcome::NoSuchCall);
}

/// libseccomp compares all 64 bits; the kernel reads the lower 32 of an `int`. The rule "not AF_ALG" lets AF_ALG through
/// with a bit above.
#[test]
fn a_bit_above_an_int_passes_by_a_comparison_of_64_bits() {
    let program = [
        load(0),
        branch(0x15, 41, 0, 5),
        load(5),
        branch(0x15, 0, 0, 3),
        load(4),
        branch(0x15, AF_ALG, 0, 1),
        ret(EPERM),
        ret(ALLOW),
    ];
    let filter = filter(&[&program]);
    assert_eq!(socket(&filter, &[Arg::Equal(AF_ALG.into())]), Outcome::Denied(Denial::Errno(1)));
    let outcome = socket(&filter, &[Arg::Int(AF_ALG)]);
    let Outcome::Conditional { witness, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(witness.args[0] as u32, AF_ALG);
    assert_ne!(witness.args[0] >> 32, 0);
}

#[test]
fn flags_are_asked_bit_by_bit() {
    const CLONE_NEWUSER: u64 = 0x1000_0000;
    let program = [
        load(0),
        branch(0x15, 56, 0, 4),
        load(4),
        op(0x54, 0x7e02_0000),
        branch(0x15, 0, 0, 1),
        ret(ALLOW),
        ret(EPERM),
    ];
    let filter = filter(&[&program]);
    let clone = |mask, value| filter.outcome(Abi::X86_64, "clone", &[Arg::MaskedEqual { mask, value }]);
    assert_eq!(clone(CLONE_NEWUSER, CLONE_NEWUSER), Outcome::Denied(Denial::Errno(1)));
    assert!(matches!(clone(CLONE_NEWUSER, 0), Outcome::Conditional { .. }));
    assert!(matches!(clone(0x7e02_0000, 0), Outcome::Allowed { .. }));
}

#[test]
fn each_way_into_the_kernel_is_judged_by_itself() {
    let program = [load(1), branch(0x15, 0xC000_003E, 0, 1), ret(EPERM), ret(ALLOW)];
    let filter = filter(&[&program]);
    assert!(matches!(filter.outcome(Abi::I386, "socket", &[]), Outcome::Allowed { .. }));
    assert_eq!(filter.outcome(Abi::X32, "socket", &[]), Outcome::Denied(Denial::Errno(1)));
    let upper = Outcome::Unknown(Doubt::NoSuchArguments);
    assert_eq!(filter.outcome(Abi::I386, "socket", &[Arg::Equal(1 << 32)]), upper);
}

#[test]
fn the_strictest_of_64_programs_wins() {
    let allow: &[Instruction] = &[ret(ALLOW)];
    let no_af_alg = no_af_alg();
    let mut programs = vec![allow; 63];
    programs.insert(31, &no_af_alg);
    assert_eq!(socket(&filter(&programs), &[Arg::Int(AF_ALG)]), Outcome::Denied(Denial::Errno(1)));
    assert!(matches!(socket(&filter(&programs), &[Arg::Int(1)]), Outcome::Allowed { .. }));
    programs[0] = &[Instruction { code: 0x06, jump_true: 0, jump_false: 0, constant: 0x8000_0000 }];
    assert_eq!(socket(&filter(&programs), &[]), Outcome::Denied(Denial::KillProcess));
}

/// Each of 64 programs looks at another bit: 2⁶⁴ paths, of which the denials end early and one allows.
#[test]
fn many_paths_are_never_called_denied() {
    let programs: Vec<_> = (0..64)
        .map(|bit| [load(4 + bit / 32), branch(0x45, 1 << (bit % 32), 0, 1), ret(0x7ffc_0000), ret(ALLOW)])
        .collect();
    let refs: Vec<&[Instruction]> = programs.iter().map(<[_; 4]>::as_slice).collect();
    assert_eq!(socket(&filter(&refs), &[]).is_possible(), Some(true));
}

#[test]
fn somebody_else_may_decide() {
    for value in [0x7fc0_0000, 0x7ff0_0000] {
        assert_eq!(socket(&filter(&[&[ret(value)]]), &[]), Outcome::Unknown(Doubt::SomebodyDecides));
        assert_eq!(socket(&filter(&[&[ret(value)], &[ret(EPERM)]]), &[]).is_possible(), Some(false));
    }
}

/// `a0 * 3 == 114`: not followed. The example that is run may happen to be allowed, but denied is never claimed.
#[test]
fn what_is_not_followed_is_unknown() {
    let program = [load(4), op(0x24, 3), branch(0x15, 3 * AF_ALG, 0, 1), ret(ALLOW), ret(EPERM)];
    assert_eq!(socket(&filter(&[&program]), &[]), Outcome::Unknown(Doubt::Inexact));
    assert!(matches!(socket(&filter(&[&program]), &[Arg::Equal(AF_ALG.into())]), Outcome::Allowed { .. }));
    let returned = [load(4), op(0x16, 0)];
    assert_eq!(socket(&filter(&[&returned]), &[]).is_possible(), None);
}

#[test]
fn what_the_kernel_refuses_is_refused() {
    let refused = |program: &[Instruction]| Program::new(program.to_vec()).unwrap_err().to_string();
    let end = ret(ALLOW);
    assert_eq!(refused(&[]), "0 instructions; a filter has 1 to 4096");
    assert_eq!(refused(&[end; 4097]), "4097 instructions; a filter has 1 to 4096");
    assert_eq!(refused(&[load(0)]), "the last instruction does not return");
    assert_eq!(refused(&[op(0x20, 64), end]), "instruction 0: loads what is no word of the call");
    assert_eq!(refused(&[op(0x20, 2), end]), "instruction 0: loads what is no word of the call");
    assert_eq!(refused(&[op(0x05, 1), end]), "instruction 0: jumps out of the program");
    assert_eq!(refused(&[op(0x05, u32::MAX), end]), "instruction 0: jumps out of the program");
    assert_eq!(refused(&[branch(0x15, 0, 0, 1), end]), "instruction 0: jumps out of the program");
    assert_eq!(refused(&[op(0x02, 16), end]), "instruction 0: names a slot beyond the 16 that there are");
    assert_eq!(refused(&[op(0x34, 0), end]), "instruction 0: divides by zero");
    assert_eq!(refused(&[op(0x74, 32), end]), "instruction 0: shifts by 32 bits or more");
    assert_eq!(
        refused(&[op(0x94, 3), end]),
        "instruction 0: no operation of a seccomp filter has the code 0x0094"
    );
    let half_set = [branch(0x15, 0, 1, 0), op(0x02, 3), op(0x60, 3), end];
    assert_eq!(refused(&half_set), "instruction 2: may load a slot that nothing was stored in");
    assert!(Program::new(vec![op(0x02, 3), branch(0x15, 0, 1, 0), op(0x02, 3), op(0x60, 3), end]).is_ok());
    assert!(Program::from_bytes(&[6, 0, 0, 0, 0, 0, 0xff]).is_err());
    let full = Program::new(vec![ret(ALLOW); 4096]).unwrap();
    assert!(Filter::new(vec![full.clone(); 7]).is_ok());
    assert!(Filter::new(vec![full; 8]).is_err());
}

#[test]
fn every_operation_runs() {
    let run = |program: &[Instruction]| {
        let call = Data { number: 7, arch: 0, instruction_pointer: 0, args: [u64::MAX << 8, 0, 0, 0, 0, 5] };
        Program::new(program.to_vec()).unwrap().run(&call)
    };
    let value = |steps: &[Instruction]| run(&[steps, &[op(0x16, 0)]].concat());
    let (a, x) = (op(0x00, 100), op(0x01, 7));
    let results = [
        (0x04, 107),
        (0x14, 93),
        (0x24, 700),
        (0x34, 14),
        (0x44, 103),
        (0x54, 4),
        (0x64, 12800),
        (0x74, 0),
        (0xa4, 99),
    ];
    for (code, result) in results {
        assert_eq!(value(&[a, op(code, 7)]), result, "{code:#x}");
        assert_eq!(value(&[a, x, op(code | 8, 0)]), result, "{:#x}", code | 8);
    }
    assert_eq!(value(&[a, op(0x84, 0)]), 100_u32.wrapping_neg());
    assert_eq!(value(&[a, op(0x3c, 0)]), 0);
    assert_eq!(value(&[a, op(0x01, 33), op(0x6c, 0)]), 200);
    assert_eq!([value(&[op(0x80, 0)]), value(&[op(0x81, 0), op(0x87, 0)])], [64, 64]);
    assert_eq!(value(&[a, op(0x07, 0), op(0x00, 1), op(0x0c, 0)]), 101);
    assert_eq!(value(&[a, op(0x02, 5), x, op(0x03, 6), op(0x61, 5), op(0x60, 6), op(0x0c, 0)]), 107);
    assert_eq!([value(&[load(4)]), value(&[load(5)]), value(&[load(14)])], [u32::MAX << 8, u32::MAX, 5]);
    for (code, k, holds) in [(0x15, 100, true), (0x25, 100, false), (0x35, 100, true), (0x45, 27, false)] {
        let by_constant = run(&[a, branch(code, k, 0, 1), ret(1), ret(0)]);
        let by_register = run(&[a, op(0x01, k), branch(code | 8, 0, 0, 1), ret(1), ret(0)]);
        assert_eq!([by_constant, by_register], [u32::from(holds); 2], "{code:#x}");
    }
    assert_eq!(run(&[op(0x05, 1), ret(1), ret(2)]), 2);
    assert_eq!(Action::from_return(run(&[ret(0x5_0000)])), Action::Errno(0));
}

/// An instruction that may be part of a program; jumps are short.
fn any_instruction() -> impl Strategy<Value = Instruction> {
    let code = prop::sample::select(vec![
        0x20_u16, 0x20, 0x20, 0x80, 0x81, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x84, 0x04, 0x0c,
        0x14, 0x24, 0x34, 0x3c, 0x44, 0x54, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0xa4, 0x05, 0x15, 0x15, 0x1d, 0x25,
        0x25, 0x2d, 0x35, 0x3d, 0x45, 0x45, 0x4d, 0x06,
    ]);
    let constant =
        prop_oneof![0..16_u32, Just(16), Just(20), Just(24), any::<u32>(), Just(ALLOW), Just(EPERM)];
    (code, 0..4_u8, 0..4_u8, constant).prop_map(|(code, jump_true, jump_false, constant)| {
        let constant = if code == 0x05 { constant & 3 } else { constant };
        Instruction { code, jump_true, jump_false, constant }
    })
}

fn any_program() -> impl Strategy<Value = Option<Program>> {
    prop::collection::vec(any_instruction(), 1..24).prop_map(|mut program| {
        program.extend([op(0x16, 0), ret(ALLOW), ret(EPERM), ret(ALLOW), ret(EPERM)]);
        Program::new(program).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exploring_agrees_with_running(
        programs in prop::collection::vec(any_program(), 0..3),
        args in prop::array::uniform6(prop_oneof![0..16_u64, any::<u64>()]),
    ) {
        let filter = Filter::new(programs.into_iter().flatten().collect()).unwrap();
        let call = Data { number: 41, arch: Abi::X86_64.audit_arch(), instruction_pointer: 0, args };
        let allowed = filter.run(&call).allows();
        for set in [[Arg::Any; 6], args.map(|arg| Arg::Int(arg as u32)), args.map(Arg::Equal)] {
            match socket(&filter, &set) {
                Outcome::Allowed { witness } => prop_assert!(allowed && filter.run(&witness).allows()),
                Outcome::Conditional { witness, .. } => prop_assert!(filter.run(&witness).allows()),
                Outcome::Denied(_) => prop_assert!(!allowed),
                Outcome::Unknown(_) | Outcome::NoSuchCall => {}
            }
        }
    }
}
