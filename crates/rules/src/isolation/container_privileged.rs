use plimsoll_facts::{Capabilities, Container};

use crate::{
    Concern, Confidence, EngineContext, Evidence, Judge, Judgement, Outcome, Problem, Rule, Severity,
};

/// What only `--privileged` and its equivalents grant together: any of them alone ends the separation.
const HOST_CAPABILITIES: [&str; 3] = ["SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"];

pub(super) const RULE: Rule = Rule {
    id: "container-privileged",
    title: "Container holds the host's privileges",
    concern: Concern::Isolation,
    severity: Severity::Critical,
    why: "A process with the full set of capabilities, no seccomp filter and access to every device is root \
          on the host: it mounts the host's disk or loads a kernel module. This is judged from what the kernel \
          enforces, so a container that was given the same powers one by one counts too.",
    fix: "Recreate the container without --privileged; add back single capabilities (--cap-add) or devices \
          (--device) that it proves to need. This stops the container.",
    references: &["capabilities(7)", "https://docs.docker.com/reference/cli/docker/container/run/#privileged"],
    cis: &["5.5"],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let Some(effective) = container.effective.get()? else {
        return declared_only(container);
    };
    let processes = effective.processes.require()?;
    let everything = effective.devices.value().is_some_and(|devices| devices.all);
    for process in processes {
        let held: Vec<_> =
            HOST_CAPABILITIES.into_iter().filter(|name| process.cap_effective.has(name)).collect();
        if held.len() == HOST_CAPABILITIES.len() && process.seccomp_mode == 0 && everything {
            return Ok(Outcome::Fail(Problem::new(
                format!("process {} ({}) has the powers of the host's root", process.pid, process.name),
                vec![
                    Evidence::new(
                        "effective capabilities",
                        process.cap_effective.minus(Capabilities::DOCKER_DEFAULT).names().join(" "),
                        format!("/proc/{}/status CapEff", process.pid),
                    )
                    .expected("Docker's default set"),
                    Evidence::new("seccomp mode", "0", format!("/proc/{}/status Seccomp", process.pid))
                        .expected("2"),
                    Evidence::new("devices", "every device", effective.devices.source()),
                ],
            )));
        }
    }
    Ok(Outcome::Pass(vec![Evidence::new(
        "processes with the host's capabilities, no seccomp filter and every device",
        "none",
        effective.processes.source(),
    )]))
}

fn declared_only(container: &Container) -> Judgement {
    let declared = container.declared.require()?;
    if !declared.host_config.privileged {
        return Ok(Outcome::Pass(vec![Evidence::new("Privileged", "false", container.declared.source())]));
    }
    Ok(Outcome::Fail(
        Problem::new(
            "will have the powers of the host's root when it is started",
            vec![Evidence::new("Privileged", "true", container.declared.source()).expected("false")],
        )
        .confidence(Confidence::Medium),
    ))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Reach, container, status_of};
    use crate::Status;

    #[test]
    fn powers_added_one_by_one_count() {
        let it = container(|c| {
            let p = &mut c.processes()[0];
            p.cap_effective.0 = 0x1ff_feff_ffff;
            p.seccomp_mode = 0;
            c.devices().all = true;
        });
        assert_eq!(status_of(&RULE, &it), Status::Fail);
    }

    #[test]
    fn docker_defaults_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }
}
