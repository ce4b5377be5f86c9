//! Where a test lets the process die, or an answer get lost.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::clients::{ClientError, ClientResult, Kind};

/// On which side of an effect something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The effect does not happen.
    Before,
    /// The effect happens, its answer is not seen.
    After,
}

/// Counts the changing calls of every fake it is shared with, and burns at the one it is armed for.
#[derive(Clone)]
pub struct Fuse {
    state: Arc<Mutex<State>>,
    dead: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    calls: usize,
    die_at: Option<(usize, When)>,
    fail_at: Option<(usize, When)>,
}

impl Default for Fuse {
    fn default() -> Self {
        Self { state: Arc::default(), dead: watch::Sender::new(false) }
    }
}

impl Fuse {
    /// The process dies at the `nth` changing call from now (the first is 0).
    pub fn die_at(&self, nth: usize, when: When) {
        let mut state = self.lock();
        state.die_at = Some((state.calls + nth, when));
    }

    /// The `nth` changing call from now gets no answer ([`Kind::Unanswered`]); with [`When::After`] it took effect.
    pub fn lose_answer_at(&self, nth: usize, when: When) {
        let mut state = self.lock();
        state.fail_at = Some((state.calls + nth, when));
    }

    /// A new process: alive, and not armed.
    pub fn revive(&self) {
        let mut state = self.lock();
        state.die_at = None;
        state.fail_at = None;
        self.dead.send_replace(false);
    }

    /// A new process, alive, that dies where it is told to, if anywhere.
    pub fn arm_next(&self, death: Option<(usize, When)>) {
        self.revive();
        if let Some((nth, when)) = death {
            self.die_at(nth, when);
        }
    }

    /// How many changing calls there have been.
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Whether the process is dead.
    pub fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Resolves when the process dies: race the code under test against it and drop it then, as a kill would.
    pub async fn died(&self) {
        let mut dead = self.dead.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = dead.wait_for(|dead| *dead).await;
    }

    /// One changing call with its effect. Never returns if the process dies here.
    pub async fn act<T>(&self, what: &str, effect: impl FnOnce() -> ClientResult<T>) -> ClientResult<T> {
        match self.strike() {
            Strike::None => effect(),
            Strike::Die(when) => {
                if when == When::After {
                    drop(effect());
                }
                self.dead.send_replace(true);
                std::future::pending().await
            }
            Strike::Lose(when) => {
                if when == When::After {
                    effect()?;
                }
                Err(ClientError::new(Kind::Unanswered, what, "the connection was lost"))
            }
            Strike::Dead => std::future::pending().await,
        }
    }

    /// The same for code that is not async (the journal): `None` means the process died before or after the effect.
    pub fn act_now<T>(&self, effect: impl FnOnce() -> T) -> Option<T> {
        match self.strike() {
            // A journal on the own disk has no answer to lose.
            Strike::None | Strike::Lose(_) => Some(effect()),
            Strike::Die(when) => {
                if when == When::After {
                    drop(effect());
                }
                self.dead.send_replace(true);
                None
            }
            Strike::Dead => None,
        }
    }

    fn strike(&self) -> Strike {
        if self.is_dead() {
            return Strike::Dead;
        }
        let mut state = self.lock();
        let now = state.calls;
        state.calls += 1;
        let hit = |armed: Option<(usize, When)>| armed.filter(|(at, _)| *at == now).map(|(_, when)| when);
        hit(state.die_at).map(Strike::Die).or_else(|| hit(state.fail_at).map(Strike::Lose)).unwrap_or(Strike::None)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

enum Strike {
    None,
    Die(When),
    Lose(When),
    Dead,
}
