//! one file a kind of step.

pub mod app_config;
