//! How requests and answers look on the wire, whatever the protocol: both are a tree of named [`Node`]s.

mod error;
mod node;
pub mod operation;
pub mod query;
pub mod scope;
pub mod xml;

pub use error::{ApiError, refuse};
pub use node::Node;
