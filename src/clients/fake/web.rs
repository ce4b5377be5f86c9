//! HTTP answers from a table.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::clients::web::{Answered, Probe, Web};
use crate::clients::{ClientError, ClientResult, Kind};

/// What answers a probe; `None` is no answer.
type Answer = Box<dyn Fn(&Probe) -> Option<Answered> + Send + Sync>;

/// A web in which only what was put there answers.
#[derive(Clone)]
pub struct FakeWeb {
    answer: Arc<Mutex<Answer>>,
}

impl Default for FakeWeb {
    /// A web that answers nothing.
    fn default() -> Self {
        Self { answer: Arc::new(Mutex::new(Box::new(|_| None))) }
    }
}

impl FakeWeb {
    /// Answers as an app does that is well on both sides: its health path 200, no such path 404, every preflight.
    pub fn all_is_well(&self) {
        self.answer_with(|probe| {
            let origin = probe.headers.iter().find(|(name, _)| name == "origin").map(|(_, origin)| origin.clone());
            let status = if probe.url.ends_with("/healthz") { 200 } else { 404 };
            let headers = origin.map(|origin| ("access-control-allow-origin".to_owned(), origin));
            Some(Answered { status, headers: headers.into_iter().collect(), body: String::new() })
        });
    }

    /// Answers by this function from now on.
    pub fn answer_with(&self, answer: impl Fn(&Probe) -> Option<Answered> + Send + Sync + 'static) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(answer);
    }
}

#[async_trait]
impl Web for FakeWeb {
    async fn send(&self, probe: &Probe) -> ClientResult<Answered> {
        let answer = (self.answer.lock().unwrap_or_else(PoisonError::into_inner))(probe);
        let what = || format!("{} {}", probe.method, probe.url);
        answer.ok_or_else(|| ClientError::new(Kind::Unanswered, what(), "nothing answers there"))
    }
}
