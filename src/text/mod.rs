//! Small helpers for words on a terminal: how wide they are, and which known word an unknown one is near to.

mod near;
mod width;

pub use near::nearest;
pub use width::{pad, visible, width};
