//! `HostConfig`: what a container was asked to be given of the host.

use std::collections::BTreeMap;

use plimsoll_facts::HostConfig;
use serde::Deserialize;

use super::json::{lenient, or_default};

/// `HostConfig` as the API writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct WireHostConfig {
    #[serde(deserialize_with = "or_default")]
    privileged: bool,
    #[serde(deserialize_with = "or_default")]
    cap_add: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    cap_drop: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    security_opt: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    network_mode: String,
    #[serde(deserialize_with = "or_default")]
    pid_mode: String,
    #[serde(deserialize_with = "or_default")]
    ipc_mode: String,
    #[serde(rename = "UTSMode", deserialize_with = "or_default")]
    uts_mode: String,
    #[serde(deserialize_with = "or_default")]
    userns_mode: String,
    #[serde(deserialize_with = "or_default")]
    cgroupns_mode: String,
    #[serde(deserialize_with = "or_default")]
    cgroup_parent: String,
    #[serde(deserialize_with = "or_default")]
    readonly_rootfs: bool,
    #[serde(deserialize_with = "or_default")]
    binds: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    memory: i64,
    #[serde(deserialize_with = "or_default")]
    memory_swap: i64,
    #[serde(deserialize_with = "or_default")]
    memory_reservation: i64,
    #[serde(deserialize_with = "or_default")]
    nano_cpus: i64,
    #[serde(deserialize_with = "or_default")]
    cpu_shares: i64,
    #[serde(deserialize_with = "or_default")]
    cpu_quota: i64,
    #[serde(deserialize_with = "or_default")]
    cpu_period: i64,
    #[serde(deserialize_with = "or_default")]
    cpuset_cpus: String,
    pids_limit: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    blkio_weight: u16,
    #[serde(deserialize_with = "lenient")]
    blkio_device_read_bps: Vec<AnyValue>,
    #[serde(deserialize_with = "lenient")]
    blkio_device_write_bps: Vec<AnyValue>,
    #[serde(rename = "BlkioDeviceReadIOps", deserialize_with = "lenient")]
    blkio_device_read_iops: Vec<AnyValue>,
    #[serde(rename = "BlkioDeviceWriteIOps", deserialize_with = "lenient")]
    blkio_device_write_iops: Vec<AnyValue>,
    #[serde(deserialize_with = "or_default")]
    oom_kill_disable: bool,
    #[serde(deserialize_with = "or_default")]
    oom_score_adj: i64,
    #[serde(deserialize_with = "or_default")]
    ulimits: Vec<Ulimit>,
    #[serde(deserialize_with = "or_default")]
    devices: Vec<Device>,
    #[serde(deserialize_with = "or_default")]
    device_cgroup_rules: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    device_requests: Vec<DeviceRequest>,
    masked_paths: Option<Vec<String>>,
    readonly_paths: Option<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    restart_policy: RestartPolicy,
    #[serde(deserialize_with = "or_default")]
    log_config: LogConfig,
    #[serde(deserialize_with = "or_default")]
    sysctls: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    group_add: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    extra_hosts: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    auto_remove: bool,
    #[serde(deserialize_with = "lenient")]
    init: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    tmpfs: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    volumes_from: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    links: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) runtime: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) port_bindings: super::ports::Bindings,
    #[serde(deserialize_with = "or_default")]
    pub(super) publish_all_ports: bool,
}

