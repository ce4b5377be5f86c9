//! The new hosts: containers with a Docker engine of their own, reached by TLS as an EC2 instance's would be.

mod certificates;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::parcel::{Entry, pack};
use super::patience::until;
use super::spec::Spec;
use super::{Result, WorldError, owner};
use crate::clients::docker;
use crate::clients::docker::lab::{About, Lab, Subnet};
use crate::clients::hosts::{Attachment, Container, Mount};
use crate::site::EngineAddress;
use certificates::Certificates;

/// The port an engine listens on by TLS, by custom.
const PORT: u16 = 2376;
/// How long a host's engine may take to answer.
const START: Duration = Duration::from_mins(1);
/// Hosts get addresses from here on; the engine gives out its own from the first one up.
const FROM: u32 = 200;

/// A new host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Its name, as the site file has it.
    pub name: String,
    /// The address the balancer reaches it at.
    pub address: IpAddr,
    /// Its engine.
    pub engine: EngineAddress,
    /// Its container on this machine's engine.
    pub container: String,
}

/// Makes the site's `n`-th host and waits until its engine answers.
pub async fn make(spec: &Spec, lab: &Lab, about: &About, vpc: Subnet, n: usize) -> Result<Host> {
    let name = spec.site.app.hosts.get(n).map(|host| host.name.clone()).unwrap_or_default();
    let place = u32::try_from(n).unwrap_or(u32::MAX).saturating_add(FROM);
    if place >= vpc.size().saturating_sub(1) {
        return Err(WorldError::Spec(format!("the network {vpc} has no room for {} hosts", n + 1)));
    }
    let address = vpc.nth(place);
    let certs = spec.dir.join("hosts").join(&name);
    let written = write_certificates(certs.clone(), address).await?;
    let container = spec.name(&format!("host-{name}"));
    lab.create_at(&definition(spec, about, &container, &name), address).await?;
    let parcel = [
        Entry::directory("certs"),
        Entry::file("certs/ca.pem", written.authority, 0o644),
        Entry::file("certs/server-cert.pem", written.server.certificate, 0o644),
        Entry::file("certs/server-key.pem", written.server.key, 0o600),
    ];
    let parcel = pack(&parcel).await.map_err(|e| WorldError::Box(format!("the certificates of {name}: {e}")))?;
    lab.write(&container, "/", parcel).await?;
    lab.start(&container).await?;
    let engine = EngineAddress::Tcp { host: address.to_string(), port: PORT, certs: certs.display().to_string() };
    let what = format!("the engine of the host {name} did not answer");
    let reached = until(&what, START, || async { docker::connect(&engine).await?.engine().await }).await;
    if let Err(WorldError::Late { what, seconds, why }) = reached {
        // Its own words say more than a refused connection.
        let said = lab.host().logs(&container, 5).await.unwrap_or_default();
        return Err(WorldError::Late { what, seconds, why: format!("{why}; it says: {}", said.trim()) });
    }
    reached?;
    Ok(Host { name, address: address.into(), engine, container })
}

/// What a Docker engine inside a container needs: see the demo's page on its host image.
fn definition(spec: &Spec, about: &About, container: &str, name: &str) -> Container {
    let cgroup = Mount {
        kind: "bind".into(),
        source: "/sys/fs/cgroup".into(),
        target: "/sys/fs/cgroup".into(),
        read_only: false,
    };
    let disk =
        Mount { kind: "volume".into(), source: String::new(), target: "/var/lib/docker".into(), read_only: false };
    // The second version of control groups gives each container a tree of its own.
    let mounts = if about.cgroup_v1 { vec![disk, cgroup] } else { vec![disk] };
    Container {
        id: String::new(),
        name: container.to_owned(),
        image: spec.host_image.clone(),
        image_id: String::new(),
        running: false,
        env: Vec::new(),
        entrypoint: None,
        command: None,
        workdir: String::new(),
        user: String::new(),
        labels: owner::labels(&spec.id),
        ports: Vec::new(),
        mounts,
        networks: vec![Attachment {
            network: spec.vpc_network(),
            aliases: vec![name.to_owned()],
            address: String::new(),
        }],
        restart: "no".into(),
        hostname: name.to_owned(),
        unmodelled: Vec::new(),
        rest: json!({"HostConfig": {
            "CapAdd": ["ALL"],
            "CapDrop": ["SYS_RESOURCE"],
            "Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}],
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            // What `--security-opt systempaths=unconfined` means: nothing of /proc masked or read-only.
            "MaskedPaths": [],
            "ReadonlyPaths": [],
        }}),
    }
}

/// A container of the hosts' image that does nothing, without a name or a network.
pub fn idle(spec: &Spec) -> Container {
    Container {
        id: String::new(),
        name: String::new(),
        image: spec.host_image.clone(),
        image_id: String::new(),
        running: false,
        env: Vec::new(),
        entrypoint: Some(vec!["sleep".into(), "infinity".into()]),
        command: Some(Vec::new()),
        workdir: String::new(),
        user: String::new(),
        labels: owner::labels(&spec.id),
        ports: Vec::new(),
        mounts: Vec::new(),
        networks: Vec::new(),
        restart: "no".into(),
        hostname: String::new(),
        unmodelled: Vec::new(),
        rest: serde_json::Value::Null,
    }
}

/// Makes the certificates of a host, and writes those of its clients into `certs`.
async fn write_certificates(certs: PathBuf, address: Ipv4Addr) -> Result<Certificates> {
    let made = tokio::task::spawn_blocking(move || {
        let made = certificates::make(address).map_err(crate::rehearsal::edge::TlsError::from)?;
        super::files::make_private(&certs)?;
        super::files::write(&certs.join("ca.pem"), made.authority.as_bytes(), 0o644)?;
        super::files::write(&certs.join("cert.pem"), made.client.certificate.as_bytes(), 0o644)?;
        super::files::write(&certs.join("key.pem"), made.client.key.as_bytes(), 0o600)?;
        Result::Ok(made)
    });
    made.await.map_err(|e| WorldError::Box(format!("certificates could not be made: {e}")))?
}
