//! Two servers, one following the other; and an application that writes and keeps account of what was acknowledged.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use outgrow::clients::postgres::{Endpoint, Session};
use outgrow::postgres::copy::{Options, copy_on};
use outgrow::postgres::fence::{self, Fenced};
use outgrow::postgres::follow::{self, Choices, Place, Seen, Sides};
use outgrow::postgres::handover::{Limits, NoHold, Record, Request};
use outgrow::postgres::tools::{LocalTools, Tools};
use outgrow::world::Side;
use tokio::time::Instant;

use super::{count, shop};
use crate::pg::Cluster;

const PASSWORD: &str = "stream-secret";

/// Two servers, and the run between them.
pub struct Pair {
    pub old: Cluster,
    pub new: Cluster,
    pub sides: Sides,
    pub roles: Fenced,
}

fn seen(cluster: &Cluster) -> Seen {
    Seen { host: "127.0.0.1".into(), port: cluster.port(), sslmode: "disable".into(), root_certificate: None }
}

impl Pair {
    /// The shop on the old server, whose application is its superuser; an empty database on the new one. PostgreSQL 15
    /// lets only superusers subscribe (RDS lets its master), so the master is one here.
    pub async fn start() -> Self {
        let (old, new) = Cluster::pair().await;
        Self::between(old, new).await
    }

    /// The same on these two servers.
    pub async fn between(old: Cluster, new: Cluster) -> Self {
        let source = shop(&old).await;
        let first = source.connect().await.unwrap();
        fence::make_admin(&first, &"admin-secret".into()).await.unwrap();
        first
            .run(
                "CREATE TABLE public.ledger (id bigint PRIMARY KEY, at timestamptz DEFAULT clock_timestamp()); \
                 CREATE TABLE public.tally (writer int PRIMARY KEY, n bigint NOT NULL); \
                 INSERT INTO public.tally SELECT w, 0 FROM generate_series(0, 31) w; \
                 ALTER TABLE public.ledger OWNER TO shop; ALTER TABLE public.tally OWNER TO shop; \
                 ALTER ROLE shop SUPERUSER",
            )
            .await
            .unwrap();
        let master = new.managed("shop").await;
        new.session("postgres").await.run("ALTER ROLE master SUPERUSER").await.unwrap();
        let sides = Sides {
            run: "run-1".into(),
            old: Place { admin: source.with_user(fence::ADMIN, "admin-secret".into()), seen: seen(&old) },
            new: Place { admin: master, seen: seen(&new) },
            stream_password: PASSWORD.into(),
        };
        Self { old, new, sides, roles: Fenced::around(["shop"]) }
    }

    /// The same, copied and following.
    pub async fn following() -> Self {
        Self::start().await.followed().await
    }

    /// Copied and following from now on.
    pub async fn followed(self) -> Self {
        self.followed_with(&LocalTools).await
    }

    /// The same with this `pg_dump`.
    pub async fn followed_with(self, tools: &dyn Tools) -> Self {
        let pair = self;
        let opened = follow::open(&pair.sides, &Choices::default()).await.unwrap();
        copy_on(&opened.pinned, &pair.sides.new.admin, tools, &Options::new("run-1"), &()).await.unwrap();
        follow::subscribe(&pair.sides).await.unwrap();
        pair.caught_up(Side::Old).await;
        pair
    }

    pub async fn session(&self, side: Side) -> Session {
        self.sides.at(side).admin.connect().await.unwrap()
    }

    /// The application's own endpoint on a side.
    pub fn app(&self, side: Side) -> Endpoint {
        self.sides.at(side).admin.with_user("shop", "shop-secret".into())
    }

    /// Waits until the stream from `giver` has carried a marker row.
    pub async fn caught_up(&self, giver: Side) {
        let lag = follow::lag(&self.sides, giver, Duration::from_secs(30)).await.unwrap();
        assert_eq!(lag.trouble(), None, "{lag:?}\n{}", self.logs());
    }

    pub fn logs(&self) -> String {
        let tail = |log: String| log.lines().rev().take(25).collect::<Vec<_>>().join("\n");
        format!("old:\n{}\nnew:\n{}", tail(self.old.log()), tail(self.new.log()))
    }

    /// A handover without a pooler from this side.
    pub fn request<'a>(&'a self, giver: Side, record: &'a dyn Record) -> Request<'a> {
        let limits = Limits { hold_at_most: Duration::from_secs(10), ..Limits::default() };
        Request { sides: &self.sides, giver, roles: &self.roles, hold: &NoHold, record, limits }
    }

    /// What is left of outgrow on both sides, the administrator and the copy's mark excepted.
    pub async fn remains(&self) -> Vec<String> {
        let sql = "SELECT 'slot ' || slot_name FROM pg_replication_slots UNION ALL SELECT 'subscription ' || subname \
            FROM pg_subscription UNION ALL SELECT 'publication ' || pubname FROM pg_publication UNION ALL \
            SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 'outgrow%' AND rolname <> 'outgrow_admin' \
            UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relnamespace = to_regnamespace('outgrow') \
            AND relkind = 'r' AND relname <> 'run' UNION ALL SELECT 'identity of ' || relname FROM pg_class \
            WHERE relreplident NOT IN ('d', 'n') AND relkind = 'r' ORDER BY 1";
        let mut found = Vec::new();
        for side in [Side::Old, Side::New] {
            let rows = self.session(side).await.rows(sql, &[]).await.unwrap();
            found.extend(rows.iter().map(|row| format!("{side:?} {}", row.get::<_, &str>(0))));
        }
        found
    }
}

