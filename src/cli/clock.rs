//! The two clocks of a run: the real one, and a rehearsal's, which moves its world forward instead of sleeping.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

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

/// Where one long wait follows on another (a TTL looked at every minute), the visitors have seen the state already.
const AGAIN: Duration = Duration::from_millis(50);

/// Of a wait in which something is measured, one part in so many is really waited: half a second of a minute.
const MEASURED: u32 = 120;

/// Up to here a wait is for something real to happen, such as a container to start, which no clock hastens.
const SHORT: Duration = Duration::from_secs(5);

/// A rehearsal's time. A wait is slept for a moment; the rest the world is moved forward.
pub struct WorldClock {
    world: World,
    ahead_ms: AtomicU64,
    last_long: Mutex<Option<Instant>>,
}

impl WorldClock {
    /// Reads how far the world is ahead: a resumed run goes on in its time.
    pub async fn connect(world: &World) -> Result<Self, Failure> {
        let ahead = world.skipped().await?;
        Ok(Self { world: world.clone(), ahead_ms: AtomicU64::new(ahead), last_long: Mutex::default() })
    }
}

impl WorldClock {
    /// Lets so much time pass: some of it really, the rest by moving the world forward.
    async fn pass(&self, for_: Duration, really: Duration) {
        let really = for_.min(really);
        tokio::time::sleep(really).await;
        let rest = for_.saturating_sub(really);
        if rest.is_zero() {
            return;
        }
        match self.world.advance(rest).await {
            Ok(ahead) => self.ahead_ms.store(ahead, Ordering::SeqCst),
            // A world that is gone cannot be moved; the calls that follow will tell.
            Err(failure) => tracing::warn!(?failure, "the rehearsal's clock could not be moved"),
        }
    }

    fn really(&self, for_: Duration) -> Duration {
        if for_ <= SHORT {
            return REALLY;
        }
        let mut last = self.last_long.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let again = last.is_some_and(|at| at.elapsed() < REALLY + AGAIN);
        *last = Some(Instant::now() + if again { AGAIN } else { REALLY });
        if again { AGAIN } else { REALLY }
    }
}

#[async_trait]
impl Clock for WorldClock {
    fn now(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }

    async fn sleep(&self, for_: Duration) {
        self.pass(for_, self.really(for_)).await;
    }

    async fn watch(&self, for_: Duration) {
        self.pass(for_, (for_ / MEASURED).max(AGAIN)).await;
    }
}
