//! The one integration-test binary; a module a topic, in `tests/it/`.

#[path = "it/aws.rs"]
mod aws;
#[path = "it/cloud.rs"]
mod cloud;
