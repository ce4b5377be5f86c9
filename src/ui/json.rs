//! One JSON object a line on standard output, for programs.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use crate::event::Event;

use super::Display;

/// How often a thing being counted gets an object.
const EVERY: Duration = Duration::from_secs(1);

/// JSON lines.
pub struct Json<W> {
    out: W,
    told: HashMap<(String, String), Duration>,
}

impl<W: Write> Json<W> {
    /// Objects into `out`.
    pub fn new(out: W) -> Self {
        Self { out, told: HashMap::new() }
    }

    /// Whether progress may be skipped now: what was told a moment ago, unless it is complete.
    fn is_too_soon(&mut self, event: &Event, now: Duration) -> bool {
        let Event::Progress { step, label, done, total, .. } = event else { return false };
        let last = self.told.get(&(step.clone(), label.clone()));
        let soon = last.is_some_and(|last| now.saturating_sub(*last) < EVERY) && (done < total || *total == 0);
        if !soon {
            self.told.insert((step.clone(), label.clone()), now);
        }
        soon
    }
}

impl<W: Write + Send> Display for Json<W> {
    fn show(&mut self, event: &Event, now: Duration) {
        if self.is_too_soon(event, now) {
            return;
        }
        if let Ok(line) = serde_json::to_string(event) {
            // Nobody reads any more: the run goes on all the same.
            let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        }
    }

    fn tick(&mut self, _: Duration) {}
}
