//! The audit as Markdown: its size, and names that format nothing.

use crate::sample;

use plimsoll_report::{Audit, markdown};

fn written(audit: &Audit, full: bool) -> String {
    let mut out = Vec::new();
    markdown::write(audit, full, &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_comment_has_room_for_it() {
    let text = written(&sample::audit(500), false);
    assert!(text.len() < 65_536, "{} bytes", text.len());
}

#[test]
fn full_names_every_subject() {
    let text = written(&sample::audit(500), true);
    assert!(text.contains("`shop-worker-492`"));
    assert!(!text.contains("more\n"));
}

#[test]
fn names_make_no_links_and_no_html() {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let text = written(&sample::audit(12), true);
    assert!(text.contains("`<script>alert(1)</script>`"));
    assert!(!text.contains('\u{1b}'));
    let mut cells = 0;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("HTML: {html}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("link: {dest_url}")
            }
            Event::Start(Tag::TableCell) => cells += 1,
            _ => {}
        }
    }
    assert!(cells > 12 * 4, "a bar in a name does not end the table");
}
