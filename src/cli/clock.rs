//! The two clocks of a run: the real one, and a rehearsal's, which moves its world forward instead of sleeping.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::failure::Failure;
use super::world::World;
use crate::step::Clock;

/// Real time.
pub struct RealClock;

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, for_: Duration) {
        tokio::time::sleep(for_).await;
    }
}

/// How much of a wait a rehearsal really waits, so that its visitors see every state for a while.
const REALLY: Duration = Duration::from_millis(1200);

/// A rehearsal's time. A wait is slept for a moment; the rest the world is moved forward.
pub struct WorldClock {
    world: World,
    ahead_ms: AtomicU64,
}

impl WorldClock {
    /// Reads how far the world is ahead: a resumed run goes on in its time.
    pub async fn connect(world: &World) -> Result<Self, Failure> {
        let ahead = world.skipped().await?;
        Ok(Self { world: world.clone(), ahead_ms: AtomicU64::new(ahead) })
    }
}

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }

    async fn sleep(&self, for_: Duration) {
        tokio::time::sleep(for_.min(REALLY)).await;
        let rest = for_.saturating_sub(REALLY);
        if rest.is_zero() {
            return;
        }
        match self.world.advance(rest).await {
            Ok(ahead) => self.ahead_ms.store(ahead, Ordering::SeqCst),
            // A world that is gone cannot be moved; the calls that follow will tell.
            Err(failure) => tracing::warn!(?failure, "the rehearsal's clock could not be moved"),
        }
    }
}
