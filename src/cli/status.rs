//! `outgrow status`, `runs`, `pause` and `abort`: a run as seen from another terminal.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::args::{Global, MaybeRun, OfRun};
use super::failure::{Code, Failure, Outcome};
use super::out;
use crate::engine::socket::{self, Request};
use crate::engine::status::Status;
use crate::home::{Home, RunDir};
use crate::journal::{State, file};
use crate::plan::{Sealed, render};
use crate::ui::table::Table;

/// `outgrow status`.
pub async fn status(args: &MaybeRun, global: &Global) -> Outcome {
    let home = open(global)?;
    let run = match &args.run {
        Some(id) => home.run(id).map_err(|e| bad(&e))?,
        None => home
            .runs()
            .map_err(|e| bad(&e))?
            .pop()
            .ok_or_else(|| Failure::bad_input("there is no run yet").hint("outgrow plan SITE, then outgrow run"))?,
    };
    let status = look(&run).await?;
    if global.json {
        out::data(&serde_json::to_string(&status).unwrap_or_default())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text =
        format!("run {} · {} · step {} of {}", status.run, status.state, status.number.min(status.of), status.of);
    if let Some(step) = &status.step {
        let _ = write!(text, " ({step})");
    }
    if let Some(why) = &status.why {
        let _ = write!(text, "\nwhy:  {why}");
    }
    if let Some((step, stage)) = &status.stage {
        let _ = write!(text, "\nstage: {}", crate::ui::stage(step, stage));
    }
    if let Some(next) = &status.next {
        let _ = write!(text, "\nnext: {next}");
    }
    out::data(&text)?;
    let sealed = Sealed::load(&run.plan()).ok();
    let mut table = Table::new(&["step", "state", "taking it back"]);
    for (id, state) in &status.steps {
        let planned = sealed.as_ref().and_then(|s| s.plan.steps.iter().find(|p| p.id == *id));
        table.row([id.clone(), state.clone(), planned.map(render::price).unwrap_or_default()]);
    }
    out::data(&table.render())?;
    Ok(ExitCode::SUCCESS)
}

/// `outgrow runs`.
pub async fn runs(global: &Global) -> Outcome {
    let home = open(global)?;
    let mut table = Table::new(&["run", "site", "playbook", ">step", "state"]);
    let mut all = Vec::new();
    for run in home.runs().map_err(|e| bad(&e))? {
        let Ok(status) = look(&run).await else {
            table.row([run.id.as_str(), "", "", "", "never began"]);
            continue;
        };
        let plan = Sealed::load(&run.plan()).ok().map(|s| s.plan);
        let (site, playbook) = plan.map(|p| (p.site.site, p.playbook)).unwrap_or_default();
        let step = format!("{}/{}", status.number.min(status.of), status.of);
        table.row([run.id.clone(), site, playbook, step, status.state.clone()]);
        all.push(status);
    }
    if global.json {
        out::data(&serde_json::to_string(&all).unwrap_or_default())?;
    } else {
        out::data(&table.render())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `outgrow pause` and `outgrow abort`.
pub async fn pull(args: &OfRun, global: &Global, request: Request) -> Outcome {
    let run = open(global)?.run(&args.run).map_err(|e| bad(&e))?;
    let told = socket::ask(&run.id, &run.path, request).await;
    match told.map_err(|e| Failure::of(Code::BadInput, "the run's process does not answer", &e))? {
        Some(status) => {
            out::say(&format!("told: run {} is {}, and obeys in the next safe place", status.run, status.state));
            Ok(ExitCode::SUCCESS)
        }
        None => Err(Failure::bad_input(format!("no process is at work on run {}", run.id))
            .hint(format!("see `outgrow status {0}`; `outgrow rollback {0}` takes it back", run.id))),
    }
}

/// What the journal of a run adds up to.
pub fn state_of(run: &RunDir) -> Result<State, Failure> {
    let of = |e: &dyn std::error::Error| Failure::of(Code::NeedsAPerson, "the run's journal cannot be read", e);
    let mut state = State::default();
    for record in file::peek(&run.journal()).map_err(|e| of(&e))? {
        state = state.next(&record).map_err(|e| of(&e))?;
    }
    Ok(state)
}

async fn look(run: &RunDir) -> Result<Status, Failure> {
    if let Ok(Some(status)) = socket::ask(&run.id, &run.path, Request::Status).await {
        return Ok(status);
    }
    Ok(Status::of(&state_of(run)?, false, None))
}

fn open(global: &Global) -> Result<Home, Failure> {
    Home::open(global.home.as_deref()).map_err(|e| bad(&e))
}

fn bad(error: &crate::home::HomeError) -> Failure {
    Failure::bad_input(error.to_string())
}
