//! What goes wrong on purpose in a rehearsal: with calls to the AWS APIs, and with what carries the site.
//!
//! Orders ([`Troubles::order`]) wait. Each comes into force when the run tells that it begins
//! ([`Troubles::begins`]) or that the step it names does. Before the end is judged, all is over ([`Troubles::over`]).

mod cut;
mod place;
mod strike;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::task::TaskTracker;

use super::WorldError;
use crate::rehearsal::cloud::Cloud;
use crate::rehearsal::cloud::fault::{Faults, Kind, When};

pub use place::{Place, Scene};

/// Something that is to go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Trouble {
    /// The id of the step with whose beginning it comes into force, or the kind of such steps: then the first one's.
    /// Without, it is the run's beginning.
    pub at: Option<String>,
    /// What.
    pub what: What,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A call to an AWS API.
    Call {
        /// Signing name, or `*`.
        service: String,
        /// The API's name, or `*`.
        operation: String,
        /// Which of the calls.
        when: When,
        /// How.
        kind: Kind,
    },
    /// A place stands still.
    StandStill(Place, Duration),
    /// A database server crashes and starts again.
    Restart(Place),
    /// Two places do not reach each other.
    Cut(Place, Place, Duration),
    /// A host's engine has no room for what it is sent.
    DiskFull(Place, Duration),
    /// The app on a new host misbehaves from now on, as its own way of doing so is named.
    Misbehave {
        /// The host.
        host: Place,
        /// The app's container there.
        app: String,
        /// How.
        how: String,
    },
    /// The balancer sends no request to the target group of this name any more, whatever its rules say.
    Silent(String),
}

/// A world's troubles.
pub struct Troubles {
    waiting: Mutex<Vec<Trouble>>,
    told: Arc<Mutex<Vec<String>>>,
    faults: Faults,
    scene: Scene,
    under_way: TaskTracker,
}

impl Troubles {
    /// No trouble yet.
    pub fn new(cloud: &Cloud, scene: Scene) -> Self {
        Self {
            waiting: Mutex::default(),
            told: Arc::default(),
            faults: cloud.faults(),
            scene,
            under_way: TaskTracker::new(),
        }
    }

    /// Takes orders, which wait from now on.
    ///
    /// # Errors
    /// When one strikes what is not there; then none is taken.
    pub fn order(&self, orders: &[Trouble]) -> Result<(), WorldError> {
        for order in orders {
            self.scene.check(&order.what)?;
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(orders);
        Ok(())
    }

    /// The run begins, or a step does: what waited for it comes into force.
    pub fn begins(&self, step: Option<&str>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, later) = waiting.drain(..).partition(|trouble| is_due(trouble.at.as_deref(), step));
        *waiting = later;
        drop(waiting);
        for Trouble { what, .. } in now {
            self.strike(what);
        }
    }

    fn strike(&self, what: What) {
        if let What::Call { service, operation, when, kind } = &what {
            self.faults.add(service, operation, *when, *kind);
            return;
        }
        let (scene, told) = (self.scene.clone(), self.told.clone());
        self.under_way.spawn(async move {
            let ended = match scene.strike(&what).await {
                Ok(()) => format!("{what}"),
                Err(error) => format!("{what}: it could not be done: {error}"),
            };
            tracing::info!("{ended}");
            told.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
        });
    }

    /// Ends what goes wrong with calls, and waits for the rest to end by itself.
    pub async fn over(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.faults.clear();
        self.scene.shared.lock().silent.clear();
        self.scene.shared.changed();
        self.under_way.close();
        self.under_way.wait().await;
        self.under_way.reopen();
    }

    /// What went wrong so far, a line each.
    pub fn told(&self) -> Vec<String> {
        let calls =
            self.faults.struck().into_iter().map(|hit| format!("{}:{} {:?}", hit.service, hit.operation, hit.kind));
        calls.chain(self.told.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned()).collect()
    }
}

/// Whether a trouble that waits for `at` is due when `begun` begins (nothing: the run). Steps of one kind have its name
/// before the first colon of their ids.
fn is_due(at: Option<&str>, begun: Option<&str>) -> bool {
    match (at, begun) {
        (None, None) => true,
        (Some(at), Some(begun)) => at == begun || begun.split(':').next() == Some(at),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_its_first_step() {
        assert!(is_due(Some("dns-weights"), Some("dns-weights:pages:50")));
        assert!(is_due(Some("dns-weights:pages:50"), Some("dns-weights:pages:50")));
        assert!(!is_due(Some("dns-weights:pages:100"), Some("dns-weights:pages:50")));
        assert!(!is_due(Some("targets"), Some("targets-of-others")) && !is_due(None, Some("targets")));
        assert!(is_due(None, None) && !is_due(Some("targets"), None));
    }
}
