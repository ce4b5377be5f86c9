//! A connection to a port inside a container's network, published or not, without touching the container.
//!
//! On a local engine the container's own address is tried first. Else a small process beside the container's own
//! joins our stream to `127.0.0.1:PORT`: bash, perl, socat or nc, whatever its image holds.

mod ways;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::StreamReader;

use super::Engine;
use crate::clients::hosts::{Duplex, HostRead};
use crate::clients::{ClientError, ClientResult, Kind};

/// A container beside us answers at once, or cannot be reached from here.
const NEAR: Duration = Duration::from_millis(300);
/// Until the process in the container is connected.
const FAR: Duration = Duration::from_secs(20);

/// Dials.
pub(super) async fn dial(engine: &Engine, container: &str, port: u16) -> ClientResult<Box<dyn Duplex>> {
    let what = format!("connect to port {port} in the container {container} on {}", engine.address);
    let Some(found) = engine.container(container).await? else {
        return Err(ClientError::new(Kind::NotFound, what, "there is no such container"));
    };
    if !found.running {
        return Err(ClientError::new(Kind::Refused, what, "the container does not run"));
    }
    if engine.place.is_local() {
        for network in found.networks.iter().filter(|n| !n.address.is_empty()) {
            let near = TcpStream::connect((network.address.as_str(), port));
            if let Ok(Ok(stream)) = tokio::time::timeout(NEAR, near).await {
                // Small packets of a database's protocol are not to wait for each other; without it, only slower.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
        }
    }
    inside(engine, &found.id, port, &what).await
}

/// Dials from inside the container.
pub(super) async fn inside(engine: &Engine, container: &str, port: u16, what: &str) -> ClientResult<Box<dyn Duplex>> {
    let mut why = Vec::new();
    for way in ways::ALL {
        match tokio::time::timeout(FAR, run(engine, container, &way.command(port), what)).await {
            Ok(Ok(Tried::Open(stream))) => return Ok(Box::new(stream)),
            Ok(Ok(Tried::Refused(said))) => {
                return Err(ClientError::new(Kind::Refused, what, format!("nothing listens there ({said})")));
            }
            Ok(Ok(Tried::NotHere(said))) => why.push(format!("{}: {said}", way.name)),
            Ok(Err(e)) => return Err(e),
            Err(_) => return Err(ClientError::new(Kind::Unanswered, what, "no answer within 20 s")),
        }
    }
    Err(ClientError::new(Kind::Refused, what, format!("the container holds no tool for it ({})", why.join("; ")))
        .hint("publish the port on the host's 127.0.0.1, or put bash, perl, socat or nc into the image"))
}

enum Tried {
    Open(Inside),
    /// The tool is there, the port does not answer.
    Refused(String),
    /// The tool is not there.
    NotHere(String),
}

async fn run(engine: &Engine, container: &str, command: &[String], what: &str) -> ClientResult<Tried> {
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: Some(command.to_vec()),
        ..ExecConfig::default()
    };
    let exec = engine.docker.create_exec(container, config).await.map_err(engine.failed(what))?;
    let options = StartExecOptions { output_capacity: Some(256 << 10), ..StartExecOptions::default() };
    let (output, input) = match engine.docker.start_exec(&exec.id, Some(options)).await {
        Ok(StartExecResults::Attached { output, input }) => (output, input),
        Ok(StartExecResults::Detached) => return Ok(Tried::NotHere("the engine did not attach".into())),
        // Newer engines say so at once, older ones in the output and by the exit code.
        Err(bollard::errors::Error::DockerResponseServerError { message, .. })
            if message.contains("executable file not found") =>
        {
            return Ok(Tried::NotHere("not in the image".into()));
        }
        Err(e) => return Err(engine.failed(what)(e)),
    };
    let said = Said::default();
    let mut output = StreamReader::new(plain(output, said.clone()));
    let mut marker = [0; ways::CONNECTED.len()];
    let greeted = output.read_exact(&mut marker).await;
    if greeted.is_ok() && &marker == ways::CONNECTED {
        return Ok(Tried::Open(Inside { output, input }));
    }
    let end = engine.docker.inspect_exec(&exec.id).await.map_err(engine.failed(what))?;
    let text = said.text();
    Ok(match end.exit_code {
        Some(ways::NO_TOOL | 126 | 127) | None => Tried::NotHere("not in the image".into()),
        Some(code) => Tried::Refused(if text.is_empty() { format!("exit code {code}") } else { text }),
    })
}

type Output = StreamReader<BoxStream<'static, io::Result<Bytes>>, Bytes>;

/// Standard output alone; the end of standard error is kept for messages.
fn plain(
    output: Pin<Box<dyn futures::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    said: Said,
) -> BoxStream<'static, io::Result<Bytes>> {
    output
        .map_err(io::Error::other)
        .try_filter_map(move |piece| {
            let data = match piece {
                LogOutput::StdOut { message } => Some(message).filter(|m| !m.is_empty()),
                LogOutput::StdErr { message } | LogOutput::Console { message } => {
                    said.add(&message);
                    None
                }
                LogOutput::StdIn { .. } => None,
            };
            std::future::ready(Ok(data))
        })
        .boxed()
}

/// The last of what the process said on standard error.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<VecDeque<u8>>>);

impl Said {
    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(bytes);
        let over = kept.len().saturating_sub(512);
        kept.drain(..over);
    }

    fn text(&self) -> String {
        let kept: Vec<u8> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        String::from_utf8_lossy(&kept).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A stream into the container. Dropping it ends the process inside.
struct Inside {
    output: Output,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl AsyncRead for Inside {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, into)
    }
}

impl AsyncWrite for Inside {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.input.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.input.as_mut().poll_shutdown(cx)
    }
}
