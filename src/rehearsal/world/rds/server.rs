//! An instance's server: a container with an empty cluster, its certificate, its settings and its rules of access.

use std::net::Ipv4Addr;

use secrecy::{ExposeSecret, SecretString};

use super::settings::{FOLDER, Settings, access, server};
use crate::clients::docker::lab::Lab;
use crate::clients::hosts::{Attachment, Bytestream, Container, Mount};
use crate::rehearsal::world::parcel::{Entry, pack};
use crate::rehearsal::world::rds::SUPERUSER;
use crate::rehearsal::world::spec::Spec;
use crate::rehearsal::world::{Result, WorldError, owner};

/// What a server is made from.
pub struct Server<'a> {
    /// The container's name.
    pub container: &'a str,
    /// The endpoint's host.
    pub host: &'a str,
    /// Its address on the network of the new hosts, where it stays also when it is restarted.
    pub address: Ipv4Addr,
    /// Its certificate chain, as PEM.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
    /// The superuser's password.
    pub superuser: &'a SecretString,
    /// Its settings.
    pub settings: &'a Settings,
    /// Its port.
    pub port: u16,
    /// The data it begins with, as a tar stream of the data directory; none is an empty cluster.
    pub data: Option<Bytestream>,
}

impl Server<'_> {
    /// Makes the container and starts it; it is on both networks, under the endpoint's name.
    pub async fn start(self, spec: &Spec, lab: &Lab, like: &Container) -> Result<()> {
        lab.make_volume(self.container, &owner::labels(&spec.id)).await?;
        let definition = self.definition(spec, like);
        let id = lab.create_at(&definition, self.address).await?;
        for network in definition.networks.iter().skip(1) {
            lab.host().connect(&id, network).await?;
        }
        let owner = account(lab, self.container, &like.image).await?;
        let private = [
            Entry { mode: 0o700, ..Entry::directory(FOLDER).owned(owner) },
            Entry::file(&format!("{FOLDER}/server.crt"), self.certificate.as_bytes(), 0o644).owned(owner),
            Entry::file(&format!("{FOLDER}/server.key"), self.key.as_bytes(), 0o600).owned(owner),
        ];
        put(lab, self.container, &private).await?;
        configure(lab, self.container, owner, &data_directory(like), self.port, self.settings).await?;
        if let Some(data) = self.data {
            let directory = data_directory(like);
            let above = directory.rsplit_once('/').map_or("/", |(above, _)| above);
            lab.write(self.container, above, data).await?;
        }
        Ok(lab.start(self.container).await?)
    }

    fn definition(&self, spec: &Spec, like: &Container) -> Container {
        let place = |network| Attachment { network, aliases: vec![self.host.to_owned()], address: String::new() };
        // The image's own environment (PGDATA, PATH) is its own again; the rest was the box's business.
        let mut env: Vec<(String, String)> =
            like.env.iter().filter(|(key, _)| matches!(key.as_str(), "PATH" | "PGDATA" | "LANG")).cloned().collect();
        env.push(("POSTGRES_USER".into(), SUPERUSER.into()));
        env.push(("POSTGRES_PASSWORD".into(), self.superuser.expose_secret().to_owned()));
        env.push(("POSTGRES_DB".into(), "postgres".into()));
        Container {
            id: String::new(),
            name: self.container.to_owned(),
            image: like.image.clone(),
            image_id: like.image_id.clone(),
            running: false,
            env,
            entrypoint: None,
            command: Some(vec!["postgres".into(), "-c".into(), format!("config_file=/{FOLDER}/postgresql.conf")]),
            workdir: String::new(),
            user: String::new(),
            labels: owner::labels(&spec.id),
            ports: Vec::new(),
            mounts: vec![Mount {
                kind: "volume".into(),
                source: self.container.to_owned(),
                target: data_directory(like),
                read_only: false,
            }],
            networks: vec![place(spec.vpc_network()), place(spec.box_network())],
            restart: "no".into(),
            hostname: String::new(),
            unmodelled: Vec::new(),
            // Parallel queries need more shared memory than the engine gives by itself.
            rest: serde_json::json!({"HostConfig": {"ShmSize": 256 << 20}}),
        }
    }
}

/// Where the image keeps its cluster.
pub fn data_directory(like: &Container) -> String {
    let given = like.env.iter().find(|(key, _)| key == "PGDATA").map(|(_, at)| at.trim_end_matches('/'));
    given.unwrap_or("/var/lib/postgresql/data").to_owned()
}

/// Writes the settings and the rules of access; they take effect when the server reads them.
pub async fn configure(
    lab: &Lab,
    container: &str,
    owner: (u64, u64),
    data: &str,
    port: u16,
    settings: &Settings,
) -> Result<()> {
    let files = [
        Entry::file(&format!("{FOLDER}/postgresql.conf"), server(settings, data, port), 0o600).owned(owner),
        Entry::file(&format!("{FOLDER}/pg_hba.conf"), access(settings), 0o600).owned(owner),
    ];
    put(lab, container, &files).await
}

async fn put(lab: &Lab, container: &str, entries: &[Entry]) -> Result<()> {
    let parcel = pack(entries).await.map_err(|e| WorldError::Box(format!("{container}: {e}")))?;
    Ok(lab.write(container, "/", parcel).await?)
}

/// User and group number of the server's account in a container.
pub async fn account(lab: &Lab, container: &str, image: &str) -> Result<(u64, u64)> {
    let users = lab.read_file(container, "/etc/passwd").await?;
    let owner = numbers(&String::from_utf8_lossy(&users));
    owner.ok_or_else(|| WorldError::Box(format!("the image {image} has no user postgres")))
}

/// User and group number of `postgres` in `/etc/passwd`.
fn numbers(passwd: &str) -> Option<(u64, u64)> {
    let line = passwd.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_account_is_read_from_the_images_list() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres:x:999:998::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(numbers(passwd), Some((999, 998)));
        assert_eq!(numbers("root:x:0:0::/:/bin/sh\n"), None);
    }
}
