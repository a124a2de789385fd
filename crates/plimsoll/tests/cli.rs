//! The command line, where neither root nor an engine is needed: what it refuses, what it prints, how it ends.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Everything was judged, and `--fail-on` was met.
const FINDINGS: i32 = 1;
const USAGE: i32 = 2;
const ERROR: i32 = 3;
/// Added where something could not be known.
const UNKNOWN: i32 = 4;

fn plimsoll(arguments: &[&str]) -> Output {
    command(arguments).output().expect("plimsoll starts")
}

/// In a directory without a plimsoll.toml, and with nothing of the tester's environment that changes answers.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    for variable in ["DOCKER_HOST", "DOCKER_CONTEXT", "CLICOLOR_FORCE", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command.args(arguments).current_dir(std::env::temp_dir()).env("PLIMSOLL_DB", "/nonexistent");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("not ended by a signal")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn captured(host: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hosts").join(host).join("facts.json");
    path.canonicalize().expect("a captured host").display().to_string()
}

/// Writes a file of this content; the directory goes with the test.
fn file(name: &str, content: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    fs::write(&path, content).expect("written");
    (dir, path)
}

#[test]
fn mistakes_on_the_command_line_end_with_2() {
    for arguments in [
        &[][..],
        &["adit"],
        &["audit", "--frmat", "json"],
        &["audit", "--format", "yaml"],
        &["audit", "--fail-on", "urgent"],
        &["audit", "--cis", "1.5"],
        &["audit", "--host", "gopher://x"],
        &["audit", "--facts", "x", "--host", "unix:///x"],
        &["schema", "nothing"],
    ] {
        let output = plimsoll(arguments);
        assert_eq!(code(&output), USAGE, "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
    assert!(
        stderr(&plimsoll(&["audit", "--fail-on", "urgent"])).contains("critical, high, medium, low, info")
    );
}

#[test]
fn explain_knows_rules_and_controls_and_what_was_meant() {
    let output = plimsoll(&["explain", "seccomp-disabled"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("seccomp-disabled"));
    assert!(stdout(&plimsoll(&["explain", "5.32"])).contains("engine-socket-mounted"));
    let output = plimsoll(&["explain", "seccomp-off"]);
    assert_eq!(code(&output), USAGE);
    assert!(stderr(&output).contains("perhaps seccomp-disabled"), "{}", stderr(&output));
    assert!(stderr(&plimsoll(&["explain", "qqq"])).contains("`plimsoll rules` lists all"));
}

#[test]
fn every_rule_that_is_listed_is_explained() {
    let list = stdout(&plimsoll(&["rules"]));
    let severities = ["critical", "high", "medium", "low", "info"];
    let ids: Vec<&str> = list
        .lines()
        .filter_map(|line| {
            line.split_whitespace().collect::<Vec<_>>().get(..2).map(|words| (words[0], words[1]))
        })
        .filter(|(severity, _)| severities.contains(severity))
        .map(|(_, id)| id)
        .collect();
    assert!(ids.len() > 100, "{list}");
    for id in ids.iter().step_by(20) {
        assert_eq!(code(&plimsoll(&["explain", id])), 0, "{id}");
    }
}

#[test]
fn schemas_and_completions_are_printed() {
    for document in ["facts", "audit", "scan"] {
        let schema: Value = serde_json::from_slice(&plimsoll(&["schema", document]).stdout).expect("JSON");
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{document}: {error}"));
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = plimsoll(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("plimsoll"), "{shell}");
    }
}

#[test]
fn captured_hosts_are_judged_and_the_documents_match_their_schemas() {
    let schemas = ["facts", "audit"].map(|document| {
        let schema = serde_json::from_slice(&plimsoll(&["schema", document]).stdout).expect("JSON");
        jsonschema::validator_for(&schema).expect("a schema")
    });
    for host in ["debian-v1", "rhel-selinux-podman", "rootless", "ubuntu-v2-apparmor"] {
        let facts = captured(host);
        let output = plimsoll(&["audit", "--facts", &facts, "--format", "json"]);
        let audit: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let facts = serde_json::from_str(&fs::read_to_string(&facts).expect("facts")).expect("JSON");
        for (schema, document) in schemas.iter().zip([&facts, &audit]) {
            let errors: Vec<_> = schema.iter_errors(document).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{host}: {errors:#?}");
        }
        assert_eq!(code(&output), if is_incomplete(&audit) { UNKNOWN } else { 0 }, "{host}");
    }
}

fn is_incomplete(audit: &Value) -> bool {
    let list = |key: &str| audit[key].as_array().expect("a list");
    !list("gaps").is_empty() || list("findings").iter().any(|finding| finding["status"] == "unknown")
}

#[test]
fn fail_on_adds_1_to_the_exit_code() {
    let complete = captured("ubuntu-v2-apparmor");
    assert_eq!(code(&plimsoll(&["audit", "--facts", &complete])), 0);
    assert_eq!(code(&plimsoll(&["audit", "--facts", &complete, "--fail-on", "info"])), FINDINGS);
    let incomplete = captured("debian-v1");
    assert_eq!(code(&plimsoll(&["audit", "--facts", &incomplete])), UNKNOWN);
    assert_eq!(code(&plimsoll(&["audit", "--facts", &incomplete, "--fail-on", "low"])), UNKNOWN + FINDINGS);
}

#[test]
fn facts_are_read_from_standard_input() {
    let facts = fs::File::open(captured("rootless")).expect("facts");
    let piped =
        command(&["audit", "--facts", "-", "--format", "json"]).stdin(facts).output().expect("plimsoll");
    let named = plimsoll(&["audit", "--facts", &captured("rootless"), "--format", "json"]);
    assert_eq!(piped.stdout, named.stdout);
}

#[test]
fn files_that_are_no_facts() {
    for (content, complaint) in [
        ("", "is no facts file"),
        ("{\"schema\": 1", "is no facts file"),
        ("[]", "schema"),
        ("{\"schema\": \"plimsoll.facts/99\"}", "schema"),
    ] {
        let (_dir, path) = file("facts.json", content);
        let output = plimsoll(&["audit", "--facts", path.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), USAGE, "{content:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(complaint), "{}", stderr(&output));
    }
    let output = plimsoll(&["audit", "--facts", "/nonexistent/facts.json"]);
    assert_eq!(code(&output), ERROR);
    assert!(stderr(&output).contains("/nonexistent/facts.json"));
}

#[test]
fn a_report_in_a_file_is_whole_or_not_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("report.html");
    let facts = captured("ubuntu-v2-apparmor");
    let name = path.to_str().expect("UTF-8");
    let output = plimsoll(&["audit", "--facts", &facts, "--format", "html", "--output", name]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let report = fs::read_to_string(&path).expect("a report");
    assert!(report.starts_with("<!doctype html>") && report.trim_end().ends_with("</html>"));
    assert_eq!(fs::read_dir(dir.path()).expect("entries").count(), 1, "no temporary file is left");
    let output = plimsoll(&["audit", "--facts", &facts, "--output", "/nonexistent/report"]);
    assert_eq!(code(&output), ERROR);
    assert!(stderr(&output).contains("/nonexistent/report"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for format in ["terminal", "json", "sarif", "junit", "html", "markdown"] {
        let mut audit = command(&["audit", "--facts", &captured("debian-v1"), "--full", "--format", format]);
        let mut child = audit.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("plimsoll");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ended");
        assert_eq!((code(&output), stderr(&output).as_str()), (UNKNOWN, ""), "{format}");
    }
}

#[test]
fn a_policy_with_mistakes_ends_with_2() {
    let facts = captured("ubuntu-v2-apparmor");
    for policy in [
        "rules = ",
        "unheard-of = true\n",
        "[policy]\nfail-on = \"urgent\"\n",
        "[[exceptions]]\nrule = \"memory-unlimited\"\n",
    ] {
        let (_dir, path) = file("plimsoll.toml", policy);
        let output = plimsoll(&["audit", "--facts", &facts, "--policy", path.to_str().expect("UTF-8")]);
        assert_eq!(code(&output), USAGE, "{policy:?}");
        assert!(stderr(&output).contains("plimsoll.toml"), "{}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(code(&plimsoll(&["audit", "--facts", &facts, "--policy", "/nonexistent.toml"])), ERROR);
    for name in ["baseline", "strict", "cis-docker"] {
        let output = plimsoll(&["audit", "--facts", &facts, "--policy", name]);
        assert!(matches!(code(&output), 0 | FINDINGS), "{name}: {}", stderr(&output));
    }
}

#[test]
fn a_policy_in_the_working_directory_counts() {
    let (dir, _path) = file("plimsoll.toml", "[policy]\nfail-on = \"info\"\n");
    let mut audit = command(&["audit", "--facts", &captured("ubuntu-v2-apparmor")]);
    let output = audit.current_dir(dir.path()).output().expect("plimsoll");
    assert_eq!(code(&output), FINDINGS, "{}", stderr(&output));
}

#[test]
fn colours_are_for_terminals() {
    let facts = captured("debian-v1");
    let has_colour = |variables: &[(&str, &str)]| {
        let mut audit = command(&["audit", "--facts", &facts]);
        let output = audit.envs(variables.iter().copied()).output().expect("plimsoll");
        output.stdout.contains(&0x1b)
    };
    assert!(!has_colour(&[]), "a pipe is no terminal");
    assert!(has_colour(&[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colour(&[("NO_COLOR", "1")]));
}

#[test]
fn redacted_facts_give_the_same_statuses() {
    for host in ["debian-v1", "rootless", "ubuntu-v2-apparmor"] {
        let facts = captured(host);
        let statuses = |more: &[&str]| {
            let output = plimsoll(&[&["audit", "--facts", &facts, "--format", "json"], more].concat());
            let audit: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let findings = audit["findings"].as_array().expect("findings").iter();
            let mut statuses: Vec<_> =
                findings.map(|f| format!("{} {} {}", f["rule"], f["subject"]["kind"], f["status"])).collect();
            statuses.sort();
            statuses
        };
        assert_eq!(statuses(&[]), statuses(&["--redact"]), "{host}");
    }
}

/// A host's files below a directory, without processes and without an engine.
fn tree(files: &[(&str, u32)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (path, mode) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(&path, "{}").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(*mode)).expect("changed");
    }
    dir
}

fn audit_of(tree: &Path) -> (i32, Value) {
    let output = plimsoll(&["audit", "--format", "json", "--root", tree.to_str().expect("UTF-8")]);
    let audit = serde_json::from_slice(&output.stdout);
    (code(&output), audit.unwrap_or_else(|error| panic!("{error}: {}", stderr(&output))))
}

fn answer<'a>(audit: &'a Value, rule: &str) -> &'a Value {
    let mut found = audit["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == rule);
    found.next().unwrap_or_else(|| panic!("no answer of {rule}"))
}

#[test]
fn case_04_modes_that_are_small_as_decimals() {
    let tree = tree(&[("etc/docker/daemon.json", 0o622), ("etc/default/docker", 0o636)]);
    fs::set_permissions(tree.path().join("etc/docker"), Permissions::from_mode(0o737)).expect("changed");
    let (_, audit) = audit_of(tree.path());
    let found = answer(&audit, "engine-file-writable-by-others");
    assert_eq!(found["status"], "fail");
    let evidence = found["evidence"].to_string();
    for mode in ["0737", "0622", "0636"] {
        assert!(evidence.contains(mode), "{mode}: {evidence}");
    }
}

#[test]
fn case_46_a_link_to_a_file_of_mode_0600() {
    let tree = tree(&[("srv/docker.json", 0o600)]);
    fs::create_dir_all(tree.path().join("etc/docker")).expect("made");
    symlink("/srv/docker.json", tree.path().join("etc/docker/daemon.json")).expect("linked");
    let (_, audit) = audit_of(tree.path());
    let evidence = answer(&audit, "engine-file-writable-by-others")["evidence"].to_string();
    assert!(evidence.contains("0600") && !evidence.contains("0777"), "{evidence}");
}

#[test]
fn an_empty_directory_is_a_host_of_which_nothing_is_known() {
    let dir = tempfile::tempdir().expect("a directory");
    let (ended, audit) = audit_of(dir.path());
    assert_eq!(ended, UNKNOWN);
    assert!(!audit["gaps"].as_array().expect("gaps").is_empty());
    let passed: Vec<_> =
        audit["findings"].as_array().expect("findings").iter().filter(|f| f["status"] == "pass").collect();
    assert!(passed.is_empty(), "{passed:#?}");
    assert_eq!(code(&plimsoll(&["audit", "--root", "/nonexistent"])), ERROR);
}

/// The page that maps other tools' checks names rules that exist, all rules about images, and every check of Dockle.
#[test]
fn the_lint_page_is_complete() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = fs::read_to_string(docs.join("image-lint.md")).expect("the page");
    let linked: BTreeSet<&str> = page
        .split("](rules/")
        .skip(1)
        .map(|rest| rest.split(".md)").next().expect("the end of a link"))
        .collect();
    let known: BTreeSet<&str> = plimsoll::rules().map(|rule| rule.id).collect();
    assert!(linked.is_subset(&known), "no such rules: {:?}", linked.difference(&known));
    let about_images: BTreeSet<&str> = plimsoll::rules()
        .filter(|rule| matches!(rule.judge, plimsoll_rules::Judge::Image(_)))
        .map(|rule| rule.id)
        .collect();
    assert!(about_images.is_subset(&linked), "not on the page: {:?}", about_images.difference(&linked));
    let ids = (1..=11).map(|n| format!("| CIS-DI-{n:04} |"));
    let ids = ids.chain((1..=6).map(|n| format!("| DKL-DI-{n:04} |")));
    let ids = ids
        .chain((1..=3).map(|n| format!("| DKL-LI-{n:04} |")))
        .chain((1..=12).map(|n| format!("| 4.{n} |")));
    ids.for_each(|id| assert!(page.contains(&id), "{id}"));
    // DL4002 was never more than a number.
    let hadolint = (3000..=3077).chain(4000..=4007).filter(|n| *n != 4002);
    hadolint.for_each(|n| assert!(page.contains(&format!("DL{n}")), "DL{n}"));
}

#[test]
fn the_policy_says_whose_images_are_admitted() {
    let (_dir, policy) =
        file("plimsoll.toml", "[[trust]]\nrepository = \"r.invalid/shop/*\"\ndigest-only = true\n");
    let trust = tempfile::tempdir().expect("a directory");
    let verify = |image: &str| {
        let output = command(&["verify", "--format", "json", "--host", "/nonexistent", "--policy"])
            .args([&policy, Path::new(image)])
            .env("PLIMSOLL_TRUST", trust.path())
            .output()
            .expect("plimsoll starts");
        let found: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        (code(&output), found["subjects"][0].clone())
    };
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for (image, expected, outcome) in [
        ("r.invalid/other:1", FINDINGS, "denied"),
        ("r.invalid/shop/db:1", FINDINGS, "denied"),
        (&format!("r.invalid/shop/db@{digest}"), 0, "verified"),
    ] {
        let (code, found) = verify(image);
        assert_eq!((code, found["outcome"].as_str()), (expected, Some(outcome)), "{found}");
        assert!(found["policy"].as_str().expect("a place").contains("plimsoll.toml"), "{found}");
    }
}

#[test]
fn services_of_a_compose_file_are_verified_or_said_to_be_unknown() {
    let text = "services: { a: { build: . }, b: { image: 'r.invalid/b:${PLIMSOLL_UNSET}' } }";
    let (_dir, path) = file("compose.yaml", text);
    let verify = |path: &Path| {
        command(&["verify", "--format", "json", "--host", "/nonexistent", "--compose"])
            .arg(path)
            .output()
            .expect("plimsoll starts")
    };
    let output = verify(&path);
    let found: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let outcomes: Vec<_> =
        found["subjects"].as_array().expect("subjects").iter().map(|subject| &subject["outcome"]).collect();
    assert_eq!(outcomes, ["local", "unavailable"]);
    assert_eq!(code(&output), FINDINGS + UNKNOWN);
    assert!(found["subjects"][1]["reason"].as_str().expect("a reason").contains("PLIMSOLL_UNSET"));
    fs::write(&path, "services: [").expect("written");
    assert_eq!(code(&verify(&path)), USAGE);
}
