//! The site file: what is moved, and where to. One YAML file, read by [`crate::playbook::load`].

pub mod engine_address;
pub mod host_port;
pub mod origin;
pub mod secret;

use std::net::IpAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use engine_address::EngineAddress;
pub use host_port::HostPort;
pub use origin::Base;
pub use secret::SecretRef;

/// What is moved, and where to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// The site's own name: lower-case letters, digits and hyphens. Runs and locks are named after it.
    pub site: String,
    /// The old host and what runs on it.
    #[serde(rename = "box")]
    pub old: OldBox,
    /// The names visitors use.
    pub names: Names,
    /// The app's new hosts, and how the app is reached on old and new alike.
    pub app: App,
    /// Where to: the AWS side, which must exist before a run (what is missing is told by `preflight`).
    pub aws: Aws,
}

/// The old host and the four containers on it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OldBox {
    /// Its Docker engine.
    pub engine: EngineAddress,
    /// The address its DNS records hold today, and the balancer reaches it at.
    pub address: IpAddr,
    /// The container of the nginx that terminates TLS and routes by path.
    pub proxy: String,
    /// The container that serves the pages.
    pub web: WebContainer,
    /// The container of the app server.
    pub app: AppContainer,
    /// The container of the database.
    pub database: DatabaseContainer,
}

/// The container that serves the pages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebContainer {
    /// Its name.
    pub container: String,
    /// The document root inside it.
    pub root: String,
}

/// The container of the app server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AppContainer {
    /// Its name.
    pub container: String,
    /// The port it listens on inside the box's network.
    pub port: u16,
    /// Its configuration files inside the container, beside its environment variables.
    #[serde(default)]
    pub files: Vec<String>,
}

/// The container of the database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatabaseContainer {
    /// Its name.
    pub container: String,
    /// The port inside the container; it need not be published.
    #[serde(default = "postgres_port")]
    pub port: u16,
    /// Where RDS reaches it, needed only to follow it (`database-copy: { follow: true }`): the box's private address, as
    /// a rule, and the port that the container publishes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<HostPort>,
    /// The pooler that the step `pooler` puts before it, so that the app waits for a moment at the handover and notices
    /// nothing else of it. Needed only by playbooks with that step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooler: Option<Pooler>,
    /// The database to move.
    pub name: String,
    /// A superuser of it.
    pub admin: Login,
}

/// A PgBouncer that is put before the box's database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pooler {
    /// An image on the box with `pgbouncer` on its `PATH`; nothing else of it is used. outgrow pulls none.
    pub image: String,
    /// When a client's session with the server is given to the next.
    #[serde(default)]
    pub mode: PoolerMode,
}

/// When a client's session with the server is given to the next.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum PoolerMode {
    /// `transaction` where nothing is found in the application that it would break, and `PgBouncer` is 1.21 or later; else
    /// `session`.
    #[default]
    Auto,
    /// After each transaction: at the handover clients wait and notice nothing.
    Transaction,
    /// When the client goes: at the handover each client loses its connection once and waits with the next.
    Session,
}

impl DatabaseContainer {
    /// The name of the pooler's container, by which the app reaches it: the database's with `-pooler`, as host names are
    /// spelled.
    pub fn pooler_name(&self) -> String {
        format!("{}-pooler", self.container.replace(['_', '.'], "-"))
    }
}

/// A database login.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Where its password is found; never the password itself.
    pub password: SecretRef,
}

/// The names visitors use.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Names {
    /// The hosted zone.
    pub zone: String,
    /// The hosts of the pages; they move to the distribution.
    pub pages: Vec<String>,
    /// The hosts of the API; they move to the balancer.
    pub api: Vec<String>,
    /// The address of the API as the pages spell it, today and afterwards.
    pub api_base: ApiBase,
}

/// The address of the API as the pages spell it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ApiBase {
    /// Today.
    pub old: Base,
    /// Afterwards.
    pub new: Base,
}

