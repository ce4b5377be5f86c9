//! The pieces of a stream: role, publication, slot, subscription. Each is made, or found as it should be; each is
//! removed, or found gone.

use std::time::Duration;

use tokio::time::Instant;

use super::{Followed, Result, STREAM_ROLE, Sides, cannot, word};
use crate::clients::postgres::Session;
use crate::postgres::fence::is_superuser;
use crate::postgres::marker::made_by;
use crate::postgres::name::{ident, literal};
use crate::postgres::scram;
use crate::world::Side;

/// How long a slot's reader may take to go.
const READER_GOES: Duration = Duration::from_secs(10);

/// The role by which the other server reads this one's stream.
pub async fn make_role(session: &Session, sides: &Sides) -> Result<()> {
    let there: bool =
        session.value("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1)", &[&STREAM_ROLE]).await?;
    let managed: bool = session
        .value("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication')", &[])
        .await?;
    let verb = if there { "ALTER" } else { "CREATE" };
    let right = if managed { "" } else { " REPLICATION" };
    let doing = format!("{verb} ROLE {STREAM_ROLE} LOGIN{right}");
    let sql = format!("{doing} PASSWORD {}", literal(&scram::verifier(&sides.stream_password)));
    session.run_as(&doing, &sql).await?;
    let comment = literal(&made_by(&sides.run));
    let database = ident(&session.endpoint().database);
    session.run(&format!("COMMENT ON ROLE {STREAM_ROLE} IS {comment}")).await?;
    // Everybody may connect, as a rule. A grant would write the default rights down, and no revocation takes that back.
    let may = "SELECT pg_catalog.has_database_privilege($1, pg_catalog.current_database(), 'CONNECT')";
    if !session.value::<bool>(may, &[&STREAM_ROLE]).await? {
        session.run(&format!("GRANT CONNECT ON DATABASE {database} TO {STREAM_ROLE}")).await?;
    }
    if managed {
        session.run(&format!("GRANT rds_replication TO {STREAM_ROLE}")).await?;
    }
    Ok(())
}

/// Publishes these tables, and this side's marker row. There are two publications, so that a stream can run, and prove
/// it, before it carries any table: see [`publish`].
pub async fn make_publications(session: &Session, sides: &Sides, side: Side, tables: &[Followed]) -> Result<()> {
    let streamed: Vec<_> =
        tables.iter().filter(|table| table.is_streamed()).map(|table| format!("ONLY {}", table.name)).collect();
    make_publication(session, sides, &sides.publication(), &streamed.join(", ")).await?;
    let marker = format!("ONLY outgrow.marker_{}", word(side));
    make_publication(session, sides, &sides.marker_publication(), &marker).await?;
    publish(session, sides, true).await
}

async fn make_publication(session: &Session, sides: &Sides, name: &str, list: &str) -> Result<()> {
    let (quoted, comment) = (ident(name), literal(&made_by(&sides.run)));
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = $1)";
    let there = session.value::<bool>(sql, &[&name]).await?;
    let sql = match (there, list.is_empty()) {
        (true, false) => format!("ALTER PUBLICATION {quoted} SET TABLE {list}"),
        (false, false) => format!("CREATE PUBLICATION {quoted} FOR TABLE {list}"),
        // A database without a table that could be streamed.
        (false, true) => format!("CREATE PUBLICATION {quoted}"),
        (true, true) => return Ok(()),
    };
    session.run(&sql).await?;
    Ok(session.run(&format!("COMMENT ON PUBLICATION {quoted} IS {comment}")).await?)
}

/// Whether changes of the tables go into the stream, from this moment of the log on. Takes no lock on any table.
pub async fn publish(session: &Session, sides: &Sides, tables: bool) -> Result<()> {
    let what = if tables { "insert, update, delete, truncate" } else { "" };
    Ok(session.run(&format!("ALTER PUBLICATION {} SET (publish = '{what}')", ident(&sides.publication()))).await?)
}

/// Removes our publications; right if they are gone.
pub async fn drop_publications(session: &Session, sides: &Sides) -> Result<()> {
    let (one, other) = (ident(&sides.publication()), ident(&sides.marker_publication()));
    Ok(session.run(&format!("DROP PUBLICATION IF EXISTS {one}, {other}")).await?)
}

