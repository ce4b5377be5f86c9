//! What a playbook says: the steps, in order, with their parameters.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::gates::Gates;
use super::{Period, Stages};

/// The procedure, reusable over sites.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Playbook {
    /// The playbook's name.
    pub playbook: String,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What a failed step leads to.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What goes wrong on purpose. Only a rehearsal takes it: nothing real is ever made to fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The steps, in the order they are done.
    pub steps: Vec<StepSpec>,
}

/// What a failed step leads to.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Everything done so far is taken back, last step first.
    #[default]
    RollBack,
    /// The run stops where it is and waits for a person.
    Hold,
}

/// One step: its kind, and its parameters.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum StepSpec {
    /// Puts the pages into the private bucket, with the API's new address in them.
    StaticSite(Nothing),
    /// Gets a certificate for the pages' names, and proves them in the zone.
    Certificate(Nothing),
    /// Makes the distribution that serves the pages, or sets the one that is there.
    Distribution(Nothing),
    /// Copies the database to RDS, while the old one goes on working.
    DatabaseCopy(DatabaseCopy),
    /// Brings the app and its proxy to the new hosts and starts them there.
    AppHost(Nothing),
    /// Registers old box and new hosts with the balancer, everything still going to the old one.
    Targets(Nothing),
    /// Moves visitors of a name by DNS weights.
    DnsWeights(DnsWeights),
    /// Moves the balancer's requests from the old box to the new hosts.
    ShiftTargets(ShiftTargets),
    /// Makes the new database the one that is written to.
    DatabaseHandover(DatabaseHandover),
    /// Points the app on the old box to the new database and lets it answer the new pages.
    AppConfig(Nothing),
    /// Puts a pooler before the box's database, through which the app notices nothing of the handover but a moment's wait.
    Pooler(Nothing),
    /// Keeps the old side ready for a while.
    Soak(Soak),
    /// Ends the possibility of going back.
    Finalize(Nothing),
}

/// This step takes no parameters: write `{}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Which names a DNS shift is about.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// The API's hosts, to the balancer.
    Api,
    /// The pages' hosts, to the distribution.
    Pages,
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Pages => "pages",
        })
    }
}

/// How visitors are moved by DNS.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DnsWeights {
    /// Which names: `api` or `pages`.
    pub of: Of,
    /// The weights, in percent.
    #[serde(default = "Stages::all_at_once")]
    pub stages: Stages,
    /// How long a weight is held and watched before the next.
    #[serde(default = "ten_minutes")]
    pub bake: Period,
    /// The TTL of the weighted records, in seconds, as DNS counts it.
    #[serde(default = "one_minute_of_ttl")]
    #[schemars(range(min = 1, max = 86_400))]
    pub ttl: u32,
}

/// How the balancer's requests are moved.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ShiftTargets {
    /// The weights of the new hosts, in percent.
    #[serde(default = "Stages::all_at_once")]
    pub stages: Stages,
    /// How long a weight is held and watched before the next.
    #[serde(default = "ten_minutes")]
    pub bake: Period,
    /// What has to be measured meanwhile.
    #[serde(default)]
    pub gates: Box<Gates>,
}

/// How the database is copied.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatabaseCopy {
    /// Whether the copy follows the old database from then on (PostgreSQL's logical replication), so that the handover
    /// takes a moment, and a rollback after it too. Without, what changed since the copy is moved under the fence.
    #[serde(default)]
    pub follow: bool,
}

/// How the database is handed over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatabaseHandover {
    /// The longest the app may be kept from writing. An overrun gives the database back to the old side.
    #[serde(default = "thirty_seconds")]
    pub hold_at_most: Period,
}

/// How long the old side is kept ready.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Soak {
    /// How long.
    #[serde(rename = "for")]
    pub length: Period,
}

impl StepSpec {
    /// Every kind, in the order of a one-shot move.
    pub const KINDS: [&'static str; 13] = [
        "static-site",
        "certificate",
        "distribution",
        "database-copy",
        "app-host",
        "targets",
        "dns-weights",
        "pooler",
        "database-handover",
        "app-config",
        "shift-targets",
        "soak",
        "finalize",
    ];

    /// The kind's name, as a playbook spells it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::StaticSite(_) => "static-site",
            Self::Certificate(_) => "certificate",
            Self::Distribution(_) => "distribution",
            Self::DatabaseCopy(_) => "database-copy",
            Self::AppHost(_) => "app-host",
            Self::Targets(_) => "targets",
            Self::DnsWeights(_) => "dns-weights",
            Self::DatabaseHandover(_) => "database-handover",
            Self::AppConfig(_) => "app-config",
            Self::ShiftTargets(_) => "shift-targets",
            Self::Pooler(_) => "pooler",
            Self::Soak(_) => "soak",
            Self::Finalize(_) => "finalize",
        }
    }
}

fn ten_minutes() -> Period {
    known("10m")
}

fn thirty_seconds() -> Period {
    known("30s")
}

fn one_minute_of_ttl() -> u32 {
    60
}

pub(super) fn known(text: &str) -> Period {
    text.parse().expect("a period written in this file is readable, as its test shows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_readable_and_kinds_are_spelled_alike() {
        assert_eq!(ten_minutes().duration().as_secs(), 600);
        assert_eq!(thirty_seconds().duration().as_secs(), 30);
        for kind in StepSpec::KINDS {
            let parameters = match kind {
                "dns-weights" => r#"{"of": "api"}"#,
                "soak" => r#"{"for": "7d"}"#,
                _ => "{}",
            };
            let step: StepSpec = serde_json::from_str(&format!(r#"{{"{kind}": {parameters}}}"#)).unwrap();
            assert_eq!(step.kind(), kind);
        }
    }
}
