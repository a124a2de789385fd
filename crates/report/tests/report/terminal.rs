//! The report for a terminal: its width, its colours, and names that try to act on it.

use crate::{hostile, sample};

use plimsoll_report::{Audit, Benchmark, CisView, TerminalOptions, escape, explain, terminal};

fn shown(audit: &Audit, options: &TerminalOptions) -> String {
    let mut out = Vec::new();
    terminal::write(audit, options, &mut out).expect("written to memory");
    String::from_utf8(out).expect("written to memory")
}

#[test]
fn no_line_is_wider_than_asked() {
    for width in [40, 60, 80, 120] {
        for full in [false, true] {
            let text = shown(&sample::audit(60), &TerminalOptions { width, full, color: false });
            for line in text.lines() {
                assert!(escape::width(line) <= width, "{} > {width}: {line}", escape::width(line));
            }
        }
    }
}

#[test]
fn without_colour_nothing_acts_on_the_terminal() {
    for audit in [sample::audit(60), hostile::audit()] {
        let text = shown(&audit, &TerminalOptions { full: true, ..TerminalOptions::default() });
        for line in text.lines() {
            assert_eq!(escape::visible(line), line);
        }
    }
}

#[test]
fn with_colour_the_text_is_the_same() {
    let audit = sample::audit(12);
    let plain = shown(&audit, &TerminalOptions::default());
    let mut colored = shown(&audit, &TerminalOptions { color: true, ..TerminalOptions::default() });
    assert!(colored.contains("\u{1b}["));
    while let Some(start) = colored.find('\u{1b}') {
        let end = start + colored[start..].find('m').unwrap();
        colored.replace_range(start..=end, "");
    }
    assert_eq!(colored, plain);
}

#[test]
fn many_containers_with_the_same_problem_take_few_lines() {
    let few = shown(&sample::audit(60), &TerminalOptions::default()).lines().count();
    let many = shown(&sample::audit(500), &TerminalOptions::default()).lines().count();
    assert!(many <= few + 8, "{few} lines for 60 containers, {many} for 500");
}

#[test]
fn full_names_every_subject() {
    let text = shown(&sample::audit(500), &TerminalOptions { full: true, ..TerminalOptions::default() });
    assert!(text.contains("shop-worker-492"));
    assert!(!text.contains("--full") && !text.contains(" more,") && !text.contains(" more\n"));
}

#[test]
fn controls_name_their_failures() {
    let mut audit = sample::audit(12);
    audit.cis = Some(CisView::of(&audit, Benchmark::V1_8));
    let text = shown(&audit, &TerminalOptions::default());
    assert!(text.contains("    fail  5.5     "), "{text}");
    assert!(text.contains("container-privileged: db"));
    assert!(text.lines().all(|line| escape::width(line) <= 80));
}

#[test]
fn rules_are_listed_and_explained_within_the_width() {
    for width in [40, 80, 100] {
        let options = TerminalOptions { width, ..TerminalOptions::default() };
        let mut out = Vec::new();
        explain::list(plimsoll_rules::all(), &options, &mut out).unwrap();
        for rule in plimsoll_rules::all() {
            explain::write(rule, &options, &mut out).unwrap();
        }
        for line in String::from_utf8(out).unwrap().lines() {
            assert!(escape::width(line) <= width, "{line}");
        }
    }
}

#[test]
fn engines_are_told_apart_where_several_answer() {
    let mut audit = sample::audit(3);
    assert!(!shown(&audit, &TerminalOptions::default()).contains("db (unix:"));
    let mut second = audit.host.engines[0].clone();
    second.endpoint = "unix:///run/podman/podman.sock".into();
    audit.host.engines.insert(0, second);
    assert!(shown(&audit, &TerminalOptions::default()).contains("db (unix:///var/run/docker.sock)"));
}
