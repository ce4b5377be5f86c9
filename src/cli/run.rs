//! `outgrow run`: executes a sealed plan, or plans a site and executes that; guided on a terminal.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::args::{Global, Resume, Rollback, Run};
use super::failure::{Failure, Outcome as Ending};
use super::session::{How, Session, Wish};
use super::{load, out, plan, reaching};
use crate::engine::{Answer, Companion, Item};
use crate::event::Outcome;
use crate::home::{Home, RunDir, new_id};
use crate::plan::{Plan, Sealed, moved, render};
use crate::step::Reversal;
use crate::ui::paint::Paint;
use crate::ui::prompt::{self, Ask, Question};
use crate::ui::{Mode, Ui, guide};

/// `outgrow run`.
pub async fn run(args: &Run, global: &Global) -> Ending {
    let home = open(global)?;
    let sealed = is_sealed(&args.what);
    let (plan, reach) = if sealed { unseal(&home, args).await? } else { make(&home, args).await? };
    plan::refuse_blocked(&plan)?;
    let mut asker = prompt::fitting(args.yes);
    let guided = Mode::fitting(global.json) == Mode::Bars && !args.yes;
    if !guided {
        out::say(&render::render(&plan, args.whole));
        agree(&mut *asker, &format!("Execute these {} steps?", plan.steps.len()))?;
    }
    let run = load::new_run(&home, &plan)?;
    let digest = save(&plan, &run)?;
    out::say(&format!("run {} · to look in from elsewhere: outgrow status {0}", run.id));
    let (events, ui) = Ui::start(Mode::fitting(global.json), Paint::fitting(global.no_color));
    let ui = Arc::new(ui);
    let companion = guided.then(|| companion(asker, args.whole, global, &ui));
    let how = How { companion, ..How::default() };
    let session = Session::with(&home, run, digest, reach, how, events);
    finish(ui, session?.drive(Wish::Begin).await)
}

/// `outgrow resume`.
pub async fn resume(args: &Resume, global: &Global) -> Ending {
    let home = open(global)?;
    let run = home.run(&args.run).map_err(|e| Failure::bad_input(e.to_string()))?;
    let (events, ui) = Ui::start(Mode::fitting(global.json), Paint::fitting(global.no_color));
    let guided = Mode::fitting(global.json) == Mode::Bars && !args.yes;
    let ui = Arc::new(ui);
    let companion = guided.then(|| companion(prompt::fitting(false), false, global, &ui));
    let session = Session::open(&home, run, How { companion, ..How::default() }, events).await?;
    let plan = session.plan().clone();
    last(ui, session.drive(Wish::Resume).await, &plan).await
}

/// `outgrow rollback`.
pub async fn rollback(args: &Rollback, global: &Global) -> Ending {
    let home = open(global)?;
    let run = home.run(&args.run).map_err(|e| Failure::bad_input(e.to_string()))?;
    let sealed = Sealed::load(&run.plan()).map_err(|e| Failure::bad_input(e.to_string()))?;
    let state = super::status::state_of(&run)?;
    for step in state.steps.iter().rev().filter(|s| s.progress.wants_undo()) {
        if let Some(planned) = sealed.plan.steps.iter().find(|p| p.id == step.id) {
            out::say(&format!("  {} · back: {}", planned.id, render::price(planned)));
        }
    }
    agree(&mut *prompt::fitting(args.yes), &format!("Take run {} back?", run.id))?;
    let (events, ui) = Ui::start(Mode::fitting(global.json), Paint::fitting(global.no_color));
    let ui = Arc::new(ui);
    let how = How { may_lose_writes: args.accept_loss, ..How::default() };
    let session = Session::open(&home, run, how, events).await?;
    let outcome = session.drive(Wish::RollBack("a person took it back".to_owned())).await;
    let as_asked = matches!(outcome, Ok(Outcome::RolledBack));
    let code = last(ui, outcome, &sealed.plan).await?;
    // 3 says that a run failed and went back by itself; this one did what it was told.
    Ok(if as_asked { ExitCode::SUCCESS } else { code })
}

fn open(global: &Global) -> Result<Home, Failure> {
    Home::open(global.home.as_deref()).map_err(|e| Failure::bad_input(e.to_string()))
}

/// A sealed plan is JSON with a digest; a site file is YAML.
fn is_sealed(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|text| text.trim_ascii_start().starts_with(b"{"))
}

