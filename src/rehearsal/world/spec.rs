//! What `outgrow rehearse` asks of a world: one JSON file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::WorldError;
use crate::site::Site;

/// What a world is made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spec {
    /// The rehearsal's id: at most 24 lower-case letters, digits and hyphens. Containers, networks and labels carry it.
    pub id: String,
    /// Where all of the world's files lie. Made if it is not there, for its owner alone.
    pub dir: PathBuf,
    /// The real site. It is copied, never changed.
    pub site: Site,
    /// The image of the new hosts: a Docker engine of its own that listens by TLS on 2376.
    pub host_image: String,
    /// The visitors.
    #[serde(default)]
    pub visitors: Visiting,
    /// Names beside the site's own that get a simple record, such as the box's own name.
    #[serde(default)]
    pub extra_names: Vec<String>,
    /// The file that holds the password of the database instance's master user; made, with a fresh one, if it is not there.
    pub rds_master_password_file: PathBuf,
    /// Where the application keeps the visitors' writes.
    #[serde(default)]
    pub writes: Writes,
    /// Lets the copies reach other networks. Without it a copied app can send no mail and charge no card.
    #[serde(default)]
    pub may_reach_out: bool,
    /// Ends the world by itself when nobody has asked it anything for so many seconds.
    #[serde(default)]
    pub lease: Option<u64>,
}

/// How many visitors there are, and how they go about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Visiting {
    /// Browsers.
    pub walkers: usize,
    /// Mobile clients, which know the API only.
    pub mobile: usize,
    /// Milliseconds between the requests of one walk.
    pub pause: u64,
}

impl Default for Visiting {
    fn default() -> Self {
        Self { walkers: 4, mobile: 4, pause: 50 }
    }
}

/// The table the visitors' writes end up in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Writes {
    /// Table, with its schema.
    pub table: String,
    /// The column that holds each write's own id.
    pub column: String,
}

impl Default for Writes {
    fn default() -> Self {
        Self { table: "public.orders".into(), column: "client_id".into() }
    }
}

impl Spec {
    /// Reads and checks a specification.
    pub fn read(path: &Path) -> Result<Self, WorldError> {
        let text = std::fs::read(path).map_err(WorldError::file("read", path))?;
        let mut spec: Self =
            serde_json::from_slice(&text).map_err(|error| WorldError::Spec(format!("{}: {error}", path.display())))?;
        spec.check()?;
        // Containers and other processes get paths below it, so they must mean the same everywhere.
        spec.dir = std::path::absolute(&spec.dir).map_err(WorldError::file("find", &spec.dir))?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), WorldError> {
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let good_id = !self.id.is_empty()
            && self.id.len() <= 24
            && plain(&self.id)
            && !self.id.starts_with('-')
            && !self.id.ends_with('-');
        let wrong = |what: String| Err(WorldError::Spec(what));
        if !good_id {
            return wrong(format!("`{}` is no id: at most 24 lower-case letters, digits and hyphens", self.id));
        }
        let mut hosts: Vec<&str> = self.site.app.hosts.iter().map(|h| h.name.as_str()).collect();
        if let Some(odd) = hosts.iter().find(|name| !plain(name) || name.is_empty() || name.len() > 40) {
            return wrong(format!("`{odd}` is no host name: at most 40 lower-case letters, digits and hyphens"));
        }
        hosts.sort_unstable();
        if let Some((_, twice)) = hosts.iter().zip(hosts.iter().skip(1)).find(|(one, next)| one == next) {
            return wrong(format!("there are two hosts named {twice}"));
        }
        if self.site.names.pages.is_empty() || self.site.names.api.is_empty() {
            return wrong("the site has no name for its pages or none for its API".into());
        }
        for name in [&self.writes.table, &self.writes.column] {
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') {
                return wrong(format!(
                    "`{name}` is no table or column: letters, digits, `_`, and one dot after the schema"
                ));
            }
        }
        Ok(())
    }

    /// The name of something of this world.
    pub fn name(&self, of: &str) -> String {
        format!("outgrow-{}-{of}", self.id)
    }

    /// The network of the box's copy.
    pub fn box_network(&self) -> String {
        self.name("box")
    }

    /// The network of the new hosts and the database instance.
    pub fn vpc_network(&self) -> String {
        self.name("vpc")
    }

    /// The lease, if there is one.
    pub fn lease(&self) -> Option<Duration> {
        self.lease.map(Duration::from_secs)
    }

    /// Every name that gets a simple record: the site's, and the extra ones.
    pub fn names(&self) -> Vec<String> {
        let names = &self.site.names;
        let mut all: Vec<String> = names.pages.iter().chain(&names.api).chain(&self.extra_names).cloned().collect();
        all.sort();
        all.dedup();
        all
    }
}

#[cfg(test)]
pub mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A specification for tests.
    pub fn spec() -> Spec {
        serde_json::from_value(written()).unwrap()
    }

    fn written() -> Value {
        json!({
            "id": "r1", "dir": "/nowhere", "host-image": "host", "rds-master-password-file": "/nowhere/password",
            "extra-names": ["box.shop.test"],
            "site": {
                "site": "shop",
                "box": {
                    "engine": "unix:///var/run/docker.sock", "address": "10.0.0.1", "proxy": "proxy",
                    "web": {"container": "web", "root": "/html"}, "app": {"container": "app", "port": 80},
                    "database": {"container": "db", "name": "shop", "admin": {"user": "postgres", "password": "env:P"}}
                },
                "names": {
                    "zone": "shop.test", "pages": ["www.shop.test"], "api": ["api.shop.test", "box.shop.test"],
                    "api-base": {"old": "https://box.shop.test/api", "new": "https://api.shop.test/api"}
                },
                "app": {
                    "hosts": [{"name": "app-1", "engine": "ssh://a", "address": "10.0.0.2"}], "health": "/healthz"
                },
                "aws": {
                    "region": "r", "bucket": "b", "balancer": "shop", "distribution": "d",
                    "database": {"instance": "i", "name": "shop", "master": {"user": "m", "password": "env:M"}}
                }
            }
        })
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        type Damage<'a> = &'a dyn Fn(&mut Value);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spec.json");
        let read = |change: Damage<'_>| {
            let mut written = written();
            change(&mut written);
            std::fs::write(&path, written.to_string()).unwrap();
            Spec::read(&path).map_err(|error| error.to_string())
        };
        assert_eq!(read(&|_| {}).unwrap().names(), ["api.shop.test", "box.shop.test", "www.shop.test"]);
        let host = json!({"name": "app-1", "engine": "ssh://b", "address": "10.0.0.3"});
        let refused: [(&str, Damage<'_>); 5] = [
            ("`Ä1` is no id", &|s| s["id"] = json!("Ä1")),
            ("two hosts named app-1", &|s| s["site"]["app"]["hosts"].as_array_mut().unwrap().push(host.clone())),
            ("no name for its pages", &|s| s["site"]["names"]["pages"] = json!([])),
            ("no table or column", &|s| s["writes"] = json!({"table": "orders; DROP TABLE orders"})),
            ("unknown field `visitor`", &|s| s["visitor"] = json!(1)),
        ];
        for (told, change) in refused {
            let error = read(change).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
