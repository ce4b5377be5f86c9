//! Bars, plain lines, JSON and prompts; they see events, nothing else.
//!
//! Standard output carries data only: JSON, plans, tables. Everything that is said along the way goes to standard
//! error.

mod bars;
pub mod guide;
mod json;
mod lines;
mod meter;
pub mod paint;
mod plain;
pub mod prompt;
mod queue;
pub mod table;

pub use lines::stage;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::event::{Event, Sink};
use paint::Paint;
use queue::Queue;

/// How often a display gets to look at the time.
const TICK: Duration = Duration::from_millis(100);

/// How events are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Moving bars on a terminal.
    Bars,
    /// A line an event.
    Plain,
    /// A JSON object a line, on standard output.
    Json,
}

impl Mode {
    /// What fits: JSON if it was asked for, bars if a person is looking, lines otherwise.
    pub fn fitting(json: bool) -> Self {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Bars,
            (false, false) => Self::Plain,
        }
    }
}

/// A display that takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something that shows events. Times count from the start of the display.
trait Display: Send {
    /// Shows an event.
    fn show(&mut self, event: &Event, now: Duration);
    /// Some time has gone by.
    fn tick(&mut self, now: Duration);
    /// Nothing will come any more.
    fn end(&mut self) {}
}

/// A running display. Dropping it without [`Ui::finish`] also shows what is left.
pub struct Ui {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Ui {
    /// Starts a display on a thread of its own, so that a slow terminal never holds up a run. What is sent into the
    /// sink is shown in order; of progress that comes too fast only the latest.
    pub fn start(mode: Mode, paint: Paint) -> (Sink, Self) {
        Self::on(match mode {
            Mode::Bars => Box::new(bars::Bars::new(paint)),
            Mode::Plain => Box::new(plain::Plain::new(std::io::stderr(), paint)),
            Mode::Json => Box::new(json::Json::new(std::io::stdout())),
        })
    }

    fn on(mut display: Box<dyn Display>) -> (Sink, Self) {
        let queue = Arc::new(Queue::default());
        let (incoming, outgoing) = (Arc::clone(&queue), Arc::clone(&queue));
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            while let Some(events) = outgoing.take(TICK) {
                for event in &events {
                    display.show(event, start.elapsed());
                }
                display.tick(start.elapsed());
            }
            display.end();
        });
        (Sink::new(move |event| incoming.put(event)), Self { queue, thread: Some(thread) })
    }

    /// Waits until everything that was sent so far is shown, so that a question can be asked below it. Between two
    /// steps no bar is moving.
    pub fn settle(&self) {
        self.queue.settle(PATIENCE);
    }

    /// Waits until everything is shown, and clears the bars away.
    pub fn finish(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A display that panicked has shown what it could; the run's own result counts.
            let _ = thread.join();
        }
    }
}

impl Drop for Ui {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
