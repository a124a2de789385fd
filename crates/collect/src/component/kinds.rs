//! Which program is what: by the name under which it is installed, and by what it says of itself.

use plimsoll_facts::ComponentKind;

use super::go_build::Program;

/// Names under which the programs are installed.
const NAMES: [(&str, ComponentKind); 10] = [
    ("runc", ComponentKind::Runc),
    ("crun", ComponentKind::Crun),
    ("containerd", ComponentKind::Containerd),
    ("dockerd", ComponentKind::Dockerd),
    ("docker-proxy", ComponentKind::DockerProxy),
    ("docker", ComponentKind::DockerCli),
    ("buildkitd", ComponentKind::Buildkitd),
    ("podman", ComponentKind::Podman),
    ("docker-init", ComponentKind::DockerInit),
    // Names of containerd's packages before 1.2.
    ("docker-containerd", ComponentKind::Containerd),
];

/// Main packages, without the module's major version.
const MAIN_PACKAGES: [(&str, ComponentKind); 11] = [
    ("github.com/opencontainers/runc", ComponentKind::Runc),
    ("github.com/containerd/containerd/cmd/containerd", ComponentKind::Containerd),
    ("github.com/docker/docker/cmd/dockerd", ComponentKind::Dockerd),
    ("github.com/moby/moby/cmd/dockerd", ComponentKind::Dockerd),
    ("github.com/docker/docker/cmd/docker-proxy", ComponentKind::DockerProxy),
    ("github.com/moby/moby/cmd/docker-proxy", ComponentKind::DockerProxy),
    ("github.com/docker/libnetwork/cmd/proxy", ComponentKind::DockerProxy),
    ("github.com/docker/docker/libnetwork/cmd/proxy", ComponentKind::DockerProxy),
    ("github.com/docker/cli/cmd/docker", ComponentKind::DockerCli),
    ("github.com/moby/buildkit/cmd/buildkitd", ComponentKind::Buildkitd),
    ("github.com/containers/podman/cmd/podman", ComponentKind::Podman),
];

const SHIM_NAME: &str = "containerd-shim";
const SHIM_PACKAGE: &str = "github.com/containerd/containerd/cmd/containerd-shim";

/// What a program of this name would be.
pub(super) fn by_name(name: &str) -> Option<ComponentKind> {
    if name == SHIM_NAME || name.strip_prefix(SHIM_NAME).is_some_and(|rest| rest.starts_with('-')) {
        return Some(ComponentKind::ContainerdShim);
    }
    NAMES.iter().find(|known| known.0 == name).map(|known| known.1)
}

/// What a program says that it is; `None` where it says nothing, or something that is not known here.
pub(super) fn by_content(program: &Program) -> Option<ComponentKind> {
    let Program::Go(build) = program else { return None };
    let main = without_major_version(&build.main);
    if main.starts_with(SHIM_PACKAGE) {
        return Some(ComponentKind::ContainerdShim);
    }
    MAIN_PACKAGES.iter().find(|known| known.0 == main).map(|known| known.1)
}

/// `github.com/a/b/v2/cmd/c` as `github.com/a/b/cmd/c`.
fn without_major_version(path: &str) -> String {
    let is_version = |part: &str| part.strip_prefix('v').is_some_and(|n| n.parse::<u32>().is_ok());
    path.split('/').filter(|part| !is_version(part)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_image::go_build::GoBuild;

    #[test]
    fn names_and_contents() {
        assert_eq!(by_name("containerd-shim-runc-v2"), Some(ComponentKind::ContainerdShim));
        assert_eq!(by_name("containerd-shimmy"), None);
        assert_eq!(by_name("dockerd-exporter"), None);
        let says =
            |main: &str| by_content(&Program::Go(GoBuild { main: main.to_owned(), ..GoBuild::default() }));
        assert_eq!(says("github.com/moby/moby/v2/cmd/dockerd"), Some(ComponentKind::Dockerd));
        assert_eq!(
            says("github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"),
            Some(ComponentKind::ContainerdShim)
        );
        assert_eq!(says("github.com/containers/podman/v4/cmd/podman"), Some(ComponentKind::Podman));
        assert_eq!(says("example.com/dockerd"), None);
        assert_eq!(by_content(&Program::Native), None);
    }
}
