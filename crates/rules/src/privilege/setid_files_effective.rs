use plimsoll_facts::{Container, Effective, Process};

use super::privileged_files;
use crate::answer::{fail, gap, not_applicable, pass};
use crate::processes::{is_root, label, shortened, started_by_container, status_source};
use crate::sides::by_kernel;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "setid-files-effective",
    title: "An unprivileged process can run a program that makes it root",
    concern: Concern::Privilege,
    severity: Severity::Low,
    why: "The container runs as an unprivileged user, but a set-user-id program lies in its image and nothing takes the \
          effect away (no_new_privs, nosuid, an empty bounding set): a bug in that program, or a password, makes root.",
    fix: "Recreate the container with --security-opt no-new-privileges, or with --cap-drop ALL where its root would have \
          nothing to gain (this stops it); then remove the set-id bits in the image.",
    references: &["execve(2)", "https://docs.kernel.org/userspace-api/no_new_privs.html"],
    cis: &["4.8", "5.26"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel(container, |effective| {
        let processes = started_by_container(cx, container, effective)?;
        let unprivileged: Vec<_> = processes.into_iter().filter(|p| !is_root(p)).collect();
        if unprivileged.is_empty() {
            return not_applicable("every process is root already");
        }
        let Some(heir) = unprivileged.iter().find(|p| !p.no_new_privs && !p.cap_bounding.is_empty()) else {
            let shown = "no_new_privs, or an empty bounding set, in every process";
            return pass(Evidence::new("set-id programs have no effect", shown, effective.processes.source()));
        };
        if root_is_nosuid(effective)? {
            return pass(Evidence::new("options of the mount at /", "nosuid", effective.mounts.source()));
        }
        let image = cx
            .image_of(container)
            .ok_or_else(|| gap(cx.engine.images.source(), "the container's image is not there any more"))?;
        let files = privileged_files::of_image(image)?;
        let source = image.content.source();
        let Some(first) = files.first() else {
            return pass(Evidence::new("set-id files and files with capabilities", "none", source));
        };
        let mut evidence = vec![reach(heir)];
        evidence.extend(shortened(&files, |file| privileged_files::evidence(file, source), "files"));
        let message = format!("{} can gain privileges through {}", label(heir), first.path);
        fail(Problem::new(message, evidence).severity(privileged_files::severity(&files)))
    })
}

fn reach(process: &Process) -> Evidence {
    Evidence::new(
        format!("NoNewPrivs of {}, and its bounding set", label(process)),
        format!("0, {}", process.cap_bounding.names().join(" ")),
        status_source(process, "NoNewPrivs, CapBnd"),
    )
    .expected("1, or an empty set")
}

fn root_is_nosuid(effective: &Effective) -> Result<bool, plimsoll_facts::Gap> {
    let mounts = effective.mounts.require()?;
    Ok(mounts.iter().rev().find(|mount| mount.target == "/").is_some_and(|mount| mount.has_option("nosuid")))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Capabilities, Fact};

    use super::RULE;
    use crate::Status;
    use crate::testing::{Reach, World, container, process, status_of, stopped};

    #[test]
    fn docker_defaults_fail() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Fail);
    }

    #[test]
    fn what_takes_the_effect_away() {
        assert_eq!(status_of(&RULE, &container(|c| c.processes()[0].no_new_privs = true)), Status::Pass);
        let dropped = container(|c| c.processes()[0].cap_bounding = Capabilities::default());
        assert_eq!(status_of(&RULE, &dropped), Status::Pass);
        let nosuid = container(|c| c.effective().mounts.value_mut().unwrap()[0].options = "rw,nosuid".into());
        assert_eq!(status_of(&RULE, &nosuid), Status::Pass);
        let mut clean = container(|_| ());
        clean.image().content.value_mut().unwrap().privileged_files.clear();
        assert_eq!(status_of(&RULE, &clean), Status::Pass);
    }

    #[test]
    fn not_applicable_and_unknown() {
        assert_eq!(
            status_of(&RULE, &container(|c| c.processes()[0] = process(4711, "sh", 0))),
            Status::NotApplicable
        );
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::NotApplicable);
        let mut it = container(|_| ());
        it.image().content = Fact::default();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
        it.engine().images.value_mut().unwrap().clear();
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
