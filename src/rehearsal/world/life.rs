//! A world's life: up, told of, asked, ended by a request, a signal or its lease; nothing stays behind.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::control::Listening;
use super::start::{LOCAL, start};
use super::{Progress, Ready, Result, Spec, World, WorldError, files, owner};
use crate::clients::docker::lab::Lab;
use crate::site::EngineAddress;

/// Brings a world up, tells `on_ready` when it is, and stays until the end.
pub async fn run(spec: Spec, progress: Progress, on_ready: impl FnOnce(&Ready)) -> Result<()> {
    let mut signals = Signals::listen().map_err(no_signals)?;
    let (dir, id) = (spec.dir.clone(), spec.id.clone());
    let (world, ready) = {
        let lab = Lab::connect(&EngineAddress::Unix(LOCAL.into())).await?;
        let up = Box::pin(start(spec, progress.clone(), lab.clone()));
        tokio::select! {
            up = up => up?,
            () = signals.ended() => {
                progress.say("asked to end before all was up");
                return owner::remove(&lab, &id).await;
            }
        }
    };
    let world = Arc::new(world);
    let told = async {
        let listening = Listening::bind(&ready.control)?;
        let text = serde_json::to_vec_pretty(&ready).map_err(io::Error::from);
        let file = dir.join("world.json");
        files::write(&file, &text.map_err(WorldError::file("write", &file))?, 0o600)?;
        Result::Ok(listening)
    };
    let listening = match told.await {
        Ok(listening) => listening,
        Err(error) => {
            world.end().await?;
            return Err(error);
        }
    };
    progress.say(&format!("the world is up ({:.1} s)", progress.seconds()));
    on_ready(&ready);
    let asker = tokio::select! {
        asker = listening.serve(&world) => asker,
        () = signals.ended() => None,
    };
    let outcome = world.end().await;
    // What says where the world is must not outlive it.
    let _ = std::fs::remove_file(dir.join("world.json"));
    drop(listening);
    if let Some(asker) = asker {
        asker.tell(&outcome).await;
    }
    progress.say("the world is gone");
    outcome
}

/// Removes what dead worlds left behind; gives their ids.
pub async fn clean() -> Result<Vec<String>> {
    owner::clean(&Lab::connect(&EngineAddress::Unix(LOCAL.into())).await?).await
}

impl World {
    /// Calls the visitors back, closes every door and removes everything.
    async fn end(&self) -> Result<()> {
        let back = self.visit.stop().await;
        self.ending.cancel();
        self.serving.abort();
        owner::remove(&self.lab, &self.spec.id).await?;
        for image in &self.brought {
            // One that somebody else uses by now stays.
            if let Err(error) = self.lab.host().remove_image(image).await {
                tracing::info!(%error, "an image stays");
            }
        }
        back
    }
}

/// The signals that end a world. A hangup does not: its parent's terminal is no business of it.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn ended(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {}
            }
        }
    }
}

fn no_signals(source: io::Error) -> WorldError {
    WorldError::File { doing: "listen to", path: PathBuf::from("signals"), source }
}
