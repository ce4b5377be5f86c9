//! What an engine says of a container, as [`Container`].

use std::collections::HashMap;

use bollard::models::{ContainerInspectResponse, EndpointSettings, HostConfig, MountPoint, NetworkSettings};

use super::rest;
use crate::clients::hosts::{Attachment, Container, Mount, PublishedPort};

/// Translates; what is not there is empty.
pub(super) fn container(found: ContainerInspectResponse) -> Container {
    let id = found.id.unwrap_or_default();
    let config = found.config.unwrap_or_default();
    let host = found.host_config.unwrap_or_default();
    let mode = host.network_mode.clone().unwrap_or_default();
    let rest = rest::pack(&config, &host);
    let mut unmodelled = rest::ties(&host);
    let ports = ports(&host, &mut unmodelled);
    let networks = networks(found.network_settings, &id, &mode, &mut unmodelled);
    let hostname = config.hostname.unwrap_or_default();
    // The engine's own choice is no part of the definition.
    let own_choice = short(&id) == hostname || mode == "host";
    Container {
        name: found.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        image_id: found.image.unwrap_or_default(),
        running: found.state.and_then(|s| s.running).unwrap_or(false),
        env: config.env.unwrap_or_default().iter().map(|line| variable(line)).collect(),
        entrypoint: config.entrypoint.filter(|e| !e.is_empty()),
        command: config.cmd.filter(|c| !c.is_empty()),
        workdir: config.working_dir.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        ports,
        mounts: found.mounts.unwrap_or_default().into_iter().map(mount).collect(),
        networks,
        restart: restart(&host),
        hostname: if own_choice { String::new() } else { hostname },
        unmodelled,
        rest,
        id,
    }
}

/// The engine's short form of an id.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Cut at the first `=`: values hold more of them.
fn variable(line: &str) -> (String, String) {
    line.split_once('=').map_or_else(|| (line.to_owned(), String::new()), |(k, v)| (k.to_owned(), v.to_owned()))
}

fn restart(host: &HostConfig) -> String {
    let Some(policy) = &host.restart_policy else { return "no".to_owned() };
    let name = policy.name.map(|name| name.to_string()).filter(|name| !name.is_empty());
    match (name, policy.maximum_retry_count) {
        (Some(name), Some(times @ 1..)) => format!("{name}:{times}"),
        (name, _) => name.unwrap_or_else(|| "no".to_owned()),
    }
}

fn ports(host: &HostConfig, unmodelled: &mut Vec<String>) -> Vec<PublishedPort> {
    let mut ports = Vec::new();
    for (inside, bindings) in host.port_bindings.iter().flatten() {
        let (port, protocol) = inside.split_once('/').unwrap_or((inside, "tcp"));
        for binding in bindings.iter().flatten() {
            let outside = binding.host_port.as_deref().unwrap_or_default();
            // No port outside is one of the engine's choice: 0 asks for the same.
            let outside_port = if outside.is_empty() { Ok(0) } else { outside.parse() };
            match (port.parse(), outside_port) {
                (Ok(container), Ok(host)) => ports.push(PublishedPort {
                    container,
                    protocol: protocol.to_owned(),
                    address: binding.host_ip.clone().unwrap_or_default(),
                    host,
                }),
                _ => unmodelled.push(format!("published port {inside} as {outside}")),
            }
        }
    }
    ports.sort_by(|a, b| (a.container, &a.protocol, &a.address).cmp(&(b.container, &b.protocol, &b.address)));
    ports
}

fn mount(found: MountPoint) -> Mount {
    let (kind, source) = match found.typ {
        Some(kind) if kind == "volume" => ("volume".to_owned(), found.name.unwrap_or_default()),
        Some(other) => (other, found.source.unwrap_or_default()),
        None => ("bind".to_owned(), found.source.unwrap_or_default()),
    };
    Mount { kind, source, target: found.destination.unwrap_or_default(), read_only: found.rw == Some(false) }
}

