//! What the kernel is made of and how it is set.

use std::collections::BTreeMap;

use plimsoll_facts::{Fact, Facts, ModuleOnDisk};

use crate::modules::{self, Part};
use crate::stand::{known, missing};
use crate::truth::Truth;

/// Whether an option is built in or as a module.
pub(crate) fn option(facts: &Facts, name: &str) -> Truth {
    match built(facts, name) {
        Err(unknown) => unknown,
        Ok(Built::No) => Truth::no(format!("kernel: built without CONFIG_{name}")),
        Ok(Built::In | Built::Module) => Truth::Yes(Vec::new()),
    }
}

/// Whether an option is off.
pub(crate) fn without_option(facts: &Facts, name: &str) -> Truth {
    match built(facts, name) {
        Err(unknown) => unknown,
        Ok(Built::No) => Truth::yes(format!("the kernel is built without CONFIG_{name}")),
        Ok(_) => Truth::no(format!("kernel: built with CONFIG_{name}")),
    }
}

/// Whether any of these options is there; no options are no condition.
pub(crate) fn any_option<'n>(facts: &Facts, names: impl IntoIterator<Item = &'n str>) -> Truth {
    let each = names.into_iter().map(|name| option(facts, name));
    each.reduce(|one, other| one.or(|| other)).unwrap_or_else(|| Truth::Yes(Vec::new()))
}

enum Built {
    In,
    Module,
    No,
}

fn built(facts: &Facts, name: &str) -> Result<Built, Truth> {
    let name = format!("CONFIG_{name}");
    let config = known(&facts.host.kernel.config, &name)?;
    Ok(match config.get(&name).map(String::as_str) {
        None | Some("n") => Built::No,
        Some("m") => Built::Module,
        Some(_) => Built::In,
    })
}

/// Whether a part of the kernel is there, or would be loaded when asked for.
pub(crate) fn module(facts: &Facts, word: &str) -> Truth {
    let Some(part) = modules::named(word) else {
        return Truth::unknown(format!("which kernel option brings {word}"));
    };
    let each = part.options.iter().map(|name| match built(facts, name) {
        Err(unknown) => unknown,
        Ok(Built::No) => Truth::no(format!("kernel: built without CONFIG_{name}")),
        Ok(Built::In) => Truth::yes(format!("CONFIG_{name} is built in")),
        Ok(Built::Module) => loaded(facts, part).or(|| loadable(facts, part)),
    });
    let by_options = each.reduce(|one, other| one.or(|| other)).unwrap_or_else(|| Truth::Yes(Vec::new()));
    match by_options {
        // Without the configuration, a module that is loaded or on disk still answers.
        Truth::Unknown(missing) => match loaded(facts, part) {
            Truth::Yes(shown) => Truth::Yes(shown),
            _ => Truth::Unknown(missing),
        },
        decided => decided,
    }
}

/// Whether it is there without anything having to be loaded.
pub(crate) fn module_loaded(facts: &Facts, word: &str) -> Truth {
    let Some(part) = modules::named(word) else {
        return Truth::unknown(format!("which kernel option brings {word}"));
    };
    let built_in = part.options.iter().find(|name| matches!(built(facts, name), Ok(Built::In)));
    match built_in {
        Some(name) => Truth::yes(format!("CONFIG_{name} is built in")),
        None => loaded(facts, part),
    }
}

fn loaded(facts: &Facts, part: &Part) -> Truth {
    match facts.host.kernel.modules.get() {
        Err(gap) => missing("the loaded modules", &gap),
        Ok(loaded) => {
            let loaded =
                loaded.and_then(|loaded| loaded.iter().find(|name| part.modules.contains(&name.as_str())));
            match loaded {
                Some(name) => Truth::yes(format!("module {name} is loaded")),
                None => Truth::no(format!("kernel: module {} is not loaded", part.modules[0])),
            }
        }
    }
}

fn loadable(facts: &Facts, part: &Part) -> Truth {
    let kernel = &facts.host.kernel;
    let disabled = kernel.sysctls.get("kernel.modules_disabled").and_then(|fact| fact.value());
    if disabled.is_some_and(|value| value == "1") {
        return Truth::no("sysctl: kernel.modules_disabled=1, no module can be loaded");
    }
    let on_disk = match kernel.modules_on_disk.get() {
        Err(gap) => return missing("modules on disk", &gap),
        Ok(None) => return Truth::no("kernel: its modules are not on disk"),
        Ok(Some(on_disk)) => on_disk,
    };
    let state = |name: &str| match on_disk.get(name) {
        None => Truth::unknown(format!("whether module {name} is on disk")),
        Some(ModuleOnDisk::Missing) => Truth::no(format!("kernel: module {name} is not on disk")),
        Some(ModuleOnDisk::Loadable) => Truth::yes(format!("module {name} would be loaded")),
        Some(ModuleOnDisk::Blocked { by }) => Truth::no(format!("modprobe.d: {by}")),
    };
    let states = part.modules.iter().map(|name| state(name));
    states.reduce(|one, other| one.or(|| other)).unwrap_or_else(|| Truth::unknown("which module brings it"))
}

/// Whether root may change the running kernel: lockdown, in either mode, takes the hardware's ports and modules without
/// a signature away (kernel_lockdown(7)).
pub(crate) fn not_locked_down(facts: &Facts) -> Truth {
    match facts.host.kernel.lockdown.get() {
        Err(gap) => missing("lockdown", &gap),
        Ok(None) => Truth::Yes(Vec::new()),
        Ok(Some(mode)) if mode == "none" => Truth::Yes(Vec::new()),
        Ok(Some(mode)) => Truth::no(format!("lockdown: the kernel is locked down for {mode}")),
    }
}

/// Whether a sysctl is such that `holds`; `default` is what a kernel that has no such sysctl does.
pub(crate) fn sysctl(facts: &Facts, name: &str, holds: impl Fn(i64) -> bool, default: Option<i64>) -> Truth {
    sysctl_of(&facts.host.kernel.sysctls, name, holds, default)
}

/// The same of other sysctls than the host's, such as those of a network namespace.
pub(crate) fn sysctl_of(
    sysctls: &BTreeMap<String, Fact<String>>,
    name: &str,
    holds: impl Fn(i64) -> bool,
    default: Option<i64>,
) -> Truth {
    let value = match sysctls.get(name).map(Fact::get) {
        None => return Truth::unknown(format!("sysctl {name}: not collected")),
        Some(Err(gap)) => return missing(&format!("sysctl {name}"), &gap),
        Some(Ok(None)) => match default {
            Some(value) => {
                let shown = format!("the kernel has no sysctl {name}");
                return Truth::of(holds(value), shown.clone(), format!("kernel: {shown}"));
            }
            None => return Truth::no(format!("kernel: no sysctl {name}")),
        },
        Some(Ok(Some(text))) => text,
    };
    match value.trim().parse() {
        Ok(number) => {
            Truth::of(holds(number), format!("{name}={number}"), format!("sysctl: {name}={number}"))
        }
        Err(_) => Truth::unknown(format!("sysctl {name}: `{value}` is no number")),
    }
}
