//! Verdicts about flaws whose ways are known exactly, for containers of nine kinds: each cell was worked out by hand.

use plimsoll_facts::{Capabilities, Effective};

use crate::precondition::Precondition;
use crate::testing::{ALL, Case, Profile, capabilities, user};
use crate::truth::Truth;

const NET_ADMIN: u64 = 1 << 12;
const SYS_ADMIN: u64 = 1 << 21;

/// The precondition in a file of `knowledge/`.
macro_rules! of {
    ($path:literal) => {{
        let text = include_str!(concat!("../../../knowledge/", $path, ".toml"));
        let line = text.lines().find_map(|line| line.strip_prefix("precondition = \"")).unwrap();
        Precondition::parse(line.trim_end_matches('"')).unwrap()
    }};
}

fn cases() -> [Case; 8] {
    let default = Profile::Default { admin: false };
    let with = |more: u64| {
        move |it: &mut Effective| {
            capabilities(it, Capabilities(Capabilities::DOCKER_DEFAULT.0 | more));
        }
    };
    [
        Case::new(default, |_| {}),
        Case::new(default, |it| {
            capabilities(it, Capabilities(0));
            user(it, 1000);
            it.processes.value_mut().unwrap()[0].no_new_privs = true;
        }),
        Case::new(default, with(NET_ADMIN)),
        Case::new(Profile::Default { admin: true }, with(SYS_ADMIN)),
        Case::new(Profile::Unconfined, |_| {}),
        Case::new(Profile::Unconfined, |it| user(it, 1000)),
        Case::new(Profile::Unconfined, |it| {
            it.devices.value_mut().unwrap().rules.push("c 10:229 rwm".into());
            it.device_nodes.value_mut().unwrap().push("/dev/fuse".into());
        }),
        Case::new(Profile::Unconfined, |it| {
            capabilities(it, ALL);
            it.devices.value_mut().unwrap().all = true;
        }),
    ]
}

/// `R` reachable, `B` blocked, `U` unknown; default, hardened, NET_ADMIN, SYS_ADMIN, unconfined, unconfined as an
/// ordinary user, unconfined with /dev/fuse, privileged.
#[test]
fn worked_flaws() {
    let cases = cases();
    for (id, precondition, expected) in [
        ("CVE-2022-0185", of!("kernel/CVE-2022-0185"), "B B B R R R R R"),
        ("CVE-2022-0492", of!("kernel/CVE-2022-0492"), "B B B R R B R R"),
        ("CVE-2022-0847", of!("kernel/CVE-2022-0847"), "R R R R R R R R"),
        ("CVE-2024-1086", of!("kernel/CVE-2024-1086"), "B B R R R R R R"),
        ("CVE-2024-21626", of!("runc/CVE-2024-21626"), "U U U U U U U U"),
        ("CVE-2025-31133", of!("runc/CVE-2025-31133"), "U B U U U U U U"),
        ("CVE-2019-5736", of!("runc/CVE-2019-5736"), "U B U U U U U U"),
        ("CVE-2023-0386", of!("kernel/CVE-2023-0386"), "B B B B B B R R"),
        ("CVE-2026-31431", of!("kernel/CVE-2026-31431"), "R R R R R R R R"),
    ] {
        let verdicts = cases.each_ref().map(|case| match case.stand().meets(&precondition) {
            Truth::Yes(_) => "R",
            Truth::No(_) => "B",
            Truth::Unknown(_) => "U",
        });
        assert_eq!(verdicts.join(" "), expected, "{id}");
    }
}

#[test]
fn what_blocks_is_named() {
    let cases = cases();
    let blocked = |at: usize, precondition| match cases[at].stand().meets(&precondition) {
        Truth::No(reasons) => reasons.join("; "),
        other => panic!("{other:?}"),
    };
    let by_default = blocked(0, of!("kernel/CVE-2024-1086"));
    assert!(
        by_default.contains("no CAP_NET_ADMIN") && by_default.contains("seccomp: unshare is denied"),
        "{by_default}"
    );
    assert!(blocked(5, of!("kernel/CVE-2022-0492")).starts_with("user: 1000 is not root"));
    assert!(blocked(4, of!("kernel/CVE-2023-0386")).starts_with("device cgroup: /dev/fuse"));
}
