//! The one integration-test binary; a module a topic, in `tests/it/`.

#[path = "it/cloud.rs"]
mod cloud;
#[path = "it/docker.rs"]
mod docker;
#[path = "it/engines.rs"]
mod engines;
#[path = "it/pg.rs"]
mod pg;
#[path = "it/postgres.rs"]
mod postgres;
#[path = "it/world.rs"]
mod world;
