//! The socket by which the rehearsal drives its world: one JSON request a connection, one JSON answer. It belongs to its
//! owner alone.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::trouble::Trouble;
use super::{Result, World, WorldError, fingerprint, report};

/// What can be asked, as `{"ask": "advance", "ms": 60000}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// How the world is.
    Status,
    /// Send the visitors off.
    VisitorsStart,
    /// Call the visitors back; the answer comes when the last one is.
    VisitorsStop,
    /// Move the clock forward.
    Advance {
        /// By so many milliseconds.
        ms: u64,
    },
    /// How far the clock is ahead of real time, in milliseconds.
    Now,
    /// What is to go wrong, once its time has come.
    Trouble {
        /// The orders.
        orders: Vec<Trouble>,
    },
    /// The run begins, or a step of it does: what waits for that goes wrong from now on.
    Begins {
        /// The step's id; none for the run.
        step: Option<String>,
    },
    /// What the visitors saw, and the ledger held against the database.
    Report,
    /// What "as before" means.
    Fingerprint {
        /// Whether it is to be held against an earlier one: rows that came since are then no difference.
        #[serde(default)]
        later: bool,
    },
    /// End by yourself when nobody asks anything for so long.
    Lease {
        /// In seconds.
        seconds: u64,
    },
    /// Remove everything and end.
    Stop,
}

/// The longest request.
const LONGEST: u64 = 64 << 10;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest path of a socket that every system takes.
const PATH: usize = 100;

/// Where the socket of a world lies: in its directory, or, where that path is too long for a socket, beside the
/// system's other temporary files.
pub fn path_for(dir: &Path, id: &str) -> PathBuf {
    let inside = dir.join("control.sock");
    if inside.as_os_str().len() <= PATH {
        return inside;
    }
    std::env::temp_dir().join(format!("outgrow-world-{id}")).join("control.sock")
}

/// Asks a world. Waits for the answer however long it takes; an error the world tells is an [`io::Error`] here.
pub async fn ask(socket: &Path, request: &Request) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let mut answer: Value = serde_json::from_slice(&answer)?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(io::Error::other(error.to_owned())),
        None => Ok(answer["ok"].take()),
    }
}

/// Asks a world and waits for the answer in this thread: for who hears of something while it happens.
///
/// # Errors
/// As [`ask`], and when the world does not answer within two seconds.
pub fn ask_now(socket: &Path, request: &Request) -> io::Result<()> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map(drop)
}

/// A socket that listens, gone with this value.
pub struct Listening {
    path: PathBuf,
    socket: UnixListener,
}

impl Listening {
    /// Binds the socket, for its owner alone. What a dead world of the same id left there is replaced.
    pub fn bind(path: &Path) -> Result<Self> {
        if let Some(above) = path.parent() {
            super::files::make_private(above)?;
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(WorldError::file("replace", path)(error));
            }
            _ => {}
        }
        let socket = UnixListener::bind(path).map_err(WorldError::file("listen at", path))?;
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, private).map_err(WorldError::file("protect", path))?;
        Ok(Self { path: path.to_owned(), socket })
    }

    /// Answers requests until one asks to stop, or the lease runs out. Gives the connection that waits to hear that
    /// all is gone, if there is one.
    pub async fn serve(&self, world: &Arc<World>) -> Option<Asker> {
        let mut open = JoinSet::new();
        loop {
            let mut leased = world.lease.subscribe();
            // While somebody waits for an answer, the world is in use.
            let lease = world.lease.borrow().filter(|_| open.is_empty());
            let idle = async {
                match lease {
                    Some(lease) => tokio::time::sleep(lease).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = idle => {
                    tracing::info!("nobody asked anything for the time of the lease: the end");
                    return None;
                }
                _ = leased.changed() => {}
                Some(ended) = open.join_next() => if let Ok(Some(asker)) = ended { return Some(asker) },
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _)) => {
                        open.spawn(answer(stream, Arc::clone(world)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Somebody who asked for the end and waits for it.
pub struct Asker(UnixStream);

impl Asker {
    /// Tells how the end went.
    pub async fn tell(mut self, outcome: &Result<()>) {
        let answer = match outcome {
            Ok(()) => json!({"ok": {}}),
            Err(error) => json!({"error": error.to_string()}),
        };
        // One that did not wait for it needs no answer.
        let _ = self.0.write_all(answer.to_string().as_bytes()).await;
    }
}

async fn answer(stream: UnixStream, world: Arc<World>) -> Option<Asker> {
    let mut reader = BufReader::new(stream.take(LONGEST));
    let mut line = String::new();
    match tokio::time::timeout(PATIENCE, reader.read_line(&mut line)).await {
        Ok(Ok(_)) => {}
        _ => return None,
    }
    let mut stream = reader.into_inner().into_inner();
    let answer = match serde_json::from_str(&line) {
        Ok(Request::Stop) => return Some(Asker(stream)),
        Ok(request) => match act(&world, &request).await {
            Ok(answer) => json!({"ok": answer}),
            Err(error) => {
                tracing::warn!(?request, %error, "a request failed");
                json!({"error": error.to_string()})
            }
        },
        Err(error) => json!({"error": format!("this is no request: {error}")}),
    };
    let _ = stream.write_all(answer.to_string().as_bytes()).await;
    None
}

async fn act(world: &World, request: &Request) -> Result<Value> {
    let clock = &world.cloud.shared().clock;
    let now = || json!({"skipped_ms": u64::try_from(clock.skipped().as_millis()).unwrap_or(u64::MAX)});
    Ok(match request {
        Request::Status => json!({
            "id": world.spec.id,
            "pid": std::process::id(),
            "seconds": world.progress.seconds(),
            "visitors": world.visit.is_on().await,
            "clock": now(),
            "troubles": world.edge.troubles(),
        }),
        Request::VisitorsStart => {
            world.visit.start().await?;
            json!({})
        }
        Request::Trouble { orders } => {
            world.troubles.order(orders)?;
            json!({})
        }
        Request::Begins { step } => {
            world.troubles.begins(step.as_deref());
            json!({})
        }
        Request::VisitorsStop => {
            // What is judged next is how things are without trouble.
            world.troubles.over().await;
            world.visit.stop().await?;
            json!({})
        }
        Request::Advance { ms } => {
            clock.advance(Duration::from_millis(*ms));
            now()
        }
        Request::Now => now(),
        Request::Report => report::make(world).await?,
        Request::Fingerprint { later } => fingerprint::take(world, *later).await?,
        Request::Lease { seconds } => {
            world.lease.send_replace(Some(Duration::from_secs(*seconds)));
            json!({})
        }
        // Answered when all is gone.
        Request::Stop => json!({}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_as_people_would() {
        let read = |text| serde_json::from_str::<Request>(text).unwrap();
        assert_eq!(read(r#"{"ask":"visitors-start"}"#), Request::VisitorsStart);
        assert_eq!(read(r#"{"ask":"advance","ms":300000}"#), Request::Advance { ms: 300_000 });
        assert_eq!(read(r#"{"ask":"fingerprint"}"#), Request::Fingerprint { later: false });
        assert!(serde_json::from_str::<Request>(r#"{"ask":"advance"}"#).is_err());
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_not_used() {
        let long = PathBuf::from("/").join("x".repeat(120));
        assert!(path_for(&long, "a").as_os_str().len() <= PATH);
        assert_eq!(path_for(Path::new("/tmp/a"), "a"), Path::new("/tmp/a/control.sock"));
    }
}
