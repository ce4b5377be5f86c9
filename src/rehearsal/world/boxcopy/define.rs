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
