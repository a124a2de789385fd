//! The kinds of containers in which the gates are tried: some always, and some made from a seed.

use std::path::Path;

/// Kinds that are made from the seed for the system's engine; a third of them for each other engine.
const MADE: usize = 18;

/// One kind of container.
pub(super) struct Kind {
    /// Name of the container.
    pub(super) name: String,
    /// Options of `docker run`.
    pub(super) options: Vec<String>,
    /// How the program comes to run in it.
    pub(super) by: By,
}

/// How the program comes to run in a container.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// It is the container's first process; its arguments.
    Run(&'static [&'static str]),
    /// `docker exec` with these options.
    Exec(&'static [&'static str]),
    /// `nsenter` from the host, with the container's process as target and these options.
    Nsenter(&'static [&'static str]),
    /// It is the container's first process, and `nsenter` with these options starts another beside it, whose privileges
    /// do not count.
    RunBeside(&'static [&'static str]),
    /// `nsenter` by a process that has gone into the container's cgroups, with the host's root as descriptor 3.
    Joined(&'static [&'static str]),
}

type Fixed = (&'static str, &'static [&'static str], By);

const PLAIN: By = By::Run(&[]);
const UNCONFINED: &[&str] = &["--security-opt", "seccomp=unconfined"];
const INTO_ALL: &[&str] = &["-m", "-u", "-i", "-n", "-p"];
const NEARLY_PRIVILEGED: &[&str] = &[
    "--security-opt",
    "seccomp=unconfined",
    "--security-opt",
    "systempaths=unconfined",
    "--device-cgroup-rule",
    "a *:* rwm",
    "--cap-add",
    "SYS_ADMIN",
    "--cap-add",
    "SYS_MODULE",
    "--cap-add",
    "SYS_RAWIO",
    "--cap-add",
    "DAC_READ_SEARCH",
    "--cap-add",
    "NET_ADMIN",
    "--cap-add",
    "SYS_PTRACE",
];
const HARDENED: &[&str] = &["--user", "1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];

/// Kinds that every engine here can make.
const EVERYWHERE: [Fixed; 6] = [
    ("default", &[], PLAIN),
    ("unconfined", UNCONFINED, PLAIN),
    ("hardened", HARDENED, PLAIN),
    ("nearly-privileged", NEARLY_PRIVILEGED, PLAIN),
    ("own-filter", &[], By::Run(&["--filter"])),
    ("session", HARDENED, By::Exec(&["-u", "0"])),
];

/// Kinds of the system's engine.
const SYSTEM: [Fixed; 17] = [
    ("host-namespaces", &["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host"], PLAIN),
    ("host-net", &["--net", "host"], PLAIN),
    ("host-ipc", &["--ipc", "host"], PLAIN),
    ("host-uts", &["--uts", "host"], PLAIN),
    ("host-pid", &["--pid", "host"], PLAIN),
    ("host-pid-user", &["--pid", "host", "--user", "1000"], PLAIN),
    ("host-pid-ptrace", &["--pid", "host", "--cap-add", "SYS_PTRACE"], PLAIN),
    ("own-cgroup-namespace", &["--cgroupns", "private", "--cap-add", "SYS_ADMIN"], PLAIN),
    ("fuse", &["--device", "/dev/fuse"], PLAIN),
    ("fuse-by-cgroup", &["--device-cgroup-rule", "c 10:229 rw"], PLAIN),
    ("disk", &["--device", "/dev/loop0"], PLAIN),
    ("disk-without-mknod", &["--device", "/dev/loop0", "--cap-drop", "ALL"], PLAIN),
    ("mounts", &["-v", "/var/run/docker.sock:/engine.sock", "-v", "/etc:/host-etc"], PLAIN),
    ("entered", HARDENED, By::Nsenter(INTO_ALL)),
    ("entered-some", &[], By::Nsenter(&["-p", "-n"])),
    ("entered-network", HARDENED, By::RunBeside(&["-n"])),
    ("joined", HARDENED, By::Joined(INTO_ALL)),
];

/// Kinds of an engine whose runtime can start privileged containers, and which maps the users of all others.
const REMAPPED: [Fixed; 8] = [
    ("privileged", &["--privileged", "--userns", "host"], PLAIN),
    ("privileged-profile", &["--privileged", "--userns", "host", "--security-opt", "seccomp=PROFILE"], PLAIN),
    ("privileged-user", &["--privileged", "--userns", "host", "--user", "1000"], PLAIN),
    ("not-remapped", &["--userns", "host"], PLAIN),
    ("privileged-session", &["--userns", "host"], By::Exec(&["--privileged"])),
    (
        "privileged-session-hardened",
        &["--userns", "host", "--user", "1000", "--cap-drop", "ALL"],
        By::Exec(&["--privileged", "-u", "0"]),
    ),
    ("privileged-session-remapped", &[], By::Exec(&["--privileged"])),
    ("entered-user-namespace", &[], By::Nsenter(&["-U", "-m", "-u", "-i", "-n", "-p"])),
];

/// Options of which a made kind has one of each row.
const ROWS: [&[&[&str]]; 5] = [
    &[&[], &["--user", "1000"], &["--user", "mail"]],
    &[
        &[],
        &["--cap-drop", "ALL"],
        &["--cap-add", "NET_ADMIN"],
        &["--cap-add", "SYS_ADMIN"],
        &["--cap-add", "SYS_PTRACE", "--cap-drop", "NET_RAW"],
        &["--cap-add", "DAC_READ_SEARCH"],
        &["--cap-add", "SYS_MODULE", "--cap-drop", "MKNOD"],
        &["--cap-add", "SYS_RAWIO", "--cap-add", "SYS_PACCT"],
    ],
    &[&[], UNCONFINED, &["--security-opt", "seccomp=PROFILE"]],
    &[&[], &["--security-opt", "no-new-privileges"]],
    &[&[], &["--device", "/dev/fuse"], &["--device-cgroup-rule", "b 7:0 rwm"], &["-v", "/etc:/host-etc:ro"]],
];

/// One more row where nothing maps users: an engine that does refuses the host's namespaces.
const NAMESPACES: &[&[&str]] = &[
    &[],
    &["--net", "host"],
    &["--net", "none"],
    &["--pid", "host"],
    &["--ipc", "host"],
    &["--uts", "host"],
    &["--cgroupns", "private"],
];

/// A profile that lets everything pass but splice, keyctl, socket(AF_VSOCK) and new user namespaces.
const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
"syscalls":[{"names":["splice","keyctl"],"action":"SCMP_ACT_ERRNO"},
{"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]},
{"names":["clone","unshare"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":268435456,"valueTwo":268435456,"op":"SCMP_CMP_MASKED_EQ"}]}]}"#;

/// An engine, by the kinds of containers that it can make.
#[derive(Clone, Copy)]
pub(super) enum Engine {
    System,
    Remapped,
    Rootless,
}

/// Every kind for an engine: the fixed ones, then those from the seed. Files that they need are put into a folder.
pub(super) fn kinds(engine: Engine, folder: &Path) -> Result<Vec<Kind>, String> {
    let profile = folder.join("profile.json");
    std::fs::write(&profile, PROFILE).map_err(|error| error.to_string())?;
    let owned = |options: &[&str]| {
        options.iter().map(|it| it.replace("PROFILE", &profile.to_string_lossy())).collect::<Vec<_>>()
    };
    let seed: u64 = std::env::var("PLIMSOLL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let (of_engine, made, more) = match engine {
        Engine::System => (&SYSTEM[..], MADE, &[NAMESPACES][..]),
        Engine::Remapped => (&REMAPPED[..], MADE / 3, &[][..]),
        Engine::Rootless => (&[][..], MADE / 3, &[][..]),
    };
    let fixed = EVERYWHERE.iter().chain(of_engine).map(|(name, options, by)| Kind {
        name: (*name).to_owned(),
        options: owned(options),
        by: *by,
    });
    let mut state = seed;
    let made = (0..made).map(|number| {
        let rows = ROWS.iter().chain(more);
        let options = rows.flat_map(|row| owned(row[next(&mut state) % row.len()])).collect();
        Kind { name: format!("{seed}-{number}"), options, by: PLAIN }
    });
    Ok(fixed.chain(made).collect())
}

/// A number from a small generator (splitmix64), the same on every machine.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize
}
