use plimsoll_facts::Container;

use crate::answer::{fail, pass};
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "container-logs-unrotated",
    title: "The container's log grows until the disk is full",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "The driver json-file keeps everything for ever unless max-size is set. A chatty or provoked container fills the \
          disk of the engine's data, and with it every database on the host stops.",
    fix: "\"log-driver\": \"local\" (or \"log-opts\": {\"max-size\": \"10m\", \"max-file\": \"3\"}) in daemon.json, `systemctl restart \
          docker`, then recreate the container, which stops it: options of an existing container do not change.",
    references: &["https://docs.docker.com/engine/logging/drivers/json-file/"],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(_: &EngineContext<'_>, container: &Container) -> Judgement {
    let config = &container.declared.require()?.host_config;
    let limit = config.log_options.get("max-size").map_or("not set", String::as_str);
    let source = container.declared.source();
    if config.log_driver != "json-file" {
        return pass(Evidence::new("logging driver", config.log_driver.clone(), source));
    }
    let evidence = Evidence::new("json-file option max-size", limit, source).expected("a size");
    if matches!(limit, "not set" | "" | "-1") {
        return fail(Problem::new("its log is never cut", vec![evidence]));
    }
    pass(evidence)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::denied;
    use crate::testing::{Reach, container, status_of};

    #[test]
    fn json_file_needs_a_size() {
        let with = |driver: &str, size: &str| {
            status_of(&RULE, &container(|c| {
                let config = &mut c.declared().host_config;
                config.log_driver = driver.into();
                config.log_options = [("max-size".to_owned(), size.to_owned())].into();
            }))
        };
        assert_eq!(with("json-file", "-1"), Status::Fail);
        assert_eq!(with("json-file", "10m"), Status::Pass);
        assert_eq!(with("local", ""), Status::Pass);
        let bare = container(|c| c.declared().host_config.log_driver = "json-file".into());
        assert_eq!(status_of(&RULE, &bare), Status::Fail);
        assert_eq!(status_of(&RULE, &container(|c| c.declared = denied())), Status::Unknown);
    }
}
