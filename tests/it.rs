//! The one integration-test binary; a module a topic, in `tests/it/`.

#[path = "it/cloud.rs"]
mod cloud;
#[path = "it/pg.rs"]
mod pg;
#[path = "it/postgres.rs"]
mod postgres;
