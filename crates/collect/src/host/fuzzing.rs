//! What administrators, installers and the kernel write about a host.

use super::{
    accounts, acl, audit_message, audit_rules, cgroups, file_access, files as paths, installed_kernels,
    kernel_config, machine, namespaces, security_modules, signing,
};

/// Files below `/etc`, `/boot`, `/proc` and `/sys`, and the attribute of an access list.
pub(crate) fn files(bytes: &[u8]) {
    let _ = acl::parse(bytes);
    let _ = installed_kernels::version_string(bytes);
    let text = &String::from_utf8_lossy(bytes);
    let _ = plimsoll_image::os_release::parse(text);
    let _ = accounts::parse(text, text, text);
    let _ = accounts::foreign_services(text);
    let _ = file_access::names_by_id(text);
    let _ = audit_rules::parse(text, |path| path.len() % 2 == 0);
    let _ = cgroups::unbound(text);
    let _ = machine::count_ranges(text);
    let _ = namespaces::parse(text, "mnt");
    let _ = security_modules::derive(&kernel_config::parse(text), text);
    let _ = paths::parse_containerd_address(text);
    let _ = signing::settings("/etc/profile", text);
    let _ = signing::statements(bytes);
}

/// A datagram of the audit system.
pub(crate) fn audit_datagram(bytes: &[u8]) {
    for message in audit_message::messages(bytes) {
        let _ = audit_message::rule(message.payload);
        let _ = audit_message::enabled(message.payload);
        let _ = audit_message::error(message.payload);
    }
}
