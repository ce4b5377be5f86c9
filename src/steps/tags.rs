//! The tags that say which run made a thing. Nothing without them is ever taken for ours.

use crate::step::{Act, Look};

/// The run's id.
const RUN: &str = "outgrow:run";
/// The site.
const SITE: &str = "outgrow:site";
/// The lock's epoch at the time.
const EPOCH: &str = "outgrow:epoch";

type Tags = Vec<(String, String)>;

/// The tags of whatever this run makes.
pub fn of(look: &Look) -> Tags {
    vec![(RUN.to_owned(), look.run.clone()), (SITE.to_owned(), look.site.site.clone())]
}

/// The same with the lock's epoch.
pub fn with_epoch(act: &Act, tags: &[(String, String)]) -> Tags {
    let epoch = (EPOCH.to_owned(), act.epoch.to_string());
    tags.iter().cloned().chain([epoch]).collect()
}

/// Whether this run made it.
pub fn is_ours(look: &Look, tags: &[(String, String)]) -> bool {
    of(look).iter().all(|tag| tags.contains(tag))
}

/// Who made it, for a message.
pub fn maker(tags: &[(String, String)]) -> String {
    match tags.iter().find(|(key, _)| key == RUN) {
        Some((_, run)) => format!("run {run} of outgrow"),
        None => "somebody else".to_owned(),
    }
}
