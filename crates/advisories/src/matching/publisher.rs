//! Packages in the distribution's format that somebody else publishes: its advisories do not speak about them.
//!
//! Some hold programs that Bitnami publishes advisories about, by the project's own version numbers.

use plimsoll_facts::{Ecosystem, InstalledPackage};

/// A publisher, by the end of its mail addresses or the beginning of its vendor tag, and by what its versions carry.
struct Publisher {
    name: &'static str,
    vendors: &'static [&'static str],
    versions: &'static [&'static str],
}

const fn publisher(
    name: &'static str,
    vendors: &'static [&'static str],
    versions: &'static [&'static str],
) -> Publisher {
    Publisher { name, vendors, versions }
}

const PUBLISHERS: [Publisher; 37] = [
    publisher("mariadb.org", &["lists.mariadb.org", "mariadb.com", "MariaDB"], &["+maria~"]),
    publisher("docker.com", &["docker.com", "containerd.io", "Docker"], &[]),
    publisher("nginx.org", &["nginx.com", "nginx.org", "f5.com", "NGINX Packaging", "nginx inc"], &[]),
    publisher("postgresql.org", &["PostgreSQL Global"], &[".pgdg", "PGDG"]),
    publisher("mysql.com", &["mysql.com", "oracle.com", "Oracle and/or its affiliates"], &[]),
    publisher("percona.com", &["percona.com", "Percona"], &[]),
    publisher("mongodb.com", &["mongodb.com", "10gen.com", "MongoDB"], &[]),
    publisher("redis.io", &["redis.com", "redis.io", "redislabs.com", "Redis"], &["rl1~"]),
    publisher("elastic.co", &["elastic.co", "Elastic"], &[]),
    publisher("opensearch.org", &["opensearch.org", "opensearch@amazon.com", "OpenSearch"], &[]),
    publisher("nodesource.com", &["nodesource.com", "NodeSource"], &["nodesource"]),
    publisher("grafana.com", &["grafana.com", "Grafana"], &[]),
    publisher("hashicorp.com", &["hashicorp.com", "HashiCorp"], &[]),
    publisher("kubernetes.io", &["kubernetes.io", "Kubernetes"], &[]),
    publisher("gitlab.com", &["gitlab.com", "GitLab"], &[]),
    publisher("microsoft.com", &["microsoft.com", "dotnetfoundation.org", "Microsoft"], &[]),
    publisher("google.com", &["chromium.org", "Google"], &[]),
    publisher("clickhouse.com", &["clickhouse.com", "ClickHouse"], &[]),
    publisher("rabbitmq.com", &["rabbitmq.com", "RabbitMQ Team", "Team RabbitMQ"], &[]),
    publisher("influxdata.com", &["influxdata.com", "influxdb.com", "InfluxData"], &[]),
    publisher("datadoghq.com", &["datadoghq.com", "Datadog"], &[]),
    publisher("tailscale.com", &["tailscale.com", "Tailscale"], &[]),
    publisher("cloudflare.com", &["cloudflare.com", "Cloudflare"], &[]),
    publisher("github.com/cli", &["github.com", "GitHub"], &[]),
    publisher("adoptium.net", &["adoptium.net", "adoptopenjdk.net", "Eclipse Adoptium"], &[]),
    publisher("azul.com", &["azul.com", "Azul Systems"], &[]),
    publisher("aws.amazon.com/corretto", &["corretto-team@amazon.com"], &[]),
    publisher("nvidia.com", &["cudatools@nvidia.com", "NVIDIA"], &[]),
    publisher("zabbix.com", &["zabbix.com", "Zabbix"], &[]),
    publisher("varnish-software.com", &["varnish-software.com", "Varnish Software"], &[]),
    publisher("sury.org", &["sury.org"], &["+sury", ".sury.", "~1.gbp"]),
    publisher("deb-multimedia.org", &["deb-multimedia.org"], &["-dmo"]),
    publisher("a personal package archive", &[], &["~ppa"]),
    publisher("a backports repository", &[], &["~bpo"]),
    publisher("rpms.remirepo.net", &["Remi's RPM"], &[".remi"]),
    publisher("rpmfusion.org", &["RPM Fusion"], &[]),
    publisher("elrepo.org", &["The ELRepo"], &[".elrepo"]),
];

