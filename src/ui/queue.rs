//! What stands between a run and a display that may be slow: important events wait as long as they have to, progress
//! gives way to newer progress.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::event::Event;

/// With so many events waiting, progress is dropped.
const CROWDED: usize = 256;

#[derive(Default)]
struct Inside {
    waiting: VecDeque<Event>,
    /// What was taken is being shown.
    showing: bool,
    closed: bool,
}

/// A queue that never blocks who puts something in.
#[derive(Default)]
pub struct Queue {
    inside: Mutex<Inside>,
    something: Condvar,
    all_shown: Condvar,
}

impl Queue {
    /// Puts an event in.
    pub fn put(&self, event: Event) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = inside.waiting.len() >= CROWDED;
        match inside.waiting.back_mut() {
            Some(last) if is_newer(last, &event) => *last = event,
            _ if crowded && matches!(event, Event::Progress { .. }) => return,
            _ => inside.waiting.push_back(event),
        }
        self.something.notify_one();
    }

    /// Everything that waits, after at most `patience` if nothing does. `None` once it is closed and empty.
    /// Taking again says that what was taken before is shown.
    pub fn take(&self, patience: Duration) -> Option<VecDeque<Event>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.showing = false;
        self.all_shown.notify_all();
        let nothing = |inside: &mut Inside| inside.waiting.is_empty() && !inside.closed;
        let waited = self.something.wait_timeout_while(inside, patience, nothing);
        let (mut inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let events = std::mem::take(&mut inside.waiting);
        inside.showing = !events.is_empty();
        if events.is_empty() && inside.closed { None } else { Some(events) }
    }

    /// Waits until everything that was put in is shown, at most for so long.
    pub fn settle(&self, patience: Duration) {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |inside: &mut Inside| inside.showing || !inside.waiting.is_empty();
        drop(self.all_shown.wait_timeout_while(inside, patience, open));
    }

    /// Nothing comes any more.
    pub fn close(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.something.notify_one();
    }
}

/// Whether an event is later progress of the very same thing.
fn is_newer(last: &Event, event: &Event) -> bool {
    match (last, event) {
        (Event::Progress { step: a, label: x, .. }, Event::Progress { step: b, label: y, .. }) => a == b && x == y,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(label: &str, done: u64) -> Event {
        Event::Progress { step: "s".into(), label: label.into(), done, total: 0, bytes: false }
    }

    fn note(text: &str) -> Event {
        Event::Note { step: None, text: text.into() }
    }

    #[test]
    fn newer_progress_takes_the_place_of_older() {
        let queue = Queue::default();
        for done in 0..1_000_000 {
            queue.put(progress("a", done));
        }
        assert_eq!(queue.take(Duration::ZERO).unwrap(), [progress("a", 999_999)]);
    }

    #[test]
    fn nothing_important_is_dropped_however_crowded_it_is() {
        let queue = Queue::default();
        for number in 0..10_000 {
            queue.put(note(&number.to_string()));
            queue.put(progress(&number.to_string(), 1));
        }
        queue.close();
        let events = queue.take(Duration::ZERO).unwrap();
        let notes = events.iter().filter(|e| matches!(e, Event::Note { .. })).count();
        assert_eq!((notes, events.len() < 10_000 + CROWDED), (10_000, true));
        assert_eq!(queue.take(Duration::ZERO), None);
    }
}
