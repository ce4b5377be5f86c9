//! The part of a definition that outgrow does not model: kept as the engine says it, and told where it ties the
//! container to its host.

use bollard::models::{ContainerConfig, HostConfig};
use serde_json::{Map, Value, json};

/// Keys of `HostConfig` that [`crate::clients::hosts::Container`] has fields for, and one that is a local path.
const MODELLED: [&str; 6] = ["Binds", "Mounts", "PortBindings", "RestartPolicy", "NetworkMode", "ContainerIDFile"];
/// The same of `Config`; `Image` and `OnBuild` belong to the image.
const MODELLED_CONFIG: [&str; 8] = ["Hostname", "User", "Env", "Cmd", "Entrypoint", "WorkingDir", "Labels", "Image"];

/// Everything else of a definition.
pub(super) fn pack(config: &ContainerConfig, host: &HostConfig) -> Value {
    let mut host_rest = remaining(serde_json::to_value(host), &MODELLED);
    let mode = host.network_mode.as_deref().unwrap_or_default();
    if is_special(mode) {
        host_rest.insert("NetworkMode".into(), json!(mode));
    }
    let mut config_rest = remaining(serde_json::to_value(config), &MODELLED_CONFIG);
    config_rest.remove("OnBuild");
    json!({ "Config": config_rest, "HostConfig": host_rest })
}

/// What [`pack`] kept, to build upon.
pub(super) fn unpack(rest: &Value) -> (ContainerConfig, HostConfig) {
    let part = |name: &str| rest.get(name).cloned().unwrap_or_else(|| json!({}));
    // What was written by `pack` reads back; what was not is as good as absent.
    (
        serde_json::from_value(part("Config")).unwrap_or_default(),
        serde_json::from_value(part("HostConfig")).unwrap_or_default(),
    )
}

/// Modes that are no network's name.
pub(super) fn is_special(mode: &str) -> bool {
    matches!(mode, "host" | "none") || mode.starts_with("container:")
}

fn remaining(value: serde_json::Result<Value>, without: &[&str]) -> Map<String, Value> {
    let Ok(Value::Object(map)) = value else { return Map::new() };
    map.into_iter()
        .filter(|(key, value)| !without.contains(&key.as_str()) && !value.is_null() && *value != json!(false))
        .collect()
}

/// What ties a container to its host, or would have to be seen to on another one.
pub(super) fn ties(host: &HostConfig) -> Vec<String> {
    let mut told = Vec::new();
    let mut say = |yes: bool, what: String| {
        if yes {
            told.push(what);
        }
    };
    let list = |items: &Option<Vec<String>>| items.as_deref().unwrap_or_default().join(", ");
    say(host.privileged == Some(true), "privileged".into());
    say(host.auto_remove == Some(true), "removed when it stops (--rm)".into());
    say(host.publish_all_ports == Some(true), "publishes all ports at random (-P)".into());
    say(host.readonly_rootfs == Some(true), "read-only root".into());
    let devices = host.devices.iter().flatten().filter_map(|d| d.path_on_host.clone()).collect::<Vec<_>>();
    say(!devices.is_empty(), format!("devices {}", devices.join(", ")));
    say(host.device_requests.as_ref().is_some_and(|r| !r.is_empty()), "graphics or other requested devices".into());
    for (name, items) in [
        ("capabilities added:", &host.cap_add),
        ("capabilities dropped:", &host.cap_drop),
        ("links to", &host.links),
        ("volumes from", &host.volumes_from),
        ("security options", &host.security_opt),
        ("extra host names", &host.extra_hosts),
        ("own name servers", &host.dns),
    ] {
        let items = list(items);
        say(!items.is_empty(), format!("{name} {items}"));
    }
    let ulimits = host.ulimits.iter().flatten().filter_map(|u| u.name.clone()).collect::<Vec<_>>();
    say(!ulimits.is_empty(), format!("ulimits {}", ulimits.join(", ")));
    let mut sysctls = host.sysctls.iter().flatten().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
    sysctls.sort();
    say(!sysctls.is_empty(), format!("sysctls {}", sysctls.join(", ")));
    for (name, mode, usual) in [
        ("process namespace", &host.pid_mode, ["", ""]),
        ("IPC namespace", &host.ipc_mode, ["private", "shareable"]),
        ("host-name namespace", &host.uts_mode, ["", ""]),
        ("user namespace", &host.userns_mode, ["", ""]),
        ("runtime", &host.runtime, ["runc", "io.containerd.runc.v2"]),
        ("cgroup parent", &host.cgroup_parent, ["", ""]),
    ] {
        let mode = mode.as_deref().unwrap_or_default();
        say(!mode.is_empty() && !usual.contains(&mode), format!("{name} {mode}"));
    }
    let network = host.network_mode.as_deref().unwrap_or_default();
    say(is_special(network), format!("network mode {network}"));
    let driver = host.log_config.as_ref().and_then(|l| l.typ.as_deref()).unwrap_or_default();
    say(!matches!(driver, "" | "json-file" | "local" | "journald" | "none"), format!("log driver {driver}"));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_modelled_comes_back_whole() {
        let host = HostConfig {
            memory: Some(512 << 20),
            network_mode: Some("shop".into()),
            binds: Some(vec!["/a:/b".into()]),
            extra_hosts: Some(vec!["mail:10.0.0.9".into()]),
            ..HostConfig::default()
        };
        let config =
            ContainerConfig { stop_timeout: Some(7), env: Some(vec!["A=1".into()]), ..ContainerConfig::default() };
        let rest = pack(&config, &host);
        assert!(!rest.to_string().contains("A=1"), "{rest}");
        let (config_back, host_back) = unpack(&rest);
        assert_eq!(config_back.stop_timeout, Some(7));
        assert_eq!((host_back.memory, host_back.extra_hosts.clone()), (host.memory, host.extra_hosts.clone()));
        assert_eq!((host_back.binds, host_back.network_mode), (None, None));
        assert_eq!(ties(&host), ["extra host names mail:10.0.0.9"]);
    }

    #[test]
    fn what_ties_to_the_host_is_told() {
        let host = HostConfig {
            privileged: Some(true),
            network_mode: Some("host".into()),
            pid_mode: Some("host".into()),
            ipc_mode: Some("private".into()),
            runtime: Some("runc".into()),
            cap_add: Some(vec!["NET_ADMIN".into()]),
            ..HostConfig::default()
        };
        let told = ties(&host);
        assert_eq!(
            told,
            ["privileged", "capabilities added: NET_ADMIN", "process namespace host", "network mode host"]
        );
    }
}
