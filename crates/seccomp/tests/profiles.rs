//! What profiles come to, and the traps on the way from a profile to the kernel.

use plimsoll_seccomp::{Abi, Arg, Denial, Doubt, Filter, Outcome, Profile};

const EPERM: Outcome = Outcome::Denied(Denial::Errno(1));

fn filter(profile: &str) -> Filter {
    let profile: Profile = serde_json::from_str(profile).expect("a profile");
    let compiled = profile.compile(Abi::X86_64).expect("a profile that can be compiled");
    Filter::new(vec![compiled.program]).expect("one program").uncertain_about(compiled.uncertain)
}

/// Denies by default; these rules for these architectures.
fn rules(architectures: &str, rules: &str) -> Filter {
    let head = r#""defaultAction":"SCMP_ACT_ERRNO","architectures":"#;
    filter(&format!(r#"{{{head}{architectures},"syscalls":[{rules}]}}"#))
}

fn allowed(filter: &Filter, abi: Abi, name: &str, args: &[Arg]) -> Option<bool> {
    filter.outcome(abi, name, args).is_possible()
}

#[test]
fn each_comparison() {
    let holds = |op: &str, value: u64, two: u64, given: u64| {
        let rule = format!(
            r#"{{"names":["ioctl"],"action":"SCMP_ACT_ALLOW","args":[{{"index":1,"value":{value},"valueTwo":{two},"op":"SCMP_CMP_{op}"}}]}}"#
        );
        allowed(&rules("[]", &rule), Abi::X86_64, "ioctl", &[Arg::Any, Arg::Equal(given)]).expect("certain")
    };
    let big = 0x5_0000_0007;
    for given in [0, 6, 7, 8, big - 1, big, big + 1, 0x4_ffff_ffff, 0x6_0000_0000, u64::MAX] {
        for value in [7, big] {
            assert_eq!(holds("EQ", value, 0, given), given == value);
            assert_eq!(holds("NE", value, 0, given), given != value);
            assert_eq!(holds("LT", value, 0, given), given < value, "{given:#x} < {value:#x}");
            assert_eq!(holds("LE", value, 0, given), given <= value, "{given:#x} <= {value:#x}");
            assert_eq!(holds("GT", value, 0, given), given > value, "{given:#x} > {value:#x}");
            assert_eq!(holds("GE", value, 0, given), given >= value, "{given:#x} >= {value:#x}");
        }
        assert_eq!(
            holds("MASKED_EQ", 0x1_0000_0001, 0x1_0000_0000, given),
            given & 0x1_0000_0001 == 0x1_0000_0000
        );
    }
}

/// Two conditions on one argument are alternatives; on different ones, both must hold.
#[test]
fn conditions_of_one_rule() {
    let rule = |second: u8| {
        format!(
            r#"{{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[
                {{"index":0,"value":1,"op":"SCMP_CMP_EQ"}},{{"index":{second},"value":2,"op":"SCMP_CMP_EQ"}}]}}"#
        )
    };
    let either = rules("[]", &rule(0));
    assert_eq!(allowed(&either, Abi::X86_64, "socket", &[Arg::Equal(2)]), Some(true));
    let both = rules("[]", &rule(1));
    assert_eq!(allowed(&both, Abi::X86_64, "socket", &[Arg::Equal(2)]), Some(false));
    assert_eq!(allowed(&both, Abi::X86_64, "socket", &[Arg::Equal(1), Arg::Equal(2)]), Some(true));
    assert_eq!(allowed(&both, Abi::X86_64, "socket", &[Arg::Equal(1), Arg::Equal(3)]), Some(false));
}

/// A rule for families of sockets opens every family through i386's `socketcall`.
#[test]
fn socketcall_is_allowed_without_being_named() {
    let unix =
        r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}"#;
    let filter = rules(r#"["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]"#, unix);
    assert_eq!(filter.outcome(Abi::I386, "socket", &[Arg::Int(38)]), EPERM);
    assert_eq!(allowed(&filter, Abi::I386, "socketcall", &[Arg::Int(1)]), Some(true));
    assert_eq!(filter.outcome(Abi::I386, "socketcall", &[Arg::Int(2)]), EPERM);
}

#[test]
fn a_rule_without_conditions_wins() {
    let any = r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW"}"#;
    let unix =
        r#"{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}"#;
    for order in [format!("{any},{unix}"), format!("{unix},{any}")] {
        let outcome = rules("[]", &order).outcome(Abi::X86_64, "socket", &[]);
        assert!(matches!(outcome, Outcome::Allowed { .. }), "{outcome:?}");
    }
}

#[test]
fn what_libseccomp_may_leave_out_is_unknown() {
    let filter = rules("[]", r#"{"names":["statmount","no_such_call","read"],"action":"SCMP_ACT_ALLOW"}"#);
    assert_eq!(filter.outcome(Abi::X86_64, "statmount", &[]), Outcome::Unknown(Doubt::LeftToLibseccomp));
    assert_eq!(allowed(&filter, Abi::X86_64, "read", &[]), Some(true));
    assert_eq!(filter.outcome(Abi::X86_64, "listmount", &[]), EPERM);
}

#[test]
fn architectures_that_are_not_named_are_killed() {
    let read = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#;
    let native = rules("[]", read);
    for abi in [Abi::I386, Abi::X32, Abi::Aarch64] {
        assert_eq!(native.outcome(abi, "read", &[]), Outcome::Denied(Denial::KillThread), "{}", abi.name());
    }
    let all = rules(r#"["SCMP_ARCH_X86","SCMP_ARCH_X32"]"#, read);
    for abi in [Abi::X86_64, Abi::I386, Abi::X32] {
        assert_eq!(allowed(&all, abi, "read", &[]), Some(true), "{}", abi.name());
        assert_eq!(all.outcome(abi, "write", &[]), EPERM, "{}", abi.name());
    }
}

#[test]
fn actions() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
        {"names":["bpf"],"action":"SCMP_ACT_ERRNO","errnoRet":38},{"names":["mount"],"action":"SCMP_ACT_KILL"},
        {"names":["ptrace"],"action":"SCMP_ACT_NOTIFY"},{"names":["swapon"],"action":"SCMP_ACT_KILL_PROCESS"}]}"#;
    let filter = filter(profile);
    let of = |name| filter.outcome(Abi::X86_64, name, &[]);
    assert_eq!(of("bpf"), Outcome::Denied(Denial::Errno(38)));
    assert_eq!(of("mount"), Outcome::Denied(Denial::KillThread));
    assert_eq!(of("swapon"), Outcome::Denied(Denial::KillProcess));
    assert_eq!(of("ptrace"), Outcome::Unknown(Doubt::SomebodyDecides));
    assert!(matches!(of("read"), Outcome::Allowed { .. }));
}

/// Every call of three ABIs, each with conditions of its own, does not fit; each call by itself does.
#[test]
fn a_profile_of_every_call() {
    let names: Vec<&str> = Abi::ALL.iter().flat_map(|abi| abi.table().keys().copied()).collect();
    let profile = |args: &str| {
        let names = serde_json::to_string(&names).expect("names");
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"],
                "syscalls":[{{"names":{names},"action":"SCMP_ACT_ALLOW"{args}}}]}}"#
        );
        serde_json::from_str::<Profile>(&text).expect("a profile").compile(Abi::X86_64)
    };
    assert!(profile("").is_ok());
    assert!(profile(r#","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]"#).is_err());
}
