//! Which distribution it is (os-release(5)).

use plimsoll_facts::{Fact, OsRelease};
use plimsoll_rootdir::RootDir;

use crate::source;

/// `/etc/os-release`, or the vendor's copy below `/usr/lib` where there is none.
pub(super) fn collect(root: &RootDir) -> Fact<OsRelease> {
    let file = match source::text(root, "/etc/os-release") {
        Fact::Absent { .. } => source::text(root, "/usr/lib/os-release"),
        file => file,
    };
    file.map(|text| parse(&text))
}

fn parse(text: &str) -> OsRelease {
    let mut os = OsRelease::default();
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let value = unquote(value);
        match name {
            "ID" => os.id = value,
            "ID_LIKE" => os.id_like = value.split_whitespace().map(str::to_owned).collect(),
            "VERSION_ID" => os.version_id = Some(value),
            "VERSION_CODENAME" => os.codename = Some(value),
            "PRETTY_NAME" => os.pretty_name = Some(value),
            _ => {}
        }
    }
    if os.id.is_empty() {
        "linux".clone_into(&mut os.id);
    }
    os
}

/// Undoes shell quoting as far as os-release allows it: one pair of quotes, and backslashes in double quotes.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions() {
        let rocky =
            parse("NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.4\"\n");
        assert_eq!(rocky.id, "rocky");
        assert_eq!(rocky.id_like, ["rhel", "centos", "fedora"]);
        assert_eq!(rocky.codename, None);
        let debian = parse("PRETTY_NAME='Debian \"x\"'\r\n#ID=no\nID=debian\nVERSION_CODENAME=bookworm\n");
        assert_eq!(debian.pretty_name.as_deref(), Some("Debian \"x\""));
        assert_eq!(debian.codename.as_deref(), Some("bookworm"));
        assert_eq!(parse("PRETTY_NAME=\"a \\\"b\\\" \\$c\"").pretty_name.as_deref(), Some("a \"b\" $c"));
        assert_eq!(parse("").id, "linux");
    }
}
