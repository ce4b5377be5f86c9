//! Watches the source while rows are read, and has the copy wait while it has enough to do.

use std::time::Duration;

use tokio::sync::watch;

use super::{Event, Progress};
use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::Result;

/// How often the source is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Beyond which the copy waits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Sessions of others that are at work.
    pub active: Option<u32>,
    /// Bytes of log that a standby or subscriber has not replayed.
    pub lag_bytes: Option<i64>,
    /// The machine's load average over a minute; only a superuser can see it.
    pub load: Option<f64>,
}

impl Bounds {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What the source has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sample {
    active: i64,
    lag_bytes: i64,
    load: f64,
}

impl Sample {
    /// Why the copy should wait, if it should.
    fn against(self, bounds: &Bounds) -> Option<String> {
        if let Some(most) = bounds.active.filter(|most| self.active > i64::from(*most)) {
            return Some(format!(
                "{} sessions are at work on the source, {most} at most while the copy reads",
                self.active
            ));
        }
        if let Some(most) = bounds.lag_bytes.filter(|most| self.lag_bytes > *most) {
            let mb = |bytes: i64| bytes / 1_000_000;
            return Some(format!(
                "a replica of the source is {} MB behind, {} MB at most",
                mb(self.lag_bytes),
                mb(most)
            ));
        }
        let most = bounds.load.filter(|most| self.load > *most)?;
        Some(format!("the source's load is {:.1}, {most:.1} at most", self.load))
    }
}

/// Asks again and again, until it is dropped. Ends at once, in calm, where nothing is to be watched.
pub(super) async fn watch(
    source: &Endpoint,
    bounds: &Bounds,
    calm: &watch::Sender<bool>,
    progress: &dyn Progress,
) -> Result<()> {
    if bounds.is_none() {
        return Ok(());
    }
    let session = source.connect().await?;
    loop {
        let why = sample(&session, bounds).await?.against(bounds);
        calm.send_replace(why.is_none());
        if let Some(why) = why {
            progress.tell(Event::Waiting { why });
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn sample(session: &Session, bounds: &Bounds) -> Result<Sample> {
    let active = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active' \
        AND backend_type = 'client backend' AND application_name <> 'outgrow' AND pid <> pg_backend_pid()";
    let lag = "SELECT coalesce(max(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
        ELSE pg_current_wal_lsn() END, replay_lsn)), 0)::bigint FROM pg_catalog.pg_stat_replication";
    let load = "SELECT split_part(pg_read_file('/proc/loadavg', 0, 64), ' ', 1)::float8";
    let mut sample = Sample::default();
    if bounds.active.is_some() {
        sample.active = session.value(active, &[]).await?;
    }
    if bounds.lag_bytes.is_some() {
        sample.lag_bytes = session.value(lag, &[]).await?;
    }
    if bounds.load.is_some() {
        sample.load = session.value(load, &[]).await?;
    }
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bound_has_its_reason() {
        let bounds = Bounds { active: Some(5), lag_bytes: Some(10_000_000), load: Some(2.0) };
        let calm = Sample { active: 5, lag_bytes: 10_000_000, load: 2.0 };
        assert_eq!(calm.against(&bounds), None);
        for (sample, word) in [
            (Sample { active: 6, ..calm }, "6 sessions"),
            (Sample { lag_bytes: 64_000_000, ..calm }, "64 MB behind"),
            (Sample { load: 3.24, ..calm }, "load is 3.2"),
        ] {
            assert!(sample.against(&bounds).unwrap().contains(word), "{sample:?}");
            assert_eq!(sample.against(&Bounds::default()), None);
        }
    }
}
