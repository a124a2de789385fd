//! Programs that run code of others: what they have mapped does not tell what they run.

use std::collections::BTreeSet;

use plimsoll_facts::Ecosystem;

/// How an interpreter's program or library begins, its language, and the ecosystem whose packages are listed.
const INTERPRETERS: [(&str, &str, Option<Ecosystem>); 20] = [
    ("python", "Python", Some(Ecosystem::Python)),
    ("pypy", "Python", Some(Ecosystem::Python)),
    ("node", "JavaScript", Some(Ecosystem::Npm)),
    ("nodejs", "JavaScript", Some(Ecosystem::Npm)),
    ("bun", "JavaScript", Some(Ecosystem::Npm)),
    ("deno", "JavaScript", Some(Ecosystem::Npm)),
    ("java", "Java", Some(Ecosystem::Java)),
    ("jvm", "Java", Some(Ecosystem::Java)),
    ("perl", "Perl", None),
    ("ruby", "Ruby", None),
    ("php", "PHP", None),
    ("php-fpm", "PHP", None),
    ("php-cgi", "PHP", None),
    ("lua", "Lua", None),
    ("luajit", "Lua", None),
    ("dotnet", ".NET", None),
    ("coreclr", ".NET", None),
    ("mono", ".NET", None),
    ("beam", "Erlang", None),
    ("guile", "Scheme", None),
];
/// Folders that packages of a language are installed in.
const FOLDERS: [(Ecosystem, &str); 3] = [
    (Ecosystem::Python, "/site-packages/"),
    (Ecosystem::Python, "/dist-packages/"),
    (Ecosystem::Npm, "/node_modules/"),
];

/// Languages that a process interprets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Languages {
    /// Those whose packages are listed.
    pub(super) listed: Vec<Ecosystem>,
    /// One whose packages are not.
    pub(super) unlisted: Option<&'static str>,
}

/// The languages of a process, by the files that it runs code of.
pub(super) fn of<'f>(files: impl Iterator<Item = &'f str>) -> Languages {
    let found: Vec<_> = files.filter_map(interpreter).collect();
    let listed: BTreeSet<Ecosystem> = found.iter().filter_map(|(_, ecosystem)| *ecosystem).collect();
    let unlisted = found.iter().find(|(_, ecosystem)| ecosystem.is_none());
    Languages { listed: listed.into_iter().collect(), unlisted: unlisted.map(|(language, _)| *language) }
}

/// Whether a file is in a folder of packages of one of these languages.
pub(super) fn is_in_package(path: &str, languages: &[Ecosystem]) -> bool {
    FOLDERS.iter().any(|(ecosystem, folder)| languages.contains(ecosystem) && path.contains(folder))
}

/// Language and ecosystem of an interpreter: `/usr/bin/python3.11`, `/usr/lib/libperl.so.5.36`.
fn interpreter(path: &str) -> Option<(&'static str, Option<Ecosystem>)> {
    let name = path.rsplit('/').next()?;
    let name = match name.strip_prefix("lib") {
        Some(library) if library.contains(".so") => library,
        _ => name,
    };
    let is_version = |rest: &str| {
        rest.is_empty() || rest.trim_start_matches('-').starts_with(|c: char| c == '.' || c.is_ascii_digit())
    };
    let found = INTERPRETERS.iter().find(|(begin, ..)| name.strip_prefix(begin).is_some_and(is_version));
    found.map(|(_, language, ecosystem)| (*language, *ecosystem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_by_their_files() {
        let languages = |files: &[&str]| of(files.iter().copied());
        for (file, ecosystem) in [
            ("/usr/bin/python3.11", Ecosystem::Python),
            ("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0", Ecosystem::Python),
            ("/usr/local/bin/node", Ecosystem::Npm),
            ("/opt/java/openjdk/lib/server/libjvm.so", Ecosystem::Java),
        ] {
            assert_eq!(languages(&["/x", file]).listed, [ecosystem], "{file}");
        }
        for (file, language) in [
            ("/usr/bin/perl", "Perl"),
            ("/usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2", "Ruby"),
            ("/usr/sbin/php-fpm8.2", "PHP"),
            ("/usr/lib/apache2/modules/libphp8.2.so", "PHP"),
            ("/usr/lib/erlang/erts-13.1.5/bin/beam.smp", "Erlang"),
        ] {
            assert_eq!(languages(&[file]).unlisted, Some(language), "{file}");
        }
        let others =
            ["/bin/node_exporter", "/usr/sbin/javad", "/usr/bin/phpmyadmin", "/usr/lib/libnodes.so", ""];
        assert_eq!(languages(&others), Languages::default());
    }

    #[test]
    fn files_of_packages() {
        let addon = "/app/node_modules/bcrypt/build/Release/bcrypt.node";
        assert!(is_in_package(addon, &[Ecosystem::Npm]) && !is_in_package(addon, &[Ecosystem::Java]));
    }
}
