//! An instance's server: a container with an empty cluster, its certificate and its rules of access.

use secrecy::{ExposeSecret, SecretString};

use crate::clients::docker::lab::Lab;
use crate::clients::hosts::{Attachment, Container, Mount};
use crate::rehearsal::world::parcel::{Entry, pack};
use crate::rehearsal::world::rds::SUPERUSER;
use crate::rehearsal::world::spec::Spec;
use crate::rehearsal::world::{Result, WorldError, owner};

/// Who may come in: from outside by TLS and password only (`rds.force_ssl`). The socket is for the image's own start.
const ACCESS: &str = "local all all trust\nhostssl all all all scram-sha-256\n";
/// Where certificate and rules lie inside.
const FOLDER: &str = "outgrow";

/// What a server is made from.
pub struct Server<'a> {
    /// The container's name.
    pub container: &'a str,
    /// The endpoint's host.
    pub host: &'a str,
    /// Its certificate chain, as PEM.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
    /// The superuser's password.
    pub superuser: &'a SecretString,
}

impl Server<'_> {
    /// Makes the container and starts it; it is on both networks, under the endpoint's name.
    pub async fn start(&self, spec: &Spec, lab: &Lab, like: &Container) -> Result<()> {
        let labels = owner::labels(&spec.id);
        lab.make_volume(self.container, &labels).await?;
        lab.create(self.definition(spec, like)).await?;
        let users = lab.read_file(self.container, "/etc/passwd").await?;
        let owner = account(&String::from_utf8_lossy(&users));
        let owner = owner.ok_or_else(|| WorldError::Box(format!("the image {} has no user postgres", like.image)))?;
        let parcel = [
            Entry { mode: 0o700, ..Entry::directory(FOLDER).owned(owner) },
            Entry::file(&format!("{FOLDER}/server.crt"), self.certificate.as_bytes(), 0o644).owned(owner),
            Entry::file(&format!("{FOLDER}/server.key"), self.key.as_bytes(), 0o600).owned(owner),
            Entry::file(&format!("{FOLDER}/pg_hba.conf"), ACCESS, 0o644).owned(owner),
        ];
        let parcel = pack(&parcel).await.map_err(|e| WorldError::Box(format!("{}: {e}", self.container)))?;
        lab.write(self.container, "/", parcel).await?;
        Ok(lab.start(self.container).await?)
    }

    fn definition(&self, spec: &Spec, like: &Container) -> Container {
        let place = |network| Attachment { network, aliases: vec![self.host.to_owned()], address: String::new() };
        // The image's own environment (PGDATA, PATH) is its own again; the rest was the box's business.
        let mut env: Vec<(String, String)> =
            like.env.iter().filter(|(key, _)| matches!(key.as_str(), "PATH" | "PGDATA" | "LANG")).cloned().collect();
        let data =
            env.iter().find(|(key, _)| key == "PGDATA").map_or("/var/lib/postgresql/data", |(_, at)| at).to_owned();
        env.push(("POSTGRES_USER".into(), SUPERUSER.into()));
        env.push(("POSTGRES_PASSWORD".into(), self.superuser.expose_secret().to_owned()));
        env.push(("POSTGRES_DB".into(), "postgres".into()));
        let settings = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file=/{FOLDER}/server.crt"),
            format!("ssl_key_file=/{FOLDER}/server.key"),
            format!("hba_file=/{FOLDER}/pg_hba.conf"),
            // The parameter group's, as far as they mean something here.
            "rds.force_ssl=1".to_owned(),
            "rds.logical_replication=0".to_owned(),
            "max_connections=100".to_owned(),
            "password_encryption=scram-sha-256".to_owned(),
        ];
        let command = std::iter::once("postgres".to_owned())
            .chain(settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]))
            .collect();
        Container {
            id: String::new(),
            name: self.container.to_owned(),
            image: like.image.clone(),
            image_id: like.image_id.clone(),
            running: false,
            env,
            entrypoint: None,
            command: Some(command),
            workdir: String::new(),
            user: String::new(),
            labels: owner::labels(&spec.id),
            ports: Vec::new(),
            mounts: vec![Mount {
                kind: "volume".into(),
                source: self.container.to_owned(),
                target: data,
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

/// User and group number of `postgres` in `/etc/passwd`.
fn account(passwd: &str) -> Option<(u64, u64)> {
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
        assert_eq!(account(passwd), Some((999, 998)));
        assert_eq!(account("root:x:0:0::/:/bin/sh\n"), None);
    }
}
