//! Programs as runc makes them, on cgroups of this machine: what is read back and worked out is what the kernel lets a
//! process in them do.
#![expect(unsafe_code, reason = "no safe crate wraps bpf(2)")]

#[path = "../src/device_program/runc.rs"]
mod runc;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Trial};
use plimsoll_probe::{device_program, devices};

use self::runc::{DOCKER, Rule, program};

const LOAD: i32 = 5;
const ATTACH: i32 = 8;
/// `BPF_PROG_TYPE_CGROUP_DEVICE`.
const CGROUP_DEVICE: u32 = 15;
/// `BPF_CGROUP_DEVICE`.
const AT: u32 = 6;
/// `BPF_F_ALLOW_MULTI`.
const MULTI: u32 = 2;

/// Devices that are tried: kind and numbers.
const TRIED: [(char, u32, u32); 12] = [
    ('c', 1, 3),
    ('c', 1, 5),
    ('c', 1, 8),
    ('c', 1, 1),
    ('c', 1, 11),
    ('c', 5, 0),
    ('c', 5, 2),
    ('c', 10, 200),
    ('c', 10, 229),
    ('c', 136, 4242),
    ('b', 7, 0),
    ('b', 254, 0),
];

/// Programs of a cgroup and of the one above it.
const CASES: [(&str, &[Rule], &[Rule]); 4] = [
    ("docker", &DOCKER, &[]),
    ("disks_to_read", &[('b', "r", Some(7), None, true), ('c', "rw", Some(1), Some(3), true)], &[]),
    (
        "more_than_the_parent_allows",
        &[('c', "rwm", None, None, true), ('b', "rwm", None, None, true)],
        &DOCKER,
    ),
    ("nothing", &[], &[]),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mount = unified();
    let trials = CASES.map(|(name, own, above)| {
        let mount = mount.clone();
        let run = move || {
            let mount = mount.ok_or("no v2 hierarchy")?;
            agrees(&mount, name, own, above).map_err(|error| error.to_string().into())
        };
        Trial::test(format!("devices_{name}"), run).with_ignored_flag(unified().is_none())
    });
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

/// Where the v2 hierarchy is mounted, where this process may make cgroups in it.
fn unified() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let of_v2 = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    let mount = PathBuf::from(of_v2.split(' ').nth(4)?);
    let trial = Group::new(mount.join(format!("plimsoll-trial-{}", std::process::id())));
    trial.ok().map(|_| mount)
}

/// A cgroup, removed when dropped.
struct Group(PathBuf);

impl Group {
    fn new(path: PathBuf) -> io::Result<Self> {
        fs::create_dir(&path).map(|()| Self(path))
    }

