//! The file `.env` beside a compose file (Compose documentation, "Environment file syntax").

use std::collections::BTreeMap;

use super::interpolate::{Variables, interpolate};

/// The variables that the text sets. One whose value needs what is not set is not set either.
///
/// # Errors
/// The number of a line that sets nothing.
pub(super) fn parse(text: &str, environment: &Variables<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut set: BTreeMap<String, String> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) =
            line.split_once('=').ok_or_else(|| format!("line {} sets no variable", number + 1))?;
        let known = |name: &str| environment(name).or_else(|| set.get(name).cloned());
        let value = value.trim();
        let value = match value.chars().next() {
            Some('\'') => quoted(value, '\'').map(str::to_owned),
            Some('"') => quoted(value, '"').and_then(|text| interpolate(&unescaped(text), &known).ok()),
            _ => interpolate(uncommented(value), &known).ok(),
        };
        if let Some(value) = value {
            set.insert(name.trim().to_owned(), value);
        }
    }
    Ok(set)
}

/// What stands between quotes that are closed on the same line.
fn quoted(value: &str, quote: char) -> Option<&str> {
    let rest = value.strip_prefix(quote)?;
    let mut is_escaped = false;
    let end = rest.find(|c| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    rest.get(..end)
}

fn unescaped(text: &str) -> String {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some('n')) => result.push('\n'),
            ('\\', Some('r')) => result.push('\r'),
            ('\\', Some('t')) => result.push('\t'),
            ('\\', Some(next)) => result.push(next),
            _ => {
                result.push(character);
                continue;
            }
        }
        characters.next();
    }
    result
}

/// A comment needs a space before it.
fn uncommented(value: &str) -> &str {
    value.split_once(" #").map_or(value, |(value, _)| value).trim_end()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_as_compose_reads_them() {
        let text = "# c\n\nexport A=1\nB = two words # comment\nC='$A # x'\nD=\"a\\\"$A\\n\" # y\nE=$A-$NONE\nF=x#y\nG=\n";
        let set = parse(text, &|name| (name == "A").then(|| "shell".to_owned())).unwrap();
        let expected =
            [("A", "1"), ("B", "two words"), ("C", "$A # x"), ("D", "a\"shell\n"), ("F", "x#y"), ("G", "")];
        assert_eq!(set.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>(), expected);
        assert!(parse("A=1\nwhat is this\n", &|_| None).unwrap_err().contains("line 2"));
    }
}
