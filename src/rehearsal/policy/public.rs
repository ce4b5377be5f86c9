//! Whether a bucket policy makes the bucket public, as Block Public Access understands it.
//!
//! Source: S3 guide, access-control-block-public-access, "The meaning of public".

use super::condition::block;
use super::{Policy, Statement, Test};

/// Condition keys that tie a statement to somebody known.
const FIXING: &[&str] = &[
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:userid",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalarn",
    "aws:principalaccount",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

impl Policy {
    /// Whether a statement allows something to anybody at all.
    pub(crate) fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }
}

impl Statement {
    fn is_public(&self) -> bool {
        let anybody = self.who.anyone || self.who.but;
        self.allows && anybody && !self.tests.iter().any(fixes)
    }
}

/// Whether a test ties its statement to values without wildcards or variables, or to addresses that are not very many.
fn fixes(test: &Test) -> bool {
    if !test.insists() || test.values.is_empty() {
        return false;
    }
    if test.key == "aws:sourceip" {
        let narrow = |v: &String| block(v).is_some_and(|(a, n)| n >= if a.is_ipv4() { 8 } else { 32 });
        return test.is_of_addresses() && test.values.iter().all(narrow);
    }
    let fixed = |v: &String| !v.contains(['*', '?']) && !v.contains("${");
    FIXING.contains(&test.key.as_str()) && test.values.iter().all(fixed)
}
