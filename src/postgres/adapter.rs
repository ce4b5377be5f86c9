//! The port's two databases over real connections: the box's, reached through its container, and the one on RDS.

mod facts;
mod link;
mod pooler;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::fence::{self, Fenced, FencedRole};
use super::follow::word;
use super::marker::{self, State};
use super::port::{
    CaughtUp, Comparison, DatabasesRead, DatabasesWrite, Difference, Facts, FenceState, Handover, Moved, Obstacle,
    PoolerOrder, PoolerStand, Pooling, Progress,
};
use super::tools::Tools;
use super::{Endpoint, Error, Session, changed, copy, verify, wipe};
use crate::clients::hosts::HostWrite;
use crate::clients::{ClientError, ClientResult, Kind};
use crate::world::Side;

pub use link::ThroughEngine;
pub use stream::{Compared, Reached};

/// Connections that move or compare rows side by side.
const JOBS: usize = 4;
/// How long the fence may take to get every session out.
const EVICTION: Duration = Duration::from_secs(10);

/// How both databases are reached.
pub struct Databases {
    /// The box's, as the site's administrator.
    pub old: Endpoint,
    /// RDS, as the master user.
    pub new: Endpoint,
    /// The box's engine, where a pooler's files and console are reached.
    pub engine: Arc<dyn HostWrite>,
    /// Who runs `pg_dump`.
    pub tools: Arc<dyn Tools>,
    /// Where the password of our own administrator is kept, for its owner alone. It is made only where the
    /// application's role is the administrator too, and would be locked out with it.
    pub key: PathBuf,
    /// How the two servers reach each other, for a stream between them; none where the site file does not say.
    pub reached: Option<Reached>,
    /// What became of the latest comparison.
    pub compared: Compared,
}

impl Databases {
    /// A session as the administrator; through our own where the fence keeps the site's out.
    async fn session(&self, side: Side) -> ClientResult<Session> {
        let what = || format!("connect to the {} database", word(side));
        match side {
            Side::New => self.new.connect().await.map_err(|e| failed(&what(), &e.into())),
            Side::Old => match self.old.connect().await {
                Err(error) if error.code() == Some("28000") && self.key.exists() => {
                    let password = link::read_key(&self.key).map_err(|e| local(&what(), &e))?;
                    let ours = self.old.with_user(fence::ADMIN, password);
                    ours.connect().await.map_err(|e| failed(&what(), &e.into()))
                }
                answered => answered.map_err(|e| failed(&what(), &e.into())),
            },
        }
    }

    /// The endpoint that a long job connects to again and again, as whoever is let in.
    async fn endpoint(&self, side: Side) -> ClientResult<Endpoint> {
        Ok(self.session(side).await?.endpoint().clone())
    }

    /// The old database as our own administrator, whom no fence shuts out: made, or made able to log in.
    async fn ours(&self, session: &Session) -> ClientResult<Endpoint> {
        let password = link::make_key(&self.key).map_err(|e| local("keep the fence's key", &e))?;
        let made = fence::make_admin(session, &password).await;
        made.map_err(|e| failed("make the fence's own administrator", &e))?;
        Ok(self.old.with_user(fence::ADMIN, password))
    }

    async fn marker(&self) -> ClientResult<Option<marker::Marker>> {
        if !self.new_is_there().await? {
            return Ok(None);
        }
        let session = self.session(Side::New).await?;
        marker::read(&session).await.map_err(|e| failed("read outgrow's mark on the new database", &e))
    }

    async fn new_is_there(&self) -> ClientResult<bool> {
        match self.new.connect().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("3D000") => Ok(false),
            Err(error) => Err(failed("connect to the new database", &error.into())),
        }
    }
}

#[async_trait]
impl DatabasesRead for Databases {
    async fn facts(&self, side: Side) -> ClientResult<Facts> {
        if side == Side::New && !self.new_is_there().await? {
            return facts::of_a_server_without_it(&self.new).await;
        }
        let session = self.session(side).await?;
        let of = |e| failed(&format!("look at the {} database", word(side)), &e);
        let admin = match side {
            Side::Old => &self.old.user,
            Side::New => &self.new.user,
        };
        facts::of(&session, admin, side).await.map_err(of)
    }

    async fn is_fenced(&self, side: Side, roles: &[String]) -> ClientResult<bool> {
        Ok(self.fence_state(side, roles).await?.roles.iter().all(|(_, login)| !login))
    }

