//! The procedure: its model, loading with spans, lint.

pub mod complaint;
pub mod faults;
pub mod gates;
pub mod lint;
pub mod load;
pub mod model;
pub mod period;
pub mod source;
pub mod stages;

pub use complaint::{Complaint, Level};
pub use faults::Fault;
pub use model::{OnFailure, Playbook, StepSpec};
pub use period::Period;
pub use source::{Source, Spot};
pub use stages::Stages;
