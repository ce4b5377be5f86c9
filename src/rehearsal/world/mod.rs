//! One process that is everything a rehearsal meets over the wire.

pub mod boxcopy;
mod error;
pub mod owner;
mod parcel;
mod patience;
mod progress;
mod spec;

pub use error::{Result, WorldError};
pub use progress::{Part, Progress};
pub use spec::{Spec, Visiting, Writes};
