//! Packages as package URLs (purl, ECMA-427), the names by which bills of materials call them.

use std::borrow::Cow;

use packageurl::PackageUrl;

use crate::{Ecosystem, InstalledPackage, OsRelease};

/// The longest package URL that is read, in bytes.
const MAX_LENGTH: usize = 4096;

impl InstalledPackage {
    /// The package URL. A distribution's package names the distribution (`distro`), and the source package that
    /// advisories are about where it differs (`upstream`, as `name@version`). `None` where the name cannot be one.
    pub fn purl(&self, os: Option<&OsRelease>) -> Option<String> {
        let (kind, separator) = match self.ecosystem {
            Ecosystem::Dpkg => ("deb", None),
            Ecosystem::Apk => ("apk", None),
            Ecosystem::Rpm => ("rpm", None),
            Ecosystem::Go => ("golang", Some('/')),
            Ecosystem::Cargo => ("cargo", None),
            Ecosystem::Python => ("pypi", None),
            Ecosystem::Npm => ("npm", Some('/')),
            Ecosystem::Java => ("maven", Some(':')),
        };
        let (namespace, name) = match separator.and_then(|at| self.name.rsplit_once(at)) {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, self.name.as_str()),
        };
        let mut purl = PackageUrl::new(kind, name).ok()?;
        let (epoch, version) = self.version_without_epoch();
        if !version.is_empty() {
            purl.with_version(version).ok()?;
        }
        if is_of_distribution(self.ecosystem) {
            self.qualify(&mut purl, os, epoch)?;
        } else if let Some(namespace) = namespace {
            purl.with_namespace(namespace).ok()?;
        }
        Some(purl.to_string())
    }

    /// An rpm's epoch is a qualifier; every other version stands as it is.
    fn version_without_epoch(&self) -> (Option<&str>, &str) {
        match self.version.split_once(':').filter(|_| self.ecosystem == Ecosystem::Rpm) {
            Some((epoch, version)) => (Some(epoch), version),
            None => (None, &self.version),
        }
    }

    fn qualify<'p>(
        &'p self,
        purl: &mut PackageUrl<'p>,
        os: Option<&'p OsRelease>,
        epoch: Option<&'p str>,
    ) -> Option<()> {
        let mut add = |key: &'static str, value: Cow<'p, str>| {
            if value.is_empty() { Some(()) } else { purl.add_qualifier(key, value).ok().map(|_| ()) }
        };
        if let Some(architecture) = &self.architecture {
            add("arch", architecture.into())?;
        }
        if let Some(epoch) = epoch {
            add("epoch", epoch.into())?;
        }
        if let Some(module) = &self.module {
            add("rpmmod", module.into())?;
        }
        if let Some(os) = os {
            let distribution = match &os.version_id {
                Some(version) => format!("{}-{version}", os.id),
                None => os.id.clone(),
            };
            add("distro", distribution.into())?;
        }
        if let Some(source) = self.source_name.as_ref() {
            let version = self.source_version.as_ref().filter(|version| **version != self.version);
            match version {
                Some(version) => add("upstream", format!("{source}@{version}").into())?,
                None if *source != self.name => add("upstream", source.into())?,
                None => {}
            }
        }
        if let Some(os) = os {
            purl.with_namespace(os.id.as_str()).ok()?;
        }
        Some(())
    }

    /// Reads a package URL, and the distribution that it names.
    ///
    /// # Errors
    /// Why it stands for no package that plimsoll can match, as a sentence.
    pub fn from_purl(text: &str) -> Result<(Self, Option<OsRelease>), String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("a package URL of {} bytes", text.len()));
        }
        let purl: PackageUrl<'_> =
            text.parse().map_err(|error| format!("`{text}` is no package URL: {error}"))?;
        let Some(version) = purl.version() else { return Err(format!("`{text}` has no version")) };
        let ecosystem = ecosystem(purl.ty())
            .ok_or_else(|| format!("no advisories are matched for packages of type `{}`", purl.ty()))?;
        let name = match (ecosystem, purl.namespace()) {
            (Ecosystem::Go | Ecosystem::Npm, Some(namespace)) => format!("{namespace}/{}", purl.name()),
            (Ecosystem::Java, Some(namespace)) => format!("{namespace}:{}", purl.name()),
            _ => purl.name().to_owned(),
        };
        let qualifier = |key: &str| purl.qualifiers().get(key).map(|value| value.as_ref().to_owned());
        let version = match qualifier("epoch").filter(|epoch| ecosystem == Ecosystem::Rpm && epoch != "0") {
            Some(epoch) => format!("{epoch}:{version}"),
            None => version.to_owned(),
        };
        let mut package = Self {
            ecosystem,
            name,
            version,
            architecture: qualifier("arch"),
            module: qualifier("rpmmod"),
            ..Self::default()
        };
        if !is_of_distribution(ecosystem) {
            return Ok((package, None));
        }
        let upstream = qualifier("upstream");
        let (source, source_version) = match upstream.as_deref().map(|it| (it, it.split_once('@'))) {
            Some((_, Some((source, version)))) => (source.to_owned(), version.to_owned()),
            Some((source, None)) => (source.to_owned(), package.version.clone()),
            None => (package.name.clone(), package.version.clone()),
        };
        package.source_name = Some(source);
        package.source_version = Some(source_version);
        let os = qualifier("distro").map(|distro| distribution(&distro, purl.namespace()));
        Ok((package, os))
    }
}

