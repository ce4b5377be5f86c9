//! The journal on its own: torn tails, broken middles, and transitions that may not be.

use std::time::SystemTime;

use proptest::prelude::*;

use super::*;
use crate::event::Outcome;

struct Memory(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Storage for Memory {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(())
    }
}

fn step(id: &str) -> String {
    id.to_owned()
}

fn story() -> Vec<Fact> {
    let change = serde_json::json!({"weight": 5, "이름": "값,\"sum\":\""});
    vec![
        Fact::Begun { run: "r1".into(), plan: "d".into(), steps: vec!["a".into(), "b".into()], by: "me@here".into() },
        Fact::Intent { step: step("a"), change: change.clone() },
        Fact::InDoubt { step: step("a"), why: "no answer".into() },
        Fact::Applied { step: step("a") },
        Fact::Verified { step: step("a") },
        Fact::Intent { step: step("b"), change },
        Fact::Failed { step: step("b"), why: "no".into() },
        Fact::RollingBack { why: "b failed".into() },
        Fact::Undoing { step: step("b") },
        Fact::UndoFailed { step: step("b"), why: "no answer".into() },
        Fact::Held { why: "stuck".into(), next: "try again".into() },
        Fact::Resumed { by: "me@here".into() },
        Fact::Undoing { step: step("b") },
        Fact::Undone { step: step("b") },
        Fact::Undoing { step: step("a") },
        Fact::Undone { step: step("a") },
        Fact::Ended { outcome: Outcome::RolledBack },
    ]
}

fn written(facts: &[Fact]) -> Vec<u8> {
    let bytes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut journal = Journal::new(&[], Box::new(Memory(bytes.clone()))).unwrap();
    for fact in facts {
        journal.write(SystemTime::now(), fact.clone()).unwrap();
    }
    let written = bytes.lock().unwrap();
    written.clone()
}

#[test]
fn what_was_written_reads_back() {
    let read = line::read(&written(&story())).unwrap();
    let facts: Vec<Fact> = read.records.iter().map(|r| r.fact.clone()).collect();
    assert_eq!(facts, story());
    let journal = Journal::new(&read.records, Box::new(Memory(std::sync::Arc::default()))).unwrap();
    assert_eq!(journal.state().ended, Some(Outcome::RolledBack));
    assert_eq!(journal.epoch(), 2);
}

#[test]
fn every_cut_of_the_file_reads_back_to_the_last_whole_line() {
    let text = written(&story());
    for cut in 0..text.len() {
        let read = line::read(&text[..cut]).unwrap();
        let whole = text[..cut].split(|b| *b == b'\n').count() - 1;
        assert_eq!(read.records.len(), whole, "cut at {cut}");
        assert!(text[..read.good].is_empty() || text[read.good - 1] == b'\n');
    }
}

#[test]
fn a_broken_middle_refuses_and_names_the_line() {
    let mut text = written(&story());
    let second = text.iter().position(|b| *b == b'\n').unwrap() + 30;
    text[second] ^= 1;
    assert_eq!(line::read(&text).unwrap_err().line, 2);
}

#[test]
fn a_lost_line_in_the_middle_refuses() {
    let text = written(&story());
    let lines: Vec<&[u8]> = text.split_inclusive(|b| *b == b'\n').collect();
    let without = [lines[0], lines[2], lines[3]].concat();
    assert!(line::read(&without).is_err());
}

#[test]
fn a_torn_tail_on_disk_is_cut_and_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.jsonl");
    let mut text = written(&story()[..2]);
    text.extend_from_slice(b"{\"seq\":3,\"at\":\"20");
    std::fs::write(&path, &text).unwrap();
    let mut journal = file::open(&path).unwrap();
    journal.write(SystemTime::now(), Fact::Applied { step: step("a") }).unwrap();
    let records = file::peek(&path).unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!(records[2].epoch, 2);
}

#[test]
fn going_back_never_turns_forward() {
    let mut facts = story()[..9].to_vec();
    let bytes = written(&facts);
    let read = line::read(&bytes).unwrap();
    let mut journal = Journal::new(&read.records, Box::new(Memory(std::sync::Arc::default()))).unwrap();
    for fact in [
        Fact::Applied { step: step("b") },
        Fact::Intent { step: step("b"), change: serde_json::Value::Null },
        Fact::Ended { outcome: Outcome::Done },
        Fact::Ended { outcome: Outcome::RolledBack },
        Fact::Undoing { step: step("a") },
    ] {
        assert!(journal.write(SystemTime::now(), fact.clone()).is_err(), "{fact:?}");
    }
    facts.clear();
}

proptest! {
    /// Whatever facts are offered in whatever order, what the judge lets through reads back to the same state.
    #[test]
    fn what_is_let_through_replays_to_the_same_state(picks in proptest::collection::vec(0usize..17, 0..60)) {
        let story = story();
        let bytes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut journal = Journal::new(&[], Box::new(Memory(bytes.clone()))).unwrap();
        journal.write(SystemTime::now(), story[0].clone()).unwrap();
        for pick in picks {
            let _ = journal.write(SystemTime::now(), story[pick].clone());
        }
        let text = bytes.lock().unwrap().clone();
        let read = line::read(&text).unwrap();
        prop_assert_eq!(read.good, text.len());
        let mut replayed = State::default();
        for record in &read.records {
            replayed = replayed.next(record).unwrap();
        }
        let mut live = journal.state().clone();
        // The disk keeps time to the nanosecond, as the state does.
        live.steps.iter_mut().zip(&replayed.steps).for_each(|(l, r)| l.applied_at = r.applied_at);
        prop_assert_eq!(live, replayed);
    }
}
