use plimsoll_facts::{Container, Declared, EngineSocketMount, Fact};

use crate::answer::{fail, pass};
use crate::paths::{declared_host_path, is_within, seen_at};
use crate::processes::shortened;
use crate::sides::by_kernel_or_declaration;
use crate::{Concern, EngineContext, Evidence, Judge, Judgement, Problem, Rule, Severity};

/// Where engines and runtimes listen unless they are told otherwise.
const USUAL_SOCKETS: [&str; 9] = [
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/docker/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/snap.docker/docker.sock",
];

pub(super) const RULE: Rule = Rule {
    id: "engine-socket-mounted",
    title: "Container can connect to an engine's socket",
    concern: Concern::Isolation,
    severity: Severity::Critical,
    why: "Whoever talks to the engine starts a privileged container that mounts / of the host: it is root on the \
          host, with one HTTP request. A read-only mount does not help, since connecting is not writing, and the \
          socket counts under whatever name or directory it is visible.",
    fix: "Recreate the container without the mount. What must talk to the engine gets a proxy that lets single \
          requests through, or an authorization plugin that says no to the rest. This stops the container.",
    references: &[
        "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
        "https://docs.docker.com/engine/extend/plugins_authorization/",
        "unix(7)",
    ],
    cis: &["5.32"],
    judge: Judge::Container(judge),
};

fn judge(cx: &EngineContext<'_>, container: &Container) -> Judgement {
    by_kernel_or_declaration(
        container,
        |effective| {
            let sockets = effective.engine_sockets.require()?;
            outcome(sockets, &effective.engine_sockets)
        },
        |declared| {
            let sockets = declared_sockets(cx, declared)?;
            outcome(&sockets, &container.declared)
        },
    )
}

fn outcome<T>(sockets: &[EngineSocketMount], read_from: &Fact<T>) -> Judgement {
    let mut sockets: Vec<_> = sockets.iter().collect();
    sockets.sort_by_key(|socket| socket.target.len());
    let Some(first) = sockets.first() else {
        return pass(Evidence::new("engine sockets within reach", "none", read_from.source()));
    };
    let evidence = shortened(
        &sockets,
        |socket| {
            Evidence::new(
                format!("socket of {}", socket.program),
                format!("{} as {}", socket.host, socket.target),
                read_from.source(),
            )
            .expected("no engine socket")
        },
        "sockets",
    );
    let message = format!("can connect to the socket of {} at {}", first.program, first.target);
    fail(Problem::new(message, evidence))
}

/// The sockets that the declared mounts show: those that engines listen on, and those at the usual places.
fn declared_sockets(cx: &EngineContext<'_>, declared: &Declared) -> Result<Vec<EngineSocketMount>, plimsoll_facts::Gap> {
    let listening = cx
        .facts
        .engines
        .iter()
        .flat_map(|engine| engine.listeners.value().into_iter().flatten())
        .filter(|listener| listener.socket.protocol == "unix")
        .map(|listener| listener.socket.address.as_str());
    let endpoints = cx.facts.engines.iter().filter_map(|engine| engine.endpoint.strip_prefix("unix://"));
    let known: Vec<_> = listening.chain(endpoints).chain(USUAL_SOCKETS).collect();
    let mut found = Vec::new();
    for mount in &declared.mounts {
        let Some(host) = declared_host_path(cx, mount)? else { continue };
        let Some(socket) = known.iter().find(|socket| is_within(socket, &host)) else { continue };
        found.push(EngineSocketMount {
            host: (*socket).to_owned(),
            target: seen_at(socket, &host, &mount.target),
            program: "an engine or runtime".to_owned(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{DeclaredMount, EngineSocketMount, Fact};

    use super::RULE;
    use crate::testing::{Reach, answer, container, status_of, stopped};
    use crate::{Confidence, Status};

    fn mounted(source: &str) -> DeclaredMount {
        DeclaredMount { kind: "bind".into(), source: source.into(), target: "/x".into(), ..DeclaredMount::default() }
    }

    /// `-v /run:/hostrun`: no mount is called docker.sock.
    #[test]
    fn case_11_parent_directory() {
        let it = container(|c| {
            c.effective().engine_sockets.value_mut().unwrap().push(EngineSocketMount {
                host: "/run/docker.sock".into(),
                target: "/hostrun/docker.sock".into(),
                program: "dockerd".into(),
            });
        });
        let finding = answer(&RULE, &it);
        assert_eq!(finding.status, Status::Fail);
        assert!(finding.message.contains("/hostrun/docker.sock"));
    }

    #[test]
    fn stopped_by_declared_mounts() {
        for source in ["/var/run/docker.sock", "/run", "/", "/run/containerd"] {
            let finding = answer(&RULE, &stopped(|c| c.declared().mounts = vec![mounted(source)]));
            assert_eq!((finding.status, finding.confidence), (Status::Fail, Confidence::Medium), "{source}");
        }
        for source in ["/srv/data", "/run/mysqld", "/run/docker.socket"] {
            assert_eq!(status_of(&RULE, &stopped(|c| c.declared().mounts = vec![mounted(source)])), Status::Pass);
        }
    }

    #[test]
    fn nothing_within_reach() {
        assert_eq!(status_of(&RULE, &container(|_| ())), Status::Pass);
    }

    #[test]
    fn unreadable_mounts_are_unknown() {
        let it = container(|c| c.effective().engine_sockets = Fact::unreadable("mountinfo", "gone"));
        assert_eq!(status_of(&RULE, &it), Status::Unknown);
    }
}
