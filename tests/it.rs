//! The one integration-test binary; a module a topic, in `tests/it/`.

#[path = "it/cli_input.rs"]
mod cli_input;
