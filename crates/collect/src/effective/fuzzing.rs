//! What the kernel writes about containers.

use super::{devices, init_files, limits, status};

/// Files of a process and of its cgroups.
pub(crate) fn files(bytes: &[u8]) {
    let _ = status::Status::parse(bytes);
    let text = &String::from_utf8_lossy(bytes);
    let _ = init_files::parse_uid_map(text);
    let _ = init_files::parse_rlimits(text);
    let _ = devices::access(text);
    let _ = plimsoll_probe::device_program::rules(&[bytes]);
    for line in text.lines() {
        let _ = limits::bytes(line);
        let _ = line.split_once(' ').and_then(|(quota, period)| limits::ratio(quota, period));
    }
}
