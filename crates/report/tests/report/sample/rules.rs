//! The rules of the sample.

use plimsoll_rules::{Concern, Judge, Rule, Severity};

const fn rule(
    id: &'static str,
    title: &'static str,
    concern: Concern,
    severity: Severity,
    fix: &'static str,
) -> Rule {
    Rule {
        id,
        title,
        concern,
        severity,
        why: "Whoever breaks into the container goes on from here: the wall that should stop it is missing or \
              has a door in it. An administrator should know, and decide.",
        fix,
        references: &["capabilities(7)", "https://docs.docker.com/engine/security/"],
        cis: &["5.5"],
        judge: Judge::Manual("sample"),
    }
}

/// The rules of the sample.
pub(crate) const RULES: [Rule; 9] = [
    rule(
        "container-privileged",
        "Container holds the host's privileges",
        Concern::Isolation,
        Severity::Critical,
        "Recreate the container without --privileged; add back single capabilities (--cap-add) or devices \
         (--device) that it proves to need. This stops the container.",
    ),
    rule(
        "engine-socket-mounted",
        "Container can command the engine",
        Concern::Isolation,
        Severity::Critical,
        "Take the engine's socket out of the container; where it needs a part of the API, put a proxy between \
         that allows that part. This stops the container.",
    ),
    rule(
        "memory-unlimited",
        "No memory limit is in force",
        Concern::Limits,
        Severity::Medium,
        "docker update --memory 512m --memory-swap 512m NAME sets a limit without stopping the container; \
         write the same into the compose file or the run command.",
    ),
    rule(
        "runtime-outdated",
        "The runtime has known bugs",
        Concern::Runtime,
        Severity::High,
        "apt-get install --only-upgrade runc. Nothing stops: running containers no longer use it.",
    ),
    rule(
        "runs-as-root",
        "Processes run as the host's root",
        Concern::Privilege,
        Severity::High,
        "Set USER in the image, or --user at run time.",
    ),
    rule(
        "reboot-pending",
        "A newer kernel is installed but not booted",
        Concern::Kernel,
        Severity::Medium,
        "Reboot in a maintenance window: see the upgrades below for what stops.",
    ),
    rule(
        "live-restore-off",
        "A restart of the engine stops every container",
        Concern::Engine,
        Severity::Low,
        "Set \"live-restore\": true in /etc/docker/daemon.json and send dockerd SIGHUP: nothing stops.",
    ),
    rule(
        "host-not-hardened",
        "The host's hardening needs a person",
        Concern::Engine,
        Severity::Info,
        "Compare the host with the hardening guide that your organisation follows.",
    ),
    rule(
        "image-old",
        "The image was built long ago",
        Concern::Freshness,
        Severity::Low,
        "Rebuild the image and recreate the container.",
    ),
];
