use plimsoll_facts::{Engine, Facts};

use super::settings::{no_docker_daemon, show};
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Options that the daemon takes from both places (moby `daemon/config`, skipDuplicates and skipValidateOptions).
const IN_BOTH: [&str; 3] = ["runtimes", "features", "builder"];

pub(super) const RULE: Rule = Rule {
    id: "configuration-invalid",
    title: "The daemon will not start again with its configuration",
    concern: Concern::Engine,
    severity: Severity::High,
    why: "A daemon that runs does not notice that daemon.json is broken, or names an option that its command line sets too. At \
          the next crash, update or reboot it refuses to start, and no container comes back.",
    fix: "dockerd --validate --config-file FILE says what is wrong and stops nothing. An option belongs either into the file \
          or on the command line (systemctl edit docker), \"hosts\" beside -H fd:// is the usual case.",
    references: &["https://docs.docker.com/engine/daemon/troubleshoot/"],
    cis: &[],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    if let Some(why) = no_docker_daemon(engine)? {
        return not_applicable(why);
    }
    let Some(file) = engine.config_file.get()? else {
        return not_applicable(format!("there is no {}", engine.config_file.source()));
    };
    if let Some(error) = &file.error {
        let evidence = Evidence::new("daemon.json", error.clone(), file.path.clone()).expected("a valid configuration");
        return fail(Problem::new(format!("{} is not valid: {error}", file.path), vec![evidence]));
    }
    let daemon = engine.daemon.require()?;
    let mut names = Vec::new();
    let mut evidence = Vec::new();
    for (name, setting) in &engine.settings {
        let (Some(in_file), Some(flag)) = (&setting.file, &setting.flag) else { continue };
        if IN_BOTH.contains(&name.as_str()) {
            continue;
        }
        names.push(name.as_str());
        evidence.push(Evidence::new(format!("{name} in the file"), show(in_file), file.path.clone()));
        let command_line = format!("/proc/{}/cmdline", daemon.pid);
        evidence.push(Evidence::new(format!("{name} on the command line"), show(flag), command_line));
    }
    if names.is_empty() {
        return pass(Evidence::new("daemon.json", "valid, and no option is on the command line too", file.path.clone()));
    }
    fail(Problem::new(format!("given in the file and on the command line: {}", names.join(", ")), evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;
    use serde_json::json;

    #[test]
    fn broken_json_or_an_option_given_twice() {
        let broken = engine(|e| {
            e.file("icc", false);
            e.config_file.value_mut().unwrap().error = Some("expected `,` at line 3".into());
        });
        assert_eq!(status_of(&RULE, &broken), Status::Fail);
        let twice = engine(|e| {
            e.file("hosts", vec!["tcp://127.0.0.1:2375"]);
            e.flag("hosts", vec!["fd://"]);
        });
        assert_eq!(status_of(&RULE, &twice), Status::Fail);
        let runtimes = engine(|e| {
            e.file("runtimes", json!({}));
            e.flag("runtimes", json!({}));
        });
        assert_eq!(status_of(&RULE, &runtimes), Status::Pass);
    }

    #[test]
    fn no_file_unread_podman() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(|e| e.config_file = denied())), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.kind = EngineKind::Podman)), Status::NotApplicable);
        let no_daemon = engine(|e| {
            e.file("icc", false);
            e.daemon = denied();
        });
        assert_eq!(status_of(&RULE, &no_daemon), Status::Unknown);
    }
}
