//! The lever: how another terminal reaches a running engine, without the two knowing each other.

use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, watch};

use crate::event::Judgement;
use crate::journal::State;

/// What a person can ask of a running engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Stop in a safe place.
    Pause,
    /// Stop and take everything back.
    Abort,
}

/// Shared by the engine and whoever listens for commands. Cheap to clone.
#[derive(Clone)]
pub struct Lever {
    command: Arc<Mutex<Option<Command>>>,
    pulled: Arc<Notify>,
    state: watch::Sender<State>,
    waits: Arc<Mutex<Option<String>>>,
    judged: Arc<Mutex<Option<(String, Judgement)>>>,
}

impl Default for Lever {
    fn default() -> Self {
        Self {
            command: Arc::default(),
            pulled: Arc::default(),
            state: watch::Sender::new(State::default()),
            waits: Arc::default(),
            judged: Arc::default(),
        }
    }
}

impl Lever {
    /// Asks something of the engine. It obeys at the next safe place; an abort is never weakened to a pause.
    pub fn pull(&self, command: Command) {
        let mut wanted = self.lock();
        if *wanted != Some(Command::Abort) {
            *wanted = Some(command);
        }
        drop(wanted);
        self.pulled.notify_waiters();
    }

    /// The run's state as last recorded, with what was measured since.
    pub fn state(&self) -> State {
        let mut state = self.state.borrow().clone();
        let judged = self.judged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        state.judged = judged.or(state.judged);
        state
    }

    /// Why the run waits at this moment, if it does.
    pub fn waits(&self) -> Option<String> {
        self.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn say(&self, why: Option<String>) {
        *self.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = why;
    }

    pub(super) fn tell(&self, step: &str, judgement: &Judgement) {
        *self.judged.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some((step.to_owned(), judgement.clone()));
    }

    pub(super) fn take(&self) -> Option<Command> {
        self.lock().take()
    }

    pub(super) async fn pulled(&self) {
        let pulled = self.pulled.notified();
        if self.lock().is_none() {
            pulled.await;
        }
    }

    pub(super) fn publish(&self, state: &State) {
        self.state.send_replace(state.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Command>> {
        self.command.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