/// A value that only counts.
type AnyValue = serde::de::IgnoredAny;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Ulimit {
    name: String,
    soft: i64,
    hard: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Device {
    #[serde(deserialize_with = "or_default")]
    path_on_host: String,
    #[serde(deserialize_with = "or_default")]
    cgroup_permissions: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DeviceRequest {
    #[serde(deserialize_with = "or_default")]
    driver: String,
    #[serde(deserialize_with = "lenient")]
    count: i64,
    #[serde(rename = "DeviceIDs", deserialize_with = "or_default")]
    device_ids: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    capabilities: Vec<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct RestartPolicy {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    maximum_retry_count: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LogConfig {
    #[serde(rename = "Type", deserialize_with = "or_default")]
    driver: String,
    #[serde(deserialize_with = "lenient")]
    config: BTreeMap<String, String>,
}

impl WireHostConfig {
    pub(super) fn into_facts(self) -> HostConfig {
        let blkio_limits = [
            &self.blkio_device_read_bps,
            &self.blkio_device_write_bps,
            &self.blkio_device_read_iops,
            &self.blkio_device_write_iops,
        ]
        .into_iter()
        .any(|limits| !limits.is_empty());
        HostConfig {
            privileged: self.privileged,
            cap_add: self.cap_add,
            cap_drop: self.cap_drop,
            security_opt: self.security_opt,
            network_mode: self.network_mode,
            pid_mode: self.pid_mode,
            ipc_mode: self.ipc_mode,
            uts_mode: self.uts_mode,
            userns_mode: self.userns_mode,
            cgroupns_mode: self.cgroupns_mode,
            cgroup_parent: self.cgroup_parent,
            readonly_rootfs: self.readonly_rootfs,
            binds: self.binds,
            memory: self.memory,
            memory_swap: self.memory_swap,
            memory_reservation: self.memory_reservation,
            nano_cpus: self.nano_cpus,
            cpu_shares: self.cpu_shares,
            cpu_quota: self.cpu_quota,
            cpu_period: self.cpu_period,
            cpuset_cpus: self.cpuset_cpus,
            pids_limit: self.pids_limit,
            blkio_weight: self.blkio_weight,
            blkio_limits,
            oom_kill_disable: self.oom_kill_disable,
            oom_score_adj: self.oom_score_adj,
            ulimits: self.ulimits.into_iter().map(|u| (u.name, (u.soft, u.hard))).collect(),
            devices: self.devices.into_iter().map(|d| (d.path_on_host, d.cgroup_permissions)).collect(),
            device_cgroup_rules: self.device_cgroup_rules,
            device_requests: self.device_requests.into_iter().map(DeviceRequest::describe).collect(),
            masked_paths: self.masked_paths,
            readonly_paths: self.readonly_paths,
            restart_policy: self.restart_policy.name,
            restart_max_retries: self.restart_policy.maximum_retry_count,
            log_driver: self.log_config.driver,
            log_options: self.log_config.config,
            sysctls: self.sysctls,
            group_add: self.group_add,
            extra_hosts: self.extra_hosts,
            auto_remove: self.auto_remove,
            init: self.init,
            tmpfs: self.tmpfs,
            volumes_from: self.volumes_from,
            links: self.links,
        }
    }
}

impl DeviceRequest {
    /// One line: driver, how many or which, capabilities.
    fn describe(self) -> String {
        let which = match self.count {
            _ if !self.device_ids.is_empty() => self.device_ids.join(","),
            -1 => "all".to_owned(),
            count => count.to_string(),
        };
        let driver = if self.driver.is_empty() { "any driver" } else { &self.driver };
        let capabilities: Vec<String> = self.capabilities.iter().map(|all| all.join("+")).collect();
        format!("{driver}: {which} ({})", capabilities.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<HostConfig, serde_json::Error> {
        serde_json::from_str::<WireHostConfig>(json).map(WireHostConfig::into_facts)
    }

    #[test]
    fn nulls_are_what_is_not_set() {
        let config = read(
            r#"{"Binds": null, "CapAdd": null, "PidsLimit": null, "MaskedPaths": null, "OomKillDisable": null,
                "BlkioDeviceReadBps": [], "BlkioWeight": null, "Init": null, "LogConfig": null}"#,
        );
        assert_eq!(config.unwrap(), HostConfig::default());
    }

    #[test]
    fn a_wrong_type_of_what_matters_is_no_default() {
        for json in [r#"{"Privileged": "yes"}"#, r#"{"CapAdd": "ALL"}"#, r#"{"PidsLimit": "0"}"#] {
            assert!(read(json).is_err(), "{json}");
        }
        assert!(read(r#"{"Links": 3, "BlkioWeight": "x", "LogConfig": {"Config": [1]}}"#).is_ok());
    }

    #[test]
    fn devices_limits_and_gpus_are_kept() {
        let config = read(
            r#"{"Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}],
                "Ulimits": [{"Name": "nofile", "Hard": 2048, "Soft": 1024}],
                "BlkioDeviceWriteIOps": [{"Path": "/dev/sda", "Rate": 10}],
                "DeviceRequests": [{"Driver": "", "Count": -1, "DeviceIDs": null, "Capabilities": [["gpu"]]},
                                   {"Driver": "cdi", "Count": 0, "DeviceIDs": ["vendor.com/gpu=0"]}],
                "UTSMode": "host", "CgroupnsMode": "private", "PidsLimit": -1}"#,
        )
        .unwrap();
        assert_eq!(config.devices["/dev/sda"], "rwm");
        assert_eq!(config.ulimits["nofile"], (1024, 2048));
        assert!(config.blkio_limits);
        assert_eq!(config.device_requests, ["any driver: all (gpu)", "cdi: vendor.com/gpu=0 ()"]);
        assert_eq!((config.uts_mode.as_str(), config.pids_limit), ("host", Some(-1)));
    }
}
