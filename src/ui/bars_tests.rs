//! The bars on a terminal made of text.

use std::fmt;
use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

/// A terminal that keeps what is written, with the cursor movements that bars use.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<(Vec<String>, usize)>>);

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Screen")
    }
}

impl Screen {
    fn text(&self) -> String {
        let inside = self.0.lock().unwrap();
        inside.0.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    fn change(&self, act: impl FnOnce(&mut Vec<String>, &mut usize)) {
        let inside = &mut *self.0.lock().unwrap();
        let (lines, at) = (&mut inside.0, &mut inside.1);
        act(lines, at);
        while lines.len() <= *at {
            lines.push(String::new());
        }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        100
    }
    fn move_cursor_up(&self, n: usize) -> std::io::Result<()> {
        self.change(|_, at| *at = at.saturating_sub(n));
        Ok(())
    }
    fn move_cursor_down(&self, n: usize) -> std::io::Result<()> {
        self.change(|_, at| *at += n);
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> std::io::Result<()> {
        self.write_str(text)?;
        self.change(|_, at| *at += 1);
        Ok(())
    }
    fn write_str(&self, text: &str) -> std::io::Result<()> {
        self.change(|lines, at| {
            while lines.len() <= *at {
                lines.push(String::new());
            }
            for (number, part) in text.split('\n').enumerate() {
                if number > 0 {
                    *at += 1;
                    lines.push(String::new());
                }
                // What follows a full line stands on the next, which bars rely on.
                if !part.is_empty() && crate::text::width(&lines[*at]) >= 100 {
                    *at += 1;
                    lines.push(String::new());
                }
                lines[*at].push_str(part);
            }
        });
        Ok(())
    }
    fn clear_line(&self) -> std::io::Result<()> {
        self.change(|lines, at| lines[*at].clear());
        Ok(())
    }
    fn flush(&self) -> std::io::Result<()> {
        Ok(())
    }
}

fn started() -> Event {
    Event::StepStarted { step: "static-site".into(), title: "the pages go to the bucket".into(), number: 1, of: 11 }
}

fn progress(done: u64) -> Event {
    Event::Progress { step: "static-site".into(), label: "upload".into(), done, total: 200 << 20, bytes: true }
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn bars() -> (Screen, Bars) {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), 255);
    (screen, Bars::on(target, Paint::PLAIN))
}

#[test]
fn a_bar_appears_once_it_is_worth_it_and_leaves_when_the_step_is_done() {
    let (screen, mut bars) = bars();
    bars.show(&started(), at(0));
    bars.show(&progress(1 << 20), at(10));
    bars.tick(at(100));
    assert!(bars.counted.values().all(|c| c.bar.is_none()), "too early for a bar");
    assert_eq!(screen.text(), "[ 1/11] static-site: the pages go to the bucket");
    bars.show(&progress(50 << 20), at(2010));
    bars.tick(at(2020));
    assert!(bars.counted.values().all(|c| c.bar.is_some()));
    bars.show(&Event::StepDone { step: "static-site".into(), state: "applied".into(), seconds: 4.25 }, at(4250));
    assert_eq!(
        screen.text(),
        "[ 1/11] static-site: the pages go to the bucket\n[ 1/11] static-site: done, 4.2 s",
        "the bars are gone"
    );
}

#[test]
fn a_silent_step_says_that_it_is_alive_and_a_waiting_one_why() {
    let (_, mut bars) = bars();
    bars.show(&started(), at(0));
    bars.tick(at(5_000));
    let text = |bars: &Bars, now| bars.present.as_ref().unwrap().text(&bars.lines, at(now));
    assert_eq!(text(&bars, 5_000), "[ 1/11] static-site: 5 s");
    assert_eq!(text(&bars, 12_000), "[ 1/11] static-site: still working, 12 s");
    let why = "the old TTL runs out".to_owned();
    bars.show(&Event::Waiting { step: "static-site".into(), why, seconds: 60 }, at(13_000));
    assert_eq!(text(&bars, 23_000), "[ 1/11] static-site: waits about 50 s: the old TTL runs out");
}
