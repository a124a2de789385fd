//! What a policy file may say, and what it is told when it says something else.

use plimsoll_policy::{MistakeKind, parse};
use plimsoll_rules::{Concern, Severity};
use proptest::prelude::*;

/// The messages for a text, one a line.
fn mistakes(text: &str) -> String {
    parse(text, "plimsoll.toml").expect_err("has mistakes").to_string()
}

#[test]
fn a_whole_policy() {
    let draft = parse(
        r#"
[policy]
extends = "strict"
fail-on = "high"
controls = "cis-docker"

[rules.container-privileged]
enabled = true
severity = "low"

[concerns.freshness]
enabled = false

[[exceptions]]
rule = "container-privileged"
subject = "container:agent-*"
owner = "ops@example.org"
reason = "reads the hardware's sensors"
expires = 2027-03-31
"#,
        "plimsoll.toml",
    )
    .unwrap();
    assert_eq!(draft.extends.as_deref(), Some("strict"));
    let policy = draft.policy;
    assert_eq!(policy.fail_on, Some(Severity::High));
    assert_eq!(policy.severity("container-privileged"), Some(Severity::Low));
    assert!(!policy.concerns[&Concern::Freshness]);
    let exception = &policy.exceptions[0];
    assert_eq!(exception.expires.to_string(), "2027-03-31");
    assert_eq!(exception.place.to_string(), "plimsoll.toml:14:1");
}

#[test]
fn nothing_is_a_policy_too() {
    let draft = parse("", "plimsoll.toml").unwrap();
    assert_eq!(draft.extends, None);
    assert!(draft.policy.exceptions.is_empty());
}

#[test]
fn a_date_may_be_a_string() {
    let text = r#"
[[exceptions]]
rule = "container-privileged"
subject = "*"
owner = "o"
reason = "r"
expires = "2027-03-31"
"#;
    assert_eq!(parse(text, "p").unwrap().policy.exceptions[0].expires.to_string(), "2027-03-31");
}

#[test]
fn unknown_names_get_a_place_and_a_suggestion() {
    assert_eq!(
        mistakes("[policy]\nextend = \"strict\"\n"),
        r#"plimsoll.toml:2:1: unknown key "extend" in [policy] (did you mean "extends"?)"#
    );
    assert_eq!(
        mistakes("[rules.container-priviledged]\nenabled = false\n"),
        r#"plimsoll.toml:1:8: there is no rule "container-priviledged" (did you mean "container-privileged"?)"#
    );
    assert_eq!(
        mistakes("[concerns.freshnes]\nenabled = false\n"),
        r#"plimsoll.toml:1:11: there is no concern "freshnes" (did you mean "freshness"?)"#
    );
    assert_eq!(
        mistakes("[policy]\nfail-on = \"hihg\"\n"),
        r#"plimsoll.toml:2:11: "fail-on" cannot be "hihg" (did you mean "high"?)"#
    );
    assert_eq!(
        mistakes("[policy]\nfail-on = \"x\"\n"),
        r#"plimsoll.toml:2:11: "fail-on" cannot be "x" (one of critical, high, medium, low, info)"#
    );
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let found = mistakes(
        "[rules.container-privileged]\nseverity = 3\nenabled = \"no\"\n\n[[exceptions]]\nrule = \"container-privileged\"\n\
         subject = \" \"\nexpires = \"tomorrow\"\n",
    );
    assert_eq!(
        found.lines().collect::<Vec<_>>(),
        [
            r#"plimsoll.toml:2:12: "severity" must be a string, not integer"#,
            r#"plimsoll.toml:3:11: "enabled" must be true or false, not string"#,
            r#"plimsoll.toml:5:1: "owner" is missing in [[exceptions]]"#,
            r#"plimsoll.toml:5:1: "reason" is missing in [[exceptions]]"#,
            r#"plimsoll.toml:7:11: "subject" must not be empty"#,
            r#"plimsoll.toml:8:11: "tomorrow" is not a date (a day such as 2027-03-31)"#,
        ]
    );
}

#[test]
fn broken_toml_has_a_place() {
    let broken = parse("[policy]\nextends = \n", "plimsoll.toml").unwrap_err();
    assert!(matches!(broken.0[0].kind, MistakeKind::Syntax(_)));
    assert_eq!(broken.0[0].place.line, 2);
}

#[test]
fn dates_are_days_of_the_calendar() {
    for date in ["\"2027-02-30\"", "2027-03-31T00:00:00Z", "\"2027-3-1\"", "true", "\"+002027-01-01\""] {
        let text = format!(
            "[[exceptions]]\nrule = \"container-privileged\"\nsubject = \"*\"\nowner = \"o\"\nreason = \"r\"\n\
             expires = {date}\n"
        );
        assert!(mistakes(&text).contains(":6:11: "), "{date}");
    }
}

#[test]
fn columns_count_characters() {
    assert!(mistakes("\"ü\" = 1").starts_with("plimsoll.toml:1:1: "));
    let text = "policy = { \"fail-on\" = \"high\", \"ü\" = 1, x = 2 }";
    assert!(mistakes(text).contains("plimsoll.toml:1:41: unknown key \"x\""), "{}", mistakes(text));
}

#[test]
fn no_more_mistakes_than_one_can_read() {
    let text: String = (0..10_000).map(|n| format!("k{n} = 1\n")).collect();
    assert_eq!(parse(&text, "p").unwrap_err().0.len(), 50);
}

#[test]
fn deep_nesting_is_a_mistake_not_a_crash() {
    assert!(parse(&format!("x = {}", "[".repeat(100_000)), "p").is_err());
    assert!(parse(&format!("x = {}1{}", "{a=".repeat(50_000), "}".repeat(50_000)), "p").is_err());
    assert!(parse(&format!("{} = 1", vec!["a"; 50_000].join(".")), "p").is_err());
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,200}") {
        let _ = parse(&text, "p");
    }

    #[test]
    fn never_panics_on_what_looks_like_a_policy(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "[policy]\n", "[rules.", "container-privileged", "]\n", "[[exceptions]]\n", "rule = ", "\"*\"\n",
                "expires = 2027-01-01\n", "enabled = true\n", "severity = \"high\"\n", "[concerns.kernel]\n", "{", "}",
                "[", "ü", "\r\n", "=", ".", "\"",
            ]),
            0..30,
        )
    ) {
        let _ = parse(&parts.concat(), "p");
    }
}

#[test]
fn an_exception_is_for_a_rule_or_for_flaws() {
    let rest = "subject = \"*\"\nowner = \"o\"\nreason = \"r\"\nexpires = 2027-03-31\n";
    let of = |covers: &str| format!("[[exceptions]]\n{covers}\n{rest}");
    let both = mistakes(&of("rule = \"container-privileged\"\nvulnerability = \"CVE-1\""));
    assert_eq!(both, r#"plimsoll.toml:2:8: "rule" does not go together with "vulnerability""#);
    assert_eq!(mistakes(&of("package = \"\"")), r#"plimsoll.toml:2:11: "package" must not be empty"#);
    assert!(mistakes(&of("")).contains(r#""rule" is missing"#));
    let policy = parse(&of("vulnerability = \"CVE-1\"\npackage = \"zlib*\""), "p").unwrap().policy;
    assert_eq!(policy.exceptions[0].covers.to_string(), "CVE-1 of zlib* on *");
}
