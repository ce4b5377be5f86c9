//! Every port in memory, for the tests of steps and engine. Each changing call goes through a [`Fuse`], so that a
//! test can let the process die before or after any effect, or lose any answer.

pub mod fuse;

pub use fuse::{Fuse, When};
