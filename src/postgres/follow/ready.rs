//! What stands in the way of following, found before anything is made.

use super::{Result, Sides, Treatment, identity};
use crate::clients::postgres::Session;
use crate::postgres::name::literal;
pub use crate::postgres::observe::Finding;
use crate::world::Side;

/// The oldest and the newest server that following is known to work from.
const VERSIONS: std::ops::RangeInclusive<u32> = 12..=17;
/// A transaction that is open for longer than this is told: the slot waits for its end, and so do the locks.
const LONG: &str = "30 seconds";

/// What the operator decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Tables without a usable key are followed with the whole row as their identity.
    pub whole_row: bool,
    /// Tables that cannot be followed are brought over under the fence up to so many bytes each.
    pub under_fence_at_most: i64,
    /// Large objects are compared and brought over under the fence up to so many bytes in all.
    pub large_objects_at_most: i64,
}

impl Default for Choices {
    fn default() -> Self {
        Self { whole_row: true, under_fence_at_most: 1 << 20, large_objects_at_most: 64 << 20 }
    }
}

/// Looks at both servers. What blocks must be settled before [`super::open`]; the rest should be known. Whether the
/// new server reaches the old one shows when it subscribes: only it can tell.
pub async fn ready(sides: &Sides, choices: &Choices) -> Result<Vec<Finding>> {
    let (old, new) = tokio::try_join!(sides.session(Side::Old), sides.session(Side::New))?;
    let mut found = Findings::default();
    versions(&mut found, &old, &new);
    giver(&mut found, &old, Side::Old).await?;
    giver(&mut found, &new, Side::New).await?;
    receiver(&mut found, &old).await?;
    receiver(&mut found, &new).await?;
    transactions(&mut found, &old).await?;
    tables(&mut found, &old, choices).await?;
    large_objects(&mut found, &old, choices).await?;
    old.close();
    new.close();
    Ok(found.0)
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, blocks: bool, at: impl Into<String>, what: impl Into<String>, advice: &str) {
        self.0.push(Finding { what: what.into(), at: at.into(), advice: advice.to_owned(), blocks });
    }
}

fn versions(found: &mut Findings, old: &Session, new: &Session) {
    if !VERSIONS.contains(&old.version()) {
        let what = format!("version {}; following is known to work from 12 to 17", old.version());
        found.add(true, old.server(), what, "move it by dump and restore");
    }
    if new.version() < old.version() {
        let what = format!("version {} follows {}", new.version(), old.version());
        found.add(true, new.server(), what, "make the new server of the same version or a newer one");
    }
    if new.version() > old.version() {
        let what = format!("the way back goes from version {} to {}", new.version(), old.version());
        let advice = "it works as long as the schema uses nothing that the old version does not know; change no schema \
                      before finalize";
        found.add(false, new.server(), what, advice);
    }
}

/// A number among the server's settings.
async fn setting(session: &Session, name: &str) -> Result<i64> {
    let sql = format!("SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = {}", literal(name));
    Ok(session.value(&sql, &[]).await?)
}

async fn giver(found: &mut Findings, session: &Session, side: Side) -> Result<()> {
    let at = session.server();
    let level: String = session.value("SELECT current_setting('wal_level')", &[]).await?;
    if level != "logical" {
        let advice = match side {
            Side::Old => {
                "set it once (ALTER SYSTEM SET wal_level = 'logical', or -c wal_level=logical in the container's command) \
                 and restart the database's container: what needs the database fails for some seconds meanwhile. Or do \
                 without the stream (`database-copy: { follow: false }`): what changed since the copy is then moved in the \
                 pause, which takes as much longer"
            }
            Side::New => {
                "set wal_level = logical (on RDS rds.logical_replication = 1 in its parameter group, before it is made, \
                 else with a restart), or there is no way back without a second copy"
            }
        };
        found.add(true, at, format!("wal_level is {level}"), advice);
    }
    let used: i64 = session.value("SELECT count(*) FROM pg_catalog.pg_replication_slots", &[]).await?;
    let most = setting(session, "max_replication_slots").await?;
    if used + 1 > most {
        let what = format!("max_replication_slots is {most}, and {used} are taken");
        found.add(true, at, what, "raise it (needs a restart), or drop slots that nobody reads");
    }
    let used: i64 =
        session.value("SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walsender'", &[]).await?;
    let most = setting(session, "max_wal_senders").await?;
    if used + 2 > most {
        found.add(true, at, format!("max_wal_senders is {most}, and {used} are taken"), "raise it (needs a restart)");
    }
    if session.version() >= 13 {
        let keep = setting(session, "max_slot_wal_keep_size").await?;
        if keep >= 0 {
            let what = format!("max_slot_wal_keep_size is {keep} MB: a receiver further behind loses the stream");
            found.add(false, at, what, "raise it if the copy takes longer than that much log is written");
        } else {
            let advice = "set it, so that a slot nobody reads is given up before the disk is full; see that there is room \
                          for the log of the whole copy";
            found.add(false, at, "a slot may keep the log without limit", advice);
        }
    }
    Ok(())
}

