//! Uploads in flight: at most so many, and at most so many bytes of them in memory.

use tokio::task::JoinSet;

use crate::step::{Fault, StepResult};

/// Uploads begun. How many of them are sent at the same time is for the client to say, which knows what S3 bears.
const REQUESTS: usize = 128;
/// Bytes in flight.
const BYTES: u64 = 32 << 20;

/// Tasks that end with how many bytes they were about.
pub(super) struct Window {
    tasks: JoinSet<StepResult<u64>>,
    in_flight: u64,
    /// Bytes done.
    pub done: u64,
}

impl Window {
    pub fn new() -> Self {
        Self { tasks: JoinSet::new(), in_flight: 0, done: 0 }
    }

    /// Adds a task about so many bytes, first waiting until there is room. The first failure ends it all.
    pub async fn add(
        &mut self,
        bytes: u64,
        task: impl Future<Output = StepResult<()>> + Send + 'static,
    ) -> StepResult<()> {
        while !self.tasks.is_empty() && (self.tasks.len() >= REQUESTS || self.in_flight + bytes > BYTES) {
            self.one().await?;
        }
        self.in_flight += bytes;
        self.tasks.spawn(async move { task.await.map(|()| bytes) });
        Ok(())
    }

    /// Waits for all of them: what is added later does not begin before what was added until now is over.
    pub async fn barrier(&mut self) -> StepResult<()> {
        while !self.tasks.is_empty() {
            self.one().await?;
        }
        Ok(())
    }

    async fn one(&mut self) -> StepResult<()> {
        if let Some(ended) = self.tasks.join_next().await {
            let bytes = ended.map_err(|e| Fault::failed(format!("an upload broke off: {e}")))??;
            self.in_flight -= bytes;
            self.done += bytes;
        }
        Ok(())
    }
}
