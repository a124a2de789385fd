//! The processes that are looked at.

/// Each is a test.
pub(crate) const NAMES: [&str; 9] =
    ["default", "unconfined", "families", "denials", "stacked", "own_filter", "paused", "exec", "entered"];

/// A container, and what its process does before it is looked at.
pub(crate) struct Scene {
    /// One of [`NAMES`].
    pub(crate) name: &'static str,
    /// How the process comes into being.
    pub(crate) how: How,
    /// The container's profile.
    pub(crate) profile: Profile,
    /// Programs that the process loads by itself, in order.
    pub(crate) programs: Vec<Vec<u8>>,
}

/// How a process comes into being.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As the container's first one.
    First,
    /// As the first one; the container is paused while it is looked at.
    Paused,
    /// By `docker exec`, in a container that sleeps.
    Exec,
    /// By `nsenter`, in a container that sleeps.
    Entered,
}

/// A container's profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The engine's.
    Default,
    /// None.
    Unconfined,
    /// The engine's, with a rule for socket that names families.
    Families,
    /// Allows by default, denies some with conditions of every kind.
    Denials,
}

/// All of them.
pub(crate) fn all() -> Vec<Scene> {
    let scene = |name, how, profile, programs| Scene { name, how, profile, programs };
    let stacked = (0..63).map(|number| denying(&[(1000 + number, None)])).collect();
    // splice, and sockets of the family netlink: as a server would that restricts itself.
    let own = denying(&[(275, None), (41, Some(16))]);
    vec![
        scene("default", How::First, Profile::Default, vec![]),
        scene("unconfined", How::First, Profile::Unconfined, vec![]),
        scene("families", How::First, Profile::Families, vec![]),
        scene("denials", How::First, Profile::Denials, vec![]),
        scene("stacked", How::First, Profile::Default, stacked),
        scene("own_filter", How::First, Profile::Unconfined, vec![own.clone(), denying(&[(321, None)])]),
        scene("paused", How::Paused, Profile::Families, vec![own]),
        scene("exec", How::Exec, Profile::Denials, vec![]),
        scene("entered", How::Entered, Profile::Default, vec![]),
    ]
}

/// A program that denies calls by number, some only with this first argument.
fn denying(calls: &[(u32, Option<u32>)]) -> Vec<u8> {
    let op = |code: u16, jump_true: u8, jump_false: u8, constant: u32| {
        [&code.to_le_bytes()[..], &[jump_true, jump_false], &constant.to_le_bytes()].concat()
    };
    let mut program = Vec::new();
    for (number, argument) in calls {
        program.extend(op(0x20, 0, 0, 0));
        match argument {
            None => program.extend(op(0x15, 0, 1, *number)),
            Some(value) => {
                program.extend(op(0x15, 0, 3, *number));
                program.extend(op(0x20, 0, 0, 16));
                program.extend(op(0x15, 0, 1, *value));
            }
        }
        program.extend(op(0x06, 0, 0, 0x5_0000 | 95));
    }
    program.extend(op(0x06, 0, 0, 0x7fff_0000));
    program
}

/// Rules that deny, with each kind of comparison.
pub(crate) const DENIALS: &str = r#"{"defaultAction":"SCMP_ACT_ALLOW",
    "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[
    {"names":["splice","bpf","keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":95},
    {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":38,"op":"SCMP_CMP_EQ"}]},
    {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":40,"op":"SCMP_CMP_GE"},
        {"index":1,"value":3,"op":"SCMP_CMP_NE"}]},
    {"names":["clone"],"action":"SCMP_ACT_ERRNO","args":[
        {"index":0,"value":268435456,"valueTwo":268435456,"op":"SCMP_CMP_MASKED_EQ"}]},
    {"names":["personality"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":8,"op":"SCMP_CMP_GT"}]},
    {"names":["ioctl"],"action":"SCMP_ACT_ERRNO","args":[{"index":1,"value":21505,"op":"SCMP_CMP_LT"}]},
    {"names":["setpriority"],"action":"SCMP_ACT_ERRNO","args":[{"index":2,"value":4294967296,"op":"SCMP_CMP_LE"}]},
    {"names":["semget"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":7,"op":"SCMP_CMP_EQ"}]}]}"#;
