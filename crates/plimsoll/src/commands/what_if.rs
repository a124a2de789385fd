//! `plimsoll what-if`.

use anyhow::{Result, bail, ensure};
use plimsoll_facts::{Container, Engine, Facts};
use plimsoll_reach::Change;
use plimsoll_report::what_if::{self, Turn, WHAT_IF_SCHEMA, WhatIf};

use crate::cli::{NetworkMode, WhatIfArgs, WhatIfFormat};
use crate::commands::{judge, look};
use crate::exit::Usage;
use crate::{Exit, output};

/// Tells what changes would open and close.
pub(crate) fn run(args: &WhatIfArgs) -> Result<Exit> {
    let changes = changes(args)?;
    let mut facts = look::at(&args.place)?;
    judge::reach(&mut facts);
    let (_, container) = container(&facts, &args.container)?;
    let difference = plimsoll_reach::what_if(&facts, &container.id, &changes)?;
    let turns = |turns: Vec<(String, Vec<String>)>| turns.into_iter().map(Turn::from).collect();
    let document = WhatIf {
        schema: WHAT_IF_SCHEMA.to_owned(),
        container: container.name.clone(),
        changes: changes.iter().map(Change::to_string).collect(),
        closed: turns(difference.closed),
        opened: turns(difference.opened),
        cut: difference.cut,
        left: difference.left,
    };
    output::with(None, |out| match args.format {
        WhatIfFormat::Terminal => what_if::terminal(&document, &output::terminal_options(true, None), out),
        WhatIfFormat::Json => what_if::json(&document, out),
    })?;
    Ok(Exit::CLEAN)
}

/// The container of this name, or whose id begins so, and its engine.
pub(super) fn container<'f>(facts: &'f Facts, wanted: &str) -> Result<(&'f Engine, &'f Container)> {
    let containers = || {
        let of = |engine: &'f Engine| {
            engine.containers.value().into_iter().flatten().map(move |container| (engine, container))
        };
        facts.engines.iter().flat_map(of)
    };
    if let Some(named) = containers().find(|(_, container)| container.name == wanted) {
        return Ok(named);
    }
    let is_meant = |container: &Container| !wanted.is_empty() && container.id.starts_with(wanted);
    let mut begins = containers().filter(|(_, container)| is_meant(container));
    match (begins.next(), begins.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => bail!(Usage(format!("several containers' ids begin with {wanted}"))),
        (None, _) => bail!(Usage(format!("there is no container {wanted}"))),
    }
}

fn changes(args: &WhatIfArgs) -> Result<Vec<Change>> {
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(args.cap_drop.iter().map(|name| Change::DropCapability(capability(name))));
    changes.extend(args.cap_add.iter().map(|name| Change::AddCapability(capability(name))));
    for option in &args.security_opt {
        changes.push(match option.as_str() {
            "no-new-privileges" | "no-new-privileges=true" | "no-new-privileges:true" => {
                Change::NoNewPrivileges
            }
            "seccomp=unconfined" | "seccomp:unconfined" => Change::SeccompUnconfined,
            "seccomp=builtin" => Change::SeccompDefault,
            other => bail!(Usage(format!(
                "--security-opt {other}: no-new-privileges, seccomp=unconfined or seccomp=builtin"
            ))),
        });
    }
    if let Some(user) = &args.user {
        let uid = user.split(':').next().unwrap_or_default();
        let uid = uid
            .parse()
            .map_err(|_| Usage(format!("--user {user}: a number is needed, names are the image's")))?;
        changes.push(Change::User(uid));
    }
    for option in &args.without {
        changes.push(left_out(option)?);
    }
    changes.extend(args.network.map(|NetworkMode::None| Change::NoNetwork));
    changes.extend(args.without_mount.iter().cloned().map(Change::Unmount));
    changes.extend(args.read_only_mount.iter().cloned().map(Change::MountReadOnly));
    changes.extend(args.unpublish.iter().copied().map(Change::Unpublish));
    changes.extend(args.upgrade.iter().cloned().map(Change::Upgrade));
    ensure!(!changes.is_empty(), Usage("no change is given: --cap-drop, --user, --upgrade …".to_owned()));
    Ok(changes)
}

/// The change that leaves an option of `docker run` out.
fn left_out(option: &str) -> Result<Change> {
    let words: Vec<&str> = option.split([' ', '=']).filter(|word| !word.is_empty()).collect();
    Ok(match words.as_slice() {
        ["--privileged"] => Change::Unprivileged,
        ["--cap-add", name] => Change::NotAdd(capability(name)),
        ["--security-opt", "seccomp", "unconfined"] => Change::NotUnconfined,
        ["--pid", mode] => Change::OwnPidNamespace((*mode).to_owned()),
        // Which devices are left is not told: all go.
        ["--device"] => Change::NoDevices(vec!["--device".to_owned()]),
        _ => bail!(Usage(format!(
            "--without '{option}': --privileged, '--cap-add CAP', '--security-opt seccomp=unconfined', '--pid MODE' or \
             --device"
        ))),
    })
}

fn capability(name: &str) -> String {
    let name = name.to_ascii_uppercase();
    name.strip_prefix("CAP_").map_or(name.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_left_out_as_cuts_name_them() {
        for (option, change) in [
            ("--privileged", "without --privileged"),
            ("--cap-add sys_admin", "without --cap-add SYS_ADMIN"),
            ("--cap-add=CAP_NET_ADMIN", "without --cap-add NET_ADMIN"),
            ("--security-opt seccomp=unconfined", "without --security-opt seccomp=unconfined"),
            ("--pid container:db", "without --pid container:db"),
            ("--device", "without --device"),
        ] {
            assert_eq!(left_out(option).unwrap().to_string(), change);
        }
        for option in
            ["", "--pid", "--cap-add", "--device /dev/sda", "privileged", "--security-opt apparmor=x"]
        {
            assert!(left_out(option).is_err(), "{option}");
        }
    }
}