/// Nothing kept; parts are passed by.
pub struct Forgetful;

#[async_trait::async_trait]
impl Record for Forgetful {
    async fn epoch(&self, _: outgrow::postgres::handover::Epoch) -> std::io::Result<()> {
        Ok(())
    }
}

/// Asks again and again until it is so.
pub async fn until(session: &Session, sql: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !session.value::<bool>(sql, &[]).await.unwrap() {
        assert!(Instant::now() < deadline, "still not so: {sql}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Writers that insert and update, each with an account of its own.
pub struct Writers {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicI64>,
    tasks: Vec<tokio::task::JoinHandle<Account>>,
}

/// What one writer knows.
#[derive(Debug, Default)]
struct Account {
    inserted: Vec<i64>,
    unknown: Vec<i64>,
    updates: (i64, i64),
    failures: Vec<String>,
}

impl Writers {
    /// Starts them; each goes to the first of the places that lets it in.
    pub fn start(places: &[Endpoint], how_many: i64) -> Self {
        Self::start_by(places, how_many, false)
    }

    /// The same through a pooler.
    pub fn start_bare(place: &Endpoint, how_many: i64) -> Self {
        Self::start_by(std::slice::from_ref(place), how_many, true)
    }

    fn start_by(places: &[Endpoint], how_many: i64, bare: bool) -> Self {
        let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
        let writer = |number| {
            let (places, stop, acknowledged) = (places.to_vec(), Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(async move { write((number, how_many), &places, bare, &stop, &acknowledged).await })
        };
        let tasks = (0..how_many).map(writer).collect();
        Self { stop, acknowledged, tasks }
    }

    pub fn acknowledged(&self) -> i64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Waits until so many more are acknowledged.
    pub async fn more(&self, rows: i64) {
        let (wanted, deadline) = (self.acknowledged() + rows, Instant::now() + Duration::from_secs(30));
        while self.acknowledged() < wanted {
            assert!(Instant::now() < deadline, "the writers do not get on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends them and holds their accounts against what stands in the database. Returns how many statements failed.
    pub async fn settle(self, session: &Session) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let mut failures = Vec::new();
        let mut accounts = Vec::new();
        for task in self.tasks {
            accounts.push(task.await.unwrap());
        }
        let rows = session.rows("SELECT id, count(*) FROM public.ledger GROUP BY 1", &[]).await.unwrap();
        let mut stored: BTreeMap<i64, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        for (number, account) in accounts.iter().enumerate() {
            for id in &account.inserted {
                assert_eq!(stored.remove(id), Some(1), "row {id} was acknowledged");
            }
            for id in &account.unknown {
                assert!(stored.remove(id).unwrap_or(0) <= 1, "row {id}");
            }
            let n = count(session, &format!("SELECT n FROM public.tally WHERE writer = {number}")).await;
            let (known, unknown) = account.updates;
            assert!((known..=known + unknown).contains(&n), "writer {number}: {n} of {known} and {unknown} unknown");
            failures.extend(account.failures.iter().cloned());
        }
        assert!(stored.is_empty(), "rows that nobody wrote: {stored:?}");
        failures.len()
    }
}

async fn write(
    (number, writers): (i64, i64),
    places: &[Endpoint],
    bare: bool,
    stop: &AtomicBool,
    acknowledged: &AtomicI64,
) -> Account {
    let mut account = Account::default();
    let mut next = number;
    let mut pace = tokio::time::interval(Duration::from_millis(4));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    'connected: while !stop.load(Ordering::SeqCst) {
        let mut found = None;
        for place in places {
            let connected = if bare { place.connect_bare().await } else { place.connect().await };
            if let Ok(session) = connected {
                found = Some(session);
                break;
            }
        }
        let Some(session) = found else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        while !stop.load(Ordering::SeqCst) {
            // Not faster than one apply worker keeps up with.
            pace.tick().await;
            let (id, update) = (next, next % 3 == 0);
            next += writers;
            let sql = if update {
                format!("UPDATE public.tally SET n = n + 1 WHERE writer = {number}")
            } else {
                format!("INSERT INTO public.ledger (id) VALUES ({id})")
            };
            match (session.run(&sql).await, update) {
                (Ok(()), true) => account.updates.0 += 1,
                (Ok(()), false) => account.inserted.push(id),
                (Err(error), _) => {
                    if update {
                        account.updates.1 += 1;
                    } else {
                        account.unknown.push(id);
                    }
                    account.failures.push(error.to_string());
                    continue 'connected;
                }
            }
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
        session.close();
    }
    account
}
