//! Waiting for what gives no sign when it is there: asked again and again, ever more slowly.

use std::fmt::Display;
use std::future::Future;
use std::time::{Duration, Instant};

use super::{Result, WorldError};

/// The first pause between two tries, and the longest.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(250);

/// Tries until it works; after `limit` the last failure is told. `what` reads like `the app did not answer`.
pub async fn until<T, E: Display, F: Future<Output = std::result::Result<T, E>>>(
    what: &str,
    limit: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<T> {
    let began = Instant::now();
    let mut pause = FIRST;
    loop {
        let left = limit.saturating_sub(began.elapsed());
        let why = match tokio::time::timeout(left, attempt()).await {
            Ok(Ok(there)) => return Ok(there),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if began.elapsed() + pause >= limit {
            return Err(WorldError::Late { what: what.to_owned(), seconds: limit.as_secs(), why });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}
