//! `outgrow discover`: drafts a site file from the box.

use std::process::ExitCode;

use super::args::Discover;
use super::failure::{Failure, Outcome};
use super::out;
use crate::clients::docker;
use crate::site::EngineAddress;

/// Looks at the engine and prints the draft.
pub async fn discover(args: &Discover) -> Outcome {
    let address: EngineAddress =
        args.engine.parse().map_err(|e: crate::site::engine_address::NotAnEngine| Failure::bad_input(e.to_string()))?;
    let host = docker::connect(&address).await.map_err(|e| Failure::bad_input(e.to_string()))?;
    let draft = crate::discover::discover(&*host, &address).await.map_err(|e| Failure::bad_input(e.to_string()))?;
    out::data(&draft)?;
    Ok(ExitCode::SUCCESS)
}
