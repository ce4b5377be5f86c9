//! The command line: one file a verb.

pub mod args;
mod clock;
mod cloud;
pub mod completions;
mod database;
mod discover;
pub mod failure;
pub mod laws;
pub mod lint;
mod load;
mod log;
pub mod man;
mod out;
mod plan;
mod reaching;
mod rehearse;
mod run;
pub mod schema;
mod session;
mod static_verb;
mod status;
mod world;
mod world_verb;

use std::process::ExitCode;

use args::{Cli, Verb};
use failure::{Failure, Outcome};

/// Does what was typed, prints what went wrong, and gives the exit code.
pub async fn run(cli: Cli) -> ExitCode {
    if !matches!(cli.verb, Verb::World(_)) {
        log::start(cli.global.verbose);
    }
    match verb(&cli).await {
        Ok(code) => code,
        Err(failure) => {
            out::failed(&failure, &cli.global);
            failure.into()
        }
    }
}

/// The long ones are boxed: all verbs together would make one future too big to lay out.
async fn verb(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.verb {
        Verb::Plan(args) => Box::pin(plan::plan(args, global)).await,
        Verb::Preflight(args) => Box::pin(plan::preflight(args, global)).await,
        Verb::Run(args) => Box::pin(run::run(args, global)).await,
        Verb::Resume(args) => Box::pin(run::resume(args, global)).await,
        Verb::Rollback(args) => Box::pin(run::rollback(args, global)).await,
        Verb::Status(args) => status::status(args, global).await,
        Verb::Runs => status::runs(global).await,
        Verb::Pause(args) => status::pull(args, global, crate::engine::socket::Request::Pause).await,
        Verb::Abort(args) => status::pull(args, global, crate::engine::socket::Request::Abort).await,
        Verb::Lint(args) => done(lint::run(args, global)),
        Verb::Schema(args) => done(out::data(&schema::schema(args))),
        Verb::Completions(args) => done(completions::completions(args).and_then(|script| out::data(&script))),
        Verb::Man(args) => done(man::run(args)),
        Verb::Rehearse(args) => Box::pin(rehearse::rehearse(args, global)).await,
        Verb::Discover(args) => discover::discover(args).await,
        Verb::Cloud(args) => Box::pin(cloud::cloud(args, global)).await,
        Verb::Database(args) => Box::pin(database::database(args, global)).await,
        Verb::Static(args) => Box::pin(static_verb::run(args, global)).await,
        Verb::Laws(args) => done(laws::run(args, global)),
        Verb::World(args) => Box::pin(world_verb::world(args)).await,
    }
}

fn done(result: Result<(), Failure>) -> Outcome {
    result.map(|()| ExitCode::SUCCESS)
}
