//! The command line: one file a verb.

pub mod args;
mod clock;
pub mod completions;
pub mod failure;
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
mod status;
mod world;

use std::process::ExitCode;

use args::{Cli, Verb};
use failure::{Failure, Outcome};

/// Does what was typed, prints what went wrong, and gives the exit code.
pub async fn run(cli: Cli) -> ExitCode {
    log::start(cli.global.verbose);
    match verb(&cli).await {
        Ok(code) => code,
        Err(failure) => {
            if cli.global.json {
                out::data(&failure.json());
            }
            out::say(&failure.render());
            failure.into()
        }
    }
}

async fn verb(cli: &Cli) -> Outcome {
    let global = &cli.global;
    match &cli.verb {
        Verb::Plan(args) => plan::plan(args, global).await,
        Verb::Preflight(args) => plan::preflight(args, global).await,
        Verb::Run(args) => run::run(args, global).await,
        Verb::Resume(args) => run::resume(args, global).await,
        Verb::Rollback(args) => run::rollback(args, global).await,
        Verb::Status(args) => status::status(args, global).await,
        Verb::Runs => status::runs(global).await,
        Verb::Pause(args) => status::pull(args, global, crate::engine::socket::Request::Pause).await,
        Verb::Abort(args) => status::pull(args, global, crate::engine::socket::Request::Abort).await,
        Verb::Lint(args) => {
            let report = lint::lint(args);
            out::data(&if global.json { report.json().to_string() } else { report.render() });
            report.verdict().map(|()| ExitCode::SUCCESS)
        }
        Verb::Schema(args) => print(&schema::schema(args)),
        Verb::Completions(args) => print(&String::from_utf8_lossy(&completions::completions(args))),
        Verb::Man(args) => match &args.dir {
            Some(dir) => man::pages(dir).map(|()| ExitCode::SUCCESS),
            None => print(&String::from_utf8_lossy(&man::page()?)),
        },
        Verb::Rehearse(args) => rehearse::rehearse(args, global).await,
        Verb::Discover(_) | Verb::Cloud(_) => Err(Failure::bad_input("not yet")),
    }
}

fn print(text: &str) -> Outcome {
    out::data(text);
    Ok(ExitCode::SUCCESS)
}