async fn unseal(home: &Home, args: &Run) -> Result<(Plan, crate::step::Reach), Failure> {
    let sealed = Sealed::load(&args.what).map_err(|e| Failure::bad_input(e.to_string()))?.plan;
    if sealed.rehearsal.is_some() {
        return Err(Failure::bad_input("this is a rehearsal's plan; it is for that rehearsal's world alone")
            .hint("plan the site: outgrow plan SITE --out FILE"));
    }
    if args.playbook.is_some() {
        return Err(Failure::bad_input("a sealed plan has its playbook already")
            .hint("leave --playbook out, or name the site file instead of the plan"));
    }
    if home.run(&sealed.id).is_ok() {
        return Err(Failure::bad_input(format!("this plan was executed already, as run {}", sealed.id))
            .hint("a plan runs once; make a new one with `outgrow plan --out`, or go on with `outgrow resume`"));
    }
    // What it was made from is looked at again; the same playbook is in the plan's own steps.
    let key = load::key(home, &sealed.id);
    let reach = reaching::connect(&sealed.site, None, &key).await?;
    let now = crate::plan::draft::again(&sealed, &reach.look(Arc::new(sealed.site.clone()), &sealed.id)).await;
    let lines = moved::moved(&sealed, &now);
    if lines.is_empty() {
        return Ok((sealed, reach));
    }
    let mut failure = Failure::bad_input("what the plan was made from has moved since; nothing was changed");
    for line in lines {
        failure = failure.because(line);
    }
    Err(failure.hint(format!("look at it, and plan anew: outgrow plan … --out {}", args.what.display())))
}

async fn make(home: &Home, args: &Run) -> Result<(Plan, crate::step::Reach), Failure> {
    let site = load::site(&args.what)?;
    let playbook = load::playbook(args.playbook.as_deref().unwrap_or_else(|| Path::new("one-shot")))?;
    let id = new_id();
    let made = load::plan(&site, &playbook, &id, load::key(home, &id), None).await?;
    Ok((made.plan, made.reach))
}

/// Seals the plan into the run's directory.
pub fn save(plan: &Plan, run: &RunDir) -> Result<Sealed, Failure> {
    let sealed = Sealed::new(plan.clone());
    sealed.save(&run.plan()).map_err(|e| Failure::bad_input(e.to_string()))?;
    Ok(sealed)
}

fn agree(asker: &mut dyn Ask, text: &str) -> Result<(), Failure> {
    match asker.confirm(Question { text, flag: "--yes", default: false }) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::bad_input("not agreed to; nothing was changed")),
        Err(error) => Err(Failure::bad_input(error.to_string()).hint(error.hint())),
    }
}

/// Waits for the display, and turns how the run ended into the exit code.
pub fn finish(ui: Arc<Ui>, outcome: Result<Outcome, Failure>) -> Ending {
    // The engine and its companion are gone by now, so this is the last hand on it.
    drop(ui);
    Ok(ExitCode::from(outcome?.exit_code()))
}

/// The same for a run that was taken up again: a rehearsal that is over tells what its ledger found.
async fn last(ui: Arc<Ui>, outcome: Result<Outcome, Failure>, plan: &Plan) -> Ending {
    let over = matches!(outcome, Ok(Outcome::Done | Outcome::RolledBack));
    let ending = finish(ui, outcome)?;
    if over {
        super::rehearse::last_words(plan).await?;
    }
    Ok(ending)
}

fn companion(asker: Box<dyn Ask>, whole: bool, global: &Global, ui: &Arc<Ui>) -> Arc<dyn Companion> {
    let paint = Paint::fitting(global.no_color);
    Arc::new(Guide {
        asker: Arc::new(Mutex::new(asker)),
        most: if whole { usize::MAX } else { 24 },
        paint,
        ui: Arc::clone(ui),
    })
}

/// The guided migration: a card and a question before each step.
struct Guide {
    asker: Arc<Mutex<Box<dyn Ask>>>,
    most: usize,
    paint: Paint,
    ui: Arc<Ui>,
}

#[async_trait]
impl Companion for Guide {
    async fn may_begin(&self, item: &Item, number: usize, of: usize) -> Answer {
        let planned = &item.planned;
        let back = render::price(planned);
        let grave = matches!(planned.draft.as_ref().map(|d| &d.reversal), Some(r) if *r != Reversal::Exact);
        let card = guide::Card {
            number,
            of,
            id: &planned.id,
            title: &planned.title,
            explanation: &planned.explain,
            lines: planned.draft.as_ref().map(|d| d.lines.as_slice()),
            back: &back,
            grave,
        };
        self.ui.settle();
        out::say(&guide::card(&card, self.most, self.paint));
        if planned.draft.is_none() {
            return Answer::Go;
        }
        let asker = Arc::clone(&self.asker);
        let choices = ["do it", "stop here (resume later)", "take everything back"];
        let chosen = tokio::task::spawn_blocking(move || {
            let mut asker = asker.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            asker.choose("What now?", "--yes", &choices)
        });
        match chosen.await {
            Ok(Ok(0)) => Answer::Go,
            Ok(Ok(2)) => Answer::RollBack,
            // Escape, Ctrl-C, a lost terminal: the safe thing is to stay.
            _ => Answer::Hold,
        }
    }
}