/// The app's new hosts, and how the app is reached on old and new alike.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct App {
    /// The new hosts.
    pub hosts: Vec<AppHost>,
    /// The path that answers 200 when the app and its database are well.
    pub health: String,
    /// How the balancer speaks to the proxy of each host.
    #[serde(default)]
    pub listen: Listen,
    /// Origins the app must go on allowing, beside those of the pages.
    #[serde(default)]
    pub origins: Vec<String>,
}

/// A new host for the app.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AppHost {
    /// Its name.
    pub name: String,
    /// Its Docker engine.
    pub engine: EngineAddress,
    /// The address the balancer reaches it at.
    pub address: IpAddr,
}

/// How the balancer speaks to the proxy of each host.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Listen {
    /// With or without TLS.
    pub protocol: Protocol,
    /// The port.
    pub port: u16,
}

impl Default for Listen {
    fn default() -> Self {
        Self { protocol: Protocol::Https, port: 443 }
    }
}

/// A target's protocol.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Plain.
    Http,
    /// With TLS; the balancer does not validate the target's certificate.
    Https,
}

impl Protocol {
    /// As AWS writes it: `HTTP` or `HTTPS`.
    pub fn upper(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }
}

/// The AWS side.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Aws {
    /// The region of the balancer, the bucket and the database.
    pub region: String,
    /// The private bucket for the pages; made if it is not there.
    pub bucket: String,
    /// The Application Load Balancer's name.
    pub balancer: String,
    /// The distribution: the domain name (`d….cloudfront.net`) or the id of one that is there, or `new` for one that
    /// outgrow makes.
    #[serde(default = "new_distribution")]
    pub distribution: String,
    /// How the distribution serves the pages.
    #[serde(default, skip_serializing_if = "Pages::is_default")]
    pub pages: Pages,
    /// The database.
    pub database: Rds,
}

/// What stands for a distribution that outgrow makes.
pub const NEW_DISTRIBUTION: &str = "new";

fn new_distribution() -> String {
    NEW_DISTRIBUTION.to_owned()
}

impl Aws {
    /// The distribution the site file names; `None` for one that outgrow makes.
    pub fn named_distribution(&self) -> Option<&str> {
        (self.distribution != NEW_DISTRIBUTION).then_some(self.distribution.as_str())
    }
}

/// How the distribution serves the pages.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pages {
    /// Paths of the pages' own names that go on to the first host of the API, such as `/api/*`: then the pages call
    /// their own origin, and no CORS is needed. None unless they are named.
    #[serde(default)]
    pub api_paths: Vec<String>,
    /// Whether answers carry headers that browsers protect visitors by (HSTS, nosniff, SAMEORIGIN, referrer policy).
    #[serde(default = "yes")]
    pub security_headers: bool,
    /// A bucket for access logs, which must take ACLs; none unless it is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bucket: Option<String>,
}

impl Default for Pages {
    fn default() -> Self {
        Self { api_paths: Vec::new(), security_headers: true, log_bucket: None }
    }
}

impl Pages {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn yes() -> bool {
    true
}

/// The RDS instance the database moves to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rds {
    /// Its identifier.
    pub instance: String,
    /// The database in it; made if it is not there.
    pub name: String,
    /// Its master user.
    pub master: Login,
    /// A PEM file with RDS's certificate authorities (AWS publishes
    /// `https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem`). With it, the server has to prove that it is
    /// this instance; without, what goes there is encrypted, but to whoever answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<PathBuf>,
}

fn postgres_port() -> u16 {
    5432
}

impl Site {
    /// The origins of the pages, which the app's CORS must allow (law O1).
    pub fn page_origins(&self) -> Vec<String> {
        let mut all: Vec<String> = self.names.pages.iter().map(|host| format!("https://{host}")).collect();
        all.extend(self.app.origins.iter().filter(|o| !o.is_empty()).cloned());
        all.dedup();
        all
    }
}
