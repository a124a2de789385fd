//! Engines that other auditors judge wrongly: each scenario starts an engine, changes it as its case says, audits once,
//! and every test reads that audit. Numbers as in `cases.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use crate::docker;
use crate::own_engine::{OwnEngine, Setup, nothing};
use crate::scene::{Report, Test};

/// A rule, the status it must have, and what its evidence must name.
type Expected = (&'static str, &'static str, &'static str);

/// One engine, and what is expected of its audit.
struct Scenario {
    setup: Setup,
    /// What is done to it, and beside it, after it has started.
    after: fn(&OwnEngine) -> Result<Vec<Helper>, String>,
    /// Names of tests, and what they expect.
    tests: &'static [(&'static str, &'static [Expected])],
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        setup: Setup {
            config: r#"{"cgroup-parent": "/plimsoll-live"}"#,
            flags: &[
                "-Hunix://{dir}/docker.sock",
                "-H",
                "tcp://127.0.0.1:2375",
                "--log-level",
                "debug",
                "--log-driver=none",
                "--no-new-privileges=false",
            ],
            before: nothing,
        },
        after: open_socket_beside_a_decoy,
        tests: &[
            (
                "case_01_api_without_tls_by_a_flag",
                &[("api-without-client-certificate", "fail", "127.0.0.1:2375")],
            ),
            ("case_03_socket_mode_0606", &[("engine-socket-open-to-others", "fail", "0606")]),
            (
                "case_16_no_new_privileges_false_of_the_daemon",
                &[("new-privileges-by-default", "fail", "false")],
            ),
            (
                "case_24_flags_of_a_decoy",
                &[
                    ("default-bridge-connects-containers", "fail", "true"),
                    ("userns-remap-off", "fail", ""),
                    ("userland-proxy-on", "fail", ""),
                    ("live-restore-off", "fail", ""),
                    ("api-without-authorization", "fail", "none"),
                    ("new-privileges-by-default", "fail", "false"),
                ],
            ),
            (
                "case_28_log_level_log_driver_and_cgroup_parent",
                &[
                    ("daemon-log-level-unsuited", "fail", "debug"),
                    ("container-logs-stay-on-host", "fail", "none"),
                    ("cgroup-parent-changed", "fail", "/plimsoll-live"),
                ],
            ),
        ],
    },
    Scenario {
        setup: Setup {
            config: "{\n  \"hosts\": [\n    \"unix://{dir}/docker.sock\",\n    \"tcp://0.0.0.0:2375\"\n  ],\n  \"icc\": false\n}\n",
            flags: &[],
            before: nothing,
        },
        after: harden_the_file_only,
        tests: &[
            ("case_02_hosts_over_several_lines", &[("api-without-client-certificate", "fail", ":2375")]),
            (
                "case_23_edited_and_not_restarted",
                &[
                    ("configuration-changed-since-start", "fail", ""),
                    ("setting-not-in-force", "fail", "live-restore"),
                    ("userns-remap-off", "fail", ""),
                    ("live-restore-off", "fail", ""),
                    ("api-without-authorization", "fail", ""),
                ],
            ),
            (
                "case_41_a_log_of_dockerd_that_is_watched",
                &[("default-bridge-connects-containers", "pass", "false")],
            ),
        ],
    },
    Scenario {
        setup: Setup {
            config: "{}",
            flags: &[
                "-Hunix://{dir}/docker.sock",
                "-Htcp://127.0.0.1:2376",
                "--tlsverify",
                "--tlscacert={dir}/cert.pem",
                "--tlscert={dir}/cert.pem",
                "--tlskey",
                "{dir}/key.pem",
            ],
            before: certificate,
        },
        after: |_| Ok(Vec::new()),
        tests: &[(
            "case_29_a_key_that_everybody_reads",
            &[
                ("tls-key-readable-by-others", "fail", "/key.pem"),
                ("api-without-client-certificate", "pass", "127.0.0.1:2376"),
            ],
        )],
    },
    Scenario {
        setup: Setup {
            config: r#"{
  "hosts": ["unix://{dir}/docker.sock", "tcp://127.0.0.1:2376"],
  "tlsverify": true,
  "tlscacert": "{dir}/cert.pem",
  "tlscert": "{dir}/cert.pem",
  "tlskey": "{dir}/key.pem"
}"#,
            flags: &[],
            before: certificate,
        },
        after: |_| Ok(Vec::new()),
        tests: &[(
            "case_38_client_certificates_are_required",
            &[("api-without-client-certificate", "pass", "client certificates are required")],
        )],
    },
    Scenario {
        setup: Setup { config: "{}", flags: &["-Hunix://{dir}/docker.sock", "--icc=false"], before: nothing },
        after: |engine| engine.configure("{\n  \"icc\": false,\n}").map(|()| Vec::new()),
        tests: &[(
            "a_daemon_json_that_is_no_json",
            &[
                ("configuration-invalid", "fail", "line 3"),
                ("default-bridge-connects-containers", "pass", "false"),
            ],
        )],
    },
];

