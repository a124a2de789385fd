//! Paths of the host as they appear in facts: text, compared component by component, never opened.

use plimsoll_facts::{DeclaredMount, Gap};

use crate::EngineContext;

/// The components of a path, without empty ones and `.`; `..` takes one back. `/var/run` is `/run`, as on every
/// distribution that Docker supports.
pub(crate) fn components(path: &str) -> Vec<&str> {
    let mut list = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                list.pop();
            }
            part => list.push(part),
        }
    }
    if list.starts_with(&["var", "run"]) {
        list.remove(0);
    }
    list
}

/// Whether `path` is `directory` or lies below it.
pub(crate) fn is_within(path: &str, directory: &str) -> bool {
    components(path).starts_with(&components(directory))
}

/// Whether both name the same place.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    components(a) == components(b)
}

/// How many components a path has below a directory that contains it.
pub(crate) fn depth_below(path: &str, directory: &str) -> Option<usize> {
    is_within(path, directory).then(|| components(path).len() - components(directory).len())
}

/// Where a path of the host appears in a container that shows `directory` at `target`.
pub(crate) fn seen_at(path: &str, directory: &str, target: &str) -> String {
    let rest = components(path).split_off(components(directory).len().min(components(path).len())).join("/");
    match (target.trim_end_matches('/'), rest.as_str()) {
        ("", "") => "/".to_owned(),
        (target, "") => target.to_owned(),
        (target, rest) => format!("{target}/{rest}"),
    }
}

/// Whether a component of this name is in the path.
pub(crate) fn has_component(path: &str, name: &str) -> bool {
    components(path).contains(&name)
}

/// The host directory that a declared mount shows; `None` where it shows none (tmpfs, an empty volume of the
/// engine's own). A volume with the options `o=bind,device=PATH` shows that path under a harmless name.
///
/// # Errors
/// The gap where the engine's volumes are needed and could not be read.
pub(crate) fn declared_host_path(
    cx: &EngineContext<'_>,
    mount: &DeclaredMount,
) -> Result<Option<String>, Gap> {
    match mount.kind.as_str() {
        "bind" => Ok(Some(mount.source.clone())),
        "volume" => {
            let volumes = cx.engine.volumes.require()?;
            let volume = volumes.iter().find(|v| v.name == mount.name);
            let bound = volume.filter(|v| {
                v.options.get("o").is_some_and(|o| o.split(',').any(|part| part == "bind" || part == "rbind"))
            });
            Ok(bound.and_then(|v| v.options.get("device")).cloned())
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::{depth_below, is_same, is_within, seen_at};

    #[test]
    fn whole_components_count() {
        assert!(is_within("/etc/shadow", "/etc"));
        assert!(!is_within("/etcetera", "/etc"));
        assert!(is_within("/anything", "/"));
        assert!(is_within("/var/run/docker.sock", "/run"));
        assert!(is_within("/srv/../etc/passwd", "/etc"));
        assert!(is_same("/etc//./", "/etc"));
        assert_eq!(depth_below("/home/ann/.ssh", "/home"), Some(2));
        assert_eq!(depth_below("/srv", "/home"), None);
        assert_eq!(seen_at("/run/docker.sock", "/var/run", "/x/"), "/x/docker.sock");
        assert_eq!(seen_at("/run/docker.sock", "/run/docker.sock", "/x.sock"), "/x.sock");
        assert_eq!(seen_at("/etc", "/", "/"), "/etc");
    }
}