/// The third party that publishes a package, where it is a known one; `os` is the `ID` of os-release(5).
pub(super) fn third_party(package: &InstalledPackage, os: Option<&str>) -> Option<&'static str> {
    if !matches!(package.ecosystem, Ecosystem::Dpkg | Ecosystem::Rpm) {
        return None;
    }
    let vendor = package.vendor.as_deref().unwrap_or_default();
    if package.ecosystem == Ecosystem::Rpm && vendor == "Fedora Project" && os != Some("fedora") {
        return Some("the Fedora Project (EPEL)");
    }
    let address = vendor.trim_end_matches('>').rsplit(['<', ' ']).next().unwrap_or_default();
    let host = address.rsplit('@').next().unwrap_or_default();
    let is_at =
        |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    // Debian's own teams are called after what they package, too.
    let of_distribution = ["debian.org", "debian.net", "ubuntu.com"].into_iter().any(is_at);
    let of_vendor = |it: &str| is_at(it) || address == it || vendor.starts_with(it);
    let is = |publisher: &&Publisher| {
        (!of_distribution && publisher.vendors.iter().any(|it| of_vendor(it)))
            || publisher.versions.iter().any(|mark| holds(&package.version, mark))
    };
    PUBLISHERS.iter().find(is).map(|publisher| publisher.name)
}

fn holds(version: &str, mark: &str) -> bool {
    memchr::memmem::find(version.as_bytes(), mark.as_bytes()).is_some()
}

/// Packages, by the beginning of the source's or their own name in lower case, and what Bitnami calls the program.
const PROGRAMS: [(&str, &str); 19] = [
    ("clickhouse", "clickhouse"),
    ("consul", "consul"),
    ("elasticsearch", "elasticsearch"),
    ("gitlab-ce", "gitlab"),
    ("gitlab-ee", "gitlab"),
    ("grafana", "grafana"),
    ("haproxy", "haproxy"),
    ("kibana", "kibana"),
    ("logstash", "logstash"),
    ("mariadb", "mariadb"),
    ("mongodb-org-server", "mongodb"),
    ("mysql-community", "mysql"),
    ("nginx", "nginx"),
    ("nodejs", "node"),
    ("php", "php"),
    ("postgresql", "postgresql"),
    ("rabbitmq-server", "rabbitmq"),
    ("redis", "redis"),
    ("vault", "vault"),
];

