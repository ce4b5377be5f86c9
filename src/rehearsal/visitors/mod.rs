//! The visitors: browsers and mobile clients that use the site the whole time, through the rehearsal's name server.
//!
//! A browser loads the page, reads in its bundle which API to call and calls that; so a page that was moved without its
//! bundle shows. A POST without an answer is never sent again, and only an acknowledged one is entered as such in the
//! ledger.

mod client;
mod page;
mod record;
mod resolver;
#[cfg(test)]
mod tests;
mod walk;
mod writes;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use record::{Kind, Report, Sample, Share, Visitor};

use super::clock::Clock;
use super::ledger::Ledger;
use client::Client;
use record::Recorder;
use resolver::Resolver;
use walk::Walker;

/// Where the visitors go.
#[derive(Debug, Clone)]
pub struct Site {
    /// The host of the page, such as `www.shop.test`.
    pub site_host: String,
    /// The host the mobile clients call, such as `api.shop.test`.
    pub api_host: String,
}

/// How many visitors, how often, by which name server.
#[derive(Clone)]
pub struct Config {
    /// Where they go.
    pub site: Site,
    /// The rehearsal's name server.
    pub name_server: SocketAddr,
    /// The rehearsal's clock, by which TTLs run.
    pub clock: Clock,
    /// The authorities they trust, as PEM.
    pub authorities: Vec<String>,
    /// Browsers.
    pub browsers: usize,
    /// Mobile clients.
    pub mobiles: usize,
    /// Walks a second over all browsers together; every one that can be begun on time is.
    pub browser_walks: f64,
    /// Walks a second over all mobile clients together.
    pub mobile_walks: f64,
    /// Time between the requests of one walk.
    pub think: Duration,
    /// The share (0 to 1) of acknowledged orders that are read back.
    pub read_back: f64,
    /// How long one request may take.
    pub timeout: Duration,
    /// The window of the measured shares.
    pub window: Duration,
    /// Where the writes are entered.
    pub ledger: Ledger,
}

/// Why the visitors could not start.
#[derive(Debug, thiserror::Error)]
pub enum VisitorsError {
    /// Something in the configuration.
    #[error("the visitors could not start: {0}")]
    Config(String),
}

/// Visitors under way. Dropped, they stop at their next request.
pub struct Visitors {
    recorder: Arc<Recorder>,
    running: watch::Sender<bool>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Visitors {
    /// Sends the visitors off. Must be called within a runtime.
    pub fn start(config: &Config) -> Result<Self, VisitorsError> {
        let bad = |what: &str| VisitorsError::Config(what.into());
        for (count, walks) in [(config.browsers, config.browser_walks), (config.mobiles, config.mobile_walks)] {
            if count > 0 && !(walks.is_finite() && walks > 0.0) {
                return Err(bad("walks a second must be above zero where there are visitors"));
            }
        }
        if !(0.0..=1.0).contains(&config.read_back) {
            return Err(bad("the share of orders read back lies between 0 and 1"));
        }
        let tls = client::connector(config.authorities.iter().map(String::as_str)).map_err(VisitorsError::Config)?;
        let visitors = Self {
            recorder: Arc::new(Recorder::new(config.window)),
            running: watch::Sender::new(true),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        for (visitor, count, walks) in [
            (Visitor::Browser, config.browsers, config.browser_walks),
            (Visitor::Mobile, config.mobiles, config.mobile_walks),
        ] {
            for _ in 0..count {
                let walker = visitors.walker(visitor, config, tls.clone());
                // at most tens of thousands of visitors, so the figure is exact
                #[expect(clippy::cast_precision_loss)]
                let period = Duration::try_from_secs_f64(count as f64 / walks)
                    .map_err(|_| bad("so few walks a second never happen"))?;
                visitors.tracker.spawn(go_on(walker, period, visitors.running.subscribe()));
            }
        }
        visitors.tracker.close();
        Ok(visitors)
    }

    fn walker(&self, visitor: Visitor, config: &Config, tls: TlsConnector) -> Walker {
        let resolver = Resolver::new(config.name_server, config.clock.clone());
        Walker {
            visitor,
            site: config.site.clone(),
            client: Client::new(resolver, tls, config.timeout),
            recorder: self.recorder.clone(),
            ledger: config.ledger.clone(),
            think: config.think,
            read_back: config.read_back,
            stop: self.stop.clone(),
            preflights: HashMap::new(),
        }
    }

    /// What they saw so far.
    pub fn report(&self) -> Report {
        self.recorder.report()
    }

    /// Lets them rest after the walk each is on. The write pause does not run meanwhile.
    pub fn pause(&self) {
        if self.running.send_replace(false) {
            self.recorder.rest();
        }
    }

    /// Sends them off again.
    pub fn resume(&self) {
        if !self.running.send_replace(true) {
            self.recorder.go_on();
        }
    }

    /// Calls them back: each finishes the request it is on, none is torn. Gives the last report.
    pub async fn stop(self) -> Report {
        self.stop.cancel();
        self.tracker.wait().await;
        self.recorder.end();
        self.recorder.report()
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// One visitor's life: a walk every `period`, begun at a moment of its own so that all are spread evenly.
async fn go_on(mut walker: Walker, period: Duration, mut running: watch::Receiver<bool>) {
    let stop = walker.stop.clone();
    let mut next = Instant::now() + period.mul_f64(rand::random::<f64>());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(next) => {}
        }
        if !*running.borrow() {
            tokio::select! {
                () = stop.cancelled() => return,
                resumed = running.wait_for(|running| *running) => if resumed.is_err() { return },
            }
            next = Instant::now() + period.mul_f64(rand::random::<f64>());
            continue;
        }
        walker.walk().await;
        // one that fell behind does not catch up in a rush
        next = (next + period).max(Instant::now());
    }
}