async fn receiver(found: &mut Findings, session: &Session) -> Result<()> {
    let at = session.server();
    let member = |role: &str| {
        format!(
            "coalesce((SELECT pg_catalog.pg_has_role(current_user, oid, 'MEMBER') FROM pg_catalog.pg_roles \
             WHERE rolname = '{role}'), false)"
        )
    };
    let sql = format!(
        "SELECT r.rolsuper OR {}, {}, r.rolreplication OR r.rolsuper OR {} FROM pg_catalog.pg_roles r \
         WHERE r.rolname = current_user",
        member("rds_superuser"),
        member("pg_create_subscription"),
        member("rds_replication")
    );
    let row = session.one(&sql, &[]).await?;
    let may_subscribe = row.get::<_, bool>(0) || (session.version() >= 16 && row.get::<_, bool>(1));
    if !may_subscribe {
        let advice = "make it a superuser, on RDS a member of rds_superuser, elsewhere from version 16 on of \
                      pg_create_subscription";
        found.add(true, at, "the role may not make subscriptions", advice);
    }
    if !row.get::<_, bool>(2) {
        found.add(true, at, "the role may not make slots", "give it REPLICATION, on RDS the role rds_replication");
    }
    for name in ["max_logical_replication_workers", "max_worker_processes"] {
        if setting(session, name).await? < 2 {
            found.add(true, at, format!("{name} leaves no room for a subscription"), "raise it (needs a restart)");
        }
    }
    Ok(())
}

async fn transactions(found: &mut Findings, session: &Session) -> Result<()> {
    let sql = format!(
        "SELECT format('pid %s of %s, open since %s', pid, usename, xact_start) FROM pg_catalog.pg_stat_activity \
         WHERE xact_start < now() - interval '{LONG}' AND pid <> pg_backend_pid() AND backend_type = 'client backend' \
         UNION ALL SELECT format('prepared transaction %s of %s, since %s', gid, owner, prepared) \
         FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()"
    );
    for row in session.rows(&sql, &[]).await? {
        let prepared = row.get::<_, String>(0).starts_with("prepared");
        let advice = if prepared { "commit it or roll it back" } else { "wait for its end, or end it" };
        found.add(prepared, session.server(), format!("{}: slot and fence wait for it", row.get::<_, &str>(0)), advice);
    }
    Ok(())
}

async fn tables(found: &mut Findings, session: &Session, choices: &Choices) -> Result<()> {
    for table in identity::followed(session, choices.whole_row, choices.under_fence_at_most).await? {
        let at = table.name.to_string();
        match table.treatment {
            Treatment::AsIs => {}
            Treatment::Index(index) => {
                let what = format!("no primary key: the unique index {index} becomes its replica identity");
                found.add(false, at, what, "nothing; it is put back afterwards");
            }
            Treatment::WholeRow => {
                let advice = "nothing for few updates, which each search the table on the other side; give it a primary \
                              key if there are many";
                found.add(false, at, "no key: the whole row becomes its replica identity", advice);
            }
            Treatment::UnderFence => {
                let what = format!("not streamed: its {} bytes are brought over under the fence", table.bytes);
                found.add(false, at, what, "nothing; it lengthens the pause a little");
            }
            Treatment::Refused(why) => {
                let advice = "give it a primary key, allow whole rows as identity, or move by dump and restore";
                found.add(true, at, why, advice);
            }
        }
    }
    Ok(())
}

async fn large_objects(found: &mut Findings, session: &Session, choices: &Choices) -> Result<()> {
    let count: i64 = session.value("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata", &[]).await?;
    if count == 0 {
        return Ok(());
    }
    let bytes: i64 =
        session.value("SELECT pg_catalog.pg_total_relation_size('pg_catalog.pg_largeobject')", &[]).await?;
    let what =
        format!("{count} large objects, some {bytes} bytes: no stream carries them, they are compared in the pause");
    let blocks = bytes > choices.large_objects_at_most;
    let advice = if blocks {
        "too many for a short pause: move them to an object store or a bytea column first, or move by dump and restore"
    } else {
        "reckon with the time to read them once on both sides"
    };
    found.add(blocks, session.server(), what, advice);
    Ok(())
}
