//! Docker's proxies of published ports, by their command lines.

use plimsoll_facts::PortProxy;

use crate::procs::{Processes, Row};
use crate::source::file_name;

/// Name of the program.
const PROGRAM: &str = "docker-proxy";
/// Most bytes of its command line.
const MAX_COMMAND_LINE: usize = 16 << 10;
/// Most proxies that are read: anybody can call a program so.
const MOST: usize = 16_384;

/// Each proxy with the network namespace that it is in.
pub(super) fn find(processes: &Processes) -> Vec<(u64, PortProxy)> {
    let is_proxy = |row: &&Row| {
        row.exe.as_ref().is_ok_and(|exe| file_name(exe.trim_end_matches(" (deleted)")) == PROGRAM)
    };
    let read = |row: &Row| {
        let namespace = row.namespaces.as_ref().ok()?.net;
        let line = processes.open(row).ok()?.read("cmdline", MAX_COMMAND_LINE).ok()?;
        Some((namespace, PortProxy { pid: row.pid, ..parse(&line)? }))
    };
    processes.rows().iter().filter(is_proxy).take(MOST).filter_map(read).collect()
}

/// The command line of a proxy; `None` where it lacks what makes one.
pub(super) fn parse(line: &[u8]) -> Option<PortProxy> {
    let text = String::from_utf8_lossy(line);
    let arguments: Vec<&str> = text.split('\0').collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument.trim_start_matches('-') == flag)?;
        arguments.get(at + 1).copied()
    };
    Some(PortProxy {
        pid: 0,
        protocol: after("proto").unwrap_or("tcp").to_owned(),
        host_address: after("host-ip")?.to_owned(),
        host_port: after("host-port")?.parse().ok()?,
        address: after("container-ip")?.to_owned(),
        port: after("container-port")?.parse().ok()?,
    })
}