fn networks(settings: Option<NetworkSettings>, id: &str, mode: &str, unmodelled: &mut Vec<String>) -> Vec<Attachment> {
    let found: HashMap<String, EndpointSettings> = settings.and_then(|s| s.networks).unwrap_or_default();
    let mut networks = Vec::new();
    for (network, endpoint) in found {
        if rest::is_special(&network) {
            continue;
        }
        let fixed = endpoint.ipam_config.as_ref().and_then(|ipam| ipam.ipv4_address.clone());
        if let Some(fixed) = fixed.filter(|address| !address.is_empty()) {
            unmodelled.push(format!("a fixed address in the network {network}: {fixed}"));
        }
        let mut aliases = endpoint.aliases.unwrap_or_default();
        aliases.retain(|alias| alias != short(id));
        aliases.sort();
        aliases.dedup();
        networks.push(Attachment { network, aliases, address: endpoint.ip_address.unwrap_or_default() });
    }
    // The one it is made with comes first: the engine takes its default route from there.
    let default = if mode == "default" { "bridge" } else { mode };
    networks.sort_by_key(|a| (a.network != default, a.network.clone()));
    networks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Container {
        container(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_definition_is_read_whole() {
        let found = read(json!({
            "Id": "0123456789abcdef0123", "Name": "/demo-was", "Image": "sha256:aa", "State": {"Running": true},
            "Config": {
                "Hostname": "0123456789ab", "Image": "demo/was:1", "Env": ["URL=postgres://u:p@db/shop?a=b", "EMPTY="],
                "Cmd": ["python3", "main.py"], "Entrypoint": null, "User": "app", "WorkingDir": "/app",
                "Labels": {"com.docker.compose.project": "shop"}, "StopTimeout": 20
            },
            "HostConfig": {
                "NetworkMode": "shop", "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
                "PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18000"}], "9/udp": [{"HostPort": ""}]},
                "CapAdd": ["SYS_PTRACE"]
            },
            "Mounts": [
                {"Type": "bind", "Source": "/srv/c.yaml", "Destination": "/app/c.yaml", "RW": false},
                {"Type": "volume", "Name": "uploads", "Source": "/var/lib/x", "Destination": "/up", "RW": true}
            ],
            "NetworkSettings": {"Networks": {
                "aux": {"Aliases": null, "IPAddress": "172.19.0.2"},
                "shop": {"Aliases": ["was", "0123456789ab"], "IPAddress": "172.18.0.4",
                         "IPAMConfig": {"IPv4Address": "172.18.0.4"}}
            }}
        }));
        assert_eq!(found.env[0], ("URL".into(), "postgres://u:p@db/shop?a=b".into()));
        assert_eq!(found.env[1], ("EMPTY".into(), String::new()));
        assert_eq!((found.hostname.as_str(), found.restart.as_str()), ("", "on-failure:5"));
        assert_eq!(found.ports.iter().map(|p| (p.container, p.host)).collect::<Vec<_>>(), [(9, 0), (8000, 18000)]);
        assert!(found.mounts[0].read_only);
        assert_eq!((found.mounts[1].source.as_str(), found.mounts[1].kind.as_str()), ("uploads", "volume"));
        assert_eq!(found.networks[0].network, "shop");
        assert_eq!(found.networks[0].aliases, ["was"]);
        assert_eq!(found.entrypoint, None);
        assert_eq!(
            found.unmodelled,
            ["capabilities added: SYS_PTRACE", "a fixed address in the network shop: 172.18.0.4"]
        );
    }

    #[test]
    fn the_host_network_is_no_attachment() {
        let found = read(json!({
            "Id": "ff", "Config": {"Hostname": "box"}, "HostConfig": {"NetworkMode": "host"},
            "NetworkSettings": {"Networks": {"host": {}}}
        }));
        assert!(found.networks.is_empty() && found.hostname.is_empty());
        assert_eq!(found.unmodelled, ["network mode host"]);
    }
}
