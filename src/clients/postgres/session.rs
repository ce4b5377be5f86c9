//! One open session. Dropped in the middle of a statement, it cancels that statement and closes the connection, so that
//! no backend goes on working for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{
    CancelToken, Client, Connection, CopyInSink, CopyOutStream, NoTls, Row, SimpleQueryMessage, SimpleQueryRow,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dialled::Dialled;
use super::{CONNECT_TIMEOUT, Endpoint, Error, Tls, Transport, explain, tls};

/// A session with one server; see [`Endpoint::connect`].
#[derive(Debug)]
pub struct Session {
    client: Client,
    server: String,
    version: u32,
    fate: Arc<Mutex<Option<String>>>,
    connection: AbortHandle,
    endpoint: Endpoint,
    closed: bool,
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A session for SQL.
pub(super) async fn open(endpoint: &Endpoint) -> Result<Session, Error> {
    let session = open_bare(endpoint).await?;
    session.run(&settings(session.version)).await?;
    Ok(session)
}

/// A session as the server gives it: for what is no PostgreSQL server and knows no settings, a pooler's console.
pub(super) async fn open_bare(endpoint: &Endpoint) -> Result<Session, Error> {
    let attempt = async {
        match (connector(endpoint)?, &endpoint.transport) {
            (None, Transport::Tcp { .. }) => {
                let connected = endpoint.config().connect(NoTls).await;
                start(endpoint, connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?)
            }
            (Some(tls), Transport::Tcp { .. }) => {
                let connected = endpoint.config().connect(tls).await;
                start(endpoint, connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?)
            }
            (None, Transport::Stream(_)) => {
                let connected = endpoint.config().connect_raw(dial(endpoint).await?, NoTls).await;
                start(endpoint, connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?)
            }
            (Some(tls), Transport::Stream(_)) => {
                let tls = raw_tls(endpoint, tls)?;
                let connected = endpoint.config().connect_raw(dial(endpoint).await?, tls).await;
                start(endpoint, connected.map_err(|error| Error::connect(endpoint.to_string(), &error))?)
            }
        }
    };
    tokio::time::timeout(CONNECT_TIMEOUT, attempt)
        .await
        .unwrap_or_else(|_| Err(connect_error(endpoint, format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))))
}

/// What every session needs: the same printed form of values on both sides, no limits of the application's making, and
/// a server that notices when we are gone.
pub(super) fn settings(version: u32) -> String {
    let mut sql = String::from(
        "SET jit = off; SET row_security = off; SET search_path = ''; SET datestyle = 'ISO, YMD'; \
         SET intervalstyle = postgres; SET timezone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = hex; \
         SET xmloption = content; SET statement_timeout = 0; SET lock_timeout = 0; \
         SET idle_in_transaction_session_timeout = 0; SET client_min_messages = warning; \
         SET default_transaction_read_only = off; SET synchronize_seqscans = off;",
    );
    if version >= 14 {
        sql.push_str("SET client_connection_check_interval = '1s'; SET idle_session_timeout = 0;");
    }
    if version >= 17 {
        sql.push_str("SET transaction_timeout = 0;");
    }
    sql
}

pub(super) fn connect_error(endpoint: &Endpoint, why: String) -> Error {
    let hint = "check the way to the server";
    Error::Connect { server: endpoint.to_string(), why, hint, code: None }
}

pub(super) fn connector(endpoint: &Endpoint) -> Result<Option<MakeRustlsConnect>, Error> {
    let authorities = match &endpoint.tls {
        Tls::Disable => return Ok(None),
        Tls::Require => None,
        Tls::VerifyFull(pem) => Some(pem.as_str()),
    };
    tls::connector(authorities).map(Some).map_err(|why| connect_error(endpoint, why))
}

pub(super) fn raw_tls(
    endpoint: &Endpoint,
    mut tls: MakeRustlsConnect,
) -> Result<<MakeRustlsConnect as MakeTlsConnect<Dialled>>::TlsConnect, Error> {
    let host = match &endpoint.transport {
        Transport::Tcp { host, .. } => host,
        Transport::Stream(dial) => dial.host(),
    };
    MakeTlsConnect::<Dialled>::make_tls_connect(&mut tls, host)
        .map_err(|error| connect_error(endpoint, error.to_string()))
}

pub(super) async fn dial(endpoint: &Endpoint) -> Result<Dialled, Error> {
    match &endpoint.transport {
        Transport::Stream(dial) => {
            dial.dial().await.map(Dialled).map_err(|error| connect_error(endpoint, error.to_string()))
        }
        Transport::Tcp { .. } => Err(connect_error(endpoint, "this way has no dialler".to_owned())),
    }
}

pub(super) fn start<S, T>(
    endpoint: &Endpoint,
    (client, connection): (Client, Connection<S, T>),
) -> Result<Session, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let version = version_of(endpoint, connection.parameter("server_version"))?;
    let fate = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&fate);
    let task = tokio::spawn(async move {
        let why = match connection.await {
            Ok(()) => "closed by the server".to_owned(),
            Err(error) => explain(&error),
        };
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    });
    let connection = task.abort_handle();
    let server = endpoint.to_string();
    Ok(Session { client, server, version, fate, connection, endpoint: endpoint.clone(), closed: false })
}

