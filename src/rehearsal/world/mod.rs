//! One process that is everything a rehearsal meets over the wire.

pub mod boxcopy;
mod error;
mod files;
pub mod hosts;
pub mod owner;
mod parcel;
mod patience;
mod progress;
pub mod rds;
mod spec;

pub use error::{Result, WorldError};
pub use progress::{Part, Progress};
pub use spec::{Spec, Visiting, Writes};
