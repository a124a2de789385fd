use plimsoll_facts::{Container, Effective, Process};

use super::user::resolve;
use crate::answer::{fail, pass};
use crate::engine::has_security_option;
use crate::processes::{evidence_of, held, is_root, label, labels, started_by_container, status_source};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity};

/// Whoever holds one of these is root in all but the name (capabilities(7)).
const AS_GOOD_AS_ROOT: [&str; 9] = [
    "SETUID",
    "SETGID",
    "DAC_OVERRIDE",
    "CHOWN",
    "FOWNER",
    "SYS_ADMIN",
    "SYS_PTRACE",
    "SYS_MODULE",
    "SYS_RAWIO",
];

pub(super) const RULE: Rule = Rule {
    id: "root-process",
    title: "A process runs as the host's root",
    concern: Concern::Privilege,
    severity: Severity::Medium,
    why: "Root inside is root outside as soon as one of the other walls has a hole: a mount of the host, a leaked \
          descriptor, a bug in runC (CVE-2019-5736, CVE-2024-21626). Judged by every process as it runs: a container \
          that starts as root and drops it (the official images of MariaDB, PostgreSQL and Redis) passes, and so \
          does root of a user namespace.",
    fix: "Recreate the container with --user UID:GID (this stops it), or put USER into the image; files in \
          its volumes must belong to that user. An entry point that must start as root: --cap-drop ALL \
          --cap-add SETUID --cap-add SETGID --cap-add CHOWN leaves it just enough to prepare and drop.",
    references: &[
        "credentials(7)",
        "https://docs.docker.com/build/building/best-practices/#user",
        "CVE-2019-5736",
        "CVE-2024-21626",
    ],
    cis: &["4.1"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| by_processes(cx, container, effective),
        |declared| {
            let source = container.declared.source();
            let shown = if declared.user.is_empty() { "not set" } else { declared.user.as_str() };
            let evidence = Evidence::new("Config.User", shown, source);
            let options = &cx.engine.info.require()?.security_options;
            if ["userns", "rootless"].iter().any(|name| has_security_option(options, name))
                && declared.host_config.userns_mode != "host"
            {
                return pass(Evidence::new("user namespace", "its root is not the host's", cx.engine.info.source()));
            }
            match resolve(&declared.user, cx.image_of(container))? {
                0 => fail(Problem::new(
                    "is declared to start as root; whether it drops it shows when it runs",
                    vec![evidence.expected("another user than root")],
                )
                .severity(Severity::Low)),
                _ => pass(evidence),
            }
        },
    )
}

fn by_processes(cx: &EngineContext<'_>, container: &Container, effective: &Effective) -> Judgement {
    let processes = started_by_container(cx, container, effective)?;
    let roots: Vec<_> = processes.iter().copied().filter(|p| is_root(p)).collect();
    let equals: Vec<_> = processes.iter().copied().filter(|p| !is_root(p) && is_as_good(p)).collect();
    if roots.is_empty() && equals.is_empty() {
        let mut evidence = evidence_of(&processes, credentials);
        evidence.extend(started_as(container));
        return Ok(Outcome::Pass(evidence));
    }
    if roots.is_empty() {
        let message = format!("{} is not root, but has capabilities as good as root", labels(&equals));
        return fail(Problem::new(message, evidence_of(&equals, credentials)));
    }
    let evidence = evidence_of(&roots, |p| credentials(p).expected("no user id 0"));
    let supervises = roots.iter().all(|p| has_dropped_child(p, &processes));
    let message = match supervises {
        true => format!("{} is root, and its children are not: it supervises them", labels(&roots)),
        false => format!("{} runs as the host's root", labels(&roots)),
    };
    let bare = roots.iter().all(|p| held(p).is_empty());
    let severity = if supervises || bare { Severity::Low } else { RULE.severity };
    fail(Problem::new(message, evidence).severity(severity))
}

fn credentials(process: &Process) -> Evidence {
    let [real, effective, saved, file_system] = process.uids;
    let capabilities = held(process).names();
    let shown = if capabilities.is_empty() { "none".to_owned() } else { capabilities.join(" ") };
    Evidence::new(
        format!("user ids and capabilities of {}", label(process)),
        format!("{real} {effective} {saved} {file_system}, {shown}"),
        status_source(process, "Uid, CapEff, CapPrm"),
    )
}

fn is_as_good(process: &Process) -> bool {
    AS_GOOD_AS_ROOT.iter().any(|name| held(process).has(name))
}

