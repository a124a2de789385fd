//! Policies that extend one another, and the ready-made ones.

use std::fs;
use std::path::Path;

use plimsoll_policy::{LoadError, Policy, READY_MADE, parse};
use plimsoll_rules::{Concern, Severity};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file in it");
    }
    folder
}

#[test]
fn ready_made_policies_are_valid_and_say_what_they_are_for() {
    for (name, text) in READY_MADE {
        parse(text, name).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Policy::open(Path::new(name)).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            text.starts_with(&format!("# {name}: ")),
            "{name} begins with a line that says what it is for"
        );
    }
}

#[test]
fn baseline_asks_every_rule() {
    let baseline = Policy::baseline().unwrap();
    assert!(plimsoll_rules::all().all(|rule| baseline.enables(rule)));
    assert_eq!(baseline.fail_on, None);
}

#[test]
fn strict_asks_every_rule_and_lowers_no_severity() {
    let strict = Policy::open(Path::new("strict")).unwrap();
    for rule in plimsoll_rules::all() {
        assert!(strict.enables(rule), "{}", rule.id);
        assert!(strict.severity(rule.id).is_none_or(|severity| severity >= rule.severity), "{}", rule.id);
    }
    assert_eq!(strict.fail_on, Some(Severity::Low));
}

#[test]
fn cis_docker_asks_exactly_the_rules_that_answer_a_control() {
    let cis = Policy::open(Path::new("cis-docker")).unwrap();
    for rule in plimsoll_rules::all() {
        assert_eq!(cis.enables(rule), !rule.cis.is_empty(), "{}", rule.id);
    }
    assert!(cis.fail_on.is_some());
}

#[test]
fn a_policy_stands_on_the_ones_that_it_extends() {
    let folder = folder(&[
        (
            "company.toml",
            "[policy]\nextends = \"strict\"\n[concerns.freshness]\nenabled = false\n\
             [rules.container-privileged]\nseverity = \"medium\"\n",
        ),
        (
            "plimsoll.toml",
            "[policy]\nextends = \"company.toml\"\nfail-on = \"critical\"\n\
             [rules.container-privileged]\nenabled = true\n",
        ),
    ]);
    let policy = Policy::open(&folder.path().join("plimsoll.toml")).unwrap();
    assert_eq!(policy.fail_on, Some(Severity::Critical), "its own word wins");
    assert!(!policy.concerns[&Concern::Freshness], "what it leaves open comes from below");
    assert_eq!(policy.severity("container-privileged"), Some(Severity::Medium));
    assert!(policy.name.ends_with("plimsoll.toml"));
}

#[test]
fn a_rule_wins_over_its_concern() {
    let text = "[concerns.isolation]\nenabled = false\n[rules.container-privileged]\nenabled = true\n";
    let folder = folder(&[("plimsoll.toml", text)]);
    let policy = Policy::open(&folder.path().join("plimsoll.toml")).unwrap();
    for rule in plimsoll_rules::all().filter(|rule| rule.concern == Concern::Isolation) {
        assert_eq!(policy.enables(rule), rule.id == "container-privileged", "{}", rule.id);
    }
}

#[test]
fn a_circle_ends() {
    let folder = folder(&[
        ("a.toml", "[policy]\nextends = \"b.toml\"\n"),
        ("b.toml", "[policy]\nextends = \"a.toml\"\n"),
    ]);
    let error = Policy::open(&folder.path().join("a.toml")).unwrap_err();
    assert!(matches!(error, LoadError::Endless { .. }), "{error}");
}

#[test]
fn files_that_are_no_policy() {
    let folder = folder(&[("large.toml", &"#".repeat((1 << 20) + 1))]);
    fs::write(folder.path().join("binary.toml"), [0xff, 0xfe]).unwrap();
    let open = |name: &str| Policy::open(&folder.path().join(name)).unwrap_err();
    assert!(matches!(open("large.toml"), LoadError::TooLarge { .. }));
    assert!(matches!(open("binary.toml"), LoadError::NotText { .. }));
    let missing = open("missing.toml");
    assert!(matches!(missing, LoadError::Read { .. }));
    assert!(missing.to_string().contains("missing.toml"));
}
