//! The events as lines for a person, the same in bars and plain.

use crate::event::{Event, Gate, Judgement, Outcome};
use crate::text::visible;

use super::paint::Paint;

/// Writes events as lines and remembers which step is the present one.
#[derive(Debug)]
pub struct Lines {
    paint: Paint,
    run: String,
    step: Option<(String, usize, usize)>,
}

impl Lines {
    /// With or without colour.
    pub fn new(paint: Paint) -> Self {
        Self { paint, run: String::new(), step: None }
    }

    /// The lines for an event; progress has none.
    pub fn of(&mut self, event: &Event) -> Vec<String> {
        let paint = self.paint;
        match event {
            Event::RunStarted { run, steps, resumed } => {
                self.run.clone_from(run);
                let how = if *resumed { "goes on" } else { "begins" };
                vec![paint.strong(&format!("run {run} {how}, {steps} steps"))]
            }
            Event::StepStarted { step, title, number, of } => {
                self.step = Some((step.clone(), *number, *of));
                vec![self.line(step, &clean(title))]
            }
            Event::Note { step: Some(step), text } => vec![self.line(step, &clean(text))],
            Event::Note { step: None, text } => vec![clean(text)],
            Event::Progress { .. } => Vec::new(),
            Event::Waiting { step, why, seconds } => {
                let text = format!("{} {}", paint.mind("waits"), for_(*seconds, why));
                vec![self.line(step, &text)]
            }
            Event::Judged { step, judgement } => vec![self.line(step, &told(judgement))],
            Event::StepDone { step, state, seconds } => {
                let text = match state.as_str() {
                    "already-so" => paint.faint("already so"),
                    _ => format!("{}, {seconds:.1} s", paint.good("done")),
                };
                vec![self.line(step, &text)]
            }
            Event::StepFailed { step, why } => vec![self.line(step, &Self::said(paint.bad("failed"), why))],
            Event::InDoubt { step, why } => {
                let text = format!("{}, looking again", Self::said(paint.mind("in doubt"), why));
                vec![self.line(step, &text)]
            }
            Event::RollingBack { why } => vec![Self::said(paint.mind("rolling back"), why)],
            Event::StepUndone { step, seconds } => vec![self.line(step, &format!("taken back, {seconds:.1} s"))],
            Event::Held { why, next } => self.end(&Self::said(paint.mind("on hold"), why), next),
            Event::Ended { outcome, next } => {
                let word = match outcome {
                    Outcome::Done => paint.good("done"),
                    Outcome::RolledBack => paint.mind("rolled back, all is as before"),
                    Outcome::NeedsAPerson => paint.bad("failed, and a person is needed"),
                    Outcome::OnHold => paint.mind("on hold"),
                };
                self.end(&format!("run {}: {word}", self.run), next)
            }
        }
    }

    /// A line of a step: its place, its id, the text.
    pub fn line(&self, step: &str, text: &str) -> String {
        let place = match &self.step {
            Some((present, number, of)) if present == step => {
                let wide = of.to_string().len();
                format!("[{number:wide$}/{of}] ")
            }
            _ => String::new(),
        };
        format!("{}{}: {text}", self.paint.faint(&place), self.paint.strong(step))
    }

    fn said(word: String, why: &str) -> String {
        if why.is_empty() { word } else { format!("{word}: {}", clean(why)) }
    }

    fn end(&self, first: &str, next: &str) -> Vec<String> {
        let mut lines = vec![first.to_owned()];
        if !next.is_empty() {
            lines.push(format!("{} {}", self.paint.strong("next:"), clean(next)));
        }
        lines
    }
}

/// A stage as `status` tells it: with the figures of every gate.
pub fn stage(step: &str, stage: &Judgement) -> String {
    let one = |gate: &Gate| format!("  {} {}: {}", gate.gate, gate.finding, clean(&gate.figures));
    let first = format!("{step}: {}", told(stage));
    std::iter::once(first).chain(stage.gates.iter().map(one)).collect::<Vec<_>>().join("\n")
}

/// A stage's measured share, its samples, and each gate.
fn told(stage: &Judgement) -> String {
    let share = stage.measured_share.map_or("nothing measured".to_owned(), |share| format!("{share:.1} % measured"));
    let [old, new] = stage.samples;
    let gates: Vec<String> = stage.gates.iter().map(|g| format!("{} {}", g.gate, g.finding)).collect();
    let why = if stage.reason.is_empty() { String::new() } else { format!("; {}", clean(&stage.reason)) };
    let dry = if stage.dry_run { " (dry run)" } else { "" };
    format!(
        "{} % meant, {share} of {} requests: {}{dry} ({}){why}",
        stage.weight,
        old + new,
        stage.verdict,
        gates.join(", ")
    )
}

/// `about 60 s: why`, or the reason alone where the time is unknown.
pub fn for_(seconds: u64, why: &str) -> String {
    if seconds == 0 { format!("until it is so: {}", clean(why)) } else { format!("about {seconds} s: {}", clean(why)) }
}

/// On one line, and unable to steer the terminal: the text may come from a service or a container.
fn clean(text: &str) -> String {
    visible(&text.trim().replace("\r\n", "\n").replace('\n', " ⏎ "))
}
