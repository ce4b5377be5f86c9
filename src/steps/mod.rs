//! one file a kind of step.

pub mod app_config;
pub mod app_host;
