//! The words that conditions take, each with what it means.

/// Where a capability has to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapabilitySpace {
    /// The initial user namespace.
    Init,
    /// The user namespace that owns the container's network namespace.
    Netns,
    /// The user namespace of the process.
    Userns,
}

/// A kind of volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeKind {
    /// Any volume or bind mount.
    Any,
    /// One that another container mounts too.
    Shared,
    /// A path of the host.
    Bind,
    /// A path of the host that can be written to.
    BindWritable,
}

/// What an attacker provides, or what somebody does: no fact of the host says whether it will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The image that runs.
    Image,
    /// The options with which a container is made.
    Create,
    /// `docker exec`.
    Exec,
    /// `docker cp`.
    Copy,
    /// `docker cp` of a compressed archive into a container.
    CopyArchive,
    /// `docker build`.
    Build,
    /// A build with a frontend, or a build graph, of the attacker.
    BuildFrontend,
    /// A build from a git URL.
    BuildGit,
    /// A build with the classic builder.
    BuildClassic,
    /// Builds that run at the same time.
    BuildParallel,
    /// Requests to BuildKit's own API.
    BuildKitApi,
    /// `docker pull`.
    Pull,
    /// Requests to the engine's API.
    Api,
    /// `docker import`.
    Import,
    /// `docker load`.
    Load,
    /// Restore of a checkpoint.
    Restore,
    /// A compose file that includes an artifact of a registry.
    Compose,
    /// A Kubernetes object.
    Kube,
    /// Access to the streaming server of a CRI runtime.
    Stream,
    /// A plugin of containerd that acts upon labels.
    LabelPlugin,
    /// An unprivileged user of the host.
    HostUser,
    /// Control of a USB or HID device.
    Hardware,
    /// Another machine on the network.
    Peer,
    /// A rename of a directory on the host, or a second writer outside of the mount.
    Rename,
    /// A network interface that changes from outside of the container.
    Link,
    /// Another container that races with the start of this one.
    Race,
    /// The configuration that the runtime is given.
    RuntimeConfig,
    /// A client whose `credsStore` names a helper that does not exist.
    CredentialHelper,
}

/// How an image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageTrait {
    /// `USER` is a number above 32 bits.
    UserOverflow,
    /// `USER` is not root.
    UserNotRoot,
    /// A file has inheritable capabilities.
    InheritableCapabilities,
    /// `/proc` is a symbolic link.
    ProcLink,
    /// `VOLUME` over `/proc`.
    ProcVolume,
}

/// How an engine is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineTrait {
    /// A plugin is installed.
    Plugin,
    /// The daemon runs in debug mode.
    Debug,
    /// firewalld manages the host's packet filter, and forgets the engine's rules when it reloads.
    Firewalld,
    /// A network is declared internal.
    InternalNetwork,
    /// An overlay network that is to be encrypted.
    EncryptedOverlay,
    /// Enhanced Container Isolation is on.
    EnhancedIsolation,
}

pub(super) const ACTORS: [(&str, Actor); 28] = [
    ("image", Actor::Image),
    ("create", Actor::Create),
    ("exec", Actor::Exec),
    ("cp", Actor::Copy),
    ("cp-archive", Actor::CopyArchive),
    ("build", Actor::Build),
    ("build-frontend", Actor::BuildFrontend),
    ("build-git", Actor::BuildGit),
    ("build-classic", Actor::BuildClassic),
    ("build-parallel", Actor::BuildParallel),
    ("buildkit-api", Actor::BuildKitApi),
    ("pull", Actor::Pull),
    ("api", Actor::Api),
    ("import", Actor::Import),
    ("load", Actor::Load),
    ("restore", Actor::Restore),
    ("compose", Actor::Compose),
    ("kube", Actor::Kube),
    ("stream", Actor::Stream),
    ("label-plugin", Actor::LabelPlugin),
    ("host-user", Actor::HostUser),
    ("hardware", Actor::Hardware),
    ("peer", Actor::Peer),
    ("rename", Actor::Rename),
    ("link", Actor::Link),
    ("race", Actor::Race),
    ("runtime-config", Actor::RuntimeConfig),
    ("credential-helper", Actor::CredentialHelper),
];

pub(super) const SPACES: [(&str, CapabilitySpace); 3] =
    [("init", CapabilitySpace::Init), ("netns", CapabilitySpace::Netns), ("userns", CapabilitySpace::Userns)];

pub(super) const VOLUMES: [(&str, VolumeKind); 4] = [
    ("any", VolumeKind::Any),
    ("shared", VolumeKind::Shared),
    ("bind", VolumeKind::Bind),
    ("bind-rw", VolumeKind::BindWritable),
];

pub(super) const IMAGE_TRAITS: [(&str, ImageTrait); 5] = [
    ("user-overflow", ImageTrait::UserOverflow),
    ("user-not-root", ImageTrait::UserNotRoot),
    ("inheritable-capabilities", ImageTrait::InheritableCapabilities),
    ("proc-link", ImageTrait::ProcLink),
    ("proc-volume", ImageTrait::ProcVolume),
];

pub(super) const ENGINE_TRAITS: [(&str, EngineTrait); 6] = [
    ("plugin", EngineTrait::Plugin),
    ("debug", EngineTrait::Debug),
    ("firewalld", EngineTrait::Firewalld),
    ("internal-network", EngineTrait::InternalNetwork),
    ("encrypted-overlay", EngineTrait::EncryptedOverlay),
    ("enhanced-isolation", EngineTrait::EnhancedIsolation),
];

pub(super) fn word_of<T: PartialEq>(meaning: &T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, listed)| listed == meaning).map_or("", |(word, _)| word)
}