/// Whether one of the processes that it started runs as somebody else.
fn has_dropped_child(parent: &Process, processes: &[&Process]) -> bool {
    processes.iter().any(|p| p.ppid == parent.pid && p.pid != parent.pid && !is_root(p))
}

/// What the declaration says, where it says root: the processes show that it was dropped.
fn started_as(container: &Container) -> Option<Evidence> {
    let declared = container.declared.value()?;
    let root = resolve(&declared.user, None).is_ok_and(|uid| uid == 0);
    root.then(|| Evidence::new("Config.User", "root: dropped after the start", container.declared.source()))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, Container, ExecSession, Facts};

    use super::RULE;
    use crate::testing::{Reach, World, answer, container, process, status_of, stopped};
    use crate::{Confidence, Severity, Status};

    fn child(pid: u32, name: &str, uid: u32) -> plimsoll_facts::Process {
        plimsoll_facts::Process { ppid: 4711, ..process(pid, name, uid) }
    }

    fn init(c: &mut Container, uid: u32) {
        c.processes()[0] = process(4711, "init", uid);
    }

    /// The shape of the official MariaDB image: no USER, an entry point that starts as root and drops it.
    #[test]
    fn case_36_root_then_drop() {
        let finding = answer(&RULE, &container(|_| ()));
        assert_eq!(finding.status, Status::Pass);
        assert_eq!(finding.evidence[0].value, "999 999 999 999, none");
        assert_eq!(finding.evidence[1].value, "root: dropped after the start");
    }

    /// `--user 0:0`, and an image whose user app has the id 0.
    #[test]
    fn case_19_root_under_other_names() {
        let running = container(|c| {
            c.declared().user = "app".into();
            init(c, 0);
        });
        assert_eq!(status_of(&RULE, &running), Status::Fail);
        for user in ["0:0", "app", ""] {
            let mut it = stopped(|c| c.declared().user = user.into());
            it.image().content.value_mut().unwrap().accounts.push(("app".into(), 0, 0));
            let finding = answer(&RULE, &it);
            assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium), "{user}");
        }
        assert_eq!(status_of(&RULE, &stopped(|c| c.declared().user = "mysql".into())), Status::Pass);
        assert_eq!(status_of(&RULE, &stopped(|c| c.declared().user = "ghost".into())), Status::Unknown);
    }

    /// Rootless: root inside is user 2500 outside.
    #[test]
    fn case_48_root_of_a_user_namespace() {
        let it = container(|c| {
            init(c, 2500);
            c.effective().uid_map.value_mut().unwrap()[0] = (0, 2500, 1);
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
        let mut declared = stopped(|_| ());
        declared.engine().info.value_mut().unwrap().security_options.push("name=rootless".into());
        assert_eq!(status_of(&RULE, &declared), Status::Pass);
    }

    #[test]
    fn a_supervisor_is_milder() {
        let it = |worker: u32| -> Facts {
            container(|c| {
                init(c, 0);
                c.processes().push(child(4712, "worker", worker));
            })
        };
        assert_eq!(answer(&RULE, &it(33)).severity, Severity::Low);
        assert_eq!(answer(&RULE, &it(0)).severity, Severity::Medium);
        let bare = container(|c| {
            init(c, 0);
            c.processes()[0].cap_effective = Capabilities::default();
            c.processes()[0].cap_permitted = Capabilities::default();
        });
        assert_eq!(answer(&RULE, &bare).severity, Severity::Low);
    }

    #[test]
    fn capabilities_as_good_as_root_and_a_saved_id() {
        let setuid = container(|c| c.processes()[0].cap_permitted = Capabilities(1 << 7));
        assert_eq!(status_of(&RULE, &setuid), Status::Fail);
        let bind_only = container(|c| c.processes()[0].cap_effective = Capabilities(1 << 10));
        assert_eq!(status_of(&RULE, &bind_only), Status::Pass);
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0].uids[2] = 0)), Status::Fail);
    }

    #[test]
    fn a_session_is_another_rule_s_matter() {
        let it = container(|c| {
            c.processes().push(process(4900, "sh", 0));
            c.declared().execs = vec![ExecSession { pid: 4900, ..ExecSession::default() }];
        });
        assert_eq!(status_of(&RULE, &it), Status::Pass);
    }

    #[test]
    fn unreadable_processes_are_unknown() {
        let it = container(|c| {
            c.declared().user = "999".into();
            c.effective().processes = Default::default();
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
