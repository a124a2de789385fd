//! Packages in the distribution's format that somebody else publishes: its advisories do not speak about them.

use plimsoll_facts::{Ecosystem, InstalledPackage};

/// A publisher, by the end of its mail addresses or the beginning of its vendor tag, and by what its versions carry.
struct Publisher {
    name: &'static str,
    vendors: &'static [&'static str],
    versions: &'static [&'static str],
}

const PUBLISHERS: [Publisher; 11] = [
    Publisher {
        name: "mariadb.org",
        vendors: &["lists.mariadb.org", "mariadb.com", "MariaDB"],
        versions: &["+maria~"],
    },
    Publisher { name: "docker.com", vendors: &["docker.com", "Docker"], versions: &[] },
    Publisher { name: "nginx.org", vendors: &["nginx.com", "nginx.org", "NGINX Packaging"], versions: &[] },
    Publisher { name: "postgresql.org", vendors: &["PostgreSQL Global"], versions: &[".pgdg", "PGDG"] },
    Publisher {
        name: "mysql.com",
        vendors: &["mysql.com", "oracle.com", "Oracle and/or its affiliates"],
        versions: &[],
    },
    Publisher { name: "percona.com", vendors: &["percona.com", "Percona"], versions: &[] },
    Publisher { name: "mongodb.com", vendors: &["mongodb.com", "10gen.com", "MongoDB"], versions: &[] },
    Publisher { name: "elastic.co", vendors: &["elastic.co", "Elastic"], versions: &[] },
    Publisher {
        name: "nodesource.com",
        vendors: &["nodesource.com", "NodeSource"],
        versions: &["nodesource"],
    },
    Publisher { name: "sury.org", vendors: &["sury.org"], versions: &["+sury", ".sury."] },
    Publisher { name: "rpms.remirepo.net", vendors: &["Remi's RPM"], versions: &[".remi"] },
];

/// The third party that publishes a package, where it is a known one.
pub(super) fn third_party(package: &InstalledPackage) -> Option<&'static str> {
    if package.ecosystem == Ecosystem::Apk {
        return None;
    }
    let vendor = package.vendor.as_deref().unwrap_or_default();
    let host = vendor.trim_end_matches('>').rsplit('@').next().unwrap_or_default();
    let is = |publisher: &&Publisher| {
        publisher.vendors.iter().any(|it| host.ends_with(it) || vendor.starts_with(it))
            || publisher.versions.iter().any(|mark| package.version.contains(mark))
    };
    PUBLISHERS.iter().find(is).map(|publisher| publisher.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers() {
        let of = |vendor: &str, version: &str| {
            third_party(&InstalledPackage {
                vendor: Some(vendor.into()),
                version: version.into(),
                ..InstalledPackage::default()
            })
        };
        assert_eq!(
            of("MariaDB Developers <developers@lists.mariadb.org>", "1:11.4.4+maria~deb12"),
            Some("mariadb.org")
        );
        assert_eq!(of("Docker <support@docker.com>", "5:27.3.1-1~debian.12~bookworm"), Some("docker.com"));
        assert_eq!(
            of("Debian PostgreSQL Maintainers <team@x.debian.org>", "16.4-1.pgdg120+1"),
            Some("postgresql.org")
        );
        assert_eq!(
            of("Debian MySQL Maintainers <pkg-mysql-maint@lists.alioth.debian.org>", "1:10.11.6-0+deb12u1"),
            None
        );
    }
}
