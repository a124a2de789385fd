//! What a container's declaration means: the engine's defaults applied to what was asked for.

use plimsoll_facts::{CAPABILITY_NAMES, Capabilities, Declared, Gap, HostConfig};

use crate::EngineContext;

/// Every capability that has a name.
pub(crate) const ALL_CAPABILITIES: Capabilities = Capabilities((1 << CAPABILITY_NAMES.len()) - 1);

/// The capabilities that the engine gives (moby `oci/caps/utils.go`): `ALL` and `--privileged` are all of them,
/// dropping `ALL` leaves what is added, otherwise the default set is changed.
pub(crate) fn granted_capabilities(config: &HostConfig) -> Capabilities {
    let (added, adds_all) = named(&config.cap_add);
    let (dropped, drops_all) = named(&config.cap_drop);
    if config.privileged {
        ALL_CAPABILITIES
    } else if adds_all {
        ALL_CAPABILITIES.minus(dropped)
    } else if drops_all {
        added
    } else {
        Capabilities(Capabilities::DOCKER_DEFAULT.minus(dropped).0 | added.0)
    }
}

/// The set of these names, and whether `ALL` is among them.
fn named(names: &[String]) -> (Capabilities, bool) {
    let mut set = Capabilities::default();
    let mut all = false;
    for name in names {
        let upper = name.to_ascii_uppercase();
        let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
        all |= short == "ALL";
        set.0 |= CAPABILITY_NAMES.iter().position(|n| *n == short).map_or(0, |bit| 1 << bit);
    }
    (set, all)
}

/// The last value of a security option; `Some("")` where it stands without one.
pub(crate) fn security_option<'d>(config: &'d HostConfig, name: &str) -> Option<&'d str> {
    config.security_opt.iter().rev().find_map(|option| {
        let rest = option.strip_prefix(name)?;
        match rest.chars().next() {
            None => Some(""),
            Some('=' | ':') => Some(&rest[1..]),
            Some(_) => None,
        }
    })
}

/// The seccomp profile that the engine applies, or why it applies none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SeccompProfile {
    /// No filter, and what says so.
    None(&'static str),
    /// A filter, and what it is called; a custom profile stands in the declaration in full and has no name.
    Filter(String),
}

/// The seccomp profile that is asked for, the engine's default where the container says nothing.
///
/// # Errors
/// The gap where the default decides and the engine did not tell it.
pub(crate) fn seccomp_profile(cx: &EngineContext<'_>, declared: &Declared) -> Result<SeccompProfile, Gap> {
    let config = &declared.host_config;
    if config.privileged {
        return Ok(SeccompProfile::None("Privileged"));
    }
    match security_option(config, "seccomp") {
        Some("unconfined") => return Ok(SeccompProfile::None("SecurityOpt seccomp=unconfined")),
        Some(profile) if profile.trim_start().starts_with('{') => {
            return Ok(SeccompProfile::Filter("custom profile".to_owned()));
        }
        Some(profile) => return Ok(SeccompProfile::Filter(profile.to_owned())),
        None => {}
    }
    let info = cx.engine.info.require()?;
    let Some(option) = info.security_options.iter().find(|o| o.split(',').next() == Some("name=seccomp"))
    else {
        return Ok(SeccompProfile::None("the engine offers no seccomp (GET /info SecurityOptions)"));
    };
    let name = option.split(',').find_map(|part| part.strip_prefix("profile=")).unwrap_or("default");
    Ok(match name {
        "unconfined" => SeccompProfile::None("the engine's default profile is unconfined"),
        name => SeccompProfile::Filter(name.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::{ALL_CAPABILITIES, granted_capabilities, security_option};
    use plimsoll_facts::{Capabilities, HostConfig};

    fn config(add: &[&str], drop: &[&str]) -> HostConfig {
        let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
        HostConfig { cap_add: owned(add), cap_drop: owned(drop), ..HostConfig::default() }
    }

    #[test]
    fn capabilities_are_tweaked_as_the_engine_does() {
        let granted = |add: &[&str], drop: &[&str]| granted_capabilities(&config(add, drop));
        assert_eq!(granted(&[], &[]), Capabilities::DOCKER_DEFAULT);
        assert_eq!(granted(&["CAP_NET_ADMIN"], &["ALL"]).names(), ["NET_ADMIN"]);
        assert_eq!(granted(&["all"], &["SYS_ADMIN"]), Capabilities(ALL_CAPABILITIES.0 & !(1 << 21)));
        assert!(!granted(&[], &["cap_net_raw"]).has("NET_RAW"));
        assert_eq!(ALL_CAPABILITIES.names().len(), 41);
    }

    #[test]
    fn options_with_and_without_value() {
        let mut it = HostConfig::default();
        assert_eq!(security_option(&it, "no-new-privileges"), None);
        it.security_opt = vec!["no-new-privileges".into(), "seccomp:unconfined".into()];
        assert_eq!(security_option(&it, "no-new-privileges"), Some(""));
        assert_eq!(security_option(&it, "seccomp"), Some("unconfined"));
        assert_eq!(security_option(&it, "sec"), None);
    }
}