/// The tests of all scenarios, and of two engines at once.
pub(crate) fn tests() -> Vec<Test> {
    let two = Test::new("case_40_flags_of_another_daemon", two_engines);
    SCENARIOS.iter().flat_map(of_scenario).chain([two]).collect()
}

/// The system's engine has none of the other's options.
fn two_engines() -> Result<(), String> {
    let other = OwnEngine::start(&Setup {
        config: "{}",
        flags: &["-Hunix://{dir}/docker.sock", "--log-level=debug", "-Htcp://127.0.0.1:2375"],
        before: nothing,
    })?;
    let host = other.host();
    let report = Report::of(&["--host", docker::SOCKET, "--host", &host])?;
    let answers =
        |status| [("daemon-log-level-unsuited", status, ""), ("api-without-client-certificate", status, "")];
    check(&report, &host, &answers("fail"))?;
    check(&report, docker::SOCKET, &answers("pass"))
}

fn of_scenario(scenario: &'static Scenario) -> impl Iterator<Item = Test> {
    let audited = Arc::new(OnceLock::new());
    scenario.tests.iter().map(move |&(name, expected)| {
        let audited = Arc::clone(&audited);
        Test::new(name, move || {
            let (host, report) = audited.get_or_init(|| audit(scenario)).as_ref().map_err(Clone::clone)?;
            check(report, host, expected)
        })
    })
}

fn audit(scenario: &Scenario) -> Result<(String, Report), String> {
    let engine = OwnEngine::start(&scenario.setup)?;
    let _beside = (scenario.after)(&engine)?;
    let host = engine.host();
    let report = Report::of(&["--host", &host])?;
    Ok((host, report))
}

fn check(report: &Report, host: &str, expected: &[Expected]) -> Result<(), String> {
    for &(rule, status, evidence) in expected {
        let found = report.answers_of_engine(rule, host);
        let right = found.len() == 1
            && found[0]["status"] == status
            && found[0]["evidence"].to_string().contains(evidence);
        if !right {
            return Err(format!("{rule}: wanted {status} by {evidence:?}, found {found:#?}"));
        }
    }
    Ok(())
}

/// A process that runs beside the engine, and ends with the test.
struct Helper(Child);

impl Helper {
    fn start(command: &mut Command) -> Result<Self, String> {
        let quiet = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        quiet.spawn().map(Self).map_err(|error| error.to_string())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The socket of mode 0606; and a process that looks like a hardened dockerd.
fn open_socket_beside_a_decoy(engine: &OwnEngine) -> Result<Vec<Helper>, String> {
    let socket = engine.dir().join("docker.sock");
    fs::set_permissions(socket, fs::Permissions::from_mode(0o606)).map_err(|error| error.to_string())?;
    let decoy = Helper::start(Command::new("sh").arg0("dockerd-exporter").args([
        "-c",
        "read line",
        "--icc=false",
        "--userland-proxy=false",
        "--live-restore",
        "--userns-remap=default",
        "--authorization-plugin=opa",
        "--no-new-privileges",
    ]))?;
    Ok(vec![decoy])
}

/// A hardened file that the daemon did not read; and somebody who watches the daemon's log.
fn harden_the_file_only(engine: &OwnEngine) -> Result<Vec<Helper>, String> {
    engine.configure(
        r#"{
  "hosts": ["unix://{dir}/docker.sock"],
  "icc": false,
  "live-restore": true,
  "no-new-privileges": true,
  "userland-proxy": false,
  "userns-remap": "default",
  "authorization-plugins": ["opa"]
}"#,
    )?;
    Ok(vec![Helper::start(Command::new("tail").arg("-f").arg(engine.dir().join("dockerd.log")))?])
}

/// A certificate that is its own authority, with a key of mode 0666.
fn certificate(dir: &Path) -> Result<(), String> {
    let key = dir.join("key.pem");
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(dir.join("cert.pem"))
        .output();
    docker::text(output.map_err(|error| format!("openssl: {error}"))?)?;
    fs::set_permissions(key, fs::Permissions::from_mode(0o666)).map_err(|error| error.to_string())
}
