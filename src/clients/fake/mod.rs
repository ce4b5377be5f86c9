//! Every port in memory, for the tests of steps and engine. Each changing call goes through a [`Fuse`], so that a
//! test can let the process die before or after any effect, or lose any answer. The fakes obey the laws that matter
//! to the steps; [`Stage`] puts them together with a demo site.

pub mod balancer;
pub mod certificates;
pub mod clock;
mod dial;
pub mod distributions;
pub mod dns;
pub mod fuse;
pub mod hosts;
pub mod instances;
pub mod metrics;
pub mod objects;
pub mod stage;
pub mod web;

pub use fuse::{Fuse, When};
pub use stage::Stage;
