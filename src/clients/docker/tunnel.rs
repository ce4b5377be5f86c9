//! An engine's socket through the system's `ssh`: one connection, held by a child process, that forwards a socket of
//! ours to the engine's. The host needs sshd and the socket, not the `docker` command.
//!
//! The remote command is `cat` on our pipe: when this process dies, however it dies, the pipe closes and ssh ends.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// Until the host let us in.
const LOGIN: Duration = Duration::from_secs(30);
const READY: &str = "outgrow-ready";
const ENGINE_SOCKET: &str = "/var/run/docker.sock";

/// A tunnel; made again whenever its `ssh` has ended.
pub(super) struct Tunnel {
    target: Target,
    ssh_config: Option<PathBuf>,
    folder: PathBuf,
    child: Mutex<Option<Child>>,
    said: Arc<StdMutex<String>>,
}

/// `user@host` and the port, apart.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    login: String,
    port: Option<u16>,
}

impl Tunnel {
    pub(super) fn new(destination: &str, ssh_config: Option<PathBuf>) -> io::Result<Self> {
        let target = Target::of(destination)?;
        let folder = std::env::temp_dir().join(format!("outgrow-{}-{:08x}", std::process::id(), rand::random::<u32>()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self { target, ssh_config, folder, child: Mutex::new(None), said: Arc::default() })
    }

    /// A stream to the engine's socket.
    pub(super) async fn open(&self) -> io::Result<UnixStream> {
        let socket = self.folder.join("engine");
        let mut held = self.child.lock().await;
        let runs = match held.as_mut() {
            Some(child) => child.try_wait()?.is_none(),
            None => false,
        };
        if !runs {
            *held = Some(self.launch(&socket).await?);
        }
        UnixStream::connect(&socket).await
    }

    /// What `ssh` said last, in one line.
    pub(super) fn said(&self) -> Option<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let line = said.lines().rev().map(str::trim).find(|line| !line.is_empty())?.to_owned();
        Some(line)
    }

    async fn launch(&self, socket: &std::path::Path) -> io::Result<Child> {
        let mut command = Command::new("ssh");
        command.arg("-T");
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=10",
            "ServerAliveInterval=10",
            "ServerAliveCountMax=3",
            "ExitOnForwardFailure=yes",
            "StreamLocalBindUnlink=yes",
            "ControlMaster=no",
            "ControlPath=none",
            "LogLevel=INFO",
        ] {
            command.args(["-o", option]);
        }
        if let Some(config) = &self.ssh_config {
            command.arg("-F").arg(config);
        }
        if let Some(port) = self.target.port {
            command.args(["-p", &port.to_string()]);
        }
        command.arg("-L").arg(format!("{}:{ENGINE_SOCKET}", socket.display()));
        command.args(["--", &self.target.login, &format!("echo {READY}; exec cat")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // A Ctrl-C at the terminal is for outgrow to handle: the way to the host must outlive it.
        command.process_group(0);
        let mut child = command.spawn().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => io::Error::new(e.kind(), "the command `ssh` is not on this machine"),
            _ => e,
        })?;
        let listening = self.listen(&mut child);
        let mut lines = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).lines();
        let greeted = async {
            // A host's greeting may come before the line we wait for.
            while let Some(line) = lines.next_line().await? {
                if line.trim() == READY {
                    return Ok(());
                }
            }
            child.wait().await?;
            if let Some(listening) = listening {
                // Its last words say why; they end with it. If they cannot be had, the error goes without them.
                let _ = listening.await;
            }
            Err(io::Error::new(io::ErrorKind::ConnectionRefused, "ssh was not let in"))
        };
        match tokio::time::timeout(LOGIN, greeted).await {
            Ok(done) => done.map(|()| child),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "ssh was not let in within 30 s")),
        }
    }

    /// Keeps the end of what `ssh` says on standard error.
    fn listen(&self, child: &mut Child) -> Option<JoinHandle<()>> {
        let mut stderr = child.stderr.take()?;
        let said = Arc::clone(&self.said);
        said.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Some(tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&String::from_utf8_lossy(&buffer[..read]));
                if said.len() > 8192 {
                    let cut = said.len() - 4096;
                    let cut = (cut..said.len()).find(|at| said.is_char_boundary(*at)).unwrap_or(0);
                    said.drain(..cut);
                }
            }
        }))
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // Only the socket is in it; a folder that stays behind in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Target {
    fn of(destination: &str) -> io::Result<Self> {
        let (user, place) = destination.rsplit_once('@').map_or(("", destination), |(user, place)| (user, place));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None if place.matches(':').count() > 1 => (place, None),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let wrong = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{destination}`: no user@host:port"));
        let port = port.map(str::parse).transpose().map_err(|_| wrong())?;
        if host.is_empty() {
            return Err(wrong());
        }
        let login = if user.is_empty() { host.to_owned() } else { format!("{user}@{host}") };
        Ok(Self { login, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_cut_where_ssh_would() {
        let cut = |text: &str| Target::of(text).map(|t| (t.login, t.port)).ok();
        assert_eq!(cut("box"), Some(("box".into(), None)));
        assert_eq!(cut("me@box:2222"), Some(("me@box".into(), Some(2222))));
        assert_eq!(cut("me@[fd00::1]:22"), Some(("me@fd00::1".into(), Some(22))));
        assert_eq!(cut("fd00::1"), Some(("fd00::1".into(), None)));
        assert_eq!(cut("me@"), None);
        assert_eq!(cut("box:ssh"), None);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_reached_says_why_and_leaves_nothing() {
        let tunnel = Tunnel::new("nobody@127.0.0.1:1", None).unwrap();
        let folder = tunnel.folder.clone();
        assert!(tunnel.open().await.is_err());
        let said = tunnel.said().unwrap();
        assert!(said.contains("refused"), "{said}");
        drop(tunnel);
        assert!(!folder.exists());
    }
}
