//! Whether the distribution itself publishes a package, or somebody else does.

use plimsoll_facts::{Ecosystem, InstalledPackage};

/// Domains of the mail addresses of Debian's and Ubuntu's maintainers. Many maintainers of Debian use an address of
/// their own; theirs count as somebody else's here, which costs time and no truth.
const MAINTAINERS: [&str; 4] = ["debian.org", "alioth-lists.debian.net", "ubuntu.com", "canonical.com"];

/// Beginnings of `VENDOR` in the rpms of distributions.
const VENDORS: [&str; 12] = [
    "Red Hat",
    "Fedora Project",
    "CentOS",
    "Rocky",
    "AlmaLinux",
    "Oracle America",
    "Amazon",
    "SUSE",
    "openSUSE",
    "Microsoft",
    "VMware, Inc.",
    "Mageia",
];

/// Whether a package is known to be the distribution's own: its advisories cover what is compiled into it.
pub fn is_distribution(package: &InstalledPackage) -> bool {
    let vendor = package.vendor.as_deref().unwrap_or_default();
    match package.ecosystem {
        Ecosystem::Dpkg => MAINTAINERS.iter().any(|domain| is_mail_of(vendor, domain)),
        Ecosystem::Rpm => VENDORS.iter().any(|name| vendor.starts_with(name)),
        // The database does not say who built a package, and repositories of third parties are rare.
        Ecosystem::Apk => true,
        _ => false,
    }
}

/// Whether `Name <user@host>` is at a domain or below it.
fn is_mail_of(maintainer: &str, domain: &str) -> bool {
    let host = maintainer.trim_end_matches('>').rsplit('@').next().unwrap_or_default();
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintainers_and_vendors() {
        let is = |ecosystem, vendor: &str| {
            is_distribution(&InstalledPackage {
                ecosystem,
                vendor: Some(vendor.to_owned()),
                ..InstalledPackage::default()
            })
        };
        assert!(is(Ecosystem::Dpkg, "Matthias Klose <doko@debian.org>"));
        assert!(is(Ecosystem::Dpkg, "Debian OpenSSL Team <pkg-openssl-devel@alioth-lists.debian.net>"));
        assert!(is(Ecosystem::Dpkg, "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>"));
        assert!(!is(Ecosystem::Dpkg, "MariaDB Developers <developers@lists.mariadb.org>"));
        assert!(!is(Ecosystem::Dpkg, "x <x@notdebian.org>"));
        assert!(!is(Ecosystem::Dpkg, ""));
        assert!(is(Ecosystem::Rpm, "Red Hat, Inc."));
        assert!(!is(Ecosystem::Rpm, "Remi's RPM repository <https://rpms.remirepo.net/>"));
    }
}
