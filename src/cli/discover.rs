//! `outgrow discover`: drafts a site file from the box. Only looks.

use std::process::ExitCode;

use super::args::Discover;
use super::failure::{Failure, Outcome};
use super::out;
use crate::clients::{ClientError, docker};
use crate::site::EngineAddress;
use crate::site::engine_address::NotAnEngine;

/// Looks at the engine and prints the draft.
pub async fn discover(args: &Discover) -> Outcome {
    let address: EngineAddress = args.engine.parse().map_err(|error: NotAnEngine| {
        let text = error.to_string();
        let (what, fix) = text.split_once(": ").unwrap_or((&text, "write it like `ssh://user@host`"));
        Failure::bad_input(what).hint(fix)
    })?;
    let unreached = |error: ClientError| {
        let hint =
            error.hint.clone().unwrap_or_else(|| format!("check that `docker -H {address} ps` answers from here"));
        Failure::bad_input(format!("the engine {address} could not be looked at")).because(error.to_string()).hint(hint)
    };
    let host = docker::connect(&address).await.map_err(unreached)?;
    let draft = crate::discover::discover(&*host, &address).await.map_err(unreached)?;
    out::data(&draft)?;
    Ok(ExitCode::SUCCESS)
}
