//! From a half-way handover to a whole one or none, whatever was done of it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Request, Stand, epoch, prepare, reverse, stands};
use crate::clients::postgres::Session;
use crate::postgres::follow::{self, Sides, opposite};
use crate::postgres::{Result, fence};
use crate::world::Side;

/// The name that a handover's sessions carry, so that those of one that was killed are found.
const WORKER: &str = "outgrow handover";
/// How long those may take to end.
const WORKERS_END: Duration = Duration::from_secs(10);

/// A session that does a handover's work.
pub(super) async fn worker(sides: &Sides, side: Side) -> Result<Session> {
    let session = sides.session(side).await?;
    session.run(&format!("SET application_name = '{WORKER}'")).await?;
    Ok(session)
}

/// Ends what a handover that is over may still have under way on this server, a statement whose answer nobody waits for:
/// it could shut or open a door after it was decided otherwise.
async fn evict_workers(session: &Session) -> Result<()> {
    let deadline = Instant::now() + WORKERS_END;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE application_name = $1 \
        AND usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()";
    while !session.rows(sql, &[&WORKER]).await?.is_empty() {
        if Instant::now() >= deadline {
            let what = "sessions of an earlier handover do not end".to_owned();
            return Err(prepare::cannot(session.server().to_owned(), what, "end them, then repeat"));
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Brings a handover that was killed to an end: opened, it stays so and the old stream is removed; else the giver is
/// opened again. Clients are sent to whoever has the writes. Right, and nothing but a look, where nothing is half-way.
///
/// # Errors
/// Either side not reached. [`crate::postgres::Error::Follow`] if no follow was opened, or somebody opened the other
/// side as well: a person has to say what becomes of the rows written there.
pub async fn recover(request: &Request<'_>) -> Result<Stand> {
    for side in [Side::Old, Side::New] {
        let session = request.sides.session(side).await?;
        evict_workers(&session).await?;
        session.close();
    }
    let stand = stands(request.sides, request.roles).await?;
    let server = |side| request.sides.at(side).admin.to_string();
    match stand {
        Stand::Serves(writer) => {
            Box::pin(settle(request, writer)).await?;
            Ok(stand)
        }
        Stand::Halfway { giver } => {
            Box::pin(reopen(&Request { giver, ..*request })).await?;
            Ok(Stand::Serves(giver))
        }
        Stand::Both { writer } if never_opened(request, opposite(writer)).await? => {
            // Roles of the same names were on that server before, and could log in.
            let session = request.sides.session(opposite(writer)).await?;
            fence::apply_fence(&session, request.roles, request.limits.eviction).await?;
            session.close();
            Box::pin(settle(request, writer)).await?;
            Ok(Stand::Serves(writer))
        }
        Stand::Both { writer } => {
            let what = format!(
                "the {} database has the writes, and this one lets the application in too",
                follow::word(writer)
            );
            let todo = "shut it (ALTER ROLE … NOLOGIN for the application's roles), see what was written there since, then repeat";
            Err(prepare::cannot(server(opposite(writer)), what, todo))
        }
        Stand::Unknown => {
            let what = "no follow was opened here, or its record is gone".to_owned();
            Err(prepare::cannot(server(Side::Old), what, "open the follow first"))
        }
    }
}

/// Whether this side has never had the writes.
async fn never_opened(request: &Request<'_>, side: Side) -> Result<bool> {
    let session = request.sides.session(side).await?;
    let standing = epoch::read(&session).await?;
    session.close();
    Ok(standing.is_none_or(|standing| standing.number == 0))
}

/// The writer is known and open. Whatever a killed handover left of a stream to it goes; the one from it, which a handover
/// that was killed before it closed anything may have switched off, is switched on; clients are released.
async fn settle(request: &Request<'_>, writer: Side) -> Result<()> {
    let sides = request.sides;
    let (from, to) = tokio::try_join!(sides.session(writer), sides.session(opposite(writer)))?;
    let inward = follow::subscription(&from, sides, opposite(writer)).await?;
    let outward = follow::subscription(&to, sides, writer).await?;
    let has_slot = |found: &Option<follow::Subscription>| found.as_ref().is_some_and(|one| one.slot.is_some());
    if has_slot(&inward) {
        finish(sides, opposite(writer)).await?;
    }
    if has_slot(&outward) {
        let begun = follow::begin(&from, &to, sides, writer).await;
        tell(begun, "the stream from the writer does not run");
    }
    from.close();
    to.close();
    request.hold.release_to(writer).await
}

/// Removes the stream from `giver`, which has given its writes away; the one the other way round runs.
pub(super) async fn finish(sides: &Sides, giver: Side) -> Result<()> {
    let (from, to) = tokio::try_join!(sides.session(giver), sides.session(opposite(giver)))?;
    follow::drop_subscription(&to, sides, giver).await?;
    follow::drop_slot(&from, &sides.stream(giver)).await?;
    from.close();
    to.close();
    Ok(())
}

/// Opens the giver again, which alone has all writes. Needs the giver; what is to be done on the other side is done if it
/// is reached, else by the next repeat.
pub(super) async fn reopen(request: &Request<'_>) -> Result<()> {
    let (sides, giver) = (request.sides, request.giver);
    let to = opposite(giver);
    let session = sides.session(giver).await?;
    evict_workers(&session).await?;
    reverse::off(&session, sides, giver).await?;
    let known = epoch::read(&session).await?.map_or(0, |standing| standing.number);
    let receiver = sides.session(to).await;
    if let Ok(receiver) = &receiver {
        evict_workers(receiver).await?;
    }
    let theirs = match &receiver {
        Ok(receiver) => epoch::read(receiver).await?.map_or(0, |standing| standing.number),
        Err(_) => 0,
    };
    let number = known.max(theirs) + 1;
    let sql = epoch::opening_sql(&session, giver, number, request.roles).await?;
    session.run(&sql).await?;
    let released = request.hold.release_to(giver).await;
    if let Ok(receiver) = receiver {
        let mended = follow_on(sides, giver, &session, &receiver).await;
        tell(mended, "the giver is open, and its stream does not run");
        receiver.close();
    }
    if let Ok(fence::FenceState::Partly(why)) = fence::is_fenced(&session, request.roles).await {
        tracing::warn!(%why, "some roles stay shut out");
    }
    session.close();
    released
}

/// The receiver's own end of the reverse stream goes, then it reads on.
async fn follow_on(sides: &Sides, giver: Side, session: &Session, receiver: &Session) -> Result<()> {
    follow::drop_slot(receiver, &sides.stream(opposite(giver))).await?;
    if follow::subscription(receiver, sides, giver).await?.is_some() {
        follow::begin(session, receiver, sides, giver).await?;
    }
    Ok(())
}

/// Who has the writes is settled; the stream is looked at by the next handover's gate.
fn tell(done: Result<()>, what: &str) {
    if let Err(error) = done {
        tracing::warn!(%error, what);
    }
}
