//! The socket by which another terminal reaches a running engine: one JSON request a connection, one JSON answer.
//! It belongs to its owner alone (mode 0600) and is gone with the process that made it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::control::{Command, Lever};
use super::status::Status;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Where the run stands.
    Status,
    /// Stop in a safe place.
    Pause,
    /// Stop and take everything back.
    Abort,
}

/// A request and its answer are short.
const LIMIT: u64 = 64 * 1024;

/// Serves the lever until dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens beside the run's journal.
    pub fn start(run: &str, run_dir: &Path, lever: Lever) -> io::Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let path = path_for(run, run_dir);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
            std::fs::set_permissions(parent, std::fs::Permissions::from_mode(0o700))?;
        }
        // What a dead process left; the site's lock says that no living one is at work on this run.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let lever = lever.clone();
                tokio::spawn(async move {
                    let answered = tokio::time::timeout(Duration::from_secs(5), answer(stream, &lever)).await;
                    if let Ok(Err(error)) = answered {
                        tracing::debug!(%error, "a request on the socket was not answered");
                    }
                });
            }
        });
        Ok(Self { path, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Asks the engine that is at work on the run; `None` if none is.
pub async fn ask(run: &str, run_dir: &Path, request: Request) -> io::Result<Option<Status>> {
    let Ok(mut stream) = UnixStream::connect(path_for(run, run_dir)).await else { return Ok(None) };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut text = String::new();
    let read = async { stream.take(LIMIT * 64).read_to_string(&mut text).await };
    tokio::time::timeout(Duration::from_secs(5), read).await.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(Some(serde_json::from_str(&text)?))
}

async fn answer(stream: UnixStream, lever: &Lever) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LIMIT)).read_line(&mut line).await?;
    match serde_json::from_str(&line)? {
        Request::Status => {}
        Request::Pause => lever.pull(Command::Pause),
        Request::Abort => lever.pull(Command::Abort),
    }
    let status = Status::of(&lever.state(), true, lever.waits());
    write.write_all(&serde_json::to_vec(&status)?).await?;
    write.shutdown().await
}

/// A socket's path has at most some hundred bytes; a run directory that is deeper gets one in the temporary directory.
fn path_for(run: &str, run_dir: &Path) -> PathBuf {
    let beside = run_dir.join("socket");
    if beside.as_os_str().len() < 100 {
        return beside;
    }
    let user = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("outgrow-{user}")).join(format!("{run}.socket"))
}
