//! The command line: one file a verb.

pub mod args;
pub mod completions;
pub mod failure;
pub mod lint;
pub mod man;
pub mod out;
pub mod schema;

use std::process::ExitCode;

use args::{Global, Verb};
use failure::{Failure, Outcome};

/// The verbs that look at nothing but files. The others are handed back.
pub fn offline(verb: Verb, global: &Global) -> Result<Outcome, Verb> {
    let done = |result: Result<(), Failure>| Ok(result.map(|()| ExitCode::SUCCESS));
    match verb {
        Verb::Lint(args) => done(lint::run(&args, global)),
        Verb::Schema(args) => done(out::data(&schema::schema(&args))),
        Verb::Completions(args) => done(completions::completions(&args).and_then(|script| out::data(&script))),
        Verb::Man(args) => done(man::run(&args)),
        other => Err(other),
    }
}
