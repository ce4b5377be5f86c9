//! A logical replication connection: it makes a slot whose snapshot is exported at the very point where the slot's
//! stream begins, which plain SQL cannot. It speaks the simple query protocol over the driver's own connection, whose
//! startup message is given the one parameter more that it takes.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsConnect as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dialled::Dialled;
use super::startup::Startup;
use super::{ByteStream, CONNECT_TIMEOUT, Endpoint, Error, Session, by_tcp, session};

/// The plugin that PostgreSQL's own subscriptions read.
const PLUGIN: &str = "pgoutput";

/// An open replication connection to one database. Any further question ends the life of the snapshot that it exported,
/// and so does its end.
#[derive(Debug)]
pub struct Replication {
    session: Session,
}

/// Which server this is, and how far its log reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Made once, by `initdb`: two addresses with the same one are the same server or its copy.
    pub system: String,
    /// The log's end.
    pub position: String,
}

/// A slot that was made a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Everything that commits after this point is in the slot's stream.
    pub consistent_point: String,
    /// Everything before it is in this snapshot, which other sessions can import as long as the connection is idle.
    pub snapshot: String,
}

impl Replication {
    /// Connects to the endpoint's database. The role needs `REPLICATION` (on RDS: `rds_replication`).
    ///
    /// # Errors
    /// [`Error::Connect`] if the server is not reached or refuses.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, Error> {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, open(endpoint)).await;
        let session = attempt.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
            Err(session::connect_error(endpoint, why))
        })?;
        Ok(Self { session })
    }

    /// Asks which server this is.
    pub async fn identify(&self) -> Result<Identity, Error> {
        let row = self.session.texts("IDENTIFY_SYSTEM").await?.into_iter().next().unwrap_or_default();
        let word = |name: &str| row.get(name).cloned().unwrap_or_default();
        Ok(Identity { system: word("systemid"), position: word("xlogpos") })
    }

    /// Makes a permanent slot and exports its snapshot. Waits until every transaction that is open now has ended;
    /// dropped meanwhile, it is cancelled and the server makes no slot.
    pub async fn create_slot(&self, name: &str) -> Result<Slot, Error> {
        let export = if self.session.version() >= 15 { "(SNAPSHOT 'export')" } else { "EXPORT_SNAPSHOT" };
        let sql = format!("CREATE_REPLICATION_SLOT {} LOGICAL {PLUGIN} {export}", quoted(name));
        let row = self.session.texts(&sql).await?.into_iter().next().unwrap_or_default();
        let word = |column: &str| {
            let found = row.get(column).cloned();
            found.ok_or_else(|| Error::Answer {
                server: self.session.server().to_owned(),
                doing: sql.clone(),
                why: format!("no column {column}"),
            })
        };
        Ok(Slot {
            name: word("slot_name")?,
            consistent_point: word("consistent_point")?,
            snapshot: word("snapshot_name")?,
        })
    }

    /// Removes a slot that nobody reads.
    pub async fn drop_slot(&self, name: &str) -> Result<(), Error> {
        self.session.run(&format!("DROP_REPLICATION_SLOT {}", quoted(name))).await
    }

    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.session.version()
    }

    /// Ends the connection in good order, and with it the exported snapshot for those who have not imported it yet.
    pub fn close(self) {
        self.session.close();
    }
}

/// The replication grammar knows identifiers in double quotes, like SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn open(endpoint: &Endpoint) -> Result<Session, Error> {
    let endpoint = by_tcp::dialled(endpoint);
    let mut stream: ByteStream = Box::new(session::dial(&endpoint).await?);
    if let Some(tls) = session::connector(&endpoint)? {
        stream = encrypt(&endpoint, stream, tls).await?;
    }
    let stream = Dialled(Box::new(Startup::new(stream, ("replication", "database"))));
    let mut config = endpoint.config();
    config.ssl_mode(SslMode::Disable); // what is to be encrypted is so already
    let connected = config.connect_raw(stream, NoTls).await;
    session::start(&endpoint, connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?)
}

/// Asks for TLS as the protocol has it, before the startup message.
async fn encrypt(endpoint: &Endpoint, mut stream: ByteStream, tls: MakeRustlsConnect) -> Result<ByteStream, Error> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let failed = |why: String| session::connect_error(endpoint, why);
    stream.write_all(&SSL_REQUEST).await.map_err(|error| failed(error.to_string()))?;
    stream.flush().await.map_err(|error| failed(error.to_string()))?;
    if stream.read_u8().await.map_err(|error| failed(error.to_string()))? != b'S' {
        return Err(failed("the server does not speak TLS".to_owned()));
    }
    let connect = session::raw_tls(endpoint, tls)?;
    let encrypted = connect.connect(Dialled(stream)).await.map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(encrypted))
}
