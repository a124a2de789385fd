use plimsoll_facts::{Engine, Facts, FileRole, Mount};

use crate::answer::{fail, pass, unknown};
use crate::{Concern, Evidence, Judge, Judgement, Problem, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "data-root-on-root-filesystem",
    title: "The engine's data shares the file system of the host's root",
    concern: Concern::Engine,
    severity: Severity::Low,
    why: "Images, logs and writable layers grow without a limit of their own. On the root's file system a container that \
          fills its layer fills the host: nobody can log in, and the package manager cannot install the fix. File systems \
          are told apart by their device: a bind mount of the directory onto itself, which the daemon makes, is none.",
    fix: "Stop the engine, copy DATA-ROOT with rsync -aHAX to a file system of its own, mount that in its place (or set \
          \"data-root\"), start the engine. Every container stops for as long as the copy takes.",
    references: &["https://docs.docker.com/engine/daemon/#daemon-data-directory", "proc_pid_mountinfo(5)"],
    cis: &["1.1.1"],
    judge: Judge::Engine(judge),
};

fn judge(facts: &Facts, engine: &Engine) -> Judgement {
    let declared = &engine.info.require()?.data_root;
    if engine.remote {
        return unknown(engine.endpoint.clone(), "the engine is on another host, whose mounts were not looked at");
    }
    if !declared.starts_with('/') {
        return unknown(engine.info.source(), "the engine does not tell its data directory");
    }
    let data_root = resolved(facts, declared);
    let source = facts.host.mounts.source();
    let mounts = facts.host.mounts.require()?;
    let (Some(data), Some(root)) = (Mount::holding(mounts, data_root), Mount::holding(mounts, "/")) else {
        return unknown(source, format!("no mount holds {data_root}"));
    };
    let evidence = vec![
        Evidence::new(format!("file system of {data_root}"), show(data), source)
            .expected("another device than the root's"),
        Evidence::new("file system of /", show(root), source),
    ];
    if data.device == root.device {
        return fail(Problem::new(format!("{data_root} is on the root's file system ({})", root.device), evidence));
    }
    evidence.into_iter().next().map_or_else(|| unknown(source, "no mount"), pass)
}

/// Where the data directory is after symbolic links, as far as it was looked at.
fn resolved<'a>(facts: &'a Facts, data_root: &'a str) -> &'a str {
    let files = facts.host.files.iter().filter(|f| f.role == FileRole::DataRoot && f.path == data_root);
    let resolved = files.filter_map(|f| f.stat.value()).map(|stat| stat.resolved.as_str()).next();
    resolved.filter(|path| !path.is_empty()).unwrap_or(data_root)
}

fn show(mount: &Mount) -> String {
    format!("{} on {} ({}, device {})", mount.source, mount.target, mount.fs_type, mount.device)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::Status;
    use crate::testing::bare::{denied, engine, known};
    use crate::testing::status_of;
    use plimsoll_facts::{Facts, FileFact, FileRole, FileStat, Mount};

    fn mount(target: &str, device: &str, root: &str) -> Mount {
        Mount { target: target.into(), device: device.into(), root: root.into(), ..Mount::default() }
    }

    fn with(mounts: Vec<Mount>) -> Facts {
        let mut facts = engine(|_| ());
        facts.host.mounts = known(mounts);
        facts
    }

    #[test]
    fn case_25_a_bind_mount_onto_itself_is_no_partition() {
        let facts = with(vec![mount("/", "254:0", "/"), mount("/var/lib/docker", "254:0", "/var/lib/docker")]);
        assert_eq!(status_of(&RULE, &facts), Status::Fail);
    }

    #[test]
    fn another_device_passes() {
        let own = with(vec![mount("/", "254:0", "/"), mount("/var/lib/docker", "254:16", "/")]);
        assert_eq!(status_of(&RULE, &own), Status::Pass);
        let above = with(vec![mount("/", "254:0", "/"), mount("/var", "254:16", "/")]);
        assert_eq!(status_of(&RULE, &above), Status::Pass);
        let beside = with(vec![mount("/", "254:0", "/"), mount("/var/lib/dock", "254:16", "/")]);
        assert_eq!(status_of(&RULE, &beside), Status::Fail);
    }

    #[test]
    fn a_link_is_followed() {
        let mut facts = with(vec![mount("/", "254:0", "/"), mount("/srv", "254:16", "/")]);
        let stat = known(FileStat { resolved: "/srv/docker".into(), ..FileStat::default() });
        facts.host.files = vec![FileFact { role: FileRole::DataRoot, path: "/var/lib/docker".into(), stat }];
        assert_eq!(status_of(&RULE, &facts), Status::Pass);
    }

    #[test]
    fn unread_is_unknown() {
        let mut facts = with(Vec::new());
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        facts.host.mounts = denied();
        assert_eq!(status_of(&RULE, &facts), Status::Unknown);
        assert_eq!(status_of(&RULE, &engine(|e| e.info = denied())), Status::Unknown);
        let mut elsewhere = with(vec![mount("/", "254:0", "/")]);
        elsewhere.engines[0].remote = true;
        assert_eq!(status_of(&RULE, &elsewhere), Status::Unknown);
    }

    #[test]
    fn a_later_mount_covers_an_earlier_one() {
        let mounts = [mount("/var", "1:1", "/"), mount("/var", "1:2", "/")];
        assert_eq!(Mount::holding(&mounts, "/var/lib/docker").unwrap().device, "1:2");
    }
}
