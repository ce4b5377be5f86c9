//! Moving bars on a terminal: finished lines above, below them the present step with its clock and a bar for each
//! thing being counted.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::Event;

use super::Display;
use super::lines::{Lines, for_};
use super::meter::Meter;
use super::paint::Paint;

/// Something that is done sooner gets no bar, so that nothing flickers.
const PATIENCE: Duration = Duration::from_millis(250);
/// After so much silence the present step says that it is alive.
const SILENCE: Duration = Duration::from_secs(10);

/// Bars.
pub struct Bars {
    screen: MultiProgress,
    lines: Lines,
    present: Option<Present>,
    counted: HashMap<(String, String), Counted>,
}

/// The step that is being done.
struct Present {
    step: String,
    since: Duration,
    heard: Duration,
    /// Why it waits, and until when.
    waits: Option<(String, Duration)>,
    bar: Option<ProgressBar>,
}

/// A thing being counted.
struct Counted {
    meter: Meter,
    bar: Option<ProgressBar>,
    done: u64,
    total: u64,
    bytes: bool,
}

impl Bars {
    /// On standard error.
    pub fn new(paint: Paint) -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(12), paint)
    }

    fn on(target: ProgressDrawTarget, paint: Paint) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        Self { screen, lines: Lines::new(paint), present: None, counted: HashMap::new() }
    }

    fn say(&self, line: &str) {
        // A terminal that is gone is no reason to stop the run.
        let _ = self.screen.println(line);
    }

    fn clear(&mut self) {
        for (_, counted) in self.counted.drain() {
            if let Some(bar) = counted.bar {
                bar.finish_and_clear();
            }
        }
        if let Some(bar) = self.present.take().and_then(|present| present.bar) {
            bar.finish_and_clear();
        }
    }

    fn progress(&mut self, event: &Event, now: Duration) {
        let Event::Progress { step, label, done, total, bytes } = event else { return };
        let fresh = || Counted { meter: Meter::new(now, *done), bar: None, done: 0, total: 0, bytes: *bytes };
        let counted = self.counted.entry((step.clone(), label.clone())).or_insert_with(fresh);
        (counted.done, counted.total) = (*done, *total);
        if *total > 0 && done >= total {
            if let Some(bar) = counted.bar.take() {
                bar.finish_and_clear();
            }
        } else if counted.bar.is_none() && counted.meter.age(now) >= PATIENCE {
            let bar = self.screen.add(ProgressBar::new((*total).max(1)));
            bar.set_style(style(*total));
            bar.set_prefix(label.clone());
            counted.bar = Some(bar);
        }
        counted.draw(now);
    }
}

impl Counted {
    fn draw(&self, now: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_length(self.total.max(1));
            bar.set_message(self.meter.tell(now, self.done, self.total, self.bytes));
            bar.set_position(self.done.min(self.total.max(1)));
        }
    }
}

impl Present {
    /// What the present step says below the finished lines.
    fn text(&self, lines: &Lines, now: Duration) -> String {
        let spent = now.saturating_sub(self.since).as_secs();
        match &self.waits {
            Some((why, until)) => {
                lines.line(&self.step, &format!("waits {}", for_(until.saturating_sub(now).as_secs(), why)))
            }
            None if now.saturating_sub(self.heard) >= SILENCE => {
                lines.line(&self.step, &format!("still working, {spent} s"))
            }
            None => lines.line(&self.step, &format!("{spent} s")),
        }
    }
}

/// A bar where the end is known, a line of text where it is not.
fn style(total: u64) -> ProgressStyle {
    let template = if total > 0 { "  {prefix} {bar:24} {msg}" } else { "  {prefix} {msg}" };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ")
}

impl Display for Bars {
    fn show(&mut self, event: &Event, now: Duration) {
        if let Some(present) = &mut self.present {
            present.heard = now;
            present.waits = None;
        }
        match event {
            Event::Progress { .. } => return self.progress(event, now),
            Event::Waiting { step, why, seconds } => {
                if let Some(present) = self.present.as_mut().filter(|present| present.step == *step) {
                    present.waits = Some((why.clone(), now + Duration::from_secs(*seconds)));
                    return;
                }
            }
            Event::StepStarted { step, .. } => {
                self.clear();
                let step = step.clone();
                self.present = Some(Present { step, since: now, heard: now, waits: None, bar: None });
            }
            Event::Note { .. } | Event::InDoubt { .. } | Event::Judged { .. } => {}
            _ => self.clear(),
        }
        for line in self.lines.of(event) {
            self.say(&line);
        }
    }

    fn tick(&mut self, now: Duration) {
        if let Some(present) = &mut self.present {
            if present.bar.is_none() && now.saturating_sub(present.since) >= PATIENCE {
                let bar = self.screen.insert(0, ProgressBar::new_spinner());
                let style = ProgressStyle::with_template("{spinner} {msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars("-\\|/ "));
                present.bar = Some(bar);
            }
            if let Some(bar) = &present.bar {
                bar.set_message(present.text(&self.lines, now));
                bar.tick();
            }
        }
        for counted in self.counted.values() {
            counted.draw(now);
        }
    }

    fn end(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
#[path = "bars_tests.rs"]
mod tests;
