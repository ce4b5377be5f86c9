//! A [`Container`] as the engine wants to be told of it.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, Mount as EngineMount, MountType, MountVolumeOptions,
    NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};

use super::rest;
use crate::clients::hosts::{Attachment, Container, Mount};

/// The definition under the image reference `image`. Only the first network is in it; the engine takes one at a time.
pub(super) fn body(of: &Container, image: &str) -> ContainerCreateBody {
    let (config, host) = rest::unpack(&of.rest);
    let first = of.networks.first();
    let networking_config =
        first.map(|a| NetworkingConfig { endpoints_config: Some(HashMap::from([(a.network.clone(), endpoint(a))])) });
    ContainerCreateBody {
        hostname: text(&of.hostname),
        domainname: config.domainname,
        user: text(&of.user),
        attach_stdin: config.attach_stdin,
        attach_stdout: config.attach_stdout,
        attach_stderr: config.attach_stderr,
        exposed_ports: Some(exposed(of, config.exposed_ports)),
        tty: config.tty,
        open_stdin: config.open_stdin,
        stdin_once: config.stdin_once,
        env: Some(of.env.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        cmd: of.command.clone(),
        healthcheck: config.healthcheck,
        args_escaped: config.args_escaped,
        image: Some(image.to_owned()),
        volumes: config.volumes,
        working_dir: text(&of.workdir),
        entrypoint: of.entrypoint.clone(),
        network_disabled: config.network_disabled,
        on_build: None,
        labels: Some(of.labels.clone().into_iter().collect()),
        stop_signal: config.stop_signal,
        stop_timeout: config.stop_timeout,
        shell: config.shell,
        host_config: Some(host_config(of, host)),
        networking_config,
    }
}

/// A place in a network. The engine's own bridge knows no names.
pub(super) fn endpoint(of: &Attachment) -> EndpointSettings {
    let aliases = (of.network != "bridge" && !of.aliases.is_empty()).then(|| of.aliases.clone());
    EndpointSettings { aliases, ..EndpointSettings::default() }
}

fn host_config(of: &Container, mut host: HostConfig) -> HostConfig {
    if let Some(first) = of.networks.first() {
        host.network_mode = Some(first.network.clone());
    }
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in &of.ports {
        let host_port = if port.host == 0 { String::new() } else { port.host.to_string() };
        let binding = PortBinding { host_ip: text(&port.address), host_port: Some(host_port) };
        bindings
            .entry(format!("{}/{}", port.container, port.protocol))
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    host.port_bindings = Some(bindings);
    host.restart_policy = Some(restart(&of.restart));
    let (binds, mounts): (Vec<&Mount>, Vec<&Mount>) = of.mounts.iter().partition(|m| m.kind == "bind");
    // `Binds` makes a folder that is not there yet, `Mounts` refuses.
    host.binds = Some(
        binds.iter().map(|m| format!("{}:{}:{}", m.source, m.target, if m.read_only { "ro" } else { "rw" })).collect(),
    );
    host.mounts = Some(mounts.into_iter().map(mount).collect());
    host
}

fn mount(of: &Mount) -> EngineMount {
    let own = of.kind == "volume" && of.source.is_empty();
    EngineMount {
        target: Some(of.target.clone()),
        source: text(&of.source),
        typ: Some(if of.kind == "tmpfs" { MountType::TMPFS } else { MountType::VOLUME }),
        read_only: Some(of.read_only),
        // A volume of its own is about to be filled: what the image has there was not to be seen before either.
        volume_options: own.then(|| MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() }),
        ..EngineMount::default()
    }
}

fn restart(policy: &str) -> RestartPolicy {
    let (name, times) = policy.split_once(':').unwrap_or((policy, ""));
    let name = match name {
        "always" => RestartPolicyNameEnum::ALWAYS,
        "unless-stopped" => RestartPolicyNameEnum::UNLESS_STOPPED,
        "on-failure" => RestartPolicyNameEnum::ON_FAILURE,
        _ => RestartPolicyNameEnum::NO,
    };
    RestartPolicy { name: Some(name), maximum_retry_count: times.parse().ok() }
}

fn exposed(of: &Container, others: Option<Vec<String>>) -> Vec<String> {
    let mut all = others.unwrap_or_default();
    all.extend(of.ports.iter().map(|p| format!("{}/{}", p.container, p.protocol)));
    all.sort();
    all.dedup();
    all
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
