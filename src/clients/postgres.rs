//! Connections to a PostgreSQL server: where it is, how to get there, and errors that say which server and what was asked.
//!
//! A server is reached by TCP (or a Unix socket directory as the host), or through any byte stream that somebody dials,
//! such as a command run inside a container that publishes no port.

mod by_tcp;
mod dialled;
mod error;
mod replication;
mod session;
mod startup;
mod tls;
mod wire;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};

pub use error::{Error, explain};
pub use replication::{Identity, Replication, Slot};
pub use session::Session;
pub use wire::{Pace, Relayed, Wire};

/// How long a server may take to answer a new connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The name our sessions carry in `pg_stat_activity`.
pub const APPLICATION_NAME: &str = "outgrow";

/// A two-way byte stream.
pub trait AsyncReadWrite: AsyncRead + AsyncWrite {}
impl<T: AsyncRead + AsyncWrite> AsyncReadWrite for T {}

/// A dialled stream.
pub type ByteStream = Box<dyn AsyncReadWrite + Send + Unpin>;

/// Somebody who can open a byte stream to the server, once for each connection.
#[async_trait::async_trait]
pub trait Dial: Send + Sync + fmt::Debug {
    /// Opens one stream to the server's port or socket.
    async fn dial(&self) -> io::Result<ByteStream>;

    /// The name that the server's certificate is checked against.
    #[allow(clippy::unnecessary_literal_bound)] // others answer with a name of their own
    fn host(&self) -> &str {
        "localhost"
    }
}

/// The way to the server.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A host name, an address, or the directory of a Unix socket; and the port.
    Tcp {
        /// Host name, address, or absolute path of the socket's directory.
        host: String,
        /// The server's port.
        port: u16,
        /// Where it is, if not where the host's name leads. A certificate is held against the name all the same.
        address: Option<IpAddr>,
    },
    /// Streams opened by somebody else.
    Stream(Arc<dyn Dial>),
}

impl Transport {
    /// By TCP, or by a Unix socket's directory.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::Tcp { host: host.into(), port, address: None }
    }
}

/// Whether the connection is encrypted, and whom it trusts.
#[derive(Clone, Debug)]
pub enum Tls {
    /// In the clear.
    Disable,
    /// Encrypted, the certificate unchecked (libpq's `sslmode=require`).
    Require,
    /// Encrypted; certificate and host name checked against these authorities (PEM).
    VerifyFull(String),
}

/// A database on a server, and who asks.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The way to the server.
    pub transport: Transport,
    /// The role that logs in.
    pub user: String,
    /// Its password; never printed.
    pub password: SecretString,
    /// The database.
    pub database: String,
    /// Encryption.
    pub tls: Tls,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Tcp { host, port, .. } => write!(f, "{}@{host}:{port}/{}", self.user, self.database),
            Transport::Stream(dial) => write!(f, "{}@({dial:?})/{}", self.user, self.database),
        }
    }
}

impl Endpoint {
    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The same server and database, another role.
    #[must_use]
    pub fn with_user(&self, user: &str, password: SecretString) -> Self {
        Self { user: user.to_owned(), password, ..self.clone() }
    }

    /// Opens a session: no JIT, no row-level filtering, `search_path` empty, values printed alike on every server.
    pub async fn connect(&self) -> Result<Session, Error> {
        session::open(self).await
    }

    /// Opens a session with something that speaks the protocol but is no database, such as a pooler's console: no
    /// setting is made, and only [`Session::run`] and [`Session::texts`] are understood.
    pub async fn connect_bare(&self) -> Result<Session, Error> {
        session::open_bare(self).await
    }

    /// Opens a connection that is spoken to in the wire protocol, for rows on their way through.
    pub async fn wire(&self) -> Result<Wire, Error> {
        wire::open(self).await
    }

    pub(crate) fn config(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .user(&self.user)
            .dbname(&self.database)
            .application_name(APPLICATION_NAME)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(Duration::from_secs(30))
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(15))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        if !self.password.expose_secret().is_empty() {
            config.password(self.password.expose_secret());
        }
        if let Transport::Tcp { host, port, address } = &self.transport {
            config.host(host).port(*port);
            if let Some(address) = address {
                config.hostaddr(*address);
            }
        }
        config.ssl_mode(match self.tls {
            Tls::Disable => tokio_postgres::config::SslMode::Disable,
            Tls::Require | Tls::VerifyFull(_) => tokio_postgres::config::SslMode::Require,
        });
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let endpoint = Endpoint {
            transport: Transport::tcp("db", 5432),
            user: "shop".into(),
            password: "tiger-비밀".into(),
            database: "shop".into(),
            tls: Tls::Disable,
        };
        assert!(!format!("{endpoint:?} {endpoint}").contains("tiger"));
        assert_eq!(endpoint.to_string(), "shop@db:5432/shop");
    }

    #[tokio::test]
    async fn a_closed_port_says_where_and_what_to_do() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let endpoint = Endpoint {
            transport: Transport::tcp("127.0.0.1", port),
            user: "shop".into(),
            password: "x".into(),
            database: "shop".into(),
            tls: Tls::Disable,
        };
        let error = endpoint.connect().await.unwrap_err().to_string();
        assert!(error.contains(&format!("shop@127.0.0.1:{port}/shop")), "{error}");
        assert!(error.contains("check"), "{error}");
    }
}
