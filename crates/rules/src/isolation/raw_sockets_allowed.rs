use plimsoll_facts::{Container, Effective};

use crate::answer::{fail, pass};
use crate::declared::granted_capabilities;
use crate::processes::{evidence_of, held, label, labels, started_by_container, status_source};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "raw-sockets-allowed",
    title: "A process may forge packets on the container's networks",
    concern: Concern::Isolation,
    severity: Severity::Low,
    why: "NET_RAW is among Docker's default capabilities, but hardly a service needs it. With it a process answers \
          ARP and DNS in the name of its neighbours on the same bridge (CVE-2020-10749 and CVE-2020-14386 began \
          there) and reads their traffic.",
    fix: "Recreate the container with --cap-drop NET_RAW (better: --cap-drop ALL and what is needed). ping works \
          without it where net.ipv4.ping_group_range covers the group, as it does in containers since Docker 20.10. \
          This stops the container.",
    references: &["capabilities(7)", "packet(7)", "CVE-2020-10749", "CVE-2020-14386"],
    cis: &["5.4"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| holders(cx, container, effective),
        |declared| {
            let granted = granted_capabilities(&declared.host_config).has("NET_RAW");
            let source = container.declared.source();
            match granted {
                false => pass(Evidence::new("NET_RAW", "not granted", source)),
                true => fail(Problem::new(
                    "is declared so that its root may forge packets (NET_RAW)",
                    vec![Evidence::new("NET_RAW", "granted", source).expected("not granted")],
                )),
            }
        },
    )
}

fn holders(cx: &EngineContext<'_>, container: &Container, effective: &Effective) -> Judgement {
    let processes = started_by_container(cx, container, effective)?;
    let holders: Vec<_> = processes.into_iter().filter(|p| held(p).has("NET_RAW")).collect();
    if holders.is_empty() {
        return pass(Evidence::new("processes that hold NET_RAW", "none", effective.processes.source()));
    }
    let evidence = evidence_of(&holders, |p| {
        Evidence::new(format!("capabilities of {}", label(p)), "NET_RAW", status_source(p, "CapPrm"))
            .expected("without NET_RAW")
    });
    fail(Problem::new(format!("{} may forge packets (NET_RAW)", labels(&holders)), evidence))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, container, process, status_of, stopped};

    #[test]
    fn root_of_the_default_set_holds_it() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0] = process(4711, "sh", 0))), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass, "a user without capabilities does not");
    }

    #[test]
    fn stopped_and_unreadable() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Fail);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().cap_drop = vec!["ALL".into()])), Status::Pass);
        let hidden = container(|c| {
            c.host_config().cap_drop = vec!["NET_RAW".into()];
            c.hide();
        });
        assert_eq!(status_of(&RULE, &hidden), Status::Unknown);
    }
}
