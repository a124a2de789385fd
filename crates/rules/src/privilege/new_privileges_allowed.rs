use plimsoll_facts::{Container, Declared, Effective};
use serde_json::Value;

use crate::answer::{fail, pass};
use crate::declared::security_option;
use crate::engine::has_security_option;
use crate::processes::{evidence_of, label, labels, members, status_source};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "new-privileges-allowed",
    title: "Processes can gain privileges by running another program",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "Without no_new_privs every set-user-id program in the image, in a volume or in a bind mount makes root out \
          of an unprivileged user, and file capabilities give back what was dropped.",
    fix: "Recreate the container with --security-opt no-new-privileges (this stops it), or set \"no-new-privileges\": \
          true in daemon.json for new containers. An image that drops root with su-exec, gosu or setpriv works with it; \
          one that uses sudo or su does not.",
    references: &[
        "https://docs.kernel.org/userspace-api/no_new_privs.html",
        "https://docs.docker.com/reference/cli/docker/container/run/#security-opt",
    ],
    cis: &["5.26"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(container, by_processes, |declared| {
        by_declaration(cx, declared, container.declared.source())
    })
}

fn by_processes(effective: &Effective) -> Judgement {
    let members = members(effective)?;
    let open: Vec<_> = members.iter().copied().filter(|p| !p.no_new_privs).collect();
    if open.is_empty() {
        let shown = format!("1 in all {} processes and deviating threads", members.len());
        return pass(Evidence::new("NoNewPrivs", shown, effective.processes.source()));
    }
    let evidence = evidence_of(&open, |p| {
        Evidence::new(format!("NoNewPrivs of {}", label(p)), "0", status_source(p, "NoNewPrivs")).expected("1")
    });
    fail(Problem::new(format!("{} can gain privileges by running another program", labels(&open)), evidence))
}

fn by_declaration(cx: &EngineContext<'_>, declared: &Declared, source: &str) -> Judgement {
    let (set, shown) = match security_option(&declared.host_config, "no-new-privileges") {
        Some(value) => (!value.eq_ignore_ascii_case("false") && value != "0", format!("no-new-privileges {value}")),
        None => {
            let loaded = cx.engine.settings.get("no-new-privileges").and_then(|s| s.loaded.as_ref());
            let on = loaded == Some(&Value::Bool(true))
                || has_security_option(&cx.engine.info.require()?.security_options, "no-new-privileges");
            (on, format!("the engine's default, {on}"))
        }
    };
    let evidence = Evidence::new("SecurityOpt", shown, source);
    match set {
        true => pass(evidence),
        false => fail(Problem::new(
            "is declared so that its processes can gain privileges",
            vec![evidence.expected("no-new-privileges")],
        )),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Facts, Setting};

    use super::RULE;
    use crate::testing::{Reach, World, answer, container, process, status_of, stopped};
    use crate::{Confidence, Status};

    #[test]
    fn every_process_must_have_it() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
        let set = |stray: bool| {
            container(|c| {
                c.processes()[0].no_new_privs = true;
                if stray {
                    c.processes().push(process(4900, "sh", 999));
                }
            })
        };
        assert_eq!(status_of(&RULE, &set(false)), Status::Pass);
        assert_eq!(status_of(&RULE, &set(true)), Status::Fail);
    }

    /// `no-new-privileges=false` contains the words and switches it off.
    #[test]
    fn case_16_option_with_a_value() {
        let declared = |option: &str| stopped(|c| c.host_config().security_opt = vec![option.into()]);
        let finding = answer(&RULE, &declared("no-new-privileges=false"));
        assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium));
        assert_eq!(status_of(&RULE, &declared("no-new-privileges:false")), Status::Fail);
        assert_eq!(status_of(&RULE, &declared("no-new-privileges")), Status::Pass);
        assert_eq!(status_of(&RULE, &declared("no-new-privileges:true")), Status::Pass);
        let running = container(|c| c.host_config().security_opt = vec!["no-new-privileges=false".into()]);
        assert_eq!(status_of(&RULE, &running), Status::Fail);
    }

    #[test]
    fn the_engine_s_default() {
        let with = |loaded: bool| -> Facts {
            let mut it = stopped(|_| ());
            let setting = Setting { loaded: Some(loaded.into()), ..Setting::default() };
            it.engine().settings.insert("no-new-privileges".into(), setting);
            it
        };
        assert_eq!(status_of(&RULE, &with(true)), Status::Pass);
        assert_eq!(status_of(&RULE, &with(false)), Status::Fail);
    }

    #[test]
    fn unreadable_is_unknown() {
        let it = container(|c| {
            c.host_config().security_opt = vec!["no-new-privileges".into()];
            c.hide();
        });
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
