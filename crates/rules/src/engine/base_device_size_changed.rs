use plimsoll_facts::{Engine, Facts};

use super::settings::in_force;
use crate::answer::{fail, not_applicable, pass};
use crate::{Concern, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "base-device-size-changed",
    title: "The base device of devicemapper was made larger",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "With devicemapper each image and container starts from a device of this size. One that was made larger lets \
          every container fill more of the pool, and a full pool stops all of them.",
    fix: "Leave devicemapper (see storage-driver-abandoned); else take dm.basesize out of \"storage-opts\" and make the \
          pool anew, which removes all images and containers.",
    references: &["https://docs.docker.com/engine/storage/drivers/device-mapper-driver/"],
    cis: &["2.12"],
    judge: Judge::Engine(judge),
};

fn judge(_: &Facts, engine: &Engine) -> Judgement {
    let driver = &engine.info.require()?.storage_driver;
    if driver != "devicemapper" {
        return not_applicable(format!("only devicemapper has a base device; the driver is {driver}"));
    }
    let options = in_force(engine, "storage-opts")?;
    let evidence = options.evidence().expected("no dm.basesize");
    if options.list().iter().any(|option| option.trim_start().starts_with("dm.basesize")) {
        return fail(Problem::new("the base device has another size than the default", vec![evidence]));
    }
    pass(evidence)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{ReachEngine, denied, engine};
    use crate::testing::status_of;
    use plimsoll_facts::Engine;

    fn devicemapper(e: &mut Engine) {
        e.info().storage_driver = "devicemapper".into();
    }

    #[test]
    fn only_with_devicemapper() {
        assert_eq!(status_of(&RULE, &engine(|_| ())), Status::NotApplicable);
        assert_eq!(status_of(&RULE, &engine(devicemapper)), Status::Pass);
        let larger = engine(|e| {
            devicemapper(e);
            e.flag("storage-opts", vec!["dm.basesize=50G"]);
        });
        assert_eq!(status_of(&RULE, &larger), Status::Fail);
        let unread = engine(|e| {
            devicemapper(e);
            e.daemon = denied();
        });
        assert_eq!(status_of(&RULE, &unread), Status::Unknown);
    }
}
