use crate::{Concern, Judge, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    id: "host-hardening-unreviewed",
    title: "Hardening of the host beyond its kernel is for a person to judge",
    concern: Concern::Kernel,
    severity: Severity::Info,
    why: "Everything that runs beside the engine on the host is another way to root, and root on the host owns every \
          container. The kernel's own settings are judged by the other rules here.",
    fix: "Hold the host against a benchmark of its distribution (for instance with OpenSCAP or lynis). Nothing stops.",
    references: &["https://static.open-scap.org/"],
    cis: &["1.2.1"],
    judge: Judge::Manual(
        "No single fact decides whether a host is hardened. Look at: services that listen beside the engine (ss -tulpn), \
         accounts that can log in (getent shadow), how sshd admits them (sshd -T), mount options of /tmp, /var and /home, \
         unattended updates, and when the host was last held against a benchmark of its distribution.",
    ),
};
