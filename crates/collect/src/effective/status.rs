//! `/proc/PID/status` (proc_pid_status(5)): who a thread is and what it may do.

use plimsoll_facts::Capabilities;

use crate::procs::{Error, PidDir};

/// Longest status file that is read: 65 536 supplementary groups fit.
const LIMIT: usize = 1024 * 1024;
/// Most supplementary groups that are kept of a process.
const MAX_GROUPS: usize = 4096;
/// Bit of SIGTERM in a signal mask.
const SIGTERM: u64 = 1 << 14;

/// What is used of a status file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// Real, effective, saved and file-system uid.
    pub(super) uids: [u32; 4],
    /// Real, effective, saved and file-system gid.
    pub(super) gids: [u32; 4],
    /// Supplementary groups.
    pub(super) groups: Vec<u32>,
    /// Whether it is process 1 of its PID namespace.
    pub(super) is_init: bool,
    /// Effective capabilities.
    pub(super) cap_effective: Capabilities,
    /// Permitted capabilities.
    pub(super) cap_permitted: Capabilities,
    /// Bounding set.
    pub(super) cap_bounding: Capabilities,
    /// Ambient set.
    pub(super) cap_ambient: Capabilities,
    /// Inheritable set.
    pub(super) cap_inheritable: Capabilities,
    /// `NoNewPrivs`.
    pub(super) no_new_privs: bool,
    /// Seccomp mode; 0 as well where the kernel has no seccomp.
    pub(super) seccomp_mode: u32,
    /// Number of seccomp filters; `None` before Linux 5.9.
    pub(super) seccomp_filters: Option<u32>,
    blocked: u64,
    ignored: u64,
    caught: u64,
}

impl Status {
    /// Reads the status of a process or thread.
    ///
    /// # Errors
    /// When it cannot be read, or lacks what every Linux since 4.10 writes.
    pub(super) fn read(dir: &PidDir) -> Result<Self, Error> {
        Self::parse(&dir.read("status", LIMIT)?).ok_or(Error::Malformed)
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut raw = Raw::default();
        for line in bytes.split(|b| *b == b'\n') {
            let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
            let (key, value) = line.split_at(colon);
            let Some(slot) = raw.slot(key) else { continue };
            *slot = Some(std::str::from_utf8(value.get(1..)?).ok()?.trim());
        }
        let groups: Option<Vec<u32>> =
            words(raw.groups.unwrap_or_default()).map(|g| g.parse().ok()).collect();
        let optional = |value: Option<&str>| value.map(|text| text.parse().ok());
        Some(Self {
            uids: four(raw.uid?)?,
            gids: four(raw.gid?)?,
            groups: groups.filter(|groups| groups.len() <= MAX_GROUPS)?,
            is_init: words(raw.nspid.unwrap_or_default()).next_back() == Some("1"),
            cap_effective: Capabilities(hex(raw.cap_effective?)?),
            cap_permitted: Capabilities(hex(raw.cap_permitted?)?),
            cap_bounding: Capabilities(hex(raw.cap_bounding?)?),
            cap_ambient: Capabilities(hex(raw.cap_ambient?)?),
            cap_inheritable: Capabilities(hex(raw.cap_inheritable?)?),
            no_new_privs: raw.no_new_privs? != "0",
            seccomp_mode: optional(raw.seccomp).unwrap_or(Some(0))?,
            seccomp_filters: match optional(raw.seccomp_filters) {
                Some(number) => Some(number?),
                None => None,
            },
            blocked: hex(raw.blocked?)?,
            ignored: hex(raw.ignored?)?,
            caught: hex(raw.caught?)?,
        })
    }

    /// Whether SIGTERM from outside has no effect: it is ignored, or this is process 1 of its namespace and has no
    /// handler (pid_namespaces(7)). A blocked signal waits until somebody takes it; while a process waits to take
    /// signals (sigtimedwait(2), as tini does) they do not show as blocked, so `waits` is asked last.
    pub(super) fn ignores_sigterm(&self, waits: impl FnOnce() -> bool) -> bool {
        let unhandled = self.is_init && self.caught & SIGTERM == 0;
        (self.ignored & SIGTERM != 0 || unhandled) && self.blocked & SIGTERM == 0 && !waits()
    }

    /// Whether a thread may do exactly what its leader may.
    pub(super) fn same_powers(&self, leader: &Self) -> bool {
        let powers = |s: &Self| {
            let capabilities =
                [s.cap_effective, s.cap_permitted, s.cap_bounding, s.cap_ambient, s.cap_inheritable];
            (s.uids, s.gids, capabilities, s.no_new_privs, s.seccomp_mode, s.seccomp_filters)
        };
        powers(self) == powers(leader) && self.groups == leader.groups
    }
}