    async fn fence_state(&self, side: Side, roles: &[String]) -> ClientResult<FenceState> {
        let session = self.session(side).await?;
        let of = |e: crate::clients::postgres::Error| {
            failed(&format!("read the {} database's roles", word(side)), &e.into())
        };
        let sql = "SELECT w.name, coalesce(r.rolcanlogin, false) FROM unnest($1::text[]) WITH ORDINALITY w (name, at) \
                   LEFT JOIN pg_catalog.pg_roles r ON r.rolname::text = w.name ORDER BY w.at";
        let rows = session.rows(sql, &[&roles]).await.map_err(of)?;
        Ok(FenceState { roles: rows.iter().map(|row| (row.get(0), row.get(1))).collect() })
    }

    async fn differences(&self) -> ClientResult<Vec<Difference>> {
        let of = |e| failed("compare both databases", &e);
        let (old, new) = (self.endpoint(Side::Old).await?, self.endpoint(Side::New).await?);
        let old = super::pinned::Pinned::open(&old).await.map_err(of)?;
        let new = super::pinned::Pinned::open(&new).await.map_err(of)?;
        let found = verify::compare(&old, &new, JOBS).await.map_err(of)?;
        Ok(found.into_iter().map(facts::told).collect())
    }

    async fn follow_obstacles(&self, run: &str) -> ClientResult<Vec<Obstacle>> {
        self.stream_obstacles(run).await
    }

    async fn stream_trouble(&self, run: &str, giver: Side) -> ClientResult<Option<String>> {
        self.trouble(run, giver).await
    }

    async fn comparison(&self) -> Comparison {
        self.compared.read()
    }

    async fn pooling(&self, roles: &[String]) -> ClientResult<Pooling> {
        self.would_pool(roles).await
    }

    async fn pooler(&self, pooler: &str) -> ClientResult<Option<PoolerStand>> {
        self.pooler_stands(pooler).await
    }

    async fn caught_up_by(&self) -> ClientResult<Option<CaughtUp>> {
        let mark = self.marker().await?.filter(|m| matches!(m.state, State::CaughtUp | State::Serving));
        Ok(mark.map(|m| CaughtUp { run: m.run, serving: m.state == State::Serving }))
    }
}

#[async_trait]
impl DatabasesWrite for Databases {
    async fn copy(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        let of = |e| failed("copy the database", &e);
        link::make_database(&self.new, run).await.map_err(of)?;
        let old = self.endpoint(Side::Old).await?;
        let told = facts::Told::new(progress);
        let options = copy::Options { jobs: JOBS, ..copy::Options::new(run) };
        let report = copy::copy_database(&old, &self.new, &*self.tools, &options, &told).await.map_err(of)?;
        Ok(facts::copied(&report))
    }

    async fn wipe(&self, run: &str) -> ClientResult<()> {
        let of = |e| failed("remove the copy from the new database", &e);
        match self.marker().await? {
            // Another run's, or nobody's: not ours to touch.
            Some(mark) if mark.run != run => return Ok(()),
            Some(_) => wipe(&self.new).await.map_err(of)?,
            None => {}
        }
        link::drop_database(&self.new, run).await.map_err(of)
    }

    async fn catch_up(&self, run: &str, from: Side, _: Progress<'_>) -> ClientResult<Moved> {
        let of = |e| failed("bring one database up to the other", &e);
        let (old, new) = (self.endpoint(Side::Old).await?, self.endpoint(Side::New).await?);
        let report = match from {
            Side::Old => changed::bring_up_to_date(&old, &new, JOBS).await.map_err(of)?,
            Side::New => changed::bring_up_to_date(&new, &old, JOBS).await.map_err(of)?,
        };
        if from == Side::New {
            // All it ever held is on the old side now, durably: from here on it may be wiped.
            let session = self.session(Side::New).await?;
            marker::no_longer_serving(&session).await.map_err(of)?;
        }
        tracing::info!(run, ?from, ?report, "caught up");
        Ok(facts::moved(&report))
    }

    async fn forget_catch_up(&self) -> ClientResult<()> {
        let session = self.session(Side::New).await?;
        marker::forget_catch_up(&session).await.map_err(|e| failed("forget an earlier catch-up", &e))
    }

