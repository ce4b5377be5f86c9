//! How requests and answers look on the wire, whatever the protocol: both are a tree of named [`Node`]s.

mod cbor;
mod common;
pub mod constraint;
mod ec2;
mod error;
mod json;
pub mod leaf;
mod node;
pub mod operation;
pub mod protocol;
pub mod query;
pub mod scope;
pub mod signature;
pub mod xml;

pub use error::{ApiError, refuse};
pub use node::Node;
