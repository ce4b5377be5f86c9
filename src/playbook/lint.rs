//! What a well-formed file still gets wrong: orders that cannot work, names that contradict each other. Pure; the
//! planner's safety model has the last word, this says it earlier and points at the line.

mod faults;
mod playbook;
mod site;

pub use playbook::playbook;
pub use site::site;

#[cfg(test)]
mod tests;