/// `15.14 (Debian …)` → 15.
pub(super) fn version_of(endpoint: &Endpoint, reported: Option<&str>) -> Result<u32, Error> {
    let reported = reported.unwrap_or_default();
    let major = reported.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse().ok());
    major.ok_or_else(|| connect_error(endpoint, format!("unknown server version {reported:?}")))
}

impl Session {
    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Who and where, for messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Where this session goes.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Runs one or several statements without parameters.
    pub async fn run(&self, sql: &str) -> Result<(), Error> {
        self.run_as(&brief(sql), sql).await
    }

    /// The same for statements that must not be told (they hold a password's hash): `doing` stands for them in errors.
    pub async fn run_as(&self, doing: &str, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(|error| self.error(doing, &error))
    }

    /// All rows of a small answer by the simple query protocol, as text by column name; nulls are left out. For servers
    /// and modes that know no other protocol.
    pub async fn texts(&self, sql: &str) -> Result<Vec<BTreeMap<String, String>>, Error> {
        let answer = self.client.simple_query(sql).await.map_err(|error| self.error(&brief(sql), &error))?;
        let row = |row: &SimpleQueryRow| {
            let columns = row.columns().iter().enumerate();
            columns.filter_map(|(at, column)| Some((column.name().to_owned(), row.get(at)?.to_owned()))).collect()
        };
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(found) => Some(row(found)),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs one statement and says how many rows it touched.
    pub async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, Error> {
        self.client.execute(sql, parameters).await.map_err(|error| self.error(&brief(sql), &error))
    }

    /// All rows of a small answer.
    pub async fn rows(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        self.client.query(sql, parameters).await.map_err(|error| self.error(&brief(sql), &error))
    }

    /// Exactly one row.
    pub async fn one(&self, sql: &str, parameters: Parameters<'_>) -> Result<Row, Error> {
        self.client.query_one(sql, parameters).await.map_err(|error| self.error(&brief(sql), &error))
    }

    /// The first column of exactly one row.
    pub async fn value<T: FromSqlOwned>(&self, sql: &str, parameters: Parameters<'_>) -> Result<T, Error> {
        let row = self.one(sql, parameters).await?;
        row.try_get(0).map_err(|error| self.error(&brief(sql), &error))
    }

    /// Starts a `COPY … TO STDOUT`.
    pub async fn copy_out(&self, sql: &str) -> Result<CopyOutStream, Error> {
        self.client.copy_out(sql).await.map_err(|error| self.error(&brief(sql), &error))
    }

    /// Starts a `COPY … FROM STDIN`.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyInSink<Bytes>, Error> {
        self.client.copy_in(sql).await.map_err(|error| self.error(&brief(sql), &error))
    }

    /// Turns a driver error met while using this session into ours.
    pub fn error(&self, doing: &str, error: &tokio_postgres::Error) -> Error {
        let (server, doing) = (self.server.clone(), doing.to_owned());
        if error.is_closed() || self.client.is_closed() {
            let known = self.fate.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Error::Lost { server, doing, why: known.unwrap_or_else(|| explain(error)) };
        }
        match error.code() {
            // The server ends the session with these (administrator, crash, shutdown).
            Some(code) if code.code().starts_with("57P") => Error::Lost { server, doing, why: explain(error) },
            Some(code) => Error::Refused { server, doing, why: explain(error), code: code.code().to_owned() },
            None => Error::Answer { server, doing, why: explain(error) },
        }
    }

    /// Ends the session in good order.
    pub fn close(mut self) {
        self.closed = true;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.closed || self.client.is_closed() {
            return; // without its client the connection says goodbye by itself
        }
        let (token, endpoint, connection) =
            (self.client.cancel_token(), self.endpoint.clone(), self.connection.clone());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.abort();
            return;
        };
        runtime.spawn(async move {
            // The cancel request may fail when the server is gone; closing the socket is what is left then.
            let _ = tokio::time::timeout(Duration::from_secs(3), cancel(token, &endpoint)).await;
            connection.abort();
        });
    }
}

pub(super) async fn cancel(token: CancelToken, endpoint: &Endpoint) -> Result<(), Error> {
    let cancelled = match (connector(endpoint)?, &endpoint.transport) {
        (None, Transport::Tcp { .. }) => token.cancel_query(NoTls).await,
        (Some(tls), Transport::Tcp { .. }) => token.cancel_query(tls).await,
        (None, Transport::Stream(_)) => token.cancel_query_raw(dial(endpoint).await?, NoTls).await,
        (Some(tls), Transport::Stream(_)) => cancel_raw(&token, dial(endpoint).await?, raw_tls(endpoint, tls)?).await,
    };
    cancelled.map_err(|error| Error::connect(endpoint.to_string(), &error))
}

async fn cancel_raw<T>(token: &CancelToken, stream: Dialled, tls: T) -> Result<(), tokio_postgres::Error>
where
    T: TlsConnect<Dialled>,
{
    token.cancel_query_raw(stream, tls).await
}

/// The beginning of a statement, enough to recognise it.
pub(super) fn brief(sql: &str) -> String {
    const LONGEST: usize = 120;
    let mut words = String::new();
    for word in sql.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.chars().count() > LONGEST {
            return words.chars().take(LONGEST).chain(['…']).collect();
        }
    }
    words
}
