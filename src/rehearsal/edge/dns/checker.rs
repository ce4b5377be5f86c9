//! Route 53's health checkers: one task a check, on real time, writing what they find into the state.
//! Source: Route 53 developer guide, "How Amazon Route 53 determines whether a health check is healthy".

mod ask;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use super::{Book, current};
use crate::rehearsal::answering::{Asked, Dice, Value, name};
use crate::rehearsal::state::{Checkup, Found, Shared};

/// Checks come so many times as often as configured, as those of balancers do: they are real requests that no clock
/// which skips ahead would wait for.
const PACE: u32 = 5;

/// A running checker, stopped when dropped.
struct Checker {
    check: Checkup,
    task: AbortHandle,
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps the checkers in step with the state until `stop`.
pub(in super::super) async fn run(shared: Shared, book: Book, tls: TlsConnector, stop: CancellationToken) {
    let mut watch = shared.watch();
    let mut checkers: BTreeMap<String, Checker> = BTreeMap::new();
    loop {
        watch.borrow_and_update();
        let wanted: BTreeMap<String, Checkup> = {
            let state = shared.lock();
            let probed = state.checkups.iter().filter(|(_, check)| !check.disabled && check.kind != "CALCULATED");
            probed.map(|(id, check)| (id.clone(), Checkup { found: Found::default(), ..check.clone() })).collect()
        };
        checkers.retain(|id, checker| wanted.get(id) == Some(&checker.check));
        for (id, check) in wanted {
            checkers.entry(id.clone()).or_insert_with(|| {
                let task = tokio::spawn(keep_asking(shared.clone(), book.clone(), tls.clone(), id, check.clone()));
                Checker { check, task: task.abort_handle() }
            });
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = watch.changed() => if changed.is_err() { return },
        }
    }
}

/// Asks one endpoint for ever.
async fn keep_asking(shared: Shared, book: Book, tls: TlsConnector, id: String, check: Checkup) {
    let mut every = tokio::time::interval(Duration::from_secs(check.interval.max(1).into()) / PACE);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut good, mut bad) = (0_u32, 0_u32);
    loop {
        every.tick().await;
        let outcome = match where_to(&check, &book) {
            Ok(address) => ask::ask(&check, address, &tls).await,
            Err(why) => Err(why),
        };
        (good, bad) = if outcome.is_ok() { (good.saturating_add(1), 0) } else { (0, bad.saturating_add(1)) };
        let touched = {
            let mut state = shared.lock();
            let Some(found) = state.checkups.get_mut(&id).map(|check| &mut check.found) else { return };
            let before = found.failing;
            found.failing = if before { good < check.threshold } else { bad >= check.threshold };
            let seen = (shared.clock.now(), outcome.clone().unwrap_or_else(|why| why));
            if outcome.is_err() {
                found.last_failure = Some(seen.clone());
            }
            found.last = Some(seen);
            found.failing != before
        };
        if touched {
            shared.changed();
        }
    }
}

/// The address of an endpoint: its own, or what the name server says of its host.
fn where_to(check: &Checkup, book: &Book) -> Result<IpAddr, String> {
    if let Some(address) = check.address {
        return Ok(address);
    }
    let host = check.host.as_deref().unwrap_or_default();
    let unresolved = || "Failure: DNS resolution failed: No answer from the authoritative server".to_owned();
    let key = name::key(host).ok_or_else(unresolved)?;
    let directory = current(book);
    let outcome = directory.look_up(Asked { key: &key, kind: 1, public: true }, &mut Dice::default());
    let address = outcome.answers.iter().find_map(|record| match record.value {
        Value::Address(address) => Some(address),
        Value::Data(data, _) if record.kind == 1 => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
        Value::Data(..) => None,
    });
    address.ok_or_else(unresolved)
}
