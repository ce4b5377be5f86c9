//! Where a run stands, for `status` and for the socket: made from the journal's state alone, so that it can be told
//! of a running, a held and a dead run alike.

use serde::{Deserialize, Serialize};

use crate::event::Judgement;
use crate::journal::{Direction, Progress, State};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The run's id.
    pub run: String,
    /// In one word: `running`, `rolling-back`, `on-hold`, `done`, `rolled-back`, or `stopped` where no process is at
    /// work on a run that is not over.
    pub state: String,
    /// The step it is at, if any.
    pub step: Option<String>,
    /// That step's place, from 1.
    pub number: usize,
    /// How many steps there are.
    pub of: usize,
    /// Why it waits or is on hold or goes back, if so.
    pub why: Option<String>,
    /// What to do next, if anything.
    pub next: Option<String>,
    /// What was last measured of the stage it is at, or of the last one there was, with the step's id.
    #[serde(default)]
    pub stage: Option<(String, Judgement)>,
    /// Each step and how far it is.
    pub steps: Vec<(String, String)>,
}

impl Status {
    /// Of a run whose records add up to `state`; `alive` tells whether a process is at work on it.
    pub fn of(state: &State, alive: bool, waits: Option<String>) -> Self {
        let back = state.direction == Direction::Back;
        let index = if back { state.last_to_undo() } else { state.current() };
        let run = &state.run;
        let (word, why, next) = match (&state.ended, &state.held, alive) {
            (Some(crate::event::Outcome::Done), ..) => ("done", None, Some(format!("outgrow rollback {run}"))),
            (Some(_), ..) => ("rolled-back", state.back_because.clone(), None),
            (None, Some((why, next)), _) => ("on-hold", Some(why.clone()), Some(next.clone())),
            (None, None, false) => {
                let why = if index.is_some_and(|i| between_writers(state, i)) {
                    "its process died inside the handover: perhaps NO DATABASE TAKES WRITES until this is ended"
                } else {
                    "its process is gone; nothing moves until a person says so"
                };
                let why = why.to_owned();
                let way = if back { String::new() } else { format!(" or outgrow rollback {run}") };
                ("stopped", Some(why), Some(format!("outgrow resume {run}{way}")))
            }
            (None, None, true) if back => ("rolling-back", state.back_because.clone(), None),
            (None, None, true) => ("running", waits, Some(format!("outgrow pause {run} or outgrow abort {run}"))),
        };
        Self {
            run: run.clone(),
            state: word.to_owned(),
            step: index.map(|i| state.steps[i].id.clone()),
            number: index.map_or(state.steps.len(), |i| i + 1),
            of: state.steps.len(),
            why,
            next,
            stage: state.judged.clone(),
            steps: state.steps.iter().map(|s| (s.id.clone(), word_for(s.progress).to_owned())).collect(),
        }
    }
}

/// Whether a run that stopped at this step stopped where perhaps neither database serves the app: in the handover, in
/// pointing the app to its new database, or between the two.
fn between_writers(state: &State, at: usize) -> bool {
    let (before, step) = (state.steps[..at].last(), &state.steps[at]);
    let of_the_pair = ["database-handover", "app-config"].iter().any(|kind| step.id.starts_with(kind));
    of_the_pair && !matches!(step.progress, Progress::Waiting | Progress::Undone)
        || before.is_some_and(|step| step.id.starts_with("database-handover"))
}

/// How far a step is, in a word.
pub fn word_for(progress: Progress) -> &'static str {
    match progress {
        Progress::Waiting => "waiting",
        Progress::Intended => "begun",
        Progress::InDoubt => "in-doubt",
        Progress::Applied => "applied",
        Progress::Verified => "done",
        Progress::AlreadySo => "already-so",
        Progress::Failed => "failed",
        Progress::Undoing => "undoing",
        Progress::Undone => "undone",
        Progress::UndoFailed => "undo-failed",
    }
}
