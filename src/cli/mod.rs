//! The command line: one file a verb.

pub mod args;
pub mod cloud;
pub mod completions;
pub mod failure;
pub mod lint;
pub mod man;
pub mod schema;
