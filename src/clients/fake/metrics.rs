//! A balancer's measurements in memory: a steady stream of visitors, split by the weights that are in effect.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::balancer::FakeBalancer;
use crate::clients::hooks::{Hooks, Question, Said};
use crate::clients::metrics::{Count, Measured, MetricsRead, Minute, Window};
use crate::clients::{ClientError, ClientResult, Kind};

/// What the visitors and the two sides are like.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Requests a minute, to both sides together.
    pub requests: u64,
    /// Of 1000 requests, so many end in 5xx: on the old side, on the new one.
    pub errors: [u64; 2],
    /// How long the slowest percent takes, in seconds, on each side; the others take 10 ms.
    pub slow: [f64; 2],
    /// Whether the new side gets nothing, whatever the weights say.
    pub deaf: bool,
    /// Nothing can be read.
    pub dark: bool,
    /// Nobody may read it.
    pub denied: bool,
    /// When the present weights were set: before, everything went to the old side.
    pub shifted_at: Option<SystemTime>,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            requests: 6000,
            errors: [0, 0],
            slow: [0.02, 0.02],
            deaf: false,
            dark: false,
            denied: false,
            shifted_at: None,
        }
    }
}

/// The measurements.
#[derive(Clone)]
pub struct FakeMetrics {
    balancer: FakeBalancer,
    weather: Arc<Mutex<Weather>>,
}

impl FakeMetrics {
    /// Of this balancer's groups.
    pub fn new(balancer: FakeBalancer) -> Self {
        Self { balancer, weather: Arc::default() }
    }

    /// Changes the weather.
    pub fn set(&self, with: impl FnOnce(&mut Weather)) {
        with(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> ClientResult<Weather> {
        let weather = self.lock().clone();
        if weather.denied {
            return Err(ClientError::new(Kind::Denied, "read what the balancer measured", "not authorized"));
        }
        if weather.dark {
            return Err(ClientError::new(Kind::Refused, "read what the balancer measured", "nothing is to be seen"));
        }
        Ok(weather)
    }
}

#[async_trait]
impl MetricsRead for FakeMetrics {
    async fn traffic(&self, of: &Measured, window: Window) -> ClientResult<Vec<Minute>> {
        let weather = self.read()?;
        let mut minutes = Vec::new();
        let mut at = window.from;
        while at < window.to && weather.requests > 0 {
            let before = weather.shifted_at.is_some_and(|shift| at < shift);
            let share = if weather.deaf || before { 0 } else { self.balancer.weight_in_percent(&of.groups) };
            let new = weather.requests * share / 100;
            let count = |side: usize, requests| Count { requests, errors: requests * weather.errors[side] / 1000 };
            let sides = [count(0, weather.requests - new), count(1, new)];
            minutes.push(Minute { at, sides, balancer_errors: 0 });
            at += Duration::from_mins(1);
        }
        Ok(minutes)
    }

    async fn response_times(
        &self,
        _: &Measured,
        side: usize,
        _: Window,
        percents: &[f64],
    ) -> ClientResult<Vec<Option<(f64, f64)>>> {
        let slow = self.read()?.slow[side];
        Ok(percents.iter().map(|percent| if *percent < 97.0 { 0.01 } else { slow }).map(|t| Some((t, t))).collect())
    }
}

/// Commands that answer from a table: the exit code and the last words.
#[derive(Clone, Default)]
pub struct FakeHooks {
    /// What the next one says, 0 if nothing else; and what they were asked.
    pub said: Arc<Mutex<(Option<i32>, Vec<Question>)>>,
}

#[async_trait]
impl Hooks for FakeHooks {
    async fn ask(&self, question: &Question) -> ClientResult<Said> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.1.push(question.clone());
        Ok(Said { code: Some(said.0.unwrap_or(0)), words: "so it was said".to_owned() })
    }
}
