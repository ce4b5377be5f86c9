//! What the database steps need of the old and the new database, so that they can be tested without either.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::pooler::{Mode, Target};
use crate::clients::ClientResult;
use crate::world::Side;

/// What stands in a database, as far as a plan tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Server version, `15.18`.
    pub version: String,
    /// Bytes.
    pub bytes: u64,
    /// Tables that hold rows (leaves of partitioned ones), with an estimate of their rows and their bytes.
    pub tables: Vec<TableFacts>,
    /// Large objects: how many, how many bytes.
    pub large_objects: (u64, u64),
    /// Roles that can log in and are the application's (not outgrow's, not the managed service's).
    pub app_roles: Vec<String>,
    /// What does not survive the move as it is.
    pub obstacles: Vec<Obstacle>,
    /// The run that put a copy here, if one did.
    pub copied_by: Option<String>,
    /// Whether there are objects that no run of outgrow put here.
    pub foreign_objects: bool,
}

/// Something that does not survive the move as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// What, and where.
    pub what: String,
    /// What to do about it.
    pub todo: String,
    /// Whether the copy would fail over it.
    pub blocks: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// `schema.name`, quoted where it has to be.
    pub name: String,
    /// Estimated rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Which roles a fence keeps out, and what they were allowed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceState {
    /// Role name, and whether it could log in before the fence.
    pub roles: Vec<(String, bool)>,
}

/// The mark that a committed catch-up leaves on the new database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaughtUp {
    /// The run.
    pub run: String,
    /// The database was opened to the application since, and may have been written to.
    pub serving: bool,
}

/// A difference between two databases: which table, and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `schema.name`.
    pub table: String,
    /// `rows 1,204 against 1,203; first key 77`.
    pub what: String,
}

/// What a copy or a catch-up moved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Moved {
    /// Tables that rows were moved for.
    pub tables: u64,
    /// Rows moved.
    pub rows: u64,
    /// Bytes moved.
    pub bytes: u64,
}

/// A handover over a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Handover {
    /// The other side has the writes.
    Done(Pause),
    /// The side that had the writes has them still, and nothing is lost: why.
    Reopened(String),
}

/// How long the application was kept from writing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Pause {
    /// All of it, in milliseconds.
    pub millis: f64,
    /// Its parts, each with its milliseconds; some overlap.
    pub parts: Vec<(String, f64)>,
}

/// What became of the comparison of every row at the moment of the handover, which is made while the application goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// None was made by this process.
    None,
    /// It is being made.
    UnderWay,
    /// Both sides were the same.
    Same,
    /// They were not.
    Differs(Vec<Difference>),
    /// It could not be made; why.
    Failed(String),
}

/// What the application's sessions and roles say about a pooler before their database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooling {
    /// What suits what the application does; the pooler's version has a say too.
    pub mode: Mode,
    /// What decided it, each as one short phrase.
    pub why: Vec<String>,
    /// What to know, and what blocks: a role that could not log in through it.
    pub obstacles: Vec<Obstacle>,
}

/// A pooler to be set up in a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolerOrder {
    /// The port it listens on, as the old database did.
    pub port: u16,
    /// When sessions are given on.
    pub mode: Mode,
    /// The application's roles, which log in through it.
    pub roles: Vec<String>,
    /// The box's database, as the container reaches it.
    pub old: Target,
    /// RDS, as the container reaches it.
    pub new: Target,
}

/// How a pooler stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolerStand {
    /// The version of `PgBouncer`.
    pub version: String,
    /// When it gives sessions on.
    pub mode: Mode,
    /// Where it sends clients; none of both if somebody else configured it.
    pub sends_to: Option<Side>,
}

/// Told while rows move: table, bytes done, bytes in all (an estimate).
pub type Progress<'a> = &'a (dyn Fn(&str, u64, u64) + Send + Sync);

/// What can be looked up.
#[async_trait]
pub trait DatabasesRead: Send + Sync {
    /// What stands in the database. [`crate::clients::Kind::NotFound`] if there is no such database on the server.
    async fn facts(&self, side: Side) -> ClientResult<Facts>;

    /// Whether every one of these roles is kept out (a role that is not there counts as kept out).
    async fn is_fenced(&self, side: Side, roles: &[String]) -> ClientResult<bool>;

    /// What the roles are allowed now.
    async fn fence_state(&self, side: Side, roles: &[String]) -> ClientResult<FenceState>;

    /// Row counts and checksums of every table on both sides. Means something only while no side is written to.
    async fn differences(&self) -> ClientResult<Vec<Difference>>;

    /// Whose [`DatabasesWrite::catch_up`] old → new was committed, if one was: from then on the new database holds
    /// everything the old one does, and may hold more.
    async fn caught_up_by(&self) -> ClientResult<Option<CaughtUp>>;

