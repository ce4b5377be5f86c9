//! `outgrow rehearse`: the real engine, steps and clients against a copy of the box and a local cloud, with visitors
//! walking the site the whole time and a ledger that checks every acknowledged write afterwards.

pub mod faults;
mod result;
mod site;
mod stages;
mod start;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::args::{Global, Rehearse};
use super::failure::{Failure, Outcome as Ending};
use super::session::{How, Session, Wish};
use super::world::World;
use super::{load, out, plan, run};
use crate::event::{Event, Outcome, Sink};
use crate::home::{Home, RunDir, new_id};
use crate::plan::Sealed;
use crate::rehearsal::world::control::Request;
use crate::rehearsal::world::differences;
use crate::ui::paint::Paint;
use crate::ui::{Mode, Ui};
use result::Rehearsed;
use stages::Seen;

/// How long visitors walk before the first step and after the last, so that both states are seen.
const LOOK_AROUND: Duration = Duration::from_secs(2);

/// `outgrow rehearse`.
pub async fn rehearse(args: &Rehearse, global: &Global) -> Ending {
    let home = Home::open(global.home.as_deref()).map_err(|e| Failure::bad_input(e.to_string()))?;
    let (site, playbook) = (load::site(&args.site)?, load::playbook(&args.playbook)?);
    let id = new_id();
    let dir = home.rehearsals().join(&id);
    out::say(&format!("rehearsal {id} · a copy of the box and a local cloud come up (usually 10 to 20 s)"));
    let world = start::start(&dir, &id, &site, args).await?;
    let rehearsed = in_world(args, global, &home, &id, &dir, &world, &site, &playbook).await;
    // A run that holds can be gone on with only as long as its world is there.
    if args.keep || rehearsed.as_ref().is_ok_and(Rehearsed::holds) {
        out::say(&start::how_to_look(&world, &dir));
    } else {
        start::end(&world).await;
    }
    let rehearsed = rehearsed?;
    if global.json {
        out::data(&rehearsed.json().to_string())?;
    } else {
        out::data(&rehearsed.table())?;
    }
    Ok(rehearsed.exit_code())
}

#[expect(clippy::too_many_arguments, reason = "one call, everything a rehearsal is made of")]
async fn in_world(
    args: &Rehearse,
    global: &Global,
    home: &Home,
    id: &str,
    dir: &Path,
    world: &World,
    site: &crate::site::Site,
    playbook: &crate::playbook::model::Playbook,
) -> Result<Rehearsed, Failure> {
    let copied = site::in_world(site, world)?;
    let made = load::plan(&copied, playbook, id, load::key(home, id), Some((dir, world))).await?;
    check_fail_at(args.fail_at.as_deref(), &made.plan)?;
    if made.plan.blockers().next().is_some() {
        plan::show(&made.plan, false, false)?;
    }
    plan::refuse_blocked(&made.plan)?;
    let run = load::new_run(home, &made.plan)?;
    let sealed = run::save(&made.plan, &run)?;
    faults::order(args, playbook, &made.plan, world).await?;
    let before = world.ask(&Request::Fingerprint { later: false }).await?;
    world.ask(&Request::VisitorsStart).await?;
    tokio::time::sleep(LOOK_AROUND).await;
    let began = Instant::now();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut outcome = drive(args, global, home, &run, sealed, made.reach, world, &seen).await?;
    if args.roll_back && outcome == Outcome::Done {
        tokio::time::sleep(LOOK_AROUND).await;
        let (events, ui) = watch(global, args.keep, &seen);
        let session = Session::open(home, run.clone(), How::default(), events).await?;
        let result = session.drive(Wish::RollBack("the rehearsal takes it back".to_owned())).await;
        ui.finish();
        outcome = result?;
    }
    let seconds = began.elapsed().as_secs_f64();
    tokio::time::sleep(LOOK_AROUND).await;
    world.ask(&Request::VisitorsStop).await?;
    let report = world.ask(&Request::Report).await?;
    let as_before = match outcome {
        Outcome::RolledBack => Some(differences(&before, &world.ask(&Request::Fingerprint { later: true }).await?)),
        _ => None,
    };
    let events = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    Ok(Rehearsed::new(&made.plan, outcome, &events, seconds, report, as_before, args))
}

#[expect(clippy::too_many_arguments, reason = "one call, everything a session is made of")]
async fn drive(
    args: &Rehearse,
    global: &Global,
    home: &Home,
    run: &RunDir,
    sealed: Sealed,
    reach: crate::step::Reach,
    world: &World,
    seen: &Arc<Mutex<Seen>>,
) -> Result<Outcome, Failure> {
    let (events, ui) = watch(global, args.keep, seen);
    let events = faults::telling(&sealed.plan, world, events);
    let how = How { fail_at: args.fail_at.clone(), ..How::default() };
    let session = Session::with(home, run.clone(), sealed, reach, how, events)?;
    let outcome = session.drive(Wish::Begin).await;
    ui.finish();
    outcome
}

/// The display, with an ear on what it shows. Standard output is kept for the result.
fn watch(global: &Global, keep: bool, seen: &Arc<Mutex<Seen>>) -> (Sink, Ui) {
    let mode = if global.json { Mode::Plain } else { Mode::fitting(false) };
    let (shown, ui) = Ui::start(mode, Paint::fitting(global.no_color));
    let seen = Arc::clone(seen);
    let sink = Sink::new(move |event| {
        if !matches!(event, Event::Progress { .. }) {
            seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((Instant::now(), event.clone()));
        }
        // Its world goes with it: what a real run would be told to type next would find nothing.
        shown.send(match event {
            Event::Ended { outcome, .. } if !keep => {
                Event::Ended { outcome, next: "rehearse with --roll-back, or --keep to look around".to_owned() }
            }
            other => other,
        });
    });
    (sink, ui)
}

fn check_fail_at(wanted: Option<&str>, plan: &crate::plan::Plan) -> Result<(), Failure> {
    let Some(wanted) = wanted else { return Ok(()) };
    if plan.steps.iter().any(|s| s.id == wanted || s.kind == wanted) {
        return Ok(());
    }
    let all: Vec<&str> = plan.steps.iter().map(|s| s.id.as_str()).collect();
    Err(Failure::bad_input(format!("the plan has no step `{wanted}`")).hint(format!("name one of: {}", all.join(", "))))
}

/// What a resumed or rolled-back rehearsal tells at its end: the ledger's verdict. The world goes, unless it is kept.
pub async fn last_words(plan: &crate::plan::Plan) -> Result<(), Failure> {
    let Some(dir) = &plan.rehearsal else { return Ok(()) };
    let dir = PathBuf::from(dir);
    let world = World::read(&dir)?;
    world.ask(&Request::VisitorsStop).await?;
    let report = world.ask(&Request::Report).await?;
    out::say(&result::ledger_line(&report));
    if !dir.join(start::KEEP).exists() {
        start::end(&world).await;
    }
    Ok(())
}