/// What a third party's package is to Bitnami: the program, and the project's version of it.
pub(super) fn upstream(package: &InstalledPackage) -> Option<(&'static str, String)> {
    let source = package.source_name.as_deref().unwrap_or(&package.name).to_ascii_lowercase();
    let is = |begin: &&(&str, &str)| {
        let rest = source.strip_prefix(begin.0);
        // `postgresql-16` and `php8.3` are; `php-redis`, `mariadb-connector-odbc` and `nginx-module-njs` are others.
        rest.is_some_and(|rest| {
            rest.trim_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')).is_empty()
        })
    };
    let (_, program) = PROGRAMS.iter().find(is)?;
    let version = package.version.split_once(':').map_or(package.version.as_str(), |(_, version)| version);
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let numbers = version.get(..end)?.trim_end_matches('.');
    // Semantic versions have three numbers; PostgreSQL's have two.
    let missing = 2_usize.checked_sub(numbers.matches('.').count())?;
    (!numbers.is_empty()).then(|| (*program, format!("{numbers}{}", ".0".repeat(missing))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(ecosystem: Ecosystem, name: &str, vendor: &str, version: &str) -> InstalledPackage {
        InstalledPackage {
            ecosystem,
            name: name.into(),
            vendor: Some(vendor.into()),
            version: version.into(),
            ..InstalledPackage::default()
        }
    }

    /// Package, maintainer and version as the stanzas of these repositories have them.
    #[test]
    fn publishers_of_debs() {
        for (name, vendor, version, publisher, program) in [
            (
                "mariadb",
                "MariaDB Developers <developers@lists.mariadb.org>",
                "1:11.4.4+maria~deb12",
                Some("mariadb.org"),
                Some(("mariadb", "11.4.4")),
            ),
            (
                "docker-ce",
                "Docker <support@docker.com>",
                "5:27.3.1-1~debian.12~bookworm",
                Some("docker.com"),
                None,
            ),
            ("containerd.io", "Containerd team <help@containerd.io>", "1.7.22-1", Some("docker.com"), None),
            (
                "nginx",
                "NGINX Packaging <nginx-packaging@f5.com>",
                "1.26.2-1~bookworm",
                Some("nginx.org"),
                Some(("nginx", "1.26.2")),
            ),
            (
                "postgresql-16",
                "Debian PostgreSQL Maintainers <team+postgresql@tracker.debian.org>",
                "16.4-1.pgdg120+1",
                Some("postgresql.org"),
                Some(("postgresql", "16.4.0")),
            ),
            (
                "nodejs",
                "NodeSource Support <support@nodesource.com>",
                "20.20.2-1nodesource1+repack1",
                Some("nodesource.com"),
                Some(("node", "20.20.2")),
            ),
            (
                "mysql-community",
                "MySQL Release Engineering <mysql-build@oss.oracle.com>",
                "8.0.40-1debian12",
                Some("mysql.com"),
                Some(("mysql", "8.0.40")),
            ),
            (
                "php8.3",
                "Debian PHP Maintainers <team+pkg-php@tracker.debian.org>",
                "8.3.8-1+0~20240606.1+debian12~1.gbpbe44bd",
                Some("sury.org"),
                Some(("php", "8.3.8")),
            ),
            (
                "php-redis",
                "Debian PHP PECL Maintainers <team+php-pecl@tracker.debian.org>",
                "6.0.2-1+0~20231120.37+debian12~1.gbp4a4b7c",
                Some("sury.org"),
                None,
            ),
            (
                "haproxy",
                "Debian HAProxy Maintainers <team+haproxy@tracker.debian.org>",
                "3.0.5-1~bpo12+1",
                Some("a backports repository"),
                Some(("haproxy", "3.0.5")),
            ),
            (
                "google-cloud-cli",
                "Google Cloud CLI Authors <https://code.google.com/p/google-cloud-sdk/>",
                "528.0.0-0",
                Some("google.com"),
                None,
            ),
            (
                "mariadb",
                "Debian MySQL Maintainers <pkg-mysql-maint@lists.alioth.debian.org>",
                "1:10.11.6-0+deb12u1",
                None,
                Some(("mariadb", "10.11.6")),
            ),
            (
                "docker-compose",
                "Docker Compose Team <team+docker-compose@tracker.debian.org>",
                "1.29.2-3",
                None,
                None,
            ),
            ("python3-aiohttp-cors", "Brandon Weeks <bweeks@google.com>", "0.7.0-3", None, None),
            ("x", "x <x@notdocker.com>", "1", None, None),
        ] {
            let package = package(Ecosystem::Dpkg, name, vendor, version);
            assert_eq!(third_party(&package, Some("debian")), publisher, "{name} {version}");
            let found = upstream(&package);
            assert_eq!(
                found.as_ref().map(|(name, version)| (*name, version.as_str())),
                program,
                "{name} {version}"
            );
        }
    }

    #[test]
    fn publishers_of_rpms() {
        let of = |vendor, version, os| third_party(&package(Ecosystem::Rpm, "x", vendor, version), Some(os));
        assert_eq!(of("Red Hat, Inc.", "1-1.el9", "rhel"), None);
        assert_eq!(
            of("PostgreSQL Global Development Group", "16.4-1PGDG.rhel9", "rocky"),
            Some("postgresql.org")
        );
        assert_eq!(
            of("Remi's RPM repository <https://rpms.remirepo.net/>", "8.3.8-1.el9.remi", "rocky"),
            Some("rpms.remirepo.net")
        );
        assert_eq!(of("Fedora Project", "1-1.el9", "almalinux"), Some("the Fedora Project (EPEL)"));
        assert_eq!(of("Fedora Project", "1-1.fc41", "fedora"), None);
        assert_eq!(of("Oracle America", "1-1.el9", "ol"), None);
    }
}
