//! What a rehearsal makes go wrong on purpose, as a playbook scripts it or a seed draws it.

mod draw;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

pub use draw::draw;

/// A fault: its kind, and what it strikes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// An AWS call is not allowed.
    Refused(Call),
    /// An AWS call is too fast; `for` is how long the caller is asked to wait.
    Throttled(Call),
    /// An AWS call fails before anything happened.
    FailedBefore(Call),
    /// An AWS call takes effect, and its answer is lost.
    LostAnswer(Call),
    /// An AWS call takes effect, and its answer comes late, by `for`.
    HeldAnswer(Call),
    /// An AWS call is taken up late, by `for`.
    Slow(Call),
    /// The connection of an AWS call closes before anything happened.
    Reset(Call),
    /// A read answers as things were a while ago, by `for`.
    StaleRead(Call),
    /// A host, or the box's app, stands still for a while: it takes connections and answers none.
    TargetDies(Target),
    /// A database server is stopped and started again, as if its machine had lost its power.
    DatabaseRestarts(Restart),
    /// Two places do not reach each other for a while.
    NetworkCut(Cut),
    /// A host's engine has no room left for what it is sent, for a while.
    DiskFull(Target),
}

/// Which calls to the AWS APIs are struck. Without `nth`, `every` or `percent` it is the first one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Service and operation, as `route53:ChangeResourceRecordSets`; `*` stands for any, as in `rds:*`.
    pub of: String,
    /// Only the n-th call, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Every n-th call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// So many of a hundred calls, drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub percent: Option<u16>,
    /// How long, in real time, for the kinds that last.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<Period>,
    /// The step with whose beginning it comes into force; without, with the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// A host, and when it is struck.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// A new host's name, or `box`.
    pub host: String,
    /// The step with whose beginning it happens.
    pub at: String,
    /// For how long, in real time.
    #[serde(rename = "for")]
    pub length: Period,
}

/// A database server, and when it is struck.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Which.
    pub side: Side,
    /// The step with whose beginning it happens.
    pub at: String,
}

/// One of the two databases.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The box's.
    Old,
    /// RDS's.
    New,
}

/// Two places, and when they are parted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Two of: `box`, `rds`, a new host's name, and `outside` (this machine: the run, the balancer, the visitors).
    pub between: [String; 2],
    /// The step with whose beginning it happens.
    pub at: String,
    /// For how long, in real time.
    #[serde(rename = "for")]
    pub length: Period,
}

impl Fault {
    /// The kind's name, as a playbook spells it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Throttled(_) => "throttled",
            Self::FailedBefore(_) => "failed-before",
            Self::LostAnswer(_) => "lost-answer",
            Self::HeldAnswer(_) => "held-answer",
            Self::Slow(_) => "slow",
            Self::Reset(_) => "reset",
            Self::StaleRead(_) => "stale-read",
            Self::TargetDies(_) => "target-dies",
            Self::DatabaseRestarts(_) => "database-restarts",
            Self::NetworkCut(_) => "network-cut",
            Self::DiskFull(_) => "disk-full",
        }
    }

    /// The calls it strikes, if it strikes calls.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Self::Refused(call)
            | Self::Throttled(call)
            | Self::FailedBefore(call)
            | Self::LostAnswer(call)
            | Self::HeldAnswer(call)
            | Self::Slow(call)
            | Self::Reset(call)
            | Self::StaleRead(call) => Some(call),
            _ => None,
        }
    }

    /// The step with whose beginning it comes into force.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::TargetDies(target) | Self::DiskFull(target) => Some(&target.at),
            Self::DatabaseRestarts(restart) => Some(&restart.at),
            Self::NetworkCut(cut) => Some(&cut.at),
            _ => self.call().and_then(|call| call.at.as_deref()),
        }
    }

    /// Whether the kind makes no sense without a length of time.
    pub fn needs_length(&self) -> bool {
        matches!(self, Self::HeldAnswer(_) | Self::Slow(_) | Self::StaleRead(_))
    }
}

/// As a playbook has it, on one line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self {
            Self::TargetDies(t) | Self::DiskFull(t) => {
                parts.extend([format!("host: {}", t.host), format!("at: {}", t.at), format!("for: {}", t.length)]);
            }
            Self::DatabaseRestarts(r) => {
                let side = if r.side == Side::Old { "old" } else { "new" };
                parts.extend([format!("side: {side}"), format!("at: {}", r.at)]);
            }
            Self::NetworkCut(c) => parts.extend([
                format!("between: [{}, {}]", c.between[0], c.between[1]),
                format!("at: {}", c.at),
                format!("for: {}", c.length),
            ]),
            _ => {
                let Some(call) = self.call() else { return Ok(()) };
                parts.push(format!("of: \"{}\"", call.of));
                parts.extend(call.nth.map(|n| format!("nth: {n}")));
                parts.extend(call.every.map(|n| format!("every: {n}")));
                parts.extend(call.percent.map(|n| format!("percent: {n}")));
                parts.extend(call.length.as_ref().map(|p| format!("for: {p}")));
                parts.extend(call.at.as_ref().map(|at| format!("at: {at}")));
            }
        }
        write!(f, "{}: {{ {} }}", self.kind(), parts.join(", "))
    }
}
