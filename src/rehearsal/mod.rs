//! The local cloud and the visitors: what `outgrow rehearse` moves a copy of the site into.
//!
//! [`state`] is what the cloud holds. `cloud` answers the AWS APIs over HTTP and is the only one that changes it;
//! `edge` is the data plane that acts on it (balancer, name server, CDN); `world` puts the two together with the
//! copy of the box, the new hosts, the databases, the clock, the visitors and their ledger; `alone` serves the cloud
//! and its edge without any of that, to whoever speaks AWS.
//! `policy` judges a resource's policy for both `cloud` and `edge`.
//! `answering` says what a name is answered with, for both as well.
//! `metrics` is what the data plane measures and `CloudWatch` tells.
//! Nothing in here is known to the steps: a run under rehearsal meets it over the wire only.

pub mod alone;
pub mod answering;
pub mod clock;
pub mod cloud;
pub mod edge;
mod glob;
pub mod ledger;
pub mod metrics;
mod policy;
pub mod state;
pub mod visitors;
pub mod world;
