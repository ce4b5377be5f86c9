//! One process that is everything a rehearsal meets over the wire: a copy of the box, new hosts, a database instance,
//! the AWS APIs, balancer, name server and CDN, the clock, the visitors and their ledger.
//!
//! [`run`] brings it up, tells where everything is ([`Ready`]), answers on the control socket ([`control`]) and takes
//! everything away in the end. It outlives the process that started it, so that a run which was killed finds the same
//! world again. Everything on the engine is labelled ([`owner`]): what a killed world leaves is removed by the next.

pub mod boxcopy;
mod console;
pub mod control;
mod error;
mod files;
pub mod fingerprint;
mod front;
pub mod hosts;
pub(super) mod issuer;
mod life;
pub(super) mod objects;
pub mod owner;
mod parcel;
mod patience;
mod progress;
pub mod rds;
pub mod ready;
mod report;
mod seed;
mod spec;
mod start;
pub mod trouble;
mod visit;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use error::{Result, WorldError};
pub use fingerprint::differences;
pub use life::{clean, run};
pub use progress::{Part, Progress};
pub use ready::Ready;
pub use spec::{Spec, Visiting, Writes};
pub use start::LOCAL as LOCAL_ENGINE;

use super::cloud::Cloud;
use super::edge::Edge;
use crate::clients::docker::lab::Lab;

/// A world that is up.
pub struct World {
    spec: Spec,
    lab: Lab,
    progress: Progress,
    cloud: Cloud,
    edge: Edge,
    copy: boxcopy::Copy,
    brought: Vec<String>,
    rds: rds::Rds,
    seeded: seed::Seeded,
    rows: fingerprint::Rows,
    visit: visit::Visit,
    troubles: trouble::Troubles,
    lease: watch::Sender<Option<Duration>>,
    ending: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}
