//! The visitors: sent off and called back as the run wants, their reports kept, their writes in one ledger.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Result;
use super::spec::Spec;
use crate::rehearsal::clock::Clock;
use crate::rehearsal::ledger::Ledger;
use crate::rehearsal::visitors::{Config, Report, Site, Visitors};

/// Walks a second of one visitor.
const WALKS: f64 = 2.0;
/// How long one request may take: longer than a handover may hold a write.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The window of the measured shares.
const WINDOW: Duration = Duration::from_secs(10);
/// The share of orders that are read back.
const READ_BACK: f64 = 0.25;

/// The visitors, there or not.
pub struct Visit {
    config: Config,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    there: Option<Visitors>,
    before: Option<Report>,
}

impl Visit {
    /// Nobody there yet; the ledger of an earlier time is gone on with.
    pub fn new(spec: &Spec, name_server: SocketAddr, clock: Clock, authorities: Vec<String>) -> Result<Self> {
        let ledger = Ledger::open(&ledger_file(&spec.dir))?;
        // At most thousands of visitors, so the figure is exact.
        #[expect(clippy::cast_precision_loss)]
        let walks = |visitors: usize| visitors as f64 * WALKS;
        let names = &spec.site.names;
        let config = Config {
            site: Site {
                site_host: names.pages.first().cloned().unwrap_or_default(),
                api_host: names.api.first().cloned().unwrap_or_default(),
            },
            name_server,
            clock,
            authorities,
            browsers: spec.visitors.walkers,
            mobiles: spec.visitors.mobile,
            browser_walks: walks(spec.visitors.walkers),
            mobile_walks: walks(spec.visitors.mobile),
            think: Duration::from_millis(spec.visitors.pause),
            read_back: READ_BACK,
            timeout: TIMEOUT,
            window: WINDOW,
            ledger,
        };
        Ok(Self { config, inner: Mutex::default() })
    }

    /// Sends them off, unless they are under way.
    pub async fn start(&self) -> Result<()> {
        let mut inner = self.inner.lock().await;
        if inner.there.is_none() {
            inner.there = Some(Visitors::start(&self.config)?);
        }
        Ok(())
    }

    /// Calls them back: each finishes the request it is on; then the ledger is on disk.
    pub async fn stop(&self) -> Result<()> {
        let mut inner = self.inner.lock().await;
        if let Some(visitors) = inner.there.take() {
            let report = visitors.stop().await;
            inner.before = Some(joined(inner.before.take(), report));
        }
        Ok(self.config.ledger.flush().await?)
    }

    /// Whether they are under way.
    pub async fn is_on(&self) -> bool {
        self.inner.lock().await.there.is_some()
    }

    /// What they saw, over all the times they were out.
    pub async fn report(&self) -> Report {
        let inner = self.inner.lock().await;
        match &inner.there {
            Some(visitors) => joined(inner.before.clone(), visitors.report()),
            None => inner.before.clone().unwrap_or_default(),
        }
    }

    /// The ledger of their writes.
    pub fn ledger(&self) -> &Ledger {
        &self.config.ledger
    }
}

/// Where the writes of the visitors are noted.
pub fn ledger_file(dir: &Path) -> std::path::PathBuf {
    dir.join("ledger.jsonl")
}

/// Two times out as one: counts are added, the longest pause counts, shares and usual figures are the latest.
fn joined(before: Option<Report>, latest: Report) -> Report {
    let Some(before) = before else { return latest };
    let mut all = latest;
    all.requests += before.requests;
    all.failed_requests += before.failed_requests;
    all.writes += before.writes;
    all.writes_acknowledged += before.writes_acknowledged;
    for (kind, count) in before.by_kind {
        *all.by_kind.entry(kind).or_default() += count;
    }
    for (kind, reasons) in before.failures {
        let into = all.failures.entry(kind).or_default();
        for (reason, count) in reasons {
            *into.entry(reason).or_default() += count;
        }
    }
    let mut failures = before.last_failures;
    failures.append(&mut all.last_failures);
    all.last_failures = failures;
    if before.write_pause_ms > all.write_pause_ms {
        all.write_pause_ms = before.write_pause_ms;
        // Counted from a report that is past.
        all.write_pause_began_ms_ago = None;
    }
    if all.shares.is_empty() {
        all.shares = before.shares;
    }
    all.usual_write_gap_ms = all.usual_write_gap_ms.or(before.usual_write_gap_ms);
    all.write_latency_ms = all.write_latency_ms.or(before.write_latency_ms);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_times_out_are_reported_as_one() {
        let first = Report { requests: 10, failed_requests: 1, write_pause_ms: Some(700), ..Report::default() };
        let second = Report { requests: 5, write_pause_ms: Some(90), writes: 2, ..Report::default() };
        let all = joined(Some(first), second);
        assert_eq!((all.requests, all.failed_requests, all.writes, all.write_pause_ms), (15, 1, 2, Some(700)));
    }
}
