//! `outgrow database`: the database alone, without a site and a playbook.

pub mod args;
mod copy;
mod show;
mod url;
mod verify;

use args::{Database, DatabaseVerb};

use super::args::Global;
use super::failure::{Code, Failure, Outcome};
use crate::postgres::Error;

/// Does what was typed.
pub async fn database(args: &Database, global: &Global) -> Outcome {
    match &args.verb {
        DatabaseVerb::Copy(args) => copy::copy(args, global).await,
        DatabaseVerb::Verify(args) => verify::verify(args, global).await,
    }
}

/// A server's or our own refusal, with what to do.
fn failed(code: Code, what: &str, error: &Error) -> Failure {
    // The errors of this room say what to do in their own text.
    Failure::new(code, what).because(error.to_string())
}
