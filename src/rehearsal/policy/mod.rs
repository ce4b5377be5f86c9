//! A resource's policy (JSON): read, and evaluated for a request as AWS does. Pure; control plane and CDN share it.
//!
//! Source: IAM guide, "Policy evaluation logic" and "IAM JSON policy elements reference".

mod condition;
mod public;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::glob;
pub(crate) use condition::{Context, Test};

/// A policy: its statements, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// `Allow`; else it is `Deny`.
    pub(crate) allows: bool,
    who: Who,
    pub(crate) actions: Matched,
    pub(crate) resources: Matched,
    pub(crate) tests: Vec<Test>,
}

/// Whom a statement speaks of, and whether it speaks of everybody but them (`NotPrincipal`).
#[derive(Debug, Clone, Default)]
struct Who {
    anyone: bool,
    accounts: Vec<String>,
    services: Vec<String>,
    pub(crate) but: bool,
}

/// Patterns, and whether a statement speaks of everything but what they match (`NotAction`, `NotResource`).
#[derive(Debug, Clone, Default)]
pub(crate) struct Matched {
    pub(crate) patterns: Vec<String>,
    pub(crate) but: bool,
}

impl Matched {
    fn holds(&self, text: &str, ignore_case: bool) -> bool {
        self.patterns.iter().any(|p| glob::matches(p, text, ignore_case)) != self.but
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal<'a> {
    /// Nobody known.
    Anonymous,
    /// An identity of an account, by its ARN.
    Identity(&'a str),
    /// A service of AWS, such as `cloudfront.amazonaws.com`.
    Service(&'a str),
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) principal: Principal<'a>,
    /// Such as `s3:GetObject`.
    pub(crate) action: &'a str,
    /// The resource's ARN.
    pub(crate) resource: &'a str,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A statement denies it: nothing else counts.
    Denied,
    /// A statement allows it.
    Allowed,
    /// No statement speaks of it.
    Silent,
}

impl Policy {
    /// What the policy says: a denial wins over any allowance. An allowance counts only where every condition is known
    /// to hold, a denial unless one is known not to.
    pub(crate) fn judge(&self, asked: Asked<'_>, context: &Context) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in self.statements.iter().filter(|s| s.speaks_of(asked)) {
            let holds = condition::all(&statement.tests, context);
            match statement.allows {
                true if holds == Some(true) => verdict = Verdict::Allowed,
                false if holds != Some(false) => return Verdict::Denied,
                _ => {}
            }
        }
        verdict
    }
}

impl Statement {
    fn speaks_of(&self, asked: Asked<'_>) -> bool {
        self.who.holds(asked.principal)
            && self.actions.holds(asked.action, true)
            && self.resources.holds(asked.resource, false)
    }
}

impl Who {
    fn holds(&self, principal: Principal<'_>) -> bool {
        let named = match principal {
            Principal::Anonymous => self.anyone,
            Principal::Identity(arn) => self.anyone || self.accounts.iter().any(|a| names(a, arn)),
            Principal::Service(name) => self.anyone || self.services.iter().any(|s| s == name),
        };
        named != self.but
    }
}

/// Whether a principal of a policy (account number, root ARN or the ARN itself) is this identity or its account.
fn names(principal: &str, arn: &str) -> bool {
    let account = arn.split(':').nth(4).unwrap_or_default();
    principal == arn || principal == account || principal == format!("arn:aws:iam::{account}:root")
}

/// Condition values by lower-case key.
pub(crate) type Values = BTreeMap<String, Vec<String>>;
