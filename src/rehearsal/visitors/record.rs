//! What the visitors saw: every request counted, the recent ones and the failed ones kept, and the report of it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::writes::WriteMeter;

/// Failed requests kept in full; older ones are only counted.
const FAILURES_KEPT: usize = 200;

/// Recent requests kept for the shares, whatever the window.
const RECENT_KEPT: usize = 100_000;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The page itself.
    Page,
    /// A script or style of the page.
    Asset,
    /// A browser's preflight before a cross-origin write.
    Preflight,
    /// The list of products.
    Products,
    /// One product.
    Product,
    /// An order: the write.
    Order,
    /// An acknowledged order read back.
    ReadBack,
}

/// Who made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visitor {
    /// A browser that loaded the page.
    Browser,
    /// A client that knows the API only.
    Mobile,
}

/// One request as its visitor saw it.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// Who.
    pub visitor: Visitor,
    /// What for.
    pub kind: Kind,
    /// The host asked for.
    pub host: String,
    /// The address it went to, if the name was resolved.
    pub address: Option<IpAddr>,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Why it counts as failed.
    pub error: Option<String>,
}

/// What the visitors saw so far.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Requests made.
    pub requests: u64,
    /// Those that failed.
    pub failed_requests: u64,
    /// Requests by kind.
    pub by_kind: BTreeMap<Kind, u64>,
    /// Failures by kind and reason.
    pub failures: BTreeMap<Kind, BTreeMap<String, u64>>,
    /// The last failed requests, oldest first.
    pub last_failures: Vec<Sample>,
    /// Where the requests of the sliding window went, by host and address.
    pub shares: Vec<Share>,
    /// Writes attempted.
    pub writes: u64,
    /// Writes acknowledged.
    pub writes_acknowledged: u64,
    /// The longest time without an acknowledged write while writes were being attempted, in milliseconds; none before
    /// two were acknowledged or one was missed.
    pub write_pause_ms: Option<u64>,
    /// How long before this report that pause began, in milliseconds.
    pub write_pause_began_ms_ago: Option<u64>,
    /// The median time between two acknowledgements, in milliseconds: what of the pause is the visitors' own rate.
    pub usual_write_gap_ms: Option<f64>,
    /// The median time to the acknowledgement of a write, in milliseconds.
    pub write_latency_ms: Option<f64>,
}

/// The share of a host's requests that one address got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Share {
    /// The host.
    pub host: String,
    /// The address.
    pub address: IpAddr,
    /// Requests in the window.
    pub requests: u64,
    /// 0 to 1, of the host's requests in the window.
    pub share: f64,
}

/// Gathers samples from all visitors.
#[derive(Debug)]
pub struct Recorder {
    window: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    counted: Report,
    hosts: Vec<String>,
    recent: VecDeque<(Instant, usize, IpAddr)>,
    failed: VecDeque<Sample>,
    meter: WriteMeter,
    ended: Option<Instant>,
}

impl Recorder {
    /// A recorder whose shares are those of the last `window`.
    pub fn new(window: Duration) -> Self {
        Self { window, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one request.
    pub fn note(&self, sample: Sample) {
        let now = Instant::now();
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.counted.requests += 1;
        *inner.counted.by_kind.entry(sample.kind).or_default() += 1;
        if let Some(address) = sample.address {
            let host = inner.hosts.iter().position(|h| *h == sample.host).unwrap_or_else(|| {
                inner.hosts.push(sample.host.clone());
                inner.hosts.len() - 1
            });
            inner.recent.push_back((now, host, address));
            while inner.recent.len() > RECENT_KEPT
                || inner.recent.front().is_some_and(|(at, ..)| now.duration_since(*at) > self.window)
            {
                inner.recent.pop_front();
            }
        }
        if let Some(error) = &sample.error {
            inner.counted.failed_requests += 1;
            *inner.counted.failures.entry(sample.kind).or_default().entry(error.clone()).or_default() += 1;
            if inner.failed.len() == FAILURES_KEPT {
                inner.failed.pop_front();
            }
            inner.failed.push_back(sample);
        }
    }

    /// Notes that a write is about to be sent.
    pub fn write_attempted(&self) {
        let mut inner = self.lock();
        inner.counted.writes += 1;
        inner.meter.attempted();
    }

    /// Notes that a write was acknowledged, `took` after it was sent.
    pub fn write_acknowledged(&self, took: Duration) {
        let mut inner = self.lock();
        inner.counted.writes_acknowledged += 1;
        // under the lock, so that acknowledgements are in order
        inner.meter.acknowledged(Instant::now(), took);
    }

    /// Notes that the visitors rest from now on.
    pub fn rest(&self) {
        self.lock().meter.off(Instant::now());
    }

    /// Notes that the visitors are off again.
    pub fn go_on(&self) {
        self.lock().meter.on();
    }

    /// Notes that the visitors are gone.
    pub fn end(&self) {
        let (mut inner, now) = (self.lock(), Instant::now());
        inner.meter.off(now);
        inner.ended = Some(now);
    }

    /// The report as of now.
    pub fn report(&self) -> Report {
        let inner = self.lock();
        let now = Instant::now();
        let mut report = inner.counted.clone();
        report.last_failures = inner.failed.iter().cloned().collect();
        report.shares = shares(&inner, inner.ended.unwrap_or(now), self.window);
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        if let Some((began, pause)) = inner.meter.longest(now) {
            report.write_pause_ms = Some(ms(pause));
            report.write_pause_began_ms_ago = Some(ms(now.saturating_duration_since(began)));
        }
        report.usual_write_gap_ms = inner.meter.usual().map(|d| d.as_secs_f64() * 1000.0);
        report.write_latency_ms = inner.meter.latency().map(|d| d.as_secs_f64() * 1000.0);
        report
    }
}

fn shares(inner: &Inner, now: Instant, window: Duration) -> Vec<Share> {
    let (mut counted, mut totals) = (BTreeMap::<(usize, IpAddr), u32>::new(), BTreeMap::<usize, u32>::new());
    for (_, host, address) in inner.recent.iter().filter(|(at, ..)| now.saturating_duration_since(*at) <= window) {
        *counted.entry((*host, *address)).or_default() += 1;
        *totals.entry(*host).or_default() += 1;
    }
    counted
        .into_iter()
        .map(|((host, address), requests)| Share {
            host: inner.hosts[host].clone(),
            address,
            requests: requests.into(),
            share: f64::from(requests) / f64::from(totals[&host]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_each_host_and_failures_are_counted_by_reason() {
        let recorder = Recorder::new(Duration::from_mins(1));
        let sample = |host: &str, last: u8, error: Option<&str>| Sample {
            visitor: Visitor::Browser,
            kind: Kind::Product,
            host: host.into(),
            address: Some([192, 0, 2, last].into()),
            status: Some(200),
            micros: 1,
            error: error.map(Into::into),
        };
        for last in [1, 1, 1, 2] {
            recorder.note(sample("api", last, None));
        }
        recorder.note(sample("www", 9, Some("status 502")));
        recorder.note(Sample { address: None, ..sample("www", 9, Some("dns: no answer")) });
        let report = recorder.report();
        assert_eq!((report.requests, report.failed_requests), (6, 2));
        assert_eq!(report.failures[&Kind::Product]["status 502"], 1);
        let shares: Vec<_> = report.shares.iter().map(|s| (s.host.as_str(), s.requests, s.share)).collect();
        assert_eq!(shares, [("api", 3, 0.75), ("api", 1, 0.25), ("www", 1, 1.0)]);
    }
}
