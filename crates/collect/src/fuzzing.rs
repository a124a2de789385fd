//! Entrances for the fuzz targets of `/fuzz`: what the kernel, containers, package managers and engines write. They
//! must neither panic nor take more than a little time and memory, whatever the bytes are.

use crate::{
    component, compose, effective, engine, host, mountinfo, net_namespace, packages, procs, sockets,
};

/// Name of a fuzz target, and its entrance.
pub type Target = (&'static str, fn(&[u8]));

/// Every entrance.
pub const TARGETS: [Target; 10] = [
    ("collect_certificate", certificate),
    ("collect_compose", compose),
    ("collect_engine_documents", engine_documents),
    ("collect_engine_files", engine_files),
    ("collect_host_files", host_files),
    ("collect_netlink", netlink),
    ("collect_packages", packages),
    ("collect_proc", proc),
    ("collect_program", program),
    ("collect_xtables", xtables),
];

/// A certificate in PEM, or in DER.
pub fn certificate(bytes: &[u8]) {
    engine::fuzzing::certificate(bytes);
}

/// A compose file, and its `.env`.
pub fn compose(bytes: &[u8]) {
    compose::fuzz(bytes);
}

/// An answer of an engine's API, read as each document.
pub fn engine_documents(bytes: &[u8]) {
    engine::fuzzing::documents(bytes);
}

/// daemon.json, a context of docker's client, addresses, and arguments of dockerd.
pub fn engine_files(bytes: &[u8]) {
    engine::fuzzing::files(bytes);
}

/// Files below `/etc`, `/boot`, `/proc` and `/sys`, and the attribute of an access list.
pub fn host_files(bytes: &[u8]) {
    host::fuzzing::files(bytes);
}

/// A datagram of the kernel's: sockets, audit rules, interfaces, routes, packet filter.
pub fn netlink(bytes: &[u8]) {
    sockets::parse_datagram(bytes);
    host::fuzzing::audit_datagram(bytes);
    net_namespace::fuzzing::messages(bytes);
}

/// A table of iptables-legacy, as the kernel keeps it.
pub fn xtables(bytes: &[u8]) {
    net_namespace::fuzzing::legacy_table(bytes);
}

/// dpkg's status and diversions, apk's database, and apt's lists, plain and packed.
pub fn packages(bytes: &[u8]) {
    packages::fuzzing::databases(bytes);
}

/// Files of processes and of cgroups.
pub fn proc(bytes: &[u8]) {
    let _ = mountinfo::parse(bytes);
    procs::parse_all(bytes);
    sockets::parse_file(bytes);
    effective::fuzzing::files(bytes);
    component::fuzzing::arguments(bytes);
}

/// A program and what Go wrote into it.
pub fn program(bytes: &[u8]) {
    component::fuzzing::program(bytes);
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod tests;
