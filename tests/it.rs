//! The one integration-test binary; a module a topic, in `tests/it/`.

#[path = "it/docker.rs"]
mod docker;
#[path = "it/engines.rs"]
mod engines;
#[path = "it/app_steps.rs"]
mod app_steps;
#[path = "it/shop.rs"]
mod shop;
