//! `outgrow plan` and `outgrow preflight`: look, and say what would be; change nothing.

use std::process::ExitCode;

use super::args::{Global, OfSite, Plan as Args};
use super::failure::{Failure, Outcome};
use super::{load, out};
use crate::home::{Home, new_id};
use crate::plan::{Plan, Sealed, render};

/// `outgrow plan`.
pub async fn plan(args: &Args, global: &Global) -> Outcome {
    let home = Home::open(global.home.as_deref()).map_err(|e| Failure::bad_input(e.to_string()))?;
    let (site, playbook) = (load::site(&args.site)?, load::playbook(&args.playbook)?);
    let id = new_id();
    let made = load::plan(&site, &playbook, &id, load::key(&home, &id), None).await?;
    show(&made.plan, args.whole, global.json)?;
    refuse_blocked(&made.plan)?;
    if let Some(path) = &args.out {
        let sealed = Sealed::new(made.plan);
        sealed.save(path).map_err(|e| Failure::bad_input(e.to_string()))?;
        out::say(&format!(
            "sealed in {} ({}); to execute it, once: outgrow run {0}",
            path.display(),
            &sealed.digest[..12]
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// `outgrow preflight`.
pub async fn preflight(args: &OfSite, global: &Global) -> Outcome {
    let home = Home::open(global.home.as_deref()).map_err(|e| Failure::bad_input(e.to_string()))?;
    let (site, playbook) = (load::site(&args.site)?, load::playbook("one-shot".as_ref())?);
    let id = new_id();
    let made = load::plan(&site, &playbook, &id, load::key(&home, &id), None).await?;
    if global.json {
        out::data(&serde_json::to_string(&made.plan.findings).unwrap_or_default())?;
    } else if made.plan.findings.is_empty() {
        out::data("nothing stands in the way\n")?;
    } else {
        out::data(&made.plan.findings.iter().map(render::tell).collect::<String>())?;
    }
    refuse_blocked(&made.plan)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a plan: text, or JSON.
pub fn show(plan: &Plan, whole: bool, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(plan).map_err(|e| Failure::bad_input(e.to_string()))?;
        out::data(&text)
    } else {
        out::data(&render::render(plan, whole))
    }
}

/// A plan with blockers is shown, and not run.
pub fn refuse_blocked(plan: &Plan) -> Result<(), Failure> {
    let blockers: Vec<_> = plan.blockers().collect();
    let Some(first) = blockers.first() else { return Ok(()) };
    let mut failure = Failure::bad_input(match blockers.len() {
        1 => "something stands in the way; nothing was changed".to_owned(),
        n => format!("{n} things stand in the way; nothing was changed"),
    });
    for blocker in &blockers {
        failure = failure.because(&blocker.what);
    }
    Err(failure.hint(&first.todo))
}
