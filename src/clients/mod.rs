//! the only place that names an SDK.

pub mod postgres;