    async fn fence(&self, side: Side, roles: &[String]) -> ClientResult<()> {
        let of = |e| failed(&format!("fence the {} database", word(side)), &e);
        if side == Side::New && roles.contains(&self.new.user) {
            let why = format!("{} is the master user: fenced, nobody could open the database again", self.new.user);
            return Err(ClientError::new(Kind::Refused, "fence the new database", why));
        }
        let mut session = self.session(side).await?;
        if side == Side::Old && roles.contains(&self.old.user) && session.endpoint().user != fence::ADMIN {
            session = self.ours(&session).await?.connect().await.map_err(|e| of(e.into()))?;
        }
        fence::apply_fence(&session, &fenced(roles.iter().map(|r| (r.clone(), true))), EVICTION).await.map_err(of)
    }

    async fn unfence(&self, side: Side, state: &FenceState) -> ClientResult<()> {
        let of = |e| failed(&format!("open the {} database", word(side)), &e);
        let session = self.session(side).await?;
        let roles = fenced(state.roles.iter().cloned());
        if side == Side::New {
            // Opened and marked in one transaction: a mark without an opening would make a rollback take a database
            // that nobody wrote to for the richer one, an opening without a mark would lose what was written.
            let begin = "BEGIN; SET LOCAL synchronous_commit = on";
            session.run(begin).await.map_err(|e| of(e.into()))?;
            marker::serving(&session).await.map_err(of)?;
            fence::unfence(&session, &roles).await.map_err(of)?;
            return session.run("COMMIT").await.map_err(|e| of(e.into()));
        }
        fence::unfence(&session, &roles).await.map_err(of)?;
        if self.key.exists()
            && let Err(error) = self.tidy(Side::Old).await
        {
            // The old side is open: that is what counts. Our administrator that stays is told, and does no harm.
            tracing::warn!(%error, "outgrow's own administrator stays on the old database");
        }
        Ok(())
    }

    async fn follow(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        self.begin_stream(run, progress).await
    }

    async fn unfollow(&self, run: &str) -> ClientResult<()> {
        self.end_streams(run).await
    }

    async fn hand_over(
        &self,
        run: &str,
        from: Side,
        state: &FenceState,
        hold_at_most: Duration,
        pooler: Option<&str>,
    ) -> ClientResult<Handover> {
        let hold = self.hold(pooler).await?;
        self.over_the_stream(run, from, state, hold_at_most, hold.as_ref()).await
    }

    async fn settle(&self, run: &str, state: &FenceState, pooler: Option<&str>) -> ClientResult<Side> {
        let hold = self.hold(pooler).await?;
        self.settled(run, state, hold.as_ref()).await
    }

    async fn arm_pooler(&self, pooler: &str, order: &PoolerOrder) -> ClientResult<()> {
        self.arm(pooler, order).await
    }

    async fn fit_pooler(&self, pooler: &str, automatic: bool) -> ClientResult<PoolerStand> {
        self.fit(pooler, automatic).await
    }

    async fn hold_clients(&self, pooler: &str) -> ClientResult<()> {
        let held = self.hold(Some(pooler)).await?.hold().await;
        held.map_err(|e| failed(&format!("make the clients of {pooler} wait"), &e))
    }

    async fn send_clients(&self, pooler: &str, side: Side) -> ClientResult<()> {
        let sent = self.hold(Some(pooler)).await?.release_to(side).await;
        sent.map_err(|e| failed(&format!("send the clients of {pooler} to the {} database", word(side)), &e))
    }

    async fn tidy(&self, side: Side) -> ClientResult<()> {
        let of = |e| failed(&format!("tidy the {} database", word(side)), &e);
        match side {
            Side::New => marker::remove(&self.session(side).await?).await.map_err(of),
            Side::Old => {
                // Only the site's own administrator can remove ours; while it is fenced out, ours has to stay.
                if let Ok(session) = self.old.connect().await {
                    fence::remove_admin(&session).await.map_err(of)?;
                }
                Ok(())
            }
        }
    }
}

fn fenced(roles: impl Iterator<Item = (String, bool)>) -> Fenced {
    Fenced { roles: roles.map(|(name, login)| FencedRole { name, login }).collect() }
}

fn failed(what: &str, error: &Error) -> ClientError {
    let kind = match error {
        _ if error.is_lost() => Kind::Unanswered,
        Error::NotEmpty { .. } | Error::Serving { .. } | Error::Mismatch { .. } => Kind::Conflict,
        Error::Privilege { .. } => Kind::Denied,
        _ => Kind::Refused,
    };
    ClientError::new(kind, what, error.to_string())
}

fn local(what: &str, error: &std::io::Error) -> ClientError {
    ClientError::new(Kind::Refused, what, error.to_string())
}
