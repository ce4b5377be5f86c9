//! The gates of a canary as a playbook writes them: every limit has a default, so that most playbooks write none.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Period;

/// What has to be measured of a stage before the next.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Gates {
    /// Fewer requests than these, of either side, say nothing by themselves; then own probes carry the stage.
    #[schemars(range(min = 1))]
    pub min_samples: u64,
    /// How sure a comparison has to be before it counts as failed, in percent.
    #[schemars(range(min = 50, max = 99.9999))]
    pub confidence: f64,
    /// So many percentage points more errors (5xx) than the old side has in the same time are put up with.
    #[schemars(range(min = 0, max = 100))]
    pub errors_above: f64,
    /// So many times the old side's response time (median and 99th percentile) is put up with, …
    #[schemars(range(min = 1))]
    pub slower_than: f64,
    /// … and so much on top of it.
    pub slower_by: Period,
    /// So many percentage points the measured share may be off the weight, beside what chance allows.
    #[schemars(range(min = 0, max = 100))]
    pub share_within: f64,
    /// How long it may take until the measured share is the weight. The bake counts from then on.
    pub settle_within: Period,
    /// How long after the bake a gate may say neither yes nor no. Then the run holds.
    pub undecided_for: Period,
    /// How long after the bake the measurements may be out of reach. Then the run holds.
    pub unreadable_for: Period,
    /// How often in a row a probe has to be answered wrongly.
    #[schemars(range(min = 1, max = 10))]
    pub probe_tries: u32,
    /// Requests of your own to the new hosts, beside the health path, the API's base and a CORS preflight for each
    /// origin, which are always asked.
    pub probes: Vec<Probe>,
    /// A line of shell with a veto: asked with the figures in OUTGROW_… variables and as JSON on its standard input.
    pub hook: Option<String>,
    /// Only report: a failed gate takes nothing back.
    pub dry_run: bool,
}

/// A request to the new hosts, and what is expected of the answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Probe {
    /// Path and query, as in `/api/products?page=1`. It is asked for with GET; redirects are followed.
    pub get: String,
    /// The status expected in the end.
    #[serde(default = "ok")]
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// What the first 64 KiB of the body have to contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Headers, and what each has to contain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

fn ok() -> u16 {
    200
}

impl Default for Gates {
    fn default() -> Self {
        let known = super::model::known;
        Self {
            min_samples: 100,
            confidence: 99.9,
            errors_above: 0.5,
            slower_than: 2.0,
            slower_by: known("50ms"),
            share_within: 2.0,
            settle_within: known("5m"),
            undecided_for: known("10m"),
            unreadable_for: known("5m"),
            probe_tries: 3,
            probes: Vec::new(),
            hook: None,
            dry_run: false,
        }
    }
}

/// What is wrong with a playbook's gates: which of them, what, and what to write instead.
pub fn wrong(gates: &Gates) -> Vec<(&'static str, String, &'static str)> {
    let mut told = Vec::new();
    if gates.min_samples == 0 {
        told.push(("min-samples", "no request at all would say something".to_owned(), "write 1 or more; 100 is usual"));
    }
    if !(50.0..100.0).contains(&gates.confidence) {
        let what = format!("a confidence of {} % is out of range", gates.confidence);
        told.push(("confidence", what, "write 50 to 99.9999, as in `confidence: 99.9`"));
    }
    for (name, value) in [("errors-above", gates.errors_above), ("share-within", gates.share_within)] {
        if !(0.0..=100.0).contains(&value) {
            told.push((name, format!("{value} is out of range"), "write percentage points from 0 to 100"));
        }
    }
    if !(gates.slower_than >= 1.0 && gates.slower_than.is_finite()) {
        let what = format!("a new side {} times as slow is out of range", gates.slower_than);
        told.push(("slower-than", what, "write 1 or more, as in `slower-than: 2`"));
    }
    if !(1..=10).contains(&gates.probe_tries) {
        told.push(("probe-tries", format!("{} tries are out of range", gates.probe_tries), "write 1 to 10"));
    }
    for probe in &gates.probes {
        if !probe.get.starts_with('/') {
            let what = format!("`{}` is no path", probe.get);
            told.push(("probes", what, "begin with `/`: the host is that of the API"));
        }
        if !(100..=599).contains(&probe.status) {
            told.push(("probes", format!("there is no status {}", probe.status), "write 100 to 599"));
        }
    }
    told
}
