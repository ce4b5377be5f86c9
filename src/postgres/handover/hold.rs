//! Who makes the application's clients wait, so that they see a pause and no failure.

use async_trait::async_trait;

use crate::postgres::Result;
use crate::world::Side;

/// Makes clients wait, and sends them on.
#[async_trait]
pub trait Hold: Send + Sync {
    /// Gets ready to send clients to that side later. Nobody notices.
    async fn prepare(&self, to: Side) -> Result<()>;

    /// Makes every client wait; returns when no statement runs any more.
    async fn hold(&self) -> Result<()>;

    /// Sends the clients on, to that side, whether or not they were held. Safe to repeat.
    async fn release_to(&self, side: Side) -> Result<()>;
}

/// Nobody: clients see the locks as a wait, then the fence as an error, and have to connect to the other side themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHold;

#[async_trait]
impl Hold for NoHold {
    async fn prepare(&self, _: Side) -> Result<()> {
        Ok(())
    }

    async fn hold(&self) -> Result<()> {
        Ok(())
    }

    async fn release_to(&self, _: Side) -> Result<()> {
        Ok(())
    }
}