    /// What stands in the way of following the old database, or should be known of it.
    async fn follow_obstacles(&self, run: &str) -> ClientResult<Vec<Obstacle>>;

    /// Why the stream from this side cannot be relied upon now; none if it runs, and the schema is as when it began.
    async fn stream_trouble(&self, run: &str, giver: Side) -> ClientResult<Option<String>>;

    /// What became of the comparison of the latest handover.
    async fn comparison(&self) -> Comparison;

    /// What a pooler before the old database would get in the way of, and whether these roles could log in through it on
    /// both sides.
    async fn pooling(&self, roles: &[String]) -> ClientResult<Pooling>;

    /// How the pooler in this container stands; none if there is none with a configuration of ours. One that does not
    /// answer (yet) is [`crate::clients::Kind::Unanswered`].
    async fn pooler(&self, pooler: &str) -> ClientResult<Option<PoolerStand>>;
}

/// What can be changed. `pooler` is always the container on the box in which the pooler runs.
#[async_trait]
pub trait DatabasesWrite: DatabasesRead {
    /// Copies the whole database old → new, from one snapshot, and leaves the application's roles on the new side
    /// unable to log in. Marks the copy with the run's id. Safe to repeat: what the same run left is wiped first.
    /// A target with objects that no run put there is [`crate::clients::Kind::Conflict`].
    async fn copy(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved>;

    /// Removes what the run's copy put on the new side, and nothing else.
    async fn wipe(&self, run: &str) -> ClientResult<()>;

    /// Brings the other side up to `from`: tables that differ, sequences, large objects, in one transaction that
    /// commits only if the checksums then agree. Old → new, the same transaction leaves the mark that
    /// [`DatabasesRead::caught_up_by`] reads. Both sides are fenced by the caller.
    async fn catch_up(&self, run: &str, from: Side, progress: Progress<'_>) -> ClientResult<Moved>;

    /// Removes the mark of [`DatabasesRead::caught_up_by`] unless the database was opened since
    /// ([`crate::clients::Kind::Conflict`]), waiting for a catch-up that may still be committing. Called
    /// before the old side may be written to again, or a later rollback would take the new side for the richer one.
    async fn forget_catch_up(&self) -> ClientResult<()>;

    /// Makes the roles unable to log in and ends their sessions until none is left. Safe to repeat.
    async fn fence(&self, side: Side, roles: &[String]) -> ClientResult<()>;

    /// Gives the roles back exactly what they were allowed. On the new side the mark says so in the same transaction
    /// ([`CaughtUp::serving`]). Safe to repeat.
    async fn unfence(&self, side: Side, state: &FenceState) -> ClientResult<()>;

    /// [`DatabasesWrite::copy`] on the moment at which a stream old → new begins, and then the stream: from its return on
    /// the new side gets every change. Safe to repeat: a stream that runs goes on, any other is begun anew.
    async fn follow(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved>;

    /// Removes the streams and all they needed, on both sides. Safe to repeat, and right if nothing is there.
    async fn unfollow(&self, run: &str) -> ClientResult<()>;

    /// Hands the writes from one side to the other over the stream between them, which runs the other way afterwards.
    /// `state` holds the application's roles as they were before any fence. A pooler makes clients wait meanwhile, and
    /// sends them on.
    async fn hand_over(
        &self,
        run: &str,
        from: Side,
        state: &FenceState,
        hold_at_most: Duration,
        pooler: Option<&str>,
    ) -> ClientResult<Handover>;

    /// Which side has the writes, once a handover that was killed half-way is brought to an end: opened, it stays so;
    /// else the side that gave them takes them again. A pooler sends clients there.
    async fn settle(&self, run: &str, state: &FenceState, pooler: Option<&str>) -> ClientResult<Side>;

    /// Puts a pooler's configuration into its container, which may not run yet, sending clients to the old database, with
    /// what that keeps of the roles' passwords. Safe to repeat.
    async fn arm_pooler(&self, pooler: &str, order: &PoolerOrder) -> ClientResult<()>;

    /// Fits the configuration to the version that runs: `automatic`, transaction mode only where it keeps prepared
    /// statements apart. Safe to repeat.
    async fn fit_pooler(&self, pooler: &str, automatic: bool) -> ClientResult<PoolerStand>;

    /// Makes the pooler's clients wait; returns when no statement runs any more.
    async fn hold_clients(&self, pooler: &str) -> ClientResult<()>;

    /// Sends the pooler's clients on, to this side, whether or not they waited. Safe to repeat.
    async fn send_clients(&self, pooler: &str, side: Side) -> ClientResult<()>;

    /// Removes what outgrow needed on the side for itself (its admin role, its marks). Safe to repeat.
    async fn tidy(&self, side: Side) -> ClientResult<()>;
}
