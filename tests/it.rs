//! The one integration-test binary; a module a topic, in `tests/it/`.

#![allow(clippy::unwrap_used)] // helpers of tests may panic like the tests

#[path = "it/alone.rs"]
mod alone;
#[path = "it/app_steps.rs"]
mod app_steps;
#[path = "it/aws.rs"]
mod aws;
#[path = "it/cli_input.rs"]
mod cli_input;
#[path = "it/cloud.rs"]
mod cloud;
#[path = "it/database_host.rs"]
mod database_host;
#[path = "it/database_verb.rs"]
mod database_verb;
#[path = "it/docker.rs"]
mod docker;
#[path = "it/engines.rs"]
mod engines;
#[path = "it/laws.rs"]
mod laws;
#[path = "it/layers.rs"]
mod layers;
#[path = "it/pg.rs"]
mod pg;
#[path = "it/postgres.rs"]
mod postgres;
#[path = "it/probe.rs"]
mod probe;
#[path = "it/rehearsal.rs"]
mod rehearsal;
#[path = "it/shipped.rs"]
mod shipped;
#[path = "it/shop.rs"]
mod shop;
#[path = "it/world.rs"]
mod world;
