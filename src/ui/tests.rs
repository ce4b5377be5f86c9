use std::sync::Mutex;

use super::*;
use crate::event::Outcome;

/// A run that fails and goes back, with everything that can be said on the way; milliseconds and events.
fn story() -> Vec<(u64, Event)> {
    let (site, copy) = ("static-site".to_owned(), "database-copy".to_owned());
    let upload = |done: u64| Event::Progress {
        step: "static-site".into(),
        label: "upload".into(),
        done: done << 20,
        total: 200 << 20,
        bytes: true,
    };
    let started =
        |step: &str, title: &str, number| Event::StepStarted { step: step.into(), title: title.into(), number, of: 11 };
    let mut story = vec![
        (0, Event::RunStarted { run: "shop-1".into(), steps: 11, resumed: false }),
        (10, started("static-site", "the pages go to the bucket", 1)),
        (20, Event::Note { step: Some(site.clone()), text: "3 files unchanged\nskipped \u{1b}[31m".into() }),
    ];
    story.extend((0..=100).map(|tenth| (100 + tenth * 100, upload(tenth * 2))));
    story.extend([
        (10_500, Event::StepDone { step: site.clone(), state: "applied".into(), seconds: 10.49 }),
        (10_510, started("app-host", "the app goes to app-1", 2)),
        (10_600, Event::StepDone { step: "app-host".into(), state: "already-so".into(), seconds: 0.09 }),
        (10_610, started("database-copy", "the database is copied", 3)),
        (35_000, Event::Waiting { step: copy.clone(), why: "the instance is being modified".into(), seconds: 60 }),
        (35_500, Event::Waiting { step: copy.clone(), why: "the instance is being modified".into(), seconds: 59 }),
        (36_000, Event::InDoubt { step: copy.clone(), why: "no answer: copy orders".into() }),
        (37_000, Event::StepFailed { step: copy, why: "table 주문 has no room: disk full".into() }),
        (37_010, Event::RollingBack { why: "database-copy failed".into() }),
        (37_500, Event::StepUndone { step: site, seconds: 0.5 }),
        (37_600, Event::Held { why: "www.shop.test was changed".into(), next: "outgrow resume shop-1".into() }),
        (37_700, Event::Ended { outcome: Outcome::RolledBack, next: "free some room, then run the plan anew".into() }),
    ]);
    story
}

/// Plays events into a display, with a tick every 100 ms between them.
fn play(display: &mut dyn Display, story: &[(u64, Event)]) {
    let mut now = 0;
    for (at, event) in story {
        while now + 100 < *at {
            now += 100;
            display.tick(Duration::from_millis(now));
        }
        display.show(event, Duration::from_millis(*at));
    }
    display.end();
}

#[test]
fn plain_says_a_line_an_event() {
    let mut out = Vec::new();
    play(&mut plain::Plain::new(&mut out, Paint::PLAIN), &story());
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn json_is_an_object_a_line_and_reads_back() {
    let mut out = Vec::new();
    play(&mut json::Json::new(&mut out), &story());
    let text = String::from_utf8(out).unwrap();
    let read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let important = |events: &[Event]| events.iter().filter(|e| !matches!(e, Event::Progress { .. })).count();
    let sent: Vec<Event> = story().into_iter().map(|(_, event)| event).collect();
    assert_eq!(important(&read), important(&sent));
    insta::assert_snapshot!(text);
}

#[test]
fn a_display_that_nobody_reads_stops_nothing() {
    struct Broken;
    impl std::io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }
    play(&mut plain::Plain::new(Broken, Paint::PLAIN), &story());
    play(&mut json::Json::new(Broken), &story());
}

/// A display that takes its time and keeps what it sees.
struct Slow(Arc<Mutex<Vec<Event>>>);

impl Display for Slow {
    fn show(&mut self, event: &Event, _: Duration) {
        std::thread::yield_now();
        self.0.lock().unwrap().push(event.clone());
    }
    fn tick(&mut self, _: Duration) {}
}

#[test]
fn a_finished_display_has_shown_everything_in_order() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sink, ui) = Ui::on(Box::new(Slow(Arc::clone(&seen))));
    let sent: Vec<Event> = (0..5_000).map(|number| Event::Note { step: None, text: number.to_string() }).collect();
    for event in &sent {
        sink.send(event.clone());
    }
    ui.settle();
    assert_eq!(seen.lock().unwrap().len(), sent.len(), "a question comes after all that was said");
    ui.finish();
    assert_eq!(*seen.lock().unwrap(), sent);
    sink.send(sent[0].clone());
}
