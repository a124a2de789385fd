//! Files that an engine's own options name: its sockets, its configuration, its data, its keys.

use std::collections::BTreeSet;

use plimsoll_facts::{Engine, FileFact, FileRole, ListenerPurpose};
use plimsoll_rootdir::RootDir;

use crate::host::Describer;

/// The options that name the daemon's certificates, with the names of the files that dockerd looks for by default.
const TLS_FILES: [(&str, &str, FileRole); 3] = [
    ("tlscacert", "ca.pem", FileRole::TlsCaCertificate),
    ("tlscert", "cert.pem", FileRole::TlsServerCertificate),
    ("tlskey", "key.pem", FileRole::TlsServerKey),
];

/// Where dockerd looks for them (`~/.docker`, and `/etc/docker` in later versions).
const TLS_DIRECTORIES: [&str; 2] = ["/root/.docker", "/etc/docker"];

/// Describes the files of the engines of this host that are not among those `known` already.
pub(crate) fn files(root: &RootDir, engines: &[Engine], known: &[FileFact]) -> Vec<FileFact> {
    let place = |file: &FileFact| {
        (file.role, file.stat.value().map_or_else(|| file.path.clone(), |stat| stat.resolved.clone()))
    };
    let mut seen: BTreeSet<(FileRole, String)> = known.iter().map(place).collect();
    let describer = Describer::new(root);
    let local = engines.iter().filter(|engine| !engine.remote);
    let named = local.flat_map(|engine| named(root, engine));
    named
        .map(|(path, role)| describer.describe(&path, role))
        .filter(|file| seen.insert(place(file)))
        .collect()
}

fn named(root: &RootDir, engine: &Engine) -> Vec<(String, FileRole)> {
    let mut files = Vec::new();
    if let Some(path) = engine.endpoint.strip_prefix("unix://") {
        files.push((path.to_owned(), FileRole::EngineSocket));
    }
    for listener in engine.listeners.value().into_iter().flatten() {
        if listener.socket.protocol == "unix" && listener.purpose == ListenerPurpose::Api {
            files.push((listener.socket.address.clone(), FileRole::EngineSocket));
        }
    }
    if let Some(config) = engine.config_file.value() {
        files.push((config.path.clone(), FileRole::EngineConfig));
    }
    if let Some(info) = engine.info.value() {
        files.push((info.data_root.clone(), FileRole::DataRoot));
    }
    files.extend(tls(root, engine));
    files.retain(|(path, _)| path.starts_with('/'));
    files
}

fn tls(root: &RootDir, engine: &Engine) -> Vec<(String, FileRole)> {
    let option = |name: &str| engine.settings.get(name).and_then(|s| s.flag.as_ref().or(s.file.as_ref()));
    let is_on = |name: &str| option(name).is_some_and(|value| value == true);
    let mut files = Vec::new();
    for (name, default, role) in TLS_FILES {
        if let Some(path) = option(name).and_then(|value| value.as_str()) {
            files.push((path.to_owned(), role));
        } else if is_on("tls") || is_on("tlsverify") {
            let paths = TLS_DIRECTORIES.iter().map(|directory| format!("{directory}/{default}"));
            files.extend(paths.filter(|path| root.stat(path, true).is_ok()).map(|path| (path, role)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use plimsoll_facts::{ConfigFile, EngineInfo, Fact, Setting};

    use super::*;

    #[test]
    fn files_that_options_name_are_described_once() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["root/.docker", "data", "etc/docker"] {
            std::fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        for path in ["root/.docker/ca.pem", "key", "etc/docker/daemon.json"] {
            std::fs::write(dir.path().join(path), "").unwrap();
        }
        let root = RootDir::open(dir.path()).unwrap();
        let option = |value: serde_json::Value| Setting { file: Some(value), ..Setting::default() };
        let engine = Engine {
            endpoint: "unix:///none.sock".into(),
            info: Fact::known(EngineInfo { data_root: "/data".into(), ..EngineInfo::default() }, ""),
            config_file: Fact::known(
                ConfigFile { path: "/etc/docker/daemon.json".into(), ..ConfigFile::default() },
                "",
            ),
            settings: [
                ("tlsverify".to_owned(), option(true.into())),
                ("tlskey".to_owned(), option("/key".into())),
            ]
            .into(),
            ..Engine::default()
        };
        let config = Describer::new(&root).describe("/etc/docker/daemon.json", FileRole::EngineConfig);
        let found = files(&root, &[engine.clone(), engine.clone()], &[config]);
        let found: Vec<_> =
            found.iter().map(|f| (f.path.as_str(), f.role, f.stat.value().is_some())).collect();
        let expected = [
            ("/none.sock", FileRole::EngineSocket, false),
            ("/data", FileRole::DataRoot, true),
            ("/root/.docker/ca.pem", FileRole::TlsCaCertificate, true),
            ("/key", FileRole::TlsServerKey, true),
        ];
        assert_eq!(found, expected);
        assert!(files(&root, &[Engine { remote: true, ..engine }], &[]).is_empty());
    }
}
