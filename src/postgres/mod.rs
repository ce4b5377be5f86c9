//! A PostgreSQL database on the move: looked at, copied, compared, brought up to date, fenced.
//!
//! * [`observe`] facts of a server and what will not survive the move
//! * [`copy`] schema, rows, sequences, large objects, roles, into an empty database
//! * [`verify`] digests of every table on both sides
//! * [`changed`] only what differs, under the fence, in either direction
//! * [`port`] what the steps need of all this, `adapter` how they get it
//! * [`follow`] every change since the copy, by logical replication
//! * [`handover`] the writable database changes, over that stream, there and back
//! * [`pooler`] clients wait meanwhile, and are sent on
//! * [`fence`] no application writes any more, and the way back
//!
//! Nothing needs a superuser on the receiving side.

pub mod adapter;
pub mod catalog;
pub mod changed;
pub mod copy;
pub mod digest;
mod error;
#[cfg(test)]
pub mod fake;
pub mod fence;
pub mod follow;
pub mod handover;
pub mod large_objects;
pub mod marker;
pub mod name;
pub mod observe;
pub mod pinned;
pub mod pooler;
pub mod port;
pub mod scram;
pub mod sequences;
pub mod tools;
pub mod verify;
mod wipe;

pub use crate::clients::postgres::{Dial, Endpoint, Session, Tls, Transport};
pub use error::{Error, Result};
pub use name::TableName;
pub use wipe::wipe;
