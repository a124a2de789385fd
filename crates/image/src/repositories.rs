//! Where an image's package managers take packages from: apt (sources.list(5)), apk (apk-repositories(5)), dnf and
//! zypper (`[repository]` files).

use std::path::Path;

use plimsoll_facts::{PackageInventory, PackageRepository};

use crate::error::Result;
use crate::inventory::noted;
use crate::tree::{Tree, present};

/// Bound of one file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Bound of the repositories of one file.
const MAX_REPOSITORIES: usize = 1_000;

type Parse = fn(&str) -> Vec<(String, Option<String>)>;

/// Adds what every file says that names repositories.
pub(crate) fn add(tree: &dyn Tree, inventory: &mut PackageInventory) {
    let files: [(&str, Parse); 2] =
        [("etc/apt/sources.list", apt_lines), ("etc/apk/repositories", apk_lines)];
    let dirs: [(&str, &str, Parse); 4] = [
        ("etc/apt/sources.list.d", ".list", apt_lines),
        ("etc/apt/sources.list.d", ".sources", apt_stanzas),
        ("etc/yum.repos.d", ".repo", sections),
        ("etc/zypp/repos.d", ".repo", sections),
    ];
    let mut found = Vec::new();
    let mut results: Vec<(&str, Result<()>)> = Vec::new();
    for (path, parse) in files {
        let read = present(tree.read(Path::new(path), MAX_FILE));
        results
            .push((path, read.map(|text| found.extend(text.map(|text| repositories(path, &text, parse))))));
    }
    for (dir, ending, parse) in dirs {
        let wanted = |name: &[u8]| name.ends_with(ending.as_bytes());
        let read = tree.read_files(Path::new(dir), &wanted, MAX_FILE, &mut |path, text| {
            found.push(repositories(&path.to_string_lossy(), &text, parse));
            Ok(())
        });
        results.push((dir, present(read).map(|_| ())));
    }
    for (path, result) in results {
        noted(result, &format!("/{path}"), &mut inventory.gaps);
    }
    inventory.repositories.extend(found.into_iter().flatten());
}

fn repositories(path: &str, text: &[u8], parse: Parse) -> Vec<PackageRepository> {
    let found = parse(&String::from_utf8_lossy(text)).into_iter().take(MAX_REPOSITORIES);
    found
        .map(|(uri, suite)| PackageRepository {
            path: format!("/{path}"),
            uri: without_credentials(&uri),
            suite,
        })
        .collect()
}

/// `deb [options] URI suite component…`
fn apt_lines(text: &str) -> Vec<(String, Option<String>)> {
    let line = |line: &str| {
        let rest = line.split('#').next()?.trim().strip_prefix("deb")?;
        let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        Some((words.next()?.to_owned(), words.next().map(str::to_owned)))
    };
    text.lines().filter_map(line).collect()
}

/// Stanzas of deb822 with `URIs` and `Suites`, several each.
fn apt_stanzas(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let text = text.replace("\r\n", "\n");
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            let mut lines =
                stanza.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        if field("Enabled").is_some_and(|value| matches!(value, "no" | "false" | "0")) {
            continue;
        }
        let words = |name| field(name).unwrap_or_default().split_whitespace();
        if words("Types").any(|kind| kind == "deb") {
            let pairs = words("URIs").flat_map(|uri| words("Suites").map(move |suite| (uri, suite)));
            found.extend(
                pairs.take(MAX_REPOSITORIES).map(|(uri, suite)| (uri.to_owned(), Some(suite.to_owned()))),
            );
        }
    }
    found
}

/// A URI a line, perhaps behind `@tag`.
fn apk_lines(text: &str) -> Vec<(String, Option<String>)> {
    let line = |line: &str| {
        let line = line.split('#').next()?.trim();
        let mut words = line.split_whitespace();
        let first = words.next()?;
        let uri = if first.starts_with('@') { words.next()? } else { first };
        Some((uri.to_owned(), first.strip_prefix('@').map(str::to_owned)))
    };
    text.lines().filter_map(line).collect()
}

/// `[id]` sections with `baseurl`, `mirrorlist` or `metalink`, and `enabled`.
fn sections(text: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut section: Option<(&str, Option<&str>, bool)> = None;
    for line in text.lines().map(str::trim).chain(["[]"]) {
        if let Some(id) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if let Some((id, Some(uri), true)) = section.replace((id, None, true)) {
                found.push((uri.to_owned(), Some(id.to_owned())));
            }
        } else if let (Some((key, value)), Some((_, uri, enabled))) = (line.split_once('='), section.as_mut())
        {
            match key.trim() {
                "baseurl" | "mirrorlist" | "metalink" => {
                    *uri = uri.or_else(|| value.split_whitespace().next())
                }
                "enabled" => *enabled = !matches!(value.trim(), "0" | "no" | "false"),
                _ => {}
            }
        }
    }
    found
}

/// Reads a text as each kind of file.
#[cfg(any(fuzzing, test))]
pub(crate) fn parse_all(text: &[u8]) {
    for parse in [apt_lines, apt_stanzas, apk_lines, sections] {
        repositories("x", text, parse);
    }
}

/// A URI without `user:password@`.
fn without_credentials(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((credentials, _)) => {
            format!("{scheme}://{}", rest.get(credentials.len() + 1..).unwrap_or_default())
        }
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(found: &[(String, Option<String>)]) -> Vec<String> {
        found.iter().map(|(uri, suite)| format!("{uri} {}", suite.as_deref().unwrap_or("-"))).collect()
    }

    #[test]
    fn apt() {
        let text = "# c\ndeb http://a.example/debian bookworm main\ndeb-src http://a.example/debian bookworm main\n\
                    deb [arch=amd64 signed-by=/k] https://b.example stable main # x\ndeb\n";
        assert_eq!(shown(&apt_lines(text)), ["http://a.example/debian bookworm", "https://b.example stable"]);
        let text = "Types: deb deb-src\nURIs: http://a.example\nSuites: x x-updates\n\nTypes: deb\nEnabled: no\nURIs: http://b.example\nSuites: y\n";
        assert_eq!(shown(&apt_stanzas(text)), ["http://a.example x", "http://a.example x-updates"]);
    }

    #[test]
    fn apk_and_dnf() {
        assert_eq!(
            shown(&apk_lines("https://a.example/v3.20/main\n@edge https://b.example\n#x\n")),
            ["https://a.example/v3.20/main -", "https://b.example edge"]
        );
        let text = "[base]\nname=x\nbaseurl=https://a.example/$releasever/\n[off]\nbaseurl=https://b.example\nenabled = 0\n[m]\nmetalink=https://c.example\n";
        assert_eq!(shown(&sections(text)), ["https://a.example/$releasever/ base", "https://c.example m"]);
    }

    #[test]
    fn credentials_are_left_out() {
        assert_eq!(without_credentials("https://u:p@a.example/x@y"), "https://a.example/x@y");
        assert_eq!(without_credentials("https://a.example/x@y"), "https://a.example/x@y");
        assert_eq!(without_credentials("file:/x"), "file:/x");
    }
}
