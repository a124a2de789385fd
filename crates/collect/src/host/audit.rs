//! The kernel's audit rules, asked over `NETLINK_AUDIT`; where the kernel does not answer us, those on disk.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use plimsoll_facts::{Audit, AuditRule, Fact};
use plimsoll_rootdir::RootDir;
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

use super::{audit_message, audit_rules};
use crate::source::{self, why};

const NETLINK: &str = "NETLINK_AUDIT";
const RULES_FILE: &str = "/etc/audit/audit.rules";
const RULES_DIR: &str = "/etc/audit/rules.d";

/// The kernel answers at once, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(2);

/// Most rules that are read; each message carries one.
const MAX_RULES: usize = 10_000;

/// The largest message of the kernel: a rule with all its strings.
const MAX_MESSAGE: usize = 64 << 10;

/// The rules in force; absent where the kernel has no audit.
pub(super) fn collect(root: &RootDir) -> Fact<Audit> {
    let reason = if source::is_live(root) {
        match ask_kernel() {
            Ok(audit) => return Fact::known(audit, format!("{NETLINK} AUDIT_LIST_RULES")),
            Err(Errno::PROTONOSUPPORT) => return Fact::absent(NETLINK),
            Err(Errno::PERM) => {
                "the kernel tells its audit rules only to CAP_AUDIT_CONTROL in the host's PID and user namespaces"
                    .to_owned()
            }
            Err(errno) => format!("the kernel did not answer: {}", io::Error::from(errno)),
        }
    } else {
        "a captured tree holds no audit rules of the kernel".to_owned()
    };
    match on_disk(root) {
        Fact::Known { value, source } => {
            Fact::known(value, format!("{source} (what auditd loads; {reason})"))
        }
        Fact::Absent { .. } => Fact::unreadable(NETLINK, format!("{reason}, and there is no {RULES_FILE}")),
        unreadable => unreadable,
    }
}

fn ask_kernel() -> Result<Audit, Errno> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(netlink::AUDIT))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    let mut enabled = None;
    request(&socket, audit_message::GET, |message| {
        if message.kind == audit_message::GET {
            enabled = audit_message::enabled(message.payload);
        }
        Ok(())
    })?;
    let mut rules = Vec::new();
    request(&socket, audit_message::LIST_RULES, |message| {
        if rules.len() == MAX_RULES {
            return Err(Errno::TOOBIG);
        }
        if message.kind == audit_message::LIST_RULES {
            rules.push(audit_message::rule(message.payload).ok_or(Errno::BADMSG)?);
        }
        Ok(())
    })?;
    Ok(Audit { enabled, rules })
}

/// Sends a request and hands every message of the answer to `visit`: one status, or rules up to the end of their
/// list. The acknowledgement may come before them.
fn request(
    socket: &OwnedFd,
    kind: u16,
    mut visit: impl FnMut(&audit_message::Message<'_>) -> Result<(), Errno>,
) -> Result<(), Errno> {
    sendto(socket, &audit_message::request(kind), SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut buffer = vec![0_u8; MAX_MESSAGE];
    loop {
        let (_, length) = recv(socket, &mut buffer[..], RecvFlags::TRUNC)?;
        let datagram = buffer.get(..length).ok_or(Errno::MSGSIZE)?;
        for message in audit_message::messages(datagram) {
            match message.kind {
                audit_message::ERROR => match audit_message::error(message.payload).ok_or(Errno::BADMSG)? {
                    0 => {}
                    errno => return Err(Errno::from_raw_os_error(errno)),
                },
                audit_message::DONE => return Ok(()),
                _ => {
                    visit(&message)?;
                    if kind == audit_message::GET {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// `audit.rules` is what auditd's start-up loads; where it was never made, the parts that it is made from.
fn on_disk(root: &RootDir) -> Fact<Audit> {
    let (text, source) = match source::text(root, RULES_FILE) {
        Fact::Known { value, source } => (value, source),
        Fact::Absent { .. } => match parts(root) {
            Fact::Known { value, source } => (value, source),
            other => return other.map(|_| Audit::default()),
        },
        other => return other.map(|_| Audit::default()),
    };
    let is_directory = |path: &str| {
        root.stat(path, true).is_ok_and(|stat| {
            rustix::fs::FileType::from_raw_mode(stat.stx_mode.into()) == rustix::fs::FileType::Directory
        })
    };
    let rules: Vec<AuditRule> = audit_rules::parse(&text, is_directory);
    Fact::known(Audit { enabled: None, rules }, source)
}

/// `rules.d/*.rules` one after the other, in the order of their names (augenrules(8)).
fn parts(root: &RootDir) -> Fact<String> {
    let entries = match root.read_dir(RULES_DIR, 1024) {
        Ok(entries) => entries,
        Err(error) => return source::read(RULES_DIR, Err(error)),
    };
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect();
    names.retain(|name| name.ends_with(".rules"));
    names.sort();
    if names.is_empty() {
        return Fact::absent(RULES_DIR);
    }
    let mut text = String::new();
    for name in names {
        let path = format!("{RULES_DIR}/{name}");
        match root.read_text(&path, source::SMALL) {
            Ok(part) => text.push_str(&part),
            Err(error) => return Fact::unreadable(path, why(&error)),
        }
        text.push('\n');
    }
    Fact::known(text, RULES_DIR)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_where_the_kernel_cannot_be_asked() {
        let dir = tempfile::tempdir().unwrap();
        let root = RootDir::open(dir.path()).unwrap();
        let Fact::Unreadable { reason, .. } = collect(&root) else { panic!("nothing to read") };
        assert!(reason.contains("audit.rules"), "{reason}");

        fs::create_dir_all(dir.path().join("etc/audit/rules.d")).unwrap();
        fs::create_dir_all(dir.path().join("etc/docker")).unwrap();
        fs::write(dir.path().join("etc/audit/rules.d/20-b.rules"), "-w /etc/docker -p wa").unwrap();
        fs::write(dir.path().join("etc/audit/rules.d/10-a.rules"), "-D\n").unwrap();
        fs::write(dir.path().join("etc/audit/rules.d/30-c.off"), "-D\n").unwrap();
        let audit = collect(&root);
        assert!(audit.source().starts_with("/etc/audit/rules.d (what auditd loads; "), "{}", audit.source());
        let audit = audit.value().unwrap();
        assert_eq!((audit.enabled, audit.rules.len()), (None, 1));
        assert_eq!(audit.rules[0].dir.as_deref(), Some("/etc/docker"));

        fs::write(dir.path().join("etc/audit/audit.rules"), "").unwrap();
        assert!(collect(&root).value().unwrap().rules.is_empty());
    }

    /// Whatever the kernel of this machine answers, it is an answer.
    #[test]
    fn the_kernel_of_this_machine() {
        match ask_kernel() {
            Ok(audit) => assert!(audit.enabled.is_some()),
            Err(errno) => {
                assert!([Errno::PERM, Errno::PROTONOSUPPORT, Errno::CONNREFUSED].contains(&errno), "{errno}")
            }
        }
    }
}
