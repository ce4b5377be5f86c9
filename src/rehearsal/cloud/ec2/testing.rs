//! A cloud of its own for a test, asked as the wire would ask it.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::super::super::clock::Clock;
use super::super::super::state::Shared;
use super::super::wire::operation::Run;
use super::super::wire::query;
use super::super::{Cloud, Settings};
use super::{ApiError, Node, SERVICE};

pub(super) struct Here {
    pub cloud: Cloud,
    pub clock: Clock,
    pub subnets: [String; 2],
    _dir: tempfile::TempDir,
}

/// The VPC of the tests.
pub(super) const VPC: &str = "vpc-00000000000000001";

impl Here {
    pub fn new() -> Self {
        let (clock, dir) = (Clock::default(), tempfile::tempdir().unwrap());
        let cloud = Cloud::new(Shared::new(clock.clone()), dir.path().join("s3"), Settings::default()).unwrap();
        let subnets = cloud.seed_network(VPC, (Ipv4Addr::new(10, 0, 0, 0), 16));
        Self { cloud, clock, subnets, _dir: dir }
    }

    /// Asks by a form as it is sent: `CreateVpc&CidrBlock=10.1.0.0/16`.
    pub fn ask(&self, form: &str) -> Result<Node, ApiError> {
        let (name, rest) = form.split_once('&').unwrap_or((form, ""));
        let operation = SERVICE.operations.iter().find(|o| o.name == name).unwrap_or_else(|| panic!("no {name}"));
        match operation.run {
            Run::Now(run) => run(&self.cloud, &query::read(rest.as_bytes())).map(|output| output.node),
            Run::Later(_) => panic!("{name} takes its time"),
        }
    }

    /// Asks for what must be given; a dot leads into what is below, the first of a list.
    pub fn get(&self, form: &str, path: &str) -> String {
        let answer = self.ask(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        find(&answer, path).unwrap_or_else(|| panic!("{form}: no {path} in {answer:?}"))
    }

    /// The code and message of a refusal.
    pub fn refused(&self, form: &str) -> (&'static str, String) {
        let error = self.ask(form).map(|answer| panic!("{form} was taken: {answer:?}")).unwrap_err();
        (error.code, error.text())
    }

    pub fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn find(node: &Node, path: &str) -> Option<String> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let below = node.child(first)?;
    rest.map_or_else(|| Some(below.text.clone()), |rest| find(below, rest))
}

/// Asserts that a form is refused by this code, with each of these texts in the message.
macro_rules! refused {
    ($here:expr, $form:expr, $code:literal $(, $text:expr)*) => {{
        let (code, message) = $here.refused($form.as_ref());
        assert_eq!(code, $code, "{message}");
        $( assert!(message.contains($text), "{message:?} should hold {:?}", $text); )*
    }};
}
pub(super) use refused;
