//! An original's definition as its copy's.

use serde_json::Value;

use crate::clients::docker::lab::Labels;
use crate::clients::hosts::{Attachment, Container, Mount};
use crate::rehearsal::world::spec::Spec;

/// Parts of a definition that would tie the copy to other containers, to the host, or to the outside.
const TIES: [&str; 6] = ["Links", "VolumesFrom", "PublishAllPorts", "AutoRemove", "ReadonlyRootfs", "CgroupParent"];

/// The copy's definition: same image, environment, command, names and limits; no published port, no restart by itself.
///
/// Its labels are the rehearsal's alone: those of the original may be read by a Compose, a Traefik or a scheduler on
/// the same engine, which would take the copy for the original.
pub fn copy_of(spec: &Spec, original: &Container, labels: &Labels) -> Container {
    let mut aliases: Vec<String> = original.networks.iter().flat_map(|a| a.aliases.clone()).collect();
    // Within a network a container is known by its own name, too.
    aliases.push(original.name.clone());
    aliases.sort();
    aliases.dedup();
    Container {
        id: String::new(),
        name: spec.name(&original.name),
        labels: labels.clone(),
        ports: Vec::new(),
        mounts: original.mounts.iter().enumerate().filter_map(|(n, m)| mount(spec, original, n, m)).collect(),
        networks: vec![Attachment { network: spec.box_network(), aliases, address: String::new() }],
        restart: "no".into(),
        running: false,
        unmodelled: Vec::new(),
        rest: loosened(&original.rest),
        ..original.clone()
    }
}

/// The name of the volume that stands for the original's `n`-th mount.
pub fn volume(spec: &Spec, original: &Container, n: usize) -> String {
    spec.name(&format!("{}-{n}", original.name))
}

/// A volume becomes a volume. What a bind mount holds is put into the container itself: it may be a single file.
fn mount(spec: &Spec, original: &Container, n: usize, mount: &Mount) -> Option<Mount> {
    match mount.kind.as_str() {
        "volume" => Some(Mount { source: volume(spec, original, n), read_only: false, ..mount.clone() }),
        "tmpfs" => Some(mount.clone()),
        _ => None,
    }
}

fn loosened(rest: &Value) -> Value {
    let mut rest = rest.clone();
    if let Some(host) = rest.get_mut("HostConfig").and_then(Value::as_object_mut) {
        for tie in TIES {
            host.remove(tie);
        }
        // Joining another container's namespace would mean the original's.
        for mode in ["PidMode", "IpcMode", "NetworkMode"] {
            if host.get(mode).and_then(Value::as_str).is_some_and(|m| m.starts_with("container:")) {
                host.remove(mode);
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clients::hosts::PublishedPort;
    use crate::rehearsal::world::spec::tests::spec;

    #[test]
    fn a_copy_is_known_by_the_originals_names_and_tied_to_nothing() {
        let port = PublishedPort { container: 443, protocol: "tcp".into(), address: String::new(), host: 443 };
        let mount = |kind: &str, source: &str, target: &str| Mount {
            kind: kind.into(),
            source: source.into(),
            target: target.into(),
            read_only: true,
        };
        let original = Container {
            id: "ff".into(),
            name: "shop_proxy".into(),
            image: "nginx:1".into(),
            image_id: "sha256:aa".into(),
            running: true,
            env: vec![("A".into(), "1".into())],
            entrypoint: None,
            command: Some(vec!["nginx".into()]),
            workdir: String::new(),
            user: "web".into(),
            labels: [("traefik.enable".to_owned(), "true".to_owned())].into(),
            ports: vec![port],
            mounts: vec![mount("bind", "/srv/site.conf", "/etc/nginx/site.conf"), mount("volume", "tls", "/tls")],
            networks: vec![Attachment {
                network: "shop".into(),
                aliases: vec!["proxy".into()],
                address: "10.0.0.2".into(),
            }],
            restart: "always".into(),
            hostname: "front".into(),
            unmodelled: vec!["links to db".into()],
            rest: json!({"HostConfig": {"Links": ["db:db"], "ShmSize": 64, "PidMode": "container:db"}}),
        };
        let spec = spec();
        let copy = copy_of(&spec, &original, &Labels::from([("outgrow.rehearsal".into(), "r1".into())]));
        assert_eq!((copy.name.as_str(), copy.restart.as_str()), ("outgrow-r1-shop_proxy", "no"));
        assert_eq!(copy.networks[0].network, "outgrow-r1-box");
        assert_eq!(copy.networks[0].aliases, ["proxy", "shop_proxy"]);
        assert_eq!(copy.labels.keys().collect::<Vec<_>>(), ["outgrow.rehearsal"]);
        assert!(copy.ports.is_empty());
        assert_eq!(copy.mounts.len(), 1, "a bind mount's content goes into the copy itself");
        assert_eq!((copy.mounts[0].source.as_str(), copy.mounts[0].read_only), ("outgrow-r1-shop_proxy-1", false));
        assert_eq!(copy.rest, json!({"HostConfig": {"ShmSize": 64}}));
        assert_eq!((copy.env, copy.command, copy.user), (original.env, original.command, original.user));
    }
}
