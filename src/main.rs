//! The program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use outgrow::cli::{self, args::Cli};

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Cli::parse()).await
}
