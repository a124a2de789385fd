//! The texts that people read, whole: a change of them is seen in review.
//! `UPDATE_EXPECTED=1 cargo test -p plimsoll-report` writes them anew.

use std::fs;
use std::path::Path;

use plimsoll_report::{Benchmark, CisView, TerminalOptions, explain, junit, markdown, terminal};

use crate::sample;

fn check(file: &str, written: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/expected").join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, written).expect("the expected file is writable");
    }
    let expected = fs::read_to_string(&path).expect("the expected file is there");
    let written = str::from_utf8(written).expect("UTF-8");
    for (number, (expected, written)) in expected.lines().zip(written.lines()).enumerate() {
        assert_eq!(expected, written, "{file}, line {}", number + 1);
    }
    assert_eq!(expected.lines().count(), written.lines().count(), "lines of {file}");
}

#[test]
fn terminal_text() {
    let mut out = Vec::new();
    terminal::write(&sample::audit(40), &TerminalOptions::default(), &mut out).unwrap();
    check("terminal.txt", &out);
}

#[test]
fn terminal_text_by_control() {
    let mut audit = sample::audit(3);
    audit.cis = Some(CisView::of(&audit, Benchmark::V1_7));
    let mut out = Vec::new();
    terminal::write(&audit, &TerminalOptions::default(), &mut out).unwrap();
    check("controls.txt", &out);
}

#[test]
fn terminal_page_of_a_rule() {
    let mut out = Vec::new();
    explain::write(&sample::RULES[0], &TerminalOptions::default(), &mut out).unwrap();
    check("rule.txt", &out);
}

#[test]
fn markdown_text() {
    let mut out = Vec::new();
    markdown::write(&sample::audit(12), false, &mut out).unwrap();
    check("markdown.md", &out);
}

#[test]
fn junit_text() {
    let mut out = Vec::new();
    junit::write(&sample::audit(3), &mut out).unwrap();
    check("junit.xml", &out);
}