    fn guard(&self, rules: &[Rule]) -> io::Result<OwnedFd> {
        let code = program(rules, false);
        let guard = load(&code)?;
        let cgroup = File::open(&self.0)?;
        let attach = [cgroup.as_raw_fd().cast_unsigned(), guard.as_raw_fd().cast_unsigned(), AT, MULTI];
        // SAFETY: the command takes no pointers.
        unsafe { bpf(ATTACH, &attach)? };
        Ok(guard)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

fn load(code: &[u8]) -> io::Result<OwnedFd> {
    let halves = |pointer: *const u8| {
        let address = (pointer as usize as u64).to_ne_bytes();
        [0, 4].map(|at| u32::from_ne_bytes(std::array::from_fn(|byte| address[at + byte])))
    };
    let (code_at, licence) = (halves(code.as_ptr()), halves(c"GPL".as_ptr().cast()));
    let count = u32::try_from(code.len() / 8).map_err(io::Error::other)?;
    let attributes = [CGROUP_DEVICE, count, code_at[0], code_at[1], licence[0], licence[1]];
    // SAFETY: the code is good for reading its length, the licence ends in a zero; the descriptor is new.
    unsafe { Ok(OwnedFd::from_raw_fd(bpf(LOAD, &attributes)?)) }
}

/// # Safety
/// Pointers in the attributes must be good for what the command does with them.
unsafe fn bpf(command: i32, words: &[u32]) -> io::Result<i32> {
    let mut attributes = [0_u64; 18];
    for (place, pair) in words.chunks(2).enumerate() {
        let bytes = [pair[0].to_ne_bytes(), pair.get(1).copied().unwrap_or(0).to_ne_bytes()].concat();
        attributes[place] =
            u64::from_ne_bytes(bytes.try_into().map_err(|_| io::Error::other("eight bytes"))?);
    }
    // SAFETY: the kernel reads the given length; what pointers are good for, the caller vouches for.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size_of_val(&attributes)) };
    if result < 0 { Err(io::Error::last_os_error()) } else { i32::try_from(result).map_err(io::Error::other) }
}

fn agrees(mount: &Path, name: &str, own: &[Rule], above: &[Rule]) -> Result<(), Box<dyn std::error::Error>> {
    let outer = Group::new(mount.join(format!("plimsoll-{name}-{}", std::process::id())))?;
    let inner = Group::new(outer.0.join("inner"))?;
    let mut guards = Vec::new();
    for (group, rules) in [(&outer, above), (&inner, own)] {
        if !rules.is_empty() {
            guards.push(group.guard(rules)?);
        }
    }
    let found = devices::programs(File::open(&inner.0)?.as_fd())?;
    if found.len() != guards.len() {
        return Err(format!("{} programs were read of {}", found.len(), guards.len()).into());
    }
    let code: Vec<Vec<u8>> = found.into_iter().map(|program| program.instructions).collect();
    let rules = device_program::rules(&code)?;
    // What this machine denies anywhere says nothing about programs.
    let anywhere = tried_in(mount)?;
    let tried = tried_in(&inner.0)?.into_iter().zip(anywhere);
    let mut wrong = Vec::new();
    for ((device, access, worked), _) in tried.filter(|(_, (.., anywhere))| *anywhere) {
        let (kind, major, minor) = device;
        let predicted = rules.iter().any(|rule| allows(rule, kind, major, minor, access));
        if predicted != worked {
            wrong.push(format!(
                "{kind} {major}:{minor} {access}: predicted {predicted}, the kernel: {worked}"
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}\n{rules:#?}").into()) }
}

fn allows(rule: &str, kind: char, major: u32, minor: u32, access: char) -> bool {
    let words: Vec<&str> = rule.split([' ', ':']).collect();
    let fits = |word: &str, number: u32| word == "*" || word == number.to_string();
    (words[0] == "a" || words[0] == kind.to_string())
        && fits(words[1], major)
        && fits(words[2], minor)
        && words[3].contains(access)
}

/// Device, access, and whether the kernel let a process in the cgroup have it.
type Tried = Vec<((char, u32, u32), char, bool)>;

/// A shell goes into the cgroup and tries every device.
fn tried_in(cgroup: &Path) -> Result<Tried, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut script = format!("cd {}; echo $$ > {}/cgroup.procs\n", folder.path().display(), cgroup.display());
    for (number, (kind, major, minor)) in TRIED.iter().enumerate() {
        let status = Command::new("mknod")
            .arg(folder.path().join(format!("n{number}")))
            .args([kind.to_string(), major.to_string(), minor.to_string()])
            .status()?;
        if !status.success() {
            return Err("mknod".into());
        }
        script += &format!(
            "echo {number} r $( (: < n{number}) 2>&1 )\necho {number} w $( (: >> n{number}) 2>&1 )\n\
             echo {number} m $( mknod m{number} {kind} {major} {minor} 2>&1 )\n"
        );
    }
    let output = Command::new("sh").args(["-c", &script]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let device = *TRIED.get(words.next()?.parse::<usize>().ok()?)?;
        let access = words.next()?.chars().next()?;
        // Another error says that the device is not there: it was let through.
        Some((device, access, !words.next().unwrap_or_default().contains("not permitted")))
    };
    let tried: Tried = text.lines().filter_map(line).collect();
    if tried.len() == TRIED.len() * 3 { Ok(tried) } else { Err(format!("the shell said: {text}").into()) }
}
