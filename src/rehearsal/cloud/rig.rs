//! What the unit tests of the services share: a cloud of its own, asked without a wire.

use std::sync::Arc;

use super::super::clock::Clock;
use super::super::state::Shared;
use super::wire::operation::{Run, Service};
use super::wire::{ApiError, Node};
use super::{Cloud, Settings};

/// A cloud of its own.
#[derive(Clone)]
pub(super) struct Rig {
    pub cloud: Cloud,
    pub clock: Clock,
    _dir: Arc<tempfile::TempDir>,
}

/// Asserts that an answer is a refusal by this code; gives its message, law included.
pub(super) fn refused(answer: Result<Node, ApiError>, code: &str) -> String {
    let error = answer.expect_err("this should have been refused");
    assert_eq!(error.code, code, "{error}");
    error.text()
}

impl Rig {
    pub fn new() -> Self {
        let clock = Clock::default();
        let dir = tempfile::tempdir().unwrap();
        let cloud = Cloud::new(Shared::new(clock.clone()), dir.path().into(), Settings::default()).unwrap();
        Self { cloud, clock, _dir: Arc::new(dir) }
    }

    /// The same cloud, called in a region.
    pub fn within(&self, region: &str) -> Self {
        Self { cloud: self.cloud.within(region), ..self.clone() }
    }

    /// Calls an operation as the front door does once a request is let in.
    pub fn ask(&self, service: &Service, name: &str, input: &Node) -> Result<Node, ApiError> {
        let operation = service.operations.iter().find(|o| o.name == name).unwrap();
        self.cloud.settle();
        match operation.run {
            Run::Now(run) => run(&self.cloud, input).map(|output| output.node),
            Run::Later(_) => panic!("{name} takes its time"),
        }
    }
}
