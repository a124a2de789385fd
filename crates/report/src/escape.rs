//! All escaping, for every format, in one place. Names, labels and messages are hostile: whoever may start a
//! container chooses them.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Makes everything that would act on a terminal or hide from a reader visible: control characters, line
/// breaks, direction overrides, invisible and stacked combining characters become `\n`, `\x1b`, `\u{202e}`.
/// What it returns is one line, and escaping it again changes nothing.
pub fn visible(text: &str) -> Cow<'_, str> {
    let Some(first) = first_hidden(text) else { return Cow::Borrowed(text) };
    let (clean, rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(clean);
    let mut previous = clean.chars().next_back();
    for c in rest.chars() {
        if is_hidden(previous, c) {
            push_escaped(&mut shown, c);
        } else {
            shown.push(c);
        }
        previous = Some(c);
    }
    Cow::Owned(shown)
}

fn first_hidden(text: &str) -> Option<usize> {
    let mut previous = None;
    text.char_indices().find_map(|(at, c)| {
        let hidden = is_hidden(previous, c);
        previous = Some(c);
        hidden.then_some(at)
    })
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii() => write!(out, "\\x{:02x}", u32::from(c)).unwrap_or(()),
        c => write!(out, "\\u{{{:x}}}", u32::from(c)).unwrap_or(()),
    }
}

/// Whether a character acts or hides. One combining mark after a letter is writing; more, or one on nothing,
/// draws over its neighbours.
fn is_hidden(previous: Option<char>, c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    acts_or_hides(c) || (c.width() == Some(0) && previous.is_none_or(|p| !p.is_alphanumeric() || is_mark(p)))
}

fn is_mark(c: char) -> bool {
    c.width() == Some(0)
}

/// C1 controls, line and paragraph separators, and the code points that Unicode makes invisible by default
/// (`Default_Ignorable_Code_Point`), the direction controls among them.
pub(crate) fn acts_or_hides(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A text of several lines, each escaped by `escape`, with `end` between them.
pub fn lines<'t, S: AsRef<str>>(text: &'t str, escape: impl Fn(&'t str) -> S, end: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push_str(end);
        }
        out.push_str(escape(line).as_ref());
    }
    out
}

/// Columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// The beginning of a text that fits into `columns`, with `…` where something was cut off.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut cut = prefix(text, columns.saturating_sub(1)).to_owned();
    if columns > 0 {
        cut.push('…');
    }
    Cow::Owned(cut)
}

/// The longest beginning of a text that takes at most `columns`.
pub fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// Text and attribute values of HTML and XML; what neither may hold is made visible first.
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not characters of XML 1.0.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Prose in Markdown: nothing in it is formatting, a link, a mention or HTML.
pub fn markdown(text: &str) -> String {
    /// Ends what is recognised without any formatting: mentions, issue numbers, bare links.
    const BREAK: &str = "&#8203;";
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 16);
    let list_mark = list_mark(&text);
    for (at, c) in text.char_indices() {
        if "\\`*_[]<>#|~&$".contains(c) || Some(at) == list_mark {
            out.push('\\');
        }
        out.push(c);
        if matches!(c, '@' | '#') || (c == ':' && text[at..].starts_with("://")) {
            out.push_str(BREAK);
        }
        if c.eq_ignore_ascii_case(&'w') && text[at + 1..].starts_with('.') {
            out.push_str(BREAK);
        }
    }
    out
}

/// Where a text would begin a list or a line across the page: `-`, `+`, `=`, or the mark after a number.
fn list_mark(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let after = text.as_bytes().get(digits + 1);
    match text.as_bytes().get(digits)? {
        b'-' | b'+' | b'=' if digits == 0 => Some(0),
        b'.' | b')' if digits > 0 && after.is_none_or(|next| *next == b' ') => Some(digits),
        _ => None,
    }
}

/// Code in a cell of a Markdown table, where a bar must be escaped even in code.
pub fn markdown_cell(text: &str) -> String {
    markdown_code(text).replace('|', "\\|")
}

/// Code in Markdown: every character stands for itself.
pub fn markdown_code(text: &str) -> String {
    let text = visible(text);
    if text.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.starts_with(' ') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

/// Plain text of a SARIF message, where `[text](target)` would be a link (SARIF 2.1.0, §3.11.6).
pub fn sarif(text: &str) -> String {
    visible(text).replace("](", "\\](")
}

/// One segment of a URI reference (RFC 3986): what is not unreserved is percent-encoded.
pub fn uri_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").unwrap_or(());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_shown() {
        assert_eq!(visible("db-1.prod"), "db-1.prod");
        assert_eq!(visible("a\u{1b}[31mred\u{7}"), "a\\x1b[31mred\\x07");
        assert_eq!(visible("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(visible("txt.\u{202e}gnp"), "txt.\\u{202e}gnp");
        assert_eq!(visible("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(visible("tag\u{e0041}"), "tag\\u{e0041}");
    }

    #[test]
    fn writing_is_left_alone_but_not_stacks_of_marks() {
        assert_eq!(visible("Café, 日本語, e\u{301}"), "Café, 日本語, e\u{301}");
        assert_eq!(visible("e\u{301}\u{302}"), "e\u{301}\\u{302}");
        assert_eq!(visible("\u{301}x"), "\\u{301}x");
    }

    #[test]
    fn escaping_twice_is_escaping_once() {
        for hostile in ["a\u{1b}]0;x\u{7}", "\u{202e}\u{301}\u{301}", "\\n"] {
            let once = visible(hostile).into_owned();
            assert_eq!(visible(&once), once);
        }
    }

    #[test]
    fn cutting_counts_columns_not_characters() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn markup_has_no_way_out() {
        assert_eq!(
            markup("<script>alert('x')</script>\"&\0"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\\x00"
        );
    }

    #[test]
    fn markdown_has_no_formatting() {
        assert_eq!(markdown("a*b*_c_ [x](y) <img> | end"), "a\\*b\\*\\_c\\_ \\[x\\](y) \\<img\\> \\| end");
        assert_eq!(markdown("ask @ops about #12"), "ask @&#8203;ops about \\#&#8203;12");
        assert_eq!(markdown("see https://x.y"), "see https:&#8203;//x.y");
        assert_eq!(markdown("www.x.y"), "www&#8203;.x.y");
        assert_eq!(markdown("1. not a list"), "1\\. not a list");
        assert_eq!(markdown("6.1.0-28"), "6.1.0-28");
        assert_eq!(markdown("- not a list"), "\\- not a list");
        assert_eq!(markdown_cell("a`b|c"), "``a`b\\|c``");
        assert_eq!(markdown_code("`"), "`` ` ``");
    }

    #[test]
    fn uri_segments_are_ascii() {
        assert_eq!(uri_segment("a b/ü"), "a%20b%2F%C3%BC");
    }
}
