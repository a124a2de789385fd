//! Whether the package manager offers a newer package of a program.

use plimsoll_facts::Component;

use crate::answer::{fail, not_applicable, pass};
use crate::{Evidence, Judgement, Problem};

/// Fails where a newer version is offered. `stops` says what installing it stops.
pub(crate) fn judge(component: &Component, stops: &str) -> Judgement {
    let Some(package) = component.package.get()? else {
        return not_applicable("no package owns it, so nobody offers an update: see who installed it");
    };
    let installed = Evidence::new(
        "installed package",
        format!("{} {}", package.name, package.version),
        component.package.source(),
    );
    let Some(newer) = component.candidate.get()? else {
        return pass(Evidence::new(
            format!("newer package of {}", package.name),
            "none in the lists that were last fetched",
            component.candidate.source(),
        ));
    };
    let offered =
        Evidence::new("offered package", newer.clone(), component.candidate.source()).expected("installed");
    let install = match package.manager.as_str() {
        "dpkg" => format!("apt-get install --only-upgrade {}", package.name),
        "rpm" => format!("dnf upgrade {}", package.name),
        "apk" => format!("apk upgrade {}", package.name),
        other => format!("upgrade {} with {other}", package.name),
    };
    let message = format!("{} {newer} is offered, {} is installed", package.name, package.version);
    fail(Problem::new(message, vec![installed, offered]).remediation(format!("{install}. {stops}")))
}