fn is_of_distribution(ecosystem: Ecosystem) -> bool {
    matches!(ecosystem, Ecosystem::Dpkg | Ecosystem::Apk | Ecosystem::Rpm)
}

fn ecosystem(kind: &str) -> Option<Ecosystem> {
    Some(match kind {
        "deb" => Ecosystem::Dpkg,
        "apk" => Ecosystem::Apk,
        "rpm" => Ecosystem::Rpm,
        "golang" => Ecosystem::Go,
        "cargo" => Ecosystem::Cargo,
        "pypi" => Ecosystem::Python,
        "npm" => Ecosystem::Npm,
        "maven" => Ecosystem::Java,
        _ => return None,
    })
}

/// `debian-12`, `opensuse-leap-15.5`, or a version alone beside a namespace.
fn distribution(distro: &str, namespace: Option<&str>) -> OsRelease {
    let (id, version) = match distro.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (id, Some(version)),
        _ if distro.starts_with(|c: char| c.is_ascii_digit()) => {
            (namespace.unwrap_or_default(), Some(distro))
        }
        _ => (distro, None),
    };
    OsRelease { id: id.to_owned(), version_id: version.map(str::to_owned), ..OsRelease::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> OsRelease {
        OsRelease { id: "debian".into(), version_id: Some("12".into()), ..OsRelease::default() }
    }

    fn there_and_back(package: &InstalledPackage, os: Option<&OsRelease>, expected: &str) {
        let purl = package.purl(os).unwrap();
        assert_eq!(purl, expected);
        let (read, read_os) = InstalledPackage::from_purl(&purl).unwrap();
        assert_eq!(&read, package);
        assert_eq!(read_os.as_ref(), os);
    }

    #[test]
    fn of_a_distribution() {
        let package = InstalledPackage {
            name: "libc++6".into(),
            version: "1:2.36-9+deb12u4".into(),
            source_name: Some("glibc".into()),
            source_version: Some("2.36-9+deb12u4".into()),
            architecture: Some("amd64".into()),
            ..InstalledPackage::default()
        };
        there_and_back(
            &package,
            Some(&debian()),
            "pkg:deb/debian/libc%2B%2B6@1:2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u4",
        );
    }

    #[test]
    fn of_languages() {
        let of = |ecosystem, name: &str| InstalledPackage {
            ecosystem,
            name: name.into(),
            version: "1.2".into(),
            ..InstalledPackage::default()
        };
        there_and_back(&of(Ecosystem::Npm, "@types/node"), None, "pkg:npm/%40types/node@1.2");
        there_and_back(&of(Ecosystem::Java, "org.x:y"), None, "pkg:maven/org.x/y@1.2");
        there_and_back(&of(Ecosystem::Go, "golang.org/x/net"), None, "pkg:golang/golang.org/x/net@1.2");
    }

    #[test]
    fn rpm_epochs_are_qualifiers() {
        let package = InstalledPackage {
            ecosystem: Ecosystem::Rpm,
            name: "dbus".into(),
            version: "1:1.12-8.el9".into(),
            source_name: Some("dbus".into()),
            source_version: Some("1:1.12-8.el9".into()),
            ..InstalledPackage::default()
        };
        there_and_back(&package, None, "pkg:rpm/dbus@1.12-8.el9?epoch=1");
    }

    #[test]
    fn what_cannot_be_matched_says_why() {
        for text in ["", "pkg:", "x", "pkg:deb/debian/bash", "pkg:hex/a@1", &"pkg:deb/a@1".repeat(500)] {
            assert!(InstalledPackage::from_purl(text).is_err(), "{text}");
        }
    }
}
