//! Who must vouch for images: what a policy may say, and which part of it decides.

use std::fs;
use std::path::Path;

use plimsoll_policy::{Method, Policy, Require, parse, schema_json};
use toml::Value;

fn mistakes(text: &str) -> String {
    parse(text, "plimsoll.toml").expect_err("has mistakes").to_string()
}

const WHOLE: &str = r#"
[[trust]]
repository = "r.example/shop/*"
require = "any"
max-age-days = 90
rollback-guard = true
attestations = ["slsa-provenance", "sbom", "https://example.org/tests/v1"]
builder = "https://ci.example/builders/shop"

[[trust.signers]]
method = "dct"
pins = ["ad944705a3db64ab46c95ee43b6f5e49bff5220202d9132615e944c90e483a99"]

[[trust.signers]]
method = "cosign"
keys = ["keys/release.pub", "/etc/keys/other.pub"]

[[trust.signers]]
method = "keyless"
identity = "https://ci.example/shop"
issuer = "https://issuer.example"
trusted-root = "trusted_root.json"

[[trust.signers]]
method = "notation"

[[trust]]
repository = "docker.io/library/*"
digest-only = true
"#;

#[test]
fn a_whole_policy() {
    let policy = parse(WHOLE, "/etc/plimsoll/plimsoll.toml").unwrap().policy;
    let rule = policy.trust_of("r.example/shop/db").unwrap();
    assert_eq!((rule.require, rule.max_age_days, rule.rollback_guard), (Require::Any, Some(90), true));
    assert_eq!(rule.place.to_string(), "/etc/plimsoll/plimsoll.toml:2:1");
    let Method::Cosign { keys } = &rule.signers[1] else { panic!("{:?}", rule.signers) };
    assert_eq!(keys[0], Path::new("/etc/plimsoll/keys/release.pub"));
    assert_eq!(keys[1], Path::new("/etc/keys/other.pub"));
    assert_eq!(rule.signers.len(), 4);
    let demands: Vec<_> = rule.attestations.iter().map(ToString::to_string).collect();
    assert_eq!(demands, ["slsa-provenance", "sbom", "https://example.org/tests/v1"]);
    assert_eq!(rule.builder.as_deref(), Some("https://ci.example/builders/shop"));
    let digest_only = policy.trust_of("docker.io/library/debian").unwrap();
    assert!(digest_only.digest_only && digest_only.signers.is_empty());
    assert_eq!(policy.trust_of("r.example/other"), None);
}

#[test]
fn what_does_not_mean_anything_is_told() {
    let signer = |rest: &str| {
        mistakes(&format!("[[trust]]\nrepository = \"r.example/*\"\n[[trust.signers]]\n{rest}\n"))
    };
    for (text, words) in [
        ("method = \"pgp\"", "\"method\" cannot be \"pgp\""),
        ("keys = [\"a\"]", "\"method\" is missing"),
        ("method = \"cosign\"", "\"keys\" is missing"),
        ("method = \"cosign\"\nkeys = []", "must be a list of strings"),
        (
            "method = \"cosign\"\nkeys = [\"a\"]\npins = [\"b\"]",
            "\"pins\" does not go together with \"cosign\"",
        ),
        ("method = \"dct\"\npins = [\"xy\"]", "64 hexadecimal digits"),
        ("method = \"keyless\"\nidentity = \"a\"\ntrusted-root = \"c\"", "\"issuer\" is missing"),
        ("method = \"keyless\"\nidentity = \"\"\nissuer = \"b\"\ntrusted-root = \"c\"", "must not be empty"),
    ] {
        assert!(signer(text).contains(words), "{text}: {}", signer(text));
    }
    for (text, words) in [
        ("[[trust]]\nrepository = \"r.example/*\"", "\"signers\" is missing"),
        ("[[trust]]\nrepository = \"shop/db\"\ndigest-only = true", "docker.io/shop/db may be meant"),
        ("[[trust]]\nrepository = \"r.example/db:1\"\ndigest-only = true", "tag or digest"),
        ("[[trust]]\nrepository = \"*\"\nmax-age-days = 0\ndigest-only = true", "from 1 to 36500"),
        ("[trust]\nrepository = \"*\"", "must be a list of tables"),
        (
            "[[trust]]\nrepository = \"*\"\ndigest-only = true\n[[trust]]\nrepository = \"*\"\ndigest-only = true",
            "the same pattern",
        ),
    ] {
        assert!(mistakes(text).contains(words), "{text}: {}", mistakes(text));
    }
}

