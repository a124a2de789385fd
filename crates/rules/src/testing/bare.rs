//! One subject with nothing around it: a host of which nothing was read, an engine of today's defaults that holds nothing.

use plimsoll_facts::{
    Component, ComponentKind, ConfigFile, Daemon, Engine, EngineInfo, EngineKind, EngineVersion, Fact, Facts,
    HistoryStep, Host, Image, ImageConfig, ImageContent, Network, Setting,
};
use serde_json::Value;

/// 23 November 2026: the time at which the facts below were collected.
pub(crate) const NOW: i64 = 1_795_392_000;

/// A day, in seconds.
pub(crate) use crate::age::DAY;

/// A fact whose source does not matter.
pub(crate) fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, "test")
}

/// A fact that an ordinary user may not read.
pub(crate) fn denied<T>() -> Fact<T> {
    Fact::unreadable("test", "permission denied")
}

/// A host without engines, of which nothing was read; `change` makes the case.
pub(crate) fn host(change: impl FnOnce(&mut Host)) -> Facts {
    let mut facts = Facts { collected_at: NOW, ..Facts::default() };
    change(&mut facts.host);
    facts
}

/// A host with one kernel setting.
pub(crate) fn sysctl(name: &str, value: &str) -> Facts {
    sysctls(&[(name, value)])
}

/// A host with these kernel settings.
pub(crate) fn sysctls(settings: &[(&str, &str)]) -> Facts {
    host(|h| {
        for (name, value) in settings {
            h.kernel
                .sysctls
                .insert((*name).to_owned(), Fact::known((*value).to_owned(), format!("/proc/sys/{name}")));
        }
    })
}

/// A host with one program; `change` makes the case.
pub(crate) fn component(kind: ComponentKind, change: impl FnOnce(&mut Component)) -> Facts {
    let mut component = Component { kind, path: format!("/usr/bin/{}", kind.name()), ..Component::default() };
    change(&mut component);
    Facts { collected_at: NOW, components: vec![component], ..Facts::default() }
}

/// A host with one Docker engine of today's defaults, without containers and images; `change` makes the case.
pub(crate) fn engine(change: impl FnOnce(&mut Engine)) -> Facts {
    let bridge = Network {
        name: "bridge".into(),
        driver: "bridge".into(),
        options: [
            ("com.docker.network.bridge.default_bridge".to_owned(), "true".to_owned()),
            ("com.docker.network.bridge.enable_icc".to_owned(), "true".to_owned()),
        ]
        .into(),
        ..Network::default()
    };
    let info = EngineInfo {
        storage_driver: "overlay2".into(),
        data_root: "/var/lib/docker".into(),
        logging_driver: "json-file".into(),
        security_options: vec!["name=seccomp,profile=builtin".into(), "name=cgroupns".into()],
        ..EngineInfo::default()
    };
    let mut engine = Engine {
        id: "engine".into(),
        endpoint: "unix:///var/run/docker.sock".into(),
        kind: EngineKind::Docker,
        daemon: known(Daemon { pid: 900, exe: "/usr/sbin/dockerd".into(), ..Daemon::default() }),
        version: known(EngineVersion {
            version: "29.1.2".into(),
            api: "1.52".into(),
            min_api: "1.44".into(),
            ..EngineVersion::default()
        }),
        info: Fact::known(info, "GET /info"),
        config_file: Fact::absent("/etc/docker/daemon.json"),
        listeners: Fact::known(Vec::new(), "/proc/net"),
        networks: Fact::known(vec![bridge], "GET /networks"),
        volumes: known(Vec::new()),
        plugins: known(Vec::new()),
        swarm: Fact::absent("GET /info"),
        images: Fact::known(Vec::new(), "GET /images/json"),
        containers: Fact::known(Vec::new(), "GET /containers/json"),
        ..Engine::default()
    };
    change(&mut engine);
    Facts { collected_at: NOW, engines: vec![engine], ..Facts::default() }
}

/// A host with one engine that holds one image, built yesterday; `change` makes the case.
pub(crate) fn image(change: impl FnOnce(&mut Image)) -> Facts {
    let mut image = Image {
        id: "sha256:1mage".into(),
        tags: vec!["app:1".into()],
        created_at: Some(NOW - DAY),
        config: Fact::known(ImageConfig::default(), "GET /images/sha256:1mage/json"),
        content: Fact::known(nothing_found(), "overlay directories"),
        ..Image::default()
    };
    change(&mut image);
    engine(|e| e.images = Fact::known(vec![image], "GET /images/json"))
}

/// Files of an image that were read whole, and in which nothing was found.
pub(crate) fn nothing_found() -> ImageContent {
    ImageContent {
        groups: known(Vec::new()),
        empty_passwords: known(Vec::new()),
        passwordless_sudo: known(Vec::new()),
        writable_paths: known(Vec::new()),
        login_keys: known(Vec::new()),
        development_files: known(Vec::new()),
        leftovers: known(Vec::new()),
        ..ImageContent::default()
    }
}

/// A host with one engine that holds one image, which these steps built.
pub(crate) fn built(steps: &[&str]) -> Facts {
    let step = |text: &&str| HistoryStep { created_by: (*text).to_owned(), ..HistoryStep::default() };
    image(|i| i.config().history = steps.iter().map(step).collect())
}

/// Shortcuts into a test's engine.
pub(crate) trait ReachEngine {
    /// What `GET /info` says.
    fn info(&mut self) -> &mut EngineInfo;
    /// Its daemon.
    fn daemon(&mut self) -> &mut Daemon;
    /// Gives an option the value that the running daemon shows.
    fn loaded(&mut self, option: &str, value: impl Into<Value>);
    /// Gives an option on the command line.
    fn flag(&mut self, option: &str, value: impl Into<Value>);
    /// Gives an option in the configuration file, which the daemon has read.
    fn file(&mut self, option: &str, value: impl Into<Value>);
}

impl ReachEngine for Engine {
    fn info(&mut self) -> &mut EngineInfo {
        self.info.value_mut().unwrap()
    }

    fn daemon(&mut self) -> &mut Daemon {
        self.daemon.value_mut().unwrap()
    }

    fn loaded(&mut self, option: &str, value: impl Into<Value>) {
        let setting = setting(self, option);
        setting.loaded = Some(value.into());
        setting.loaded_source = "GET /info".into();
    }

    fn flag(&mut self, option: &str, value: impl Into<Value>) {
        setting(self, option).flag = Some(value.into());
    }

    fn file(&mut self, option: &str, value: impl Into<Value>) {
        setting(self, option).file = Some(value.into());
        if self.config_file.value().is_none() {
            self.config_file = known(ConfigFile {
                path: "/etc/docker/daemon.json".into(),
                newer_than_daemon: Some(false),
                ..ConfigFile::default()
            });
        }
    }
}

fn setting<'a>(engine: &'a mut Engine, option: &str) -> &'a mut Setting {
    engine.settings.entry(option.to_owned()).or_default()
}

/// Shortcuts into a test's image.
pub(crate) trait ReachImage {
    /// Its configuration.
    fn config(&mut self) -> &mut ImageConfig;
    /// What was read from its files.
    fn content(&mut self) -> &mut ImageContent;
}

impl ReachImage for Image {
    fn config(&mut self) -> &mut ImageConfig {
        self.config.value_mut().unwrap()
    }

    fn content(&mut self) -> &mut ImageContent {
        self.content.value_mut().unwrap()
    }
}
