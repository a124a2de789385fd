//! Swarm: what every node tells in `GET /info`, and what managers tell besides.

use plimsoll_facts::{Service, Swarm};
use serde::Deserialize;

use super::certificate;
use super::environment::Environment;
use super::info::SwarmInfo;
use super::json::{epoch_seconds, lenient, or_default};

/// The management plane's address unless `--listen-addr` says otherwise (docker-swarm-init(1)).
const DEFAULT_LISTEN: &str = "0.0.0.0:2377";

/// `GET /swarm`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireSwarm {
    #[serde(deserialize_with = "lenient")]
    created_at: String,
    #[serde(deserialize_with = "or_default")]
    spec: SwarmSpec,
    #[serde(rename = "TLSInfo", deserialize_with = "lenient")]
    tls_info: TlsInfo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct SwarmSpec {
    #[serde(rename = "CAConfig", deserialize_with = "or_default")]
    ca_config: CaConfig,
    #[serde(deserialize_with = "or_default")]
    encryption_config: EncryptionConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct CaConfig {
    /// In nanoseconds.
    node_cert_expiry: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct EncryptionConfig {
    auto_lock_managers: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TlsInfo {
    #[serde(deserialize_with = "lenient")]
    trust_root: String,
}

/// One of `GET /nodes`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireNode {
    manager_status: Option<ManagerStatus>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ManagerStatus {
    #[serde(deserialize_with = "or_default")]
    reachability: String,
}

/// One of `GET /services`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireService {
    #[serde(rename = "ID")]
    id: String,
    spec: ServiceSpec,
    #[serde(default, deserialize_with = "or_default")]
    endpoint: ServiceEndpoint,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ServiceSpec {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    task_template: TaskTemplate,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TaskTemplate {
    #[serde(deserialize_with = "or_default")]
    container_spec: ContainerSpec,
    #[serde(deserialize_with = "or_default")]
    restart_policy: RestartPolicy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ContainerSpec {
    env: Environment,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RestartPolicy {
    #[serde(deserialize_with = "or_default")]
    condition: String,
    max_attempts: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ServiceEndpoint {
    #[serde(deserialize_with = "or_default")]
    ports: Vec<ServicePort>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ServicePort {
    #[serde(deserialize_with = "or_default")]
    protocol: String,
    #[serde(deserialize_with = "or_default")]
    target_port: u16,
    #[serde(deserialize_with = "or_default")]
    published_port: u16,
    #[serde(deserialize_with = "or_default")]
    publish_mode: String,
}

/// `docker-state.json` in the data directory: the addresses that `docker swarm init` was given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LocalState {
    #[serde(rename = "ListenAddr", deserialize_with = "lenient")]
    pub(super) listen_address: String,
    #[serde(rename = "DataPathAddr", deserialize_with = "lenient")]
    pub(super) data_path_address: String,
}

impl SwarmInfo {
    /// Whether the engine belongs to a swarm, even to one that is locked or failed.
    pub(super) fn is_member(&self) -> bool {
        !matches!(self.local_node_state.as_str(), "" | "inactive")
    }

    /// What every node tells of itself.
    pub(super) fn to_facts(&self) -> Swarm {
        Swarm {
            manager: self.control_available,
            node_address: self.node_addr.clone(),
            listen_address: DEFAULT_LISTEN.to_owned(),
            managers: self.managers,
            nodes: self.nodes,
            ..Swarm::default()
        }
    }
}

impl WireSwarm {
    pub(super) fn complete(self, swarm: &mut Swarm) {
        swarm.autolock = Some(self.spec.encryption_config.auto_lock_managers.unwrap_or(false));
        swarm.node_certificate_seconds = self.spec.ca_config.node_cert_expiry.map(|ns| ns / 1_000_000_000);
        swarm.root_ca_issued_at =
            certificate::issued_at(&self.tls_info.trust_root).or_else(|| epoch_seconds(&self.created_at));
    }
}

/// Managers that the others can reach.
pub(super) fn reachable_managers(nodes: &[WireNode]) -> u32 {
    let reachable =
        |node: &&WireNode| node.manager_status.as_ref().is_some_and(|s| s.reachability == "reachable");
    u32::try_from(nodes.iter().filter(reachable).count()).unwrap_or(u32::MAX)
}

impl WireService {
    pub(super) fn into_facts(self) -> Service {
        let TaskTemplate { container_spec, restart_policy } = self.spec.task_template;
        let port = |p: ServicePort| {
            let mode = if p.publish_mode.is_empty() { "ingress".to_owned() } else { p.publish_mode };
            (mode, p.published_port, p.target_port, p.protocol)
        };
        Service {
            id: self.id,
            name: self.spec.name,
            ports: self.endpoint.ports.into_iter().map(port).collect(),
            secret_like_environment: container_spec.env.secret_like,
            restart_condition: match restart_policy.condition.as_str() {
                "" => "any".to_owned(),
                condition => condition.to_owned(),
            },
            restart_attempts: restart_policy.max_attempts.filter(|attempts| *attempts > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_restarts_for_ever_unless_told_otherwise() {
        let json = r#"{"ID": "a1", "Spec": {"Name": "web", "TaskTemplate": {"ContainerSpec": {"Env": ["API_TOKEN=x"]}}},
            "Endpoint": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host"}]}}"#;
        let service = serde_json::from_str::<WireService>(json).unwrap().into_facts();
        assert_eq!(service.ports, [("host".to_owned(), 8080, 80, "tcp".to_owned())]);
        assert_eq!(service.secret_like_environment, ["API_TOKEN"]);
        assert_eq!((service.restart_condition.as_str(), service.restart_attempts), ("any", None));
        let limited = r#"{"ID": "a1", "Spec": {"TaskTemplate": {"RestartPolicy": {"Condition": "on-failure", "MaxAttempts": 3}}}}"#;
        let service = serde_json::from_str::<WireService>(limited).unwrap().into_facts();
        assert_eq!((service.restart_condition.as_str(), service.restart_attempts), ("on-failure", Some(3)));
    }

    #[test]
    fn managers_tell_more() {
        let json = r#"{"CreatedAt": "2026-11-24T06:10:44Z", "TLSInfo": {"TrustRoot": ""},
            "Spec": {"CAConfig": {"NodeCertExpiry": 7776000000000000}, "EncryptionConfig": {"AutoLockManagers": true}}}"#;
        let mut swarm = Swarm::default();
        serde_json::from_str::<WireSwarm>(json).unwrap().complete(&mut swarm);
        assert_eq!((swarm.autolock, swarm.node_certificate_seconds), (Some(true), Some(7_776_000)));
        assert_eq!(swarm.root_ca_issued_at, Some(1_795_500_644));
        let nodes = r#"[{"ManagerStatus": {"Leader": true, "Reachability": "reachable"}}, {}, {"ManagerStatus": null},
                        {"ManagerStatus": {"Reachability": "unreachable"}}]"#;
        assert_eq!(reachable_managers(&serde_json::from_str::<Vec<WireNode>>(nodes).unwrap()), 1);
    }
}