/// Removes a slot, ending its reader first; right if it is gone. Says whether there was one.
pub async fn drop_slot(session: &Session, name: &str) -> Result<bool> {
    let deadline = Instant::now() + READER_GOES;
    let there = "SELECT active_pid FROM pg_catalog.pg_replication_slots WHERE slot_name = $1";
    let mut found = false;
    while let Some(row) = session.rows(there, &[&name]).await?.first() {
        found = true;
        if let Some(reader) = row.get::<_, Option<i32>>(0) {
            session.rows("SELECT pg_terminate_backend($1)", &[&reader]).await?;
        }
        match session.run(&format!("SELECT pg_catalog.pg_drop_replication_slot({})", literal(name))).await {
            Ok(()) => return Ok(true),
            // In use: the reader is on its way out, or came again. Gone: somebody was faster.
            Err(error) if error.code() == Some("55006") && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) if error.code() == Some("42704") => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// How a subscription stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Whether its worker is wanted.
    pub enabled: bool,
    /// The slot that it reads; none while it is only prepared.
    pub slot: Option<String>,
}

/// Reads how the subscription to the stream from this side stands.
pub async fn subscription(receiver: &Session, sides: &Sides, from: Side) -> Result<Option<Subscription>> {
    let sql = "SELECT s.subenabled, s.subslotname::text FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d \
        ON d.oid = s.subdbid WHERE s.subname = $1 AND d.datname = current_database()";
    let rows = receiver.rows(sql, &[&sides.stream(from)]).await?;
    Ok(rows.first().map(|row| Subscription { enabled: row.get(0), slot: row.get(1) }))
}

/// Makes the subscription to the stream from `from`: reading its slot, or only prepared (`slot` false). The receiving
/// server connects to the other one while it does so, which is the proof that it can.
pub async fn create_subscription(receiver: &Session, sides: &Sides, from: Side, slot: bool) -> Result<()> {
    let name = sides.stream(from);
    let mut options = format!(
        "create_slot = false, copy_data = false, enabled = {slot}, slot_name = {}",
        if slot { literal(&name) } else { "NONE".to_owned() }
    );
    if receiver.version() >= 14 {
        options.push_str(", streaming = on");
    }
    let doing = format!("CREATE SUBSCRIPTION {}", ident(&name));
    let sql = format!(
        "{doing} CONNECTION {} PUBLICATION {}, {} WITH ({options})",
        literal(&sides.conninfo(from)),
        ident(&sides.publication()),
        ident(&sides.marker_publication())
    );
    hush(receiver).await?;
    let made = receiver.run_as(&doing, &sql).await;
    aloud(receiver).await?;
    made.map_err(|error| unreachable_from(receiver, sides, from, &error))?;
    let comment = literal(&made_by(&sides.run));
    Ok(receiver.run(&format!("COMMENT ON SUBSCRIPTION {} IS {comment}", ident(&name))).await?)
}

/// The statement holds a password: where we may, it is kept out of the server's log.
async fn hush(session: &Session) -> Result<()> {
    if is_superuser(session).await? {
        let sql = "SET log_statement = none; SET log_min_duration_statement = -1; SET log_min_error_statement = panic";
        session.run(sql).await?;
    }
    Ok(())
}

async fn aloud(session: &Session) -> Result<()> {
    if is_superuser(session).await? {
        session.run("RESET log_statement; RESET log_min_duration_statement; RESET log_min_error_statement").await?;
    }
    Ok(())
}

fn unreachable_from(
    receiver: &Session,
    sides: &Sides,
    from: Side,
    error: &crate::clients::postgres::Error,
) -> crate::postgres::Error {
    let seen = &sides.at(from).seen;
    let what = format!("it cannot subscribe to the {} database at {}:{}: {error}", word(from), seen.host, seen.port);
    let todo = match error.code() {
        Some("42501") => {
            "make the role a superuser, on RDS a member of rds_superuser, elsewhere from version 16 on of pg_create_subscription"
        }
        _ => "check address, security groups, pg_hba.conf and TLS on the way from this server to that one",
    };
    cannot(receiver.server(), what, todo)
}

/// Removes the subscription to the stream from `from`, without asking the other server; right if it is gone. Says
/// whether there was one.
pub async fn drop_subscription(receiver: &Session, sides: &Sides, from: Side) -> Result<bool> {
    let Some(found) = subscription(receiver, sides, from).await? else { return Ok(false) };
    let name = ident(&sides.stream(from));
    if found.enabled {
        receiver.run(&format!("ALTER SUBSCRIPTION {name} DISABLE")).await?;
    }
    if found.slot.is_some() {
        receiver.run(&format!("ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")).await?;
    }
    receiver.run(&format!("DROP SUBSCRIPTION IF EXISTS {name}")).await?;
    Ok(true)
}
