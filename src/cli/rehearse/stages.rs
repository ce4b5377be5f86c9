//! The stages of a canary, as a rehearsal saw them.

use std::time::Instant;

use serde::Serialize;

use crate::event::{Event, Finding, Gate, Judgement};

/// What was seen of a run, each event with its moment.
pub type Seen = Vec<(Instant, Event)>;

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stage {
    /// The new side's share that was meant, in percent.
    pub weight: u8,
    /// The share that was measured, in percent.
    pub measured_share: Option<f64>,
    /// The requests it rests on: the old side's and the new side's.
    pub samples: [u64; 2],
    /// How the last look at it ended.
    pub verdict: Finding,
    /// Why.
    pub reason: String,
    /// How long it took, in seconds that really went by.
    pub seconds: f64,
    /// How long after a verdict that took it back the old weights were read back, in milliseconds that really went by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_ms: Option<u128>,
    /// Each gate, as it stood last.
    pub gates: Vec<Gate>,
}

/// The stages, in order, each with its last judgement.
pub fn stages(seen: &Seen) -> Vec<Stage> {
    let mut stages: Vec<(String, Stage)> = Vec::new();
    let mut began: Option<(&str, Instant)> = None;
    let mut failed: Option<(&str, Instant)> = None;
    for (at, event) in seen {
        match event {
            Event::StepStarted { step, .. } => began = Some((step, *at)),
            Event::StepFailed { step, .. } => failed = Some((step, *at)),
            Event::Judged { step, judgement } => {
                let since = began.filter(|(present, _)| present == step).map_or(0.0, |(_, since)| seconds(since, *at));
                stages.retain(|(known, _)| known != step);
                stages.push((step.clone(), of(judgement, since)));
            }
            Event::Note { step: Some(step), text } if text.ends_with("as is read back") => {
                let Some((_, at_failure)) = failed.take_if(|(wrong, _)| wrong == step) else { continue };
                if let Some((_, stage)) = stages.iter_mut().find(|(known, _)| known == step) {
                    stage.back_ms = Some(at.saturating_duration_since(at_failure).as_millis());
                }
            }
            _ => {}
        }
    }
    stages.into_iter().map(|(_, stage)| stage).collect()
}

fn of(judgement: &Judgement, seconds: f64) -> Stage {
    Stage {
        weight: judgement.weight,
        measured_share: judgement.measured_share,
        samples: judgement.samples,
        verdict: judgement.verdict,
        reason: judgement.reason.clone(),
        seconds,
        back_ms: None,
        gates: judgement.gates.clone(),
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    (to.saturating_duration_since(from).as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stage_is_its_last_judgement_and_how_soon_it_was_taken_back() {
        let start = Instant::now();
        let judged = |weight, verdict| Judgement {
            weight,
            measured_share: Some(f64::from(weight)),
            samples: [75, 25],
            window_seconds: 60,
            verdict,
            reason: "errors".into(),
            dry_run: false,
            gates: Vec::new(),
        };
        let step = |n: u8| format!("shift-targets:{n}");
        let begins = |n: u8| Event::StepStarted { step: step(n), title: String::new(), number: 1, of: 2 };
        let tells = |n: u8, verdict| Event::Judged { step: step(n), judgement: judged(n, verdict) };
        let back = Event::Note { step: Some(step(25)), text: "100 again, as is read back".into() };
        let events = [
            begins(5),
            tells(5, Finding::Inconclusive),
            tells(5, Finding::Passed),
            begins(25),
            tells(25, Finding::Failed),
            Event::StepFailed { step: step(25), why: "errors".into() },
            back,
        ];
        let seen = (0..).zip(events).map(|(n, event)| (start + Duration::from_millis(n * 500), event)).collect();
        let stages = stages(&seen);
        let told: Vec<_> = stages.iter().map(|s| (s.weight, s.verdict, s.seconds, s.back_ms)).collect();
        assert_eq!(told, [(5, Finding::Passed, 1.0, None), (25, Finding::Failed, 0.5, Some(500))]);
    }
}
