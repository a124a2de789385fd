//! What is known of the docker clients of a host and of the files that tell them whom to believe.

use plimsoll_facts::{Component, ContentTrustSetting, Facts, Gap};

use crate::answer::gap;
use crate::version::series;

/// The first release of docker's client that verifies no signatures (docker/cli, pull request 6603).
pub(super) const FIRST_WITHOUT: u32 = 29;

/// The main version of a docker client.
///
/// # Errors
/// The gap, where it is not known.
pub(super) fn major(client: &Component) -> Result<u32, Gap> {
    let version = client.version.require()?;
    let known = series(version).map(|(major, _)| major);
    known.ok_or_else(|| gap(client.version.source(), format!("{version:?} is no version")))
}

/// Where content trust is switched on.
///
/// # Errors
/// The gap, where the files could not be read.
pub(super) fn switched_on(facts: &Facts) -> Result<Vec<&ContentTrustSetting>, Gap> {
    let settings = facts.host.signing.content_trust.get()?;
    Ok(settings.into_iter().flatten().filter(|setting| setting.is_on()).collect())
}

/// The files of settings.
pub(super) fn files(settings: &[&ContentTrustSetting]) -> String {
    settings.iter().map(|setting| setting.path.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod testing {
    use plimsoll_facts::{ComponentKind, ContentTrustSetting, Facts};

    use crate::testing::bare::{component, known};

    /// A host with a docker client of this version, and these variables in /etc/environment.
    pub(in crate::authenticity) fn client(version: &str, variables: &[(&str, &str)]) -> Facts {
        let mut facts = component(ComponentKind::DockerCli, |c| c.version = known(version.to_owned()));
        let setting = |(variable, value): &(&str, &str)| ContentTrustSetting {
            variable: (*variable).to_owned(),
            value: (*value).to_owned(),
            path: "/etc/environment".to_owned(),
        };
        facts.host.signing.content_trust = known(variables.iter().map(setting).collect());
        facts
    }
}
