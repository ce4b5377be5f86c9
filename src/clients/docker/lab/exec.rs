//! A command run in a container, its standard output as a stream that ends well only if the command did.

use std::io;

use bollard::container::LogOutput;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::Lab;
use crate::clients::docker::stall;
use crate::clients::hosts::Bytestream;
use crate::clients::{ClientError, ClientResult, Kind};

/// What the command said on standard error, at most: for messages.
const SAID: usize = 2048;
/// How much of an output message is taken at once.
const CAPACITY: usize = 1 << 20;

/// A command to run in a container.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// Program and arguments.
    pub line: Vec<String>,
    /// The user to run it as; none for the container's own.
    pub user: Option<String>,
    /// More environment. Values may be secret: they never go to a log.
    pub env: Vec<(String, String)>,
}

impl Lab {
    /// Runs a command; its standard output is the stream, which ends in an error if the command fails.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no such container, [`Kind::Conflict`] if it does not run.
    pub async fn exec(&self, container: &str, command: &Command) -> ClientResult<Bytestream> {
        let program = command.line.first().map_or("nothing", String::as_str);
        let what = format!("run {program} in the container {container}");
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.line.clone()),
            user: command.user.clone(),
            env: Some(command.env.iter().map(|(key, value)| format!("{key}={value}")).collect()),
            ..ExecConfig::default()
        };
        let engine = &self.engine;
        let exec = engine.streams.create_exec(container, config).await.map_err(engine.failed(&what))?;
        let options = StartExecOptions { output_capacity: Some(CAPACITY), ..StartExecOptions::default() };
        let output = match engine.streams.start_exec(&exec.id, Some(options)).await.map_err(engine.failed(&what))? {
            StartExecResults::Attached { output, .. } => output,
            StartExecResults::Detached => {
                return Err(ClientError::new(Kind::Refused, what, "the engine did not attach to it"));
            }
        };
        let running = Running { lab: self.clone(), id: exec.id, what, said: Vec::new() };
        Ok(stall::guard(outcome(output, running), stall::STANDSTILL))
    }

    /// Runs a command and gives its standard output, whole.
    ///
    /// # Errors
    /// As [`Lab::exec`], and [`Kind::Refused`] if the command fails.
    pub async fn output(&self, container: &str, command: &Command) -> ClientResult<String> {
        let pieces: Vec<Bytes> = self.exec(container, command).await?.try_collect().await.map_err(|error| {
            let program = command.line.first().map_or("nothing", String::as_str);
            ClientError::new(Kind::Refused, format!("run {program} in the container {container}"), error.to_string())
        })?;
        Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
    }
}

struct Running {
    lab: Lab,
    id: String,
    what: String,
    said: Vec<u8>,
}

impl Running {
    /// Why it failed, if it did.
    async fn failure(self) -> Option<io::Error> {
        let docker = &self.lab.engine.docker;
        let said = String::from_utf8_lossy(&self.said);
        let said = said.trim();
        match docker.inspect_exec(&self.id).await {
            Ok(end) if end.exit_code == Some(0) => None,
            Ok(end) => {
                let code = end.exit_code.map_or_else(|| "no exit code".to_owned(), |c| format!("exit code {c}"));
                Some(io::Error::other(format!("{}: {code}: {said}", self.what)))
            }
            Err(error) => Some(io::Error::other(format!("{}: {error}: {said}", self.what))),
        }
    }
}

/// Passes standard output on, keeps the beginning of standard error, and asks for the exit code at the end.
fn outcome<S>(output: S, running: Running) -> Bytestream
where
    S: futures::Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send + Unpin + 'static,
{
    stream::try_unfold(Some((output, running)), |state| async move {
        let Some((mut output, mut running)) = state else { return Ok(None) };
        loop {
            match output.next().await {
                Some(Ok(LogOutput::StdOut { message })) if !message.is_empty() => {
                    return Ok(Some((message, Some((output, running)))));
                }
                Some(Ok(LogOutput::StdErr { message } | LogOutput::Console { message })) => {
                    let room = SAID.saturating_sub(running.said.len());
                    running.said.extend(message.iter().take(room));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(io::Error::other(error)),
                None => return running.failure().await.map_or(Ok(None), Err),
            }
        }
    })
    .boxed()
}
