//! The audit as HTML: whatever a name holds, the page has no other markup and no other script than its own.

use crate::{hostile, sample};

use plimsoll_report::{Audit, html};

fn written(audit: &Audit) -> String {
    let mut out = Vec::new();
    html::write(audit, &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

/// The names of all tags, in order.
fn tags(page: &str) -> Vec<&str> {
    page.split('<')
        .skip(1)
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!'))
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '/').next().unwrap_or(""))
        .collect()
}

#[test]
fn hostile_texts_add_no_markup() {
    let (hostile, harmless) = (written(&hostile::audit()), written(&sample::audit(12)));
    assert!(tags(&hostile) == tags(&harmless));
}

#[test]
fn hostile_texts_hide_nothing() {
    let page = written(&hostile::audit());
    for line in page.lines() {
        assert_eq!(plimsoll_report::escape::visible(line), line);
    }
}

#[test]
fn nothing_is_fetched() {
    let page = written(&sample::audit(12));
    for from_elsewhere in [" src=", " href=", "url(", "@import", "fetch("] {
        assert!(!page.replace("src=x onerror", "").contains(from_elsewhere), "{from_elsewhere}");
    }
}

#[test]
fn many_containers_make_no_huge_page() {
    let size = written(&sample::audit(500)).len();
    assert!(size < 1_000_000, "{size} bytes");
}
