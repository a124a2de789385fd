use plimsoll_facts::{Engine, EngineKind, Facts};

use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Drivers that engines no longer have, and the release that dropped them.
const ABANDONED: [(&str, &str); 3] = [("aufs", "24.0"), ("overlay", "24.0"), ("devicemapper", "25.0")];

pub(super) const RULE: Rule = Rule {
    id: "storage-driver-abandoned",
    title: "The storage driver is one that newer engines no longer have",
    concern: Concern::Engine,
    severity: Severity::Medium,
    why: "aufs lives outside of the kernel, devicemapper on loop devices loses data under load, and neither gets fixes. An \
          engine update that drops the driver does not start, and its images and containers cannot be seen.",
    fix: "Push or save what is needed, set \"storage-driver\": \"overlay2\" in daemon.json, `systemctl restart docker`, and \
          make images and containers anew. That stops every container; named volumes stay.",
    references: &["https://docs.docker.com/engine/deprecated/", "https://docs.docker.com/engine/storage/drivers/"],
    cis: &["2.6", "2.7"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let driver = &engine.info.require()?.storage_driver;
    if engine.kind == EngineKind::Podman {
        return not_applicable(format!("podman has drivers of its own; {driver} is none of Docker's"));
    }
    let evidence = Evidence::new("storage driver", driver.clone(), engine.info.source());
    match ABANDONED.iter().find(|(name, _)| name == driver) {
        None => pass(evidence),
        Some((name, release)) => fail(Problem::new(
            format!("{name} is gone from Docker Engine {release} on"),
            vec![evidence.expected("overlay2")],
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::EngineKind;

    #[test]
    fn old_and_current_drivers() {
        let with = |name: &str| status_of(&RULE, &engine(|e| e.info().storage_driver = name.into()));
        assert_eq!(with("aufs"), Status::Fail);
        assert_eq!(with("devicemapper"), Status::Fail);
        assert_eq!(with("overlay2"), Status::Pass);
        assert_eq!(with("fuse-overlayfs"), Status::Pass);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
    }

    #[test]
    fn podmans_overlay_is_another_one() {
        let podman = engine(|e| {
            e.kind = EngineKind::Podman;
            e.info().storage_driver = "overlay".into();
        });
        assert_eq!(status_of(&RULE, &podman), Status::NotApplicable);
    }
}
