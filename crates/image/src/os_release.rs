//! os-release(5).

use plimsoll_facts::OsRelease;

/// Reads the text of an os-release file; lines that are not assignments are passed over. Without `ID` it is `linux`.
pub fn parse(text: &str) -> OsRelease {
    let mut release = OsRelease { id: "linux".to_owned(), ..OsRelease::default() };
    for line in text.lines() {
        let Some((name, value)) = line.trim().split_once('=') else { continue };
        let value = unquote(value.trim());
        match name {
            "ID" => release.id = value,
            "ID_LIKE" => release.id_like = value.split_whitespace().map(str::to_owned).collect(),
            "VERSION_ID" => release.version_id = Some(value),
            "VERSION_CODENAME" => release.codename = Some(value),
            "PRETTY_NAME" => release.pretty_name = Some(value),
            _ => {}
        }
    }
    release
}

/// Removes shell quotes, and backslashes inside double quotes.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
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
        let debian =
            parse("PRETTY_NAME='Debian \"x\"'\r\n#ID=no\nbad\nID=debian\nVERSION_CODENAME=bookworm\n");
        assert_eq!(debian.id, "debian");
        assert_eq!(debian.pretty_name.as_deref(), Some("Debian \"x\""));
        assert_eq!(debian.codename.as_deref(), Some("bookworm"));
        assert_eq!(parse("PRETTY_NAME=\"a \\\"b\\\" \\$c\"").pretty_name.as_deref(), Some("a \"b\" $c"));
        assert_eq!(parse("PRETTY_NAME=\"\\\n").id, "linux");
    }
}
