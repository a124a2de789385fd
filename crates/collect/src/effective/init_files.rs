//! Small files of a container's first process: user id map and resource limits.

use plimsoll_facts::Rlimits;

use crate::procs::{Error, PidDir};

/// Longest file of this kind (a user id map has at most 340 lines, user_namespaces(7)).
const LIMIT: usize = 64 * 1024;
/// Names of `/proc/PID/limits` (proc_pid_limits(5)) and of setrlimit(2), as `--ulimit` writes them.
const RLIMITS: [(&str, &str); 16] = [
    ("Max cpu time", "cpu"),
    ("Max file size", "fsize"),
    ("Max data size", "data"),
    ("Max stack size", "stack"),
    ("Max core file size", "core"),
    ("Max resident set", "rss"),
    ("Max processes", "nproc"),
    ("Max open files", "nofile"),
    ("Max locked memory", "memlock"),
    ("Max address space", "as"),
    ("Max file locks", "locks"),
    ("Max pending signals", "sigpending"),
    ("Max msgqueue size", "msgqueue"),
    ("Max nice priority", "nice"),
    ("Max realtime priority", "rtprio"),
    ("Max realtime timeout", "rttime"),
];

/// `/proc/PID/uid_map`: (inside, outside, count).
///
/// # Errors
/// When it cannot be read or understood.
pub(super) fn uid_map(dir: &PidDir) -> Result<Vec<(u32, u32, u32)>, Error> {
    parse_uid_map(&dir.read_text("uid_map", LIMIT)?).ok_or(Error::Malformed)
}

pub(super) fn parse_uid_map(text: &str) -> Option<Vec<(u32, u32, u32)>> {
    let line = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some((next()?, next()?, next()?))
    };
    text.lines().map(line).collect()
}

/// `/proc/PID/limits`.
///
/// # Errors
/// When it cannot be read or understood.
pub(super) fn rlimits(dir: &PidDir) -> Result<Rlimits, Error> {
    parse_rlimits(&dir.read_text("limits", LIMIT)?).ok_or(Error::Malformed)
}

pub(super) fn parse_rlimits(text: &str) -> Option<Rlimits> {
    let value = |text: &str| match text {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    };
    let mut limits = Rlimits::new();
    for line in text.lines() {
        // A name that is not known belongs to a newer kernel, or is the heading.
        let Some((rest, name)) =
            RLIMITS.iter().find_map(|(long, name)| Some((line.strip_prefix(long)?, name)))
        else {
            continue;
        };
        let mut columns = rest.split_ascii_whitespace();
        limits.insert((*name).to_owned(), (value(columns.next()?)?, value(columns.next()?)?));
    }
    Some(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_real_container() {
        // From a container of Docker 20.10 on Linux 6.18; some lines are left out.
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
            Max cpu time              unlimited            unlimited            seconds   \n\
            Max stack size            8388608              unlimited            bytes     \n\
            Max nice priority         0                    0                    \n";
        let limits = parse_rlimits(limits).unwrap();
        assert_eq!(limits["cpu"], (None, None));
        assert_eq!(limits["stack"], (Some(8 << 20), None));
        assert_eq!((limits["nice"], limits.len()), ((Some(0), Some(0)), 3));
        assert_eq!(parse_rlimits("Max cpu time   many"), None);

        assert_eq!(parse_uid_map("         0          0 4294967295\n"), Some(vec![(0, 0, u32::MAX)]));
        assert_eq!(parse_uid_map("0 100000 65536\n65536 0 1\n").unwrap().len(), 2);
        assert_eq!(parse_uid_map("0 1\n"), None);
    }
}
