//! All that can be done before anybody waits: connections, the list of what is to be brought, the prepared way back.

use std::time::{Duration, Instant};

use super::{Request, Stand, check, epoch, recover, rest, reverse};
use crate::clients::postgres::Session;
use crate::postgres::catalog::{self, Table};
use crate::postgres::follow::{self, Followed, Treatment, opposite};
use crate::postgres::name::TableName;
use crate::postgres::{Error, Result, sequences};

/// How long the receiver may take to come near.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that the pause needs, ready.
pub(super) struct Ready {
    pub giver: Session,
    pub locker: Session,
    pub counter: Session,
    pub receiver: Session,
    pub turner: Session,
    pub pins: Option<(Session, Session)>,
    pub number: i64,
    pub lock_sql: String,
    pub shutting_sql: String,
    pub opening_sql: String,
    pub given_sql: String,
    pub tables: Vec<Table>,
    pub small: Option<check::Small>,
    pub under_fence: Vec<Table>,
    pub sequences: Vec<TableName>,
    pub large_objects: bool,
    pub views: Vec<String>,
}

pub(super) async fn prepare(request: &Request<'_>) -> Result<Box<Ready>> {
    let Request { sides, giver: from, limits, .. } = *request;
    let to = opposite(from);
    match recover::recover(request).await? {
        Stand::Serves(side) if side == from => {}
        stand => {
            let what = format!("the {} database does not take the writes now ({stand:?})", follow::word(from));
            return Err(cannot(sides.at(from).admin.to_string(), what, "look who does, and hand over from there"));
        }
    }
    let connect = |side| async move { recover::worker(sides, side).await };
    let (giver, locker, counter) = tokio::try_join!(connect(from), connect(from), connect(from))?;
    let (receiver, turner) = tokio::try_join!(connect(to), connect(to))?;
    let (pin_from, pin_to) = tokio::try_join!(sides.session(from), sides.session(to))?;
    refuse_fenced_owner(request)?;
    let changes = follow::changes(&giver).await?;
    if let Some(first) = changes.first() {
        let what = format!("the schema changed since the follow was opened: {first}");
        return Err(cannot(giver.server().to_owned(), what, "put it back, or copy anew"));
    }
    keeps_up(request, &giver, &receiver).await?;
    let (ours, theirs) = tokio::try_join!(catalog::tables(&giver), catalog::tables(&receiver))?;
    let tables = catalog::pair(ours, &theirs)?;
    let known = follow::recorded(&giver).await?;
    let small = check::Small::choose(&tables, &known, limits.verify_at_most, &pin_from, &pin_to);
    let unstreamed = |table: &&Table| {
        known.iter().any(|(known, _)| known.name == table.name && known.treatment == Treatment::UnderFence)
    };
    let under_fence: Vec<_> = tables.iter().filter(unstreamed).cloned().collect();
    let standing = tokio::try_join!(epoch::read(&giver), epoch::read(&receiver))?;
    let number = [standing.0, standing.1].into_iter().flatten().map(|one| one.number).max().unwrap_or(0) + 1;
    let shutting_sql = epoch::shutting_sql(&giver, number, request.roles).await?;
    let opening_sql = epoch::opening_sql(&receiver, to, number, request.roles).await?;
    let given_sql = epoch::mark_sql(&giver, from, "copied").await?;
    let large_objects = rest::large_objects_before(&giver, &receiver).await?;
    let views = rest::refresh_before(&receiver, limits.refresh_at_most).await?;
    reverse::prepare(sides, from, &counter, &receiver).await?;
    keeps_up(request, &giver, &receiver).await?;
    ready_locker(&locker, limits.lock_timeout).await?;
    request.hold.prepare(to).await?;
    let lock_sql = lock_sql(&tables, &known);
    let sequences = sequences::names(&giver).await?;
    Ok(Box::new(Ready {
        giver,
        locker,
        counter,
        receiver,
        turner,
        pins: Some((pin_from, pin_to)),
        number,
        lock_sql,
        shutting_sql,
        opening_sql,
        given_sql,
        tables,
        small,
        under_fence,
        sequences,
        large_objects,
        views,
    }))
}

/// Waits, for a while, until the stream is near enough to be drained in a moment.
async fn keeps_up(request: &Request<'_>, giver: &Session, receiver: &Session) -> Result<()> {
    let limit = request.limits.lag_at_most;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let lag = follow::between(giver, receiver, request.sides, request.giver, PATIENCE).await?;
        let trouble = match (lag.trouble(), lag.round_trip) {
            (None, Some(behind)) if behind <= limit => return Ok(()),
            (Some(trouble), _) => trouble,
            (None, behind) => {
                let behind = behind.unwrap_or_default().as_millis();
                format!("a marker row takes {behind} ms, {} are allowed", limit.as_millis())
            }
        };
        if Instant::now() >= deadline {
            let what = format!("the stream to {} is not fit for a handover: {trouble}", receiver.server());
            return Err(cannot(giver.server().to_owned(), what, "wait until it has caught up, or mend it"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A subscription's worker logs in as its owner: fenced, it would never come back.
fn refuse_fenced_owner(request: &Request<'_>) -> Result<()> {
    for place in [&request.sides.old, &request.sides.new] {
        let user = &place.admin.user;
        if request.roles.roles.iter().any(|role| role.name == *user) {
            let what = format!("{user} is an application role and outgrow's own administrator at once");
            return Err(cannot(place.admin.to_string(), what, "give outgrow an administrator of its own"));
        }
    }
    Ok(())
}

/// An autovacuum in the way is ended by the server after `deadlock_timeout`, which only a superuser may shorten.
async fn ready_locker(locker: &Session, lock_timeout: Duration) -> Result<()> {
    let began = Instant::now();
    let _ = locker.run("SET deadlock_timeout = '10ms'").await;
    locker.run(&format!("SET lock_timeout = '{}ms'", lock_timeout.as_millis())).await?;
    tracing::trace!(took = ?began.elapsed(), "the locking session is ready");
    Ok(())
}

fn lock_sql(tables: &[Table], known: &[(Followed, String)]) -> String {
    let followed = |table: &&Table| known.iter().any(|(known, _)| known.name == table.name);
    let names: Vec<_> = tables.iter().filter(followed).map(|table| format!("ONLY {}", table.name)).collect();
    if names.is_empty() {
        return "BEGIN".to_owned();
    }
    format!("BEGIN; LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", names.join(", "))
}

pub(super) fn cannot(server: String, what: String, todo: &'static str) -> Error {
    Error::Follow { server, what, todo }
}
