//! A process that can die: an engine on a journal that outlives it.

use std::io;
use std::sync::{Arc, Mutex};

use crate::clients::fake::Fuse;
use crate::clients::fake::stage::{RUN, Stage};
use crate::engine::control::Lever;
use crate::engine::{Engine, Item, Options};
use crate::event::{Outcome, Sink};
use crate::journal::{Journal, State, Storage, line};
use crate::plan::PlannedStep;
use crate::step::AnyStep;

/// What a run is made of, and what outlives a process: the world and the journal's bytes.
pub struct Play {
    pub stage: Stage,
    pub disk: Arc<Mutex<Vec<u8>>>,
    items: Vec<PlannedStep>,
    /// How a planned step comes to life.
    build: Build,
    /// A process that dies while writing a line leaves half of it.
    pub tears: bool,
}

/// How a planned step comes to life.
pub type Build = Arc<dyn Fn(&PlannedStep) -> Box<dyn AnyStep>>;

/// What a new process does with the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Forward,
    Back,
}

struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    fuse: Fuse,
    tears: bool,
}

impl Storage for Disk {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.fuse.act_now(|| self.bytes.lock().unwrap().extend_from_slice(line));
        if written.is_none() {
            if self.tears {
                let mut bytes = self.bytes.lock().unwrap();
                if !bytes.ends_with(line) {
                    bytes.extend_from_slice(&line[..line.len() / 2]);
                }
            }
            return Err(io::Error::other("the process is dead"));
        }
        Ok(())
    }
}

impl Play {
    /// Plans the steps on a fresh stage.
    pub async fn new(stage: Stage, steps: Vec<Box<dyn AnyStep>>) -> Self {
        let mut items = Vec::new();
        for step in steps {
            let draft = step.plan(&stage.look()).await.unwrap();
            items.push(PlannedStep::new(&*step, draft).unwrap());
        }
        let build = |planned: &PlannedStep| crate::steps::build(&planned.kind, &planned.parameters).unwrap();
        Self { stage, disk: Arc::default(), items, build: Arc::new(build), tears: false }
    }

    /// A run of these steps, which come to life by `build`.
    pub fn of(stage: Stage, items: Vec<PlannedStep>, build: Build) -> Self {
        Self { stage, disk: Arc::default(), items, build, tears: false }
    }

    /// One process: takes the run up from the journal and goes on until the run ends, holds, or the process dies
    /// (`None`).
    pub async fn process(&self, wish: Wish, options: Options) -> Option<Outcome> {
        let life = self.live(wish, options, Lever::default());
        let fuse = self.stage.fuse.clone();
        tokio::select! {
            biased;
            () = fuse.died() => None,
            outcome = life => outcome,
        }
    }

    /// The same with a lever in hand.
    pub async fn live(&self, wish: Wish, options: Options, lever: Lever) -> Option<Outcome> {
        let text = self.disk.lock().unwrap().clone();
        let read = line::read(&text).expect("a journal never breaks in the middle");
        self.disk.lock().unwrap().truncate(read.good);
        let disk = Disk { bytes: self.disk.clone(), fuse: self.stage.fuse.clone(), tears: self.tears };
        let journal = Journal::new(&read.records, Box::new(disk)).expect("what was written replays");
        let fresh = read.records.is_empty();
        let over = journal.state().ended.is_some();
        let items = self.items.iter().map(|planned| Item { step: (self.build)(planned), planned: planned.clone() });
        let site = Arc::clone(&self.stage.site);
        let mut engine =
            Engine::new(items.collect(), journal, self.stage.reach(), site, options, lever, Sink::nowhere());
        if fresh {
            engine.begin(RUN, "digest", "me@here").ok()?;
        } else {
            engine.take_up("me@here").ok()?;
        }
        if engine.state().ended == Some(Outcome::RolledBack) {
            return engine.state().ended;
        }
        if wish == Wish::Back {
            engine.turn_back("a person said so").ok()?;
        } else if over {
            return engine.state().ended;
        }
        engine.run().await.ok()
    }

    /// What the journal says now.
    pub fn state(&self) -> State {
        let text = self.disk.lock().unwrap().clone();
        let mut state = State::default();
        for record in line::read(&text).unwrap().records {
            state = state.next(&record).unwrap();
        }
        state
    }
}
