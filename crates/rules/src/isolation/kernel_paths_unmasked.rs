use plimsoll_facts::{Container, Declared, Effective, Gap, MaskKind, MaskState, PathMask};

use crate::answer::{fail, gap, pass};
use crate::declared::security_option;
use crate::processes::{in_host_user_namespace, is_root, members, shortened};
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Masked by recent engines only: they tell energy and temperature, a side channel (GHSA-jq35-85cj-fj4p,
/// GHSA-6fw5-f8r9-fgfm).
const NEWER_MASKS: [&str; 2] = ["/proc/interrupts", "/sys/devices/virtual/powercap"];

pub(super) const RULE: Rule = Rule {
    id: "kernel-paths-unmasked",
    title: "Kernel files that should be hidden or read-only are open in the container",
    concern: Concern::Isolation,
    severity: Severity::Medium,
    why: "Files below /proc and /sys belong to the whole kernel, not to the container. Root with a writable \
          /proc/sys sets kernel.core_pattern, and the host runs that program as root at the next crash; \
          /proc/sysrq-trigger reboots the host, and the hidden ones tell addresses, keys and timers of others.",
    fix: "Recreate the container without --security-opt systempaths=unconfined and without --privileged. For a single \
          setting of its own namespaces use --sysctl. An old engine masks less: update it. Recreating stops the \
          container.",
    references: &[
        "core(5)",
        "proc_sys_kernel(5)",
        "https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#masked-paths",
    ],
    cis: &[],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| by_mounts(cx, effective),
        |declared| by_lists(declared, container.declared.source()),
    )
}

fn by_mounts(cx: &EngineContext<'_>, effective: &Effective) -> Judgement {
    let masks = effective.masks.require()?;
    let source = effective.masks.source();
    if masks.is_empty() {
        return Err(gap(source, "none of the paths that should be masked was looked at"));
    }
    let open: Vec<_> = masks.iter().filter(|mask| mask.found == MaskState::Open).collect();
    let Some(first) = open.first() else {
        let shown = format!("{} in force or without such a file", masks.len());
        return pass(Evidence::new("masked and read-only paths", shown, source));
    };
    let writable = open.iter().find(|mask| mask.wanted == MaskKind::ReadOnly);
    let root = is_host_root(cx, effective)?;
    let severity = match writable {
        Some(_) if root => Severity::High,
        None if open.iter().all(|mask| NEWER_MASKS.contains(&mask.path.as_str())) => Severity::Low,
        _ => RULE.severity,
    };
    let message = match (writable, root) {
        (Some(mask), true) => format!("root can write to {} of the host's kernel", mask.path),
        (Some(mask), false) => format!("{} is mounted writable", mask.path),
        (None, _) => format!("{} is not masked", first.path),
    };
    let evidence = shortened(&open, |mask| evidence(mask, source), "paths");
    fail(Problem::new(message, evidence).severity(severity))
}

fn evidence(mask: &PathMask, source: &str) -> Evidence {
    Evidence::new(mask.path.clone(), "open", source).expected(match mask.wanted {
        MaskKind::Masked => "masked",
        MaskKind::ReadOnly => "read-only",
    })
}

/// The kernel lets the host's root alone write its settings; capabilities do not help (proc(5)).
fn is_host_root(cx: &EngineContext<'_>, effective: &Effective) -> Result<bool, Gap> {
    Ok(members(effective)?.iter().any(|p| is_root(p)) && in_host_user_namespace(cx, effective)?)
}

fn by_lists(declared: &Declared, source: &str) -> Judgement {
    let config = &declared.host_config;
    let shown = match (security_option(config, "systempaths"), config.privileged) {
        (Some("unconfined"), _) => "SecurityOpt systempaths=unconfined",
        (_, true) => "Privileged",
        _ => match (&config.masked_paths, &config.readonly_paths) {
            (Some(masked), Some(read_only)) if !masked.is_empty() && !read_only.is_empty() => {
                let shown = format!("{} masked, {} read-only", masked.len(), read_only.len());
                return pass(Evidence::new("MaskedPaths, ReadonlyPaths", shown, source));
            }
            (None, _) | (_, None) => return Err(gap(source, "the engine does not tell which paths it masks")),
            _ => "MaskedPaths or ReadonlyPaths is empty",
        },
    };
    let evidence = Evidence::new("masked and read-only paths", shown, source).expected("the engine's default lists");
    fail(Problem::new("is declared with open kernel files", vec![evidence]))
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{Container, Fact, MaskState};

    use super::RULE;
    use crate::testing::{Reach, answer, container, process, status_of, stopped};
    use crate::{Severity, Status};

    fn open(c: &mut Container, path: &str) {
        let masks = c.effective().masks.value_mut().unwrap();
        masks.iter_mut().find(|mask| mask.path == path).unwrap().found = MaskState::Open;
    }

    #[test]
    fn docker_defaults_pass() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
        let absent = container(|c| c.effective().masks.value_mut().unwrap()[0].found = MaskState::NoSuchFile);
        assert_eq!(status_of(&RULE, &absent), Status::Pass);
    }

    /// A writable /proc/sys lets the host's root set core_pattern; nobody else.
    #[test]
    fn writable_settings_are_worse_for_root() {
        let as_root = |root: bool| {
            answer(
                &RULE,
                &container(|c| {
                    open(c, "/proc/sys");
                    if root {
                        c.processes()[0] = process(4711, "sh", 0);
                    }
                }),
            )
            .severity
        };
        assert_eq!((as_root(true), as_root(false)), (Severity::High, Severity::Medium));
        assert_eq!(answer(&RULE, &container(|c| open(c, "/proc/kcore"))).severity, Severity::Medium);
        assert_eq!(answer(&RULE, &container(|c| open(c, "/proc/interrupts"))).severity, Severity::Low);
    }

    #[test]
    fn stopped_by_declaration() {
        assert_eq!(status_of(&RULE, &stopped(|_| ())), Status::Pass);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().masked_paths = Some(Vec::new()))), Status::Fail);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().privileged = true)), Status::Fail);
        assert_eq!(status_of(&RULE, &stopped(|c| c.host_config().masked_paths = None)), Status::Unknown);
    }

    #[test]
    fn nothing_looked_at_is_unknown() {
        assert_eq!(status_of(&RULE, &container(|c| c.effective().masks = Fact::default())), Status::Unknown);
        assert_eq!(
            status_of(&RULE, &container(|c| c.effective().masks.value_mut().unwrap().clear())),
            Status::Unknown
        );
    }
}
