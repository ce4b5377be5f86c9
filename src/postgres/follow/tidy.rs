//! Everything that following made is removed again, on both sides, from whatever state.

use super::{Result, STREAM_ROLE, Sides, identity, stream, watch, word};
use crate::clients::postgres::Session;
use crate::postgres::marker::made_by;
use crate::postgres::name::ident;
use crate::world::Side;

/// Something that could not be removed: where, and why. A slot that stays keeps the server's log and fills its disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// On which side.
    pub side: Side,
    /// What stays, and why.
    pub what: String,
}

/// Removes subscriptions, slots, publications, the role and our tables on both sides, and gives the tables their
/// replica identities back. Right in any half-done state, and when nothing is there; what stays is told, also for a side
/// that is not reached: repeat it then. The mark of the copy ([`crate::postgres::marker`]) is not touched.
pub async fn tidy(sides: &Sides) -> Vec<Left> {
    let mut left = Vec::new();
    let mut sessions = Vec::new();
    for side in [Side::Old, Side::New] {
        match sides.session(side).await {
            Ok(session) => sessions.push((side, session)),
            Err(error) => {
                let names = [Side::Old, Side::New].map(|from| sides.stream(from)).join(" or ");
                let what = format!("whatever stands there, maybe the slot {names}: {error}");
                left.push(Left { side, what });
            }
        }
    }
    // Subscriptions first, on both sides: a slot without a reader can be dropped.
    for (side, session) in &sessions {
        for from in [Side::Old, Side::New] {
            let done = stream::drop_subscription(session, sides, from).await.map(|_| ());
            note(&mut left, *side, &format!("subscription {}", sides.stream(from)), done);
        }
    }
    for (side, session) in &sessions {
        for from in [Side::Old, Side::New] {
            let done = stream::drop_slot(session, &sides.stream(from)).await.map(|_| ());
            note(&mut left, *side, &format!("slot {}", sides.stream(from)), done);
        }
        let done = stream::drop_publications(session, sides).await;
        note(&mut left, *side, &format!("publication {}", sides.publication()), done);
        note(&mut left, *side, "replica identities", identities(session).await);
        note(&mut left, *side, &format!("role {STREAM_ROLE}"), drop_role(session, sides).await);
        note(&mut left, *side, "tables in the schema outgrow", drop_tables(session).await);
    }
    for (_, session) in sessions {
        session.close();
    }
    for one in &left {
        tracing::warn!(side = word(one.side), what = %one.what, "could not be removed");
    }
    left
}

fn note(left: &mut Vec<Left>, side: Side, what: &str, done: Result<()>) {
    if let Err(error) = done {
        left.push(Left { side, what: format!("{what}: {error}") });
    }
}

async fn identities(session: &Session) -> Result<()> {
    let known: Vec<_> = watch::recorded(session).await?.into_iter().map(|(table, _)| table).collect();
    identity::put_back(session, &known).await
}

/// The role is dropped only if this run made it: another run on the same server may use its own.
async fn drop_role(session: &Session, sides: &Sides) -> Result<()> {
    let sql = "SELECT shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = $1";
    let rows = session.rows(sql, &[&STREAM_ROLE]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    if row.get::<_, Option<String>>(0).as_deref() != Some(made_by(&sides.run).as_str()) {
        return Ok(());
    }
    let granted = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a \
        JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE d.datname = pg_catalog.current_database() AND r.rolname = $1)";
    if session.value::<bool>(granted, &[&STREAM_ROLE]).await? {
        let database = ident(&session.endpoint().database);
        session.run(&format!("REVOKE ALL ON DATABASE {database} FROM {STREAM_ROLE}")).await?;
    }
    Ok(session.run(&format!("DROP ROLE IF EXISTS {STREAM_ROLE}")).await?)
}

/// Our tables, and the schema if the copy's mark is not in it.
async fn drop_tables(session: &Session) -> Result<()> {
    session.run("DROP TABLE IF EXISTS outgrow.marker_old, outgrow.marker_new, outgrow.epoch, outgrow.followed, outgrow.done").await?;
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n WHERE nspname = 'outgrow') AND NOT EXISTS \
        (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.to_regnamespace('outgrow'))";
    if session.value::<bool>(sql, &[]).await? {
        session.run("DROP SCHEMA IF EXISTS outgrow").await?;
    }
    Ok(())
}
