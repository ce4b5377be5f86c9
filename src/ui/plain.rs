//! One line an event, for logs and for whoever reads them later. Progress at most every five seconds.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use crate::event::Event;

use super::Display;
use super::lines::Lines;
use super::meter::Meter;
use super::paint::Paint;

/// How often a thing being counted gets a line.
const EVERY: Duration = Duration::from_secs(5);
/// How often a wait for the same reason gets a line.
const EVERY_WAIT: Duration = Duration::from_mins(1);
/// After so much silence a line says that the run is alive.
const SILENCE: Duration = Duration::from_secs(10);

/// Plain lines.
pub struct Plain<W> {
    out: W,
    lines: Lines,
    counted: HashMap<(String, String), Counted>,
    step: Option<(String, Duration)>,
    waits: Option<(String, Duration)>,
    spoke: Duration,
}

struct Counted {
    meter: Meter,
    told: Duration,
}

impl<W: Write> Plain<W> {
    /// Lines into `out`.
    pub fn new(out: W, paint: Paint) -> Self {
        Self { out, lines: Lines::new(paint), counted: HashMap::new(), step: None, waits: None, spoke: Duration::ZERO }
    }

    fn say(&mut self, line: &str, now: Duration) {
        // Nobody reads any more: the run goes on all the same.
        let _ = writeln!(self.out, "{line}");
        self.spoke = now;
    }

    /// Whether this wait was told a moment ago. A step that waits says so again each time it looks.
    fn is_told(&mut self, why: &str, now: Duration) -> bool {
        let told = self.waits.as_ref().is_some_and(|(last, at)| last == why && now.saturating_sub(*at) < EVERY_WAIT);
        if !told {
            self.waits = Some((why.to_owned(), now));
        }
        told
    }

    fn progress(&mut self, event: &Event, now: Duration) {
        let Event::Progress { step, label, done, total, bytes } = event else { return };
        let key = (step.clone(), label.clone());
        let counted = self.counted.entry(key).or_insert_with(|| Counted { meter: Meter::new(now, *done), told: now });
        if now.saturating_sub(counted.told) >= EVERY {
            counted.told = now;
            let text = format!("{label} {}", counted.meter.tell(now, *done, *total, *bytes));
            let line = self.lines.line(step, &text);
            self.say(&line, now);
        }
    }
}

impl<W: Write + Send> Display for Plain<W> {
    fn show(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Progress { .. } => return self.progress(event, now),
            Event::Waiting { why, .. } if self.is_told(why, now) => return,
            Event::StepStarted { step, .. } => {
                self.counted.clear();
                self.waits = None;
                self.step = Some((step.clone(), now));
            }
            Event::StepDone { .. } | Event::StepFailed { .. } | Event::Held { .. } | Event::Ended { .. } => {
                self.step = None;
            }
            _ => {}
        }
        for line in self.lines.of(event) {
            self.say(&line, now);
        }
    }

    fn tick(&mut self, now: Duration) {
        if let Some((step, since)) = &self.step
            && now.saturating_sub(self.spoke) >= SILENCE
        {
            let line = self.lines.line(step, &format!("still working, {} s", now.saturating_sub(*since).as_secs()));
            self.say(&line, now);
        }
    }
}
