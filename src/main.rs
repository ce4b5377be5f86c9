//! The program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use outgrow::cli::args::Cli;
use outgrow::cli::failure::Failure;
use outgrow::cli::{offline, out};

fn main() -> ExitCode {
    let Cli { verb, global } = Cli::parse();
    let outcome = offline(verb, &global)
        .unwrap_or_else(|_| Err(Failure::bad_input("this build only checks files; it cannot reach a site")));
    outcome.unwrap_or_else(|failure| {
        out::failed(&failure, &global);
        failure.into()
    })
}
