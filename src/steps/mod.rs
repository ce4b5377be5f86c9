//! One file (or folder) a kind of step: what it does to the world, and how it is taken back.

pub mod dns_weights;
pub mod finalize;
pub mod shift_targets;
pub mod soak;
pub mod static_site;
pub mod targets;

mod tags;
mod timing;

#[cfg(test)]
pub mod contract;
#[cfg(test)]
mod wire;

/// Where a run keeps the former versions of objects it overwrites.
pub(crate) fn before_prefix(run: &str) -> String {
    format!("outgrow/before/{run}/")
}