/// The lines that are used, before they are understood.
#[derive(Default)]
struct Raw<'a> {
    uid: Option<&'a str>,
    gid: Option<&'a str>,
    groups: Option<&'a str>,
    nspid: Option<&'a str>,
    blocked: Option<&'a str>,
    ignored: Option<&'a str>,
    caught: Option<&'a str>,
    cap_inheritable: Option<&'a str>,
    cap_permitted: Option<&'a str>,
    cap_effective: Option<&'a str>,
    cap_bounding: Option<&'a str>,
    cap_ambient: Option<&'a str>,
    no_new_privs: Option<&'a str>,
    seccomp: Option<&'a str>,
    seccomp_filters: Option<&'a str>,
}

impl<'a> Raw<'a> {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<&'a str>> {
        Some(match key {
            b"Uid" => &mut self.uid,
            b"Gid" => &mut self.gid,
            b"Groups" => &mut self.groups,
            b"NSpid" => &mut self.nspid,
            b"SigBlk" => &mut self.blocked,
            b"SigIgn" => &mut self.ignored,
            b"SigCgt" => &mut self.caught,
            b"CapInh" => &mut self.cap_inheritable,
            b"CapPrm" => &mut self.cap_permitted,
            b"CapEff" => &mut self.cap_effective,
            b"CapBnd" => &mut self.cap_bounding,
            b"CapAmb" => &mut self.cap_ambient,
            b"NoNewPrivs" => &mut self.no_new_privs,
            b"Seccomp" => &mut self.seccomp,
            b"Seccomp_filters" => &mut self.seccomp_filters,
            _ => return None,
        })
    }
}

fn words(text: &str) -> std::str::SplitAsciiWhitespace<'_> {
    text.split_ascii_whitespace()
}

fn four(text: &str) -> Option<[u32; 4]> {
    let mut numbers = words(text).map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?, next()?])
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sleep` as the first process of a container with Docker's defaults (Linux 6.18, Docker 20.10); some lines
    /// are left out.
    const SLEEP: &str = "Name:\tsleep\nState:\tS (sleeping)\nPid:\t13030\nPPid:\t13009\n\
        Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t0 10 \nNSpid:\t13030\t1\n\
        SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n\
        CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n\
        CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n\
        Seccomp_filters:\t1\nSpeculation_Store_Bypass:\tvulnerable\n";

    fn with(from: &str, to: &str) -> Status {
        assert!(SLEEP.contains(from));
        Status::parse(SLEEP.replace(from, to).as_bytes()).unwrap()
    }

    #[test]
    fn a_default_container() {
        let status = with("Name", "Name");
        assert_eq!(status.cap_effective, Capabilities::DOCKER_DEFAULT);
        assert_eq!(status.groups, [0, 10]);
        assert_eq!((status.seccomp_mode, status.seccomp_filters, status.is_init), (2, Some(1), true));
        assert!(status.same_powers(&with("sleep", "other")));
        assert!(!status.same_powers(&with("Seccomp:\t2", "Seccomp:\t0")));
    }

    #[test]
    fn who_ignores_sigterm() {
        // Process 1 of a PID namespace without a handler; not process 1; with a handler; waiting in sigwait.
        assert!(with("Name", "Name").ignores_sigterm(|| false));
        assert!(!with("Name", "Name").ignores_sigterm(|| true));
        assert!(!with("13030\t1\n", "13030\t7\n").ignores_sigterm(|| false));
        assert!(!with("SigCgt:\t0000000000000000", "SigCgt:\t0000000000004000").ignores_sigterm(|| false));
        assert!(!with("SigBlk:\t0000000000000000", "SigBlk:\t0000000000004000").ignores_sigterm(|| false));
        let ignored = SLEEP
            .replace("13030\t1\n", "13030\n")
            .replace("SigIgn:\t0000000000000000", "SigIgn:\t0000000000004001");
        assert!(Status::parse(ignored.as_bytes()).unwrap().ignores_sigterm(|| false));
    }

    #[test]
    fn a_damaged_file_is_not_understood() {
        assert_eq!(Status::parse(SLEEP.replace("CapEff", "CapXxx").as_bytes()), None);
        assert_eq!(Status::parse(SLEEP.replace("a80425fb", "nonsense").as_bytes()), None);
        let many = format!("Groups:\t{}", "7 ".repeat(MAX_GROUPS + 1));
        assert_eq!(Status::parse(SLEEP.replace("Groups:\t0 10 ", &many).as_bytes()), None);
        assert_eq!(with("Seccomp_filters:\t1\n", "").seccomp_filters, None);
    }
}