#[test]
fn attestations_are_demanded_only_of_who_can_sign_them() {
    let rule = |demands: &str, signer: &str| {
        format!("[[trust]]\nrepository = \"r.example/*\"\n{demands}\n[[trust.signers]]\n{signer}\n")
    };
    let key = "method = \"cosign\"\nkeys = [\"a.pub\"]";
    let sbom = "attestations = [\"sbom\"]";
    for signer in ["method = \"dct\"", "method = \"notation\""] {
        let told = mistakes(&rule(sbom, signer));
        assert!(told.starts_with("plimsoll.toml:3:16: \"attestations\" cannot be used: none of"), "{told}");
        let both = format!("{signer}\n[[trust.signers]]\n{key}");
        parse(&rule(sbom, &both), "plimsoll.toml").unwrap();
    }
    let unsigned = "[[trust]]\nrepository = \"*\"\ndigest-only = true\nattestations = [\"sbom\"]";
    assert!(mistakes(unsigned).contains("none of the signers"));
    for (demands, words) in [
        ("attestations = [\"sbon\"]", "cannot be \"sbon\" (did you mean \"sbom\"?)"),
        ("attestations = [\"?\"]", "or the URI of a predicate type"),
        ("attestations = []", "must be a list of strings"),
        ("attestations = \"sbom\"", "must be a list of strings"),
        ("builder = \"https://ci.example\"", "no SLSA provenance is demanded"),
        ("attestations = [\"vex\"]\nbuilder = \"https://ci.example\"", "no SLSA provenance is demanded"),
        ("attestations = [\"slsa-provenance\"]\nbuilder = \" \"", "must not be empty"),
        ("attestations = [\"slsa-provenance\"]\nbuilder = 1", "must be a string"),
    ] {
        let told = mistakes(&rule(demands, key));
        assert!(told.contains(words), "{demands}: {told}");
    }
    let exact = "attestations = [\"https://slsa.dev/provenance/v1\"]\nbuilder = \"https://ci.example\"";
    parse(&rule(exact, key), "plimsoll.toml").unwrap();
}

#[test]
fn the_most_specific_decides_then_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let rule = |pattern: &str, days: u32| {
        format!("[[trust]]\nrepository = \"{pattern}\"\ndigest-only = true\nmax-age-days = {days}\n")
    };
    let base = [rule("*", 1), rule("r.example/shop/*", 2), rule("r.example/shop/db", 3)].concat();
    fs::write(dir.path().join("base.toml"), base).unwrap();
    let own = [rule("r.example/*", 4), rule("r.example/shop/*", 5)].concat();
    let path = dir.path().join("own.toml");
    fs::write(&path, format!("policy.extends = \"base.toml\"\n{own}")).unwrap();
    let policy = Policy::open(&path).unwrap();
    for (repository, days) in
        [("other.example/a", 1), ("r.example/a", 4), ("r.example/shop/web", 5), ("r.example/shop/db", 3)]
    {
        assert_eq!(policy.trust_of(repository).unwrap().max_age_days, Some(days), "{repository}");
    }
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let schema = serde_json::from_str(&schema_json()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let page = include_str!("../../../docs/policy.md");
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    for text in examples.chain([WHOLE]) {
        let json = json(text.parse::<toml::Table>().unwrap().into());
        if let Err(error) = validator.validate(&json) {
            panic!("{error}\n{text}");
        }
    }
    for wrong in [
        "[polcy]",
        "policy.fail-on = \"worst\"",
        "[[trust]]\nrequire = \"all\"",
        "rules.no-such.enabled = true",
    ] {
        assert!(!validator.is_valid(&json(wrong.parse::<toml::Table>().unwrap().into())), "{wrong}");
        assert!(parse(wrong, "x").is_err(), "{wrong}");
    }
}

/// As editors hand TOML to a schema: a day is a string.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Datetime(day) => day.to_string().into(),
        Value::Array(values) => values.into_iter().map(json).collect(),
        Value::Table(table) => table.into_iter().map(|(key, value)| (key, json(value))).collect(),
        Value::String(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Boolean(flag) => flag.into(),
    }
}
