//! Every moment that a plan can come to: forward step by step, and from each of them all the way back, with a death of the
//! process in between wherever a step has moments of its own.

use super::invariant::{Wrong, broken};
use crate::step::AnyStep;
use crate::world::World;

/// A way from the beginning to a moment, told by its end.
struct Path<'a> {
    /// The last step that was done, or taken back.
    step: Option<&'a dyn AnyStep>,
    /// What has just happened with it.
    what: String,
    /// The site now.
    world: World,
    /// What was wrong, and may only pass, at the rest before: the states in the middle of a step do not count as rests.
    passing: Vec<Wrong>,
}

/// A moment at which an invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub step: String,
    pub when: String,
    pub world: World,
    pub wrong: Wrong,
}

/// Goes every way, and keeps what is wrong; the same fault is told once, by the first moment that shows it.
pub(super) fn search(steps: &[Box<dyn AnyStep>]) -> Vec<Found> {
    let mut found = Vec::new();
    let rests = forward(steps, &mut |path, rest| note(path, rest, &mut found));
    for (done, (world, passing)) in rests.iter().enumerate() {
        // A gate that failed, or a death, after `done` steps …
        back(steps, &rests, done, world.clone(), passing.clone(), &mut found);
        // … or in the middle of the next.
        let Some(next) = steps.get(done) else { continue };
        for moment in next.on_the_way(world) {
            back(steps, &rests, done + 1, moment.world, passing.clone(), &mut found);
        }
    }
    found
}

type Rest = (World, Vec<Wrong>);

/// Every rest on the way forward, the first before any step.
fn forward<'a>(steps: &'a [Box<dyn AnyStep>], see: &mut dyn FnMut(&Path<'a>, bool) -> Vec<Wrong>) -> Vec<Rest> {
    let mut path = Path { step: None, what: String::new(), world: World::default(), passing: Vec::new() };
    path.passing = see(&path, true);
    let mut rests = vec![(path.world.clone(), path.passing.clone())];
    for step in steps {
        path.step = Some(&**step);
        let before = path.world.clone();
        for moment in step.on_the_way(&before) {
            moment.what.clone_into(&mut path.what);
            path.world = moment.world;
            see(&path, false);
        }
        path.what.clear();
        path.world = before;
        step.model(&mut path.world);
        path.passing = see(&path, true);
        rests.push((path.world.clone(), path.passing.clone()));
    }
    rests
}

/// Takes `done` steps back from here.
fn back(
    steps: &[Box<dyn AnyStep>],
    rests: &[Rest],
    done: usize,
    world: World,
    passing: Vec<Wrong>,
    found: &mut Vec<Found>,
) {
    let mut path = Path { step: None, what: String::new(), world, passing };
    for (step, (before, _)) in steps[..done].iter().zip(rests).rev() {
        if path.world.finalized {
            return;
        }
        path.step = Some(&**step);
        for moment in step.on_the_way_back(&path.world) {
            path.what = format!("while it is taken back, {}", moment.what);
            let now = std::mem::replace(&mut path.world, moment.world);
            note(&path, false, found);
            path.world = now;
        }
        "taken back".clone_into(&mut path.what);
        path.world = step.model_back(&path.world, before);
        path.passing = note(&path, true, found);
    }
}

/// Judges a moment. Gives what was wrong at it and may only pass.
fn note(path: &Path<'_>, rest: bool, found: &mut Vec<Found>) -> Vec<Wrong> {
    let wrongs = broken(&path.world);
    for wrong in &wrongs {
        // What may pass is a fault where the run has come to a second rest with it.
        let tolerated = wrong.passes && !(rest && path.passing.contains(wrong));
        if tolerated || found.iter().any(|f| f.wrong == *wrong) {
            continue;
        }
        found.push(Found {
            step: path.step.map_or_else(|| "the beginning".to_owned(), AnyStep::id),
            when: path.what.clone(),
            world: path.world.clone(),
            wrong: *wrong,
        });
    }
    wrongs.into_iter().filter(|wrong| wrong.passes).collect()
}
