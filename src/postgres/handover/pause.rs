//! The pause itself: from the hold to the release.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::parts::Clock;
use super::prepare::Ready;
use super::{Afterwards, Epoch, Failed, Handed, Part, Request, epoch, recover, rest, reverse};
use crate::clients::postgres::Session;
use crate::postgres::follow::{self, opposite};
use crate::postgres::pinned::Pinned;
use crate::postgres::{Error, Result, fence};

/// How long the application goes on between two tries for the locks.
const LET_GO: Duration = Duration::from_millis(20);

pub(super) async fn pause(request: &Request<'_>, mut ready: Box<Ready>) -> std::result::Result<Handed, Failed> {
    let clock = Clock::start();
    let to = opposite(request.giver);
    let epoch = Epoch { number: ready.number, writer: to };
    let limit = request.limits.hold_at_most;
    let closed =
        timeout(limit, Box::pin(up_to_the_record(request, &mut ready, &clock, epoch))).await.unwrap_or_else(|_| {
            let why = "raise the limit, or hand over at a quieter hour".to_owned();
            Err(Error::Late { part: "the handover", within: limit, why })
        });
    let pinned = match closed {
        Ok(pinned) => pinned,
        Err(why) => return Err(reopened(request, ready, why).await),
    };
    // On record: the receiver is opened now. Where the answer is lost, the giver stays shut until it is known.
    let opened = part(request, &clock, Part::Open, async { Ok(ready.receiver.run(&ready.opening_sql).await?) }).await;
    match opened {
        Ok(()) => {}
        Err(why) if why.is_lost() => return Err(Failed::InDoubt(why)),
        Err(why) => return Err(reopened(request, ready, why).await),
    }
    part(request, &clock, Part::Release, request.hold.release_to(to)).await.map_err(Failed::InDoubt)?;
    let timings = clock.timings();
    tracing::info!(?epoch, ?timings, "handed over");
    let tables = std::mem::take(&mut ready.tables);
    for session in [ready.giver, ready.locker, ready.counter, ready.receiver, ready.turner] {
        session.close();
    }
    Ok(Handed { epoch, timings, afterwards: Afterwards { giver: pinned.0, receiver: pinned.1, tables } })
}

/// Nothing was opened: the giver takes the writes again.
async fn reopened(request: &Request<'_>, ready: Box<Ready>, why: Error) -> Failed {
    // Its sessions may be in the middle of something: they end, and with them the locks.
    drop(ready);
    match recover::reopen(request).await {
        Ok(()) => Failed::Reopened { side: follow::word(request.giver), why },
        Err(error) => {
            tracing::error!(%why, %error, "the giver could not be opened again");
            Failed::InDoubt(error)
        }
    }
}

async fn up_to_the_record(
    request: &Request<'_>,
    ready: &mut Ready,
    clock: &Clock,
    epoch: Epoch,
) -> Result<(Pinned, Pinned)> {
    let (sides, giver) = (request.sides, request.giver);
    part(request, clock, Part::Hold, request.hold.hold()).await?;
    part(request, clock, Part::Lock, lock(ready)).await?;
    part(request, clock, Part::Drain, drain(request, ready)).await?;
    // The receiver has everything. What is left on both sides does not depend on each other.
    let pins = ready.pins.take();
    let ready = &*ready;
    let closing = async {
        part(request, clock, Part::Fence, shut(request, ready, epoch)).await?;
        part(request, clock, Part::Rest, Box::pin(rest::bring(request, ready))).await?;
        part(request, clock, Part::Verify, Box::pin(verify(ready, pins))).await
    };
    let turning = part(request, clock, Part::Reverse, reverse::turn(sides, giver, ready, request.limits.hold_at_most));
    let (pinned, ()) = tokio::try_join!(closing, turning)?;
    let record = async {
        let received = epoch::write(&ready.receiver, epoch.number, "received");
        let mark = async { Ok(ready.giver.run(&ready.given_sql).await?) };
        let kept = async { request.record.epoch(epoch).await.map_err(|error| Error::NotOnRecord(error.to_string())) };
        tokio::try_join!(received, mark, kept).map(|_| ())
    };
    part(request, clock, Part::OnRecord, record).await?;
    Ok(pinned)
}

/// Does a part, between the caller's nod and the clock's.
async fn part<T>(request: &Request<'_>, clock: &Clock, part: Part, work: impl Future<Output = Result<T>>) -> Result<T> {
    request.record.entering(part).await.map_err(|error| Error::NotOnRecord(error.to_string()))?;
    let began = Instant::now();
    let done = work.await?;
    clock.note(part, began);
    Ok(done)
}

/// Nobody writes to the tables any more; whoever tries, waits.
async fn lock(ready: &Ready) -> Result<()> {
    loop {
        match ready.locker.run(&ready.lock_sql).await {
            Ok(()) => return Ok(()),
            // Somebody holds a row, or waits for one of ours: let everybody go on for a moment.
            Err(error) if matches!(error.code(), Some("55P03" | "40P01")) => {
                ready.locker.run("ROLLBACK").await?;
                tokio::time::sleep(LET_GO).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Everything that was written before the locks is with the receiver once the marker row is.
async fn drain(request: &Request<'_>, ready: &Ready) -> Result<()> {
    let beat = follow::mark(&ready.giver, request.giver).await?;
    let within = request.limits.hold_at_most;
    if follow::wait_for_mark(&ready.receiver, request.giver, beat, within).await? {
        return Ok(());
    }
    let why = "the receiving side is too far behind".to_owned();
    Err(Error::Late { part: "drain", within, why })
}

/// The application is out of the giver; the locks are not needed any more.
async fn shut(request: &Request<'_>, ready: &Ready, epoch: Epoch) -> Result<()> {
    match ready.giver.run(&ready.shutting_sql).await {
        Ok(()) => {}
        // "tuple concurrently updated": the application alters its own role; the fence has the patience for that.
        Err(error) if error.code() == Some("XX000") => {
            ready.giver.run("ROLLBACK").await?;
            epoch::write(&ready.giver, epoch.number, "closed").await?;
        }
        Err(error) => return Err(error.into()),
    }
    fence::apply_fence(&ready.giver, request.roles, request.limits.eviction).await?;
    Ok(ready.locker.run("ROLLBACK").await?)
}

/// Pins both sides at this moment, and compares what is small.
async fn verify(ready: &Ready, pins: Option<(Session, Session)>) -> Result<(Pinned, Pinned)> {
    let pinned = match pins {
        Some((one, other)) => tokio::try_join!(Pinned::on(one), Pinned::on(other))?,
        None => tokio::try_join!(Pinned::open(ready.giver.endpoint()), Pinned::open(ready.receiver.endpoint()))?,
    };
    if let Some(small) = &ready.small {
        small.compare(&pinned.0, &pinned.1).await?;
    }
    Ok(pinned)
}
