//! Variables in values (Compose specification, "Interpolation").

/// What a variable is set to.
pub(super) type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Expressions inside each other.
const DEEPEST: usize = 8;
/// The longest result, in bytes.
const LONGEST: usize = 4096;

/// Puts variables in. Compose takes one that is not set as empty text; here that is unknown.
///
/// # Errors
/// Why the text is not known.
pub(super) fn interpolate(text: &str, variables: &Variables<'_>) -> Result<String, String> {
    expand(text, variables, DEEPEST)
}

fn expand(text: &str, variables: &Variables<'_>, deeper: usize) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result += before;
        let value;
        (value, rest) = match after.as_bytes().first() {
            Some(b'$') => ("$".to_owned(), &after[1..]),
            Some(b'{') => {
                let (inside, outside) = braced(&after[1..]).ok_or_else(|| unclear(text))?;
                (braces(inside, variables, deeper)?, outside)
            }
            _ => {
                let (name, outside) = name(after).ok_or_else(|| unclear(text))?;
                (set(name, variables)?, outside)
            }
        };
        result += &value;
        if result.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
    }
    Ok(result + rest)
}

/// `NAME`, or `NAME` with what stands for it where it is not set, or not set or empty (`:`).
fn braces(inside: &str, variables: &Variables<'_>, deeper: usize) -> Result<String, String> {
    let (name, rest) = name(inside).ok_or_else(|| unclear(inside))?;
    if rest.is_empty() {
        return set(name, variables);
    }
    let (may_be_empty, rest) = match rest.strip_prefix(':') {
        Some(rest) => (false, rest),
        None => (true, rest),
    };
    let value = variables(name).filter(|value| may_be_empty || !value.is_empty());
    let Some(deeper) = deeper.checked_sub(1) else { return Err(unclear(inside)) };
    match (rest.split_at_checked(1), value) {
        (Some(("-" | "?", _)), Some(value)) => Ok(value),
        (Some(("-", word)), None) | (Some(("+", word)), Some(_)) => expand(word, variables, deeper),
        (Some(("+", _)), None) => Ok(String::new()),
        (Some(("?", word)), None) => Err(format!("the variable {name} is not set: {word}")),
        _ => Err(unclear(inside)),
    }
}

fn set(name: &str, variables: &Variables<'_>) -> Result<String, String> {
    variables(name).ok_or_else(|| format!("the variable {name} is not set"))
}

/// What stands before the brace that closes, and what after it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '$' if characters.next_if(|(_, next)| *next == '{').is_some() => open += 1,
            '}' if open == 1 => return Some((text.get(..at)?, text.get(at + 1..)?)),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some((name, rest))
}

fn unclear(text: &str) -> String {
    format!("it is not clear which variable {text:?} means")
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    #[test]
    fn expressions_of_the_specification() {
        let variables = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("x", "x"),
            ("$A-${A}", "a-a"),
            ("$$A", "$A"),
            ("${NONE:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NONE-d}", "d"),
            ("${A:-d}", "a"),
            ("${A:?x}${A?x}", "aa"),
            ("${A:+b}${EMPTY:+b}${EMPTY+c}${NONE+d}", "bc"),
            ("${NONE:-${A}-${NONE:-e}}", "a-e"),
            ("${NONE:-r.example:5000/x}", "r.example:5000/x"),
        ] {
            assert_eq!(interpolate(text, &variables).as_deref(), Ok(expected), "{text}");
        }
        let deep = format!("{}d{}", "${N:-".repeat(100), "}".repeat(100));
        for text in
            ["$", "$1", "${", "${}", "${A", "${A!b}", "$NONE", "${NONE}", "${NONE?x}", "${EMPTY:?x}", &deep]
        {
            assert!(interpolate(text, &variables).is_err(), "{text}");
        }
        let long = |_: &str| Some("x".repeat(1000));
        assert!(interpolate("$A$A$A$A$A", &long).is_err());
    }
}
