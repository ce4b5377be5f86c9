//! The port's stream between the two databases: followed, handed over along it, taken away again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::{Databases, EVICTION, JOBS, facts, failed, fenced, link, local};
use crate::clients::{ClientError, ClientResult, Kind};
use crate::postgres::copy::{self, copy_on};
use crate::postgres::follow::{self, Choices, Place, Seen, Sides};
use crate::postgres::handover::{self, Afterwards, Epoch, Failed, Hold, Limits, Record, Request, Stand};
use crate::postgres::port::{Comparison, FenceState, Handover, Moved, Obstacle, Pause, Progress};
use crate::postgres::{Error, fence};
use crate::world::Side;

/// How long a stream that is behind is waited for before a handover.
const CATCHES_UP_WITHIN: Duration = Duration::from_mins(2);
/// How long one look at the stream waits for its marker row.
const MARKER: Duration = Duration::from_secs(5);

/// How the two servers reach each other.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The old one, from the new one.
    pub old: Seen,
    /// The new one, from the old one.
    pub new: Seen,
}

/// What became of the latest comparison; shared with the task that makes it.
#[derive(Debug, Clone)]
pub struct Compared(Arc<Mutex<Comparison>>);

impl Default for Compared {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Comparison::None)))
    }
}

impl Compared {
    pub(super) fn read(&self) -> Comparison {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, comparison: Comparison) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = comparison;
    }

    /// Compares everything while the application goes on.
    fn begin(&self, afterwards: Afterwards) {
        self.set(Comparison::UnderWay);
        let compared = self.clone();
        tokio::spawn(async move {
            compared.set(match afterwards.compare(JOBS).await {
                Ok(found) if found.is_empty() => Comparison::Same,
                Ok(found) => Comparison::Differs(found.into_iter().map(facts::told).collect()),
                Err(error) => Comparison::Failed(error.to_string()),
            });
        });
    }
}

/// Puts the epochs on record beside the fence's key.
struct OnDisk<'a>(&'a Databases);

#[async_trait]
impl Record for OnDisk<'_> {
    async fn epoch(&self, epoch: Epoch) -> std::io::Result<()> {
        let text = serde_json::to_vec(&epoch).map_err(std::io::Error::other)?;
        link::write_durably(&self.0.key.with_file_name("writer.json"), &text)
    }
}

impl Databases {
    pub(super) async fn stream_obstacles(&self, run: &str) -> ClientResult<Vec<Obstacle>> {
        let Some(sides) = self.looked_at(run).await? else {
            return Ok(vec![Obstacle {
                what: "the site file does not say where RDS reaches the old database".to_owned(),
                todo: "set box.database.published to an address and port that RDS can reach, or write \
                       `database-copy: { follow: false }`"
                    .to_owned(),
                blocks: true,
            }]);
        };
        let of = |e: Error| failed("look whether the old database can be followed", &e);
        let found = follow::ready(&sides, &Choices::default()).await.map_err(of)?;
        Ok(found.iter().map(facts::obstacle).collect())
    }

    pub(super) async fn trouble(&self, run: &str, giver: Side) -> ClientResult<Option<String>> {
        let of = |e: Error| failed("look at the stream between the databases", &e);
        let sides = self.sides(run)?;
        let changes = follow::schema_changes(&sides, giver).await.map_err(of)?;
        if !changes.is_empty() {
            return Ok(Some(format!("the schema was changed since the copy: {}", changes.join(", "))));
        }
        Ok(follow::lag(&sides, giver, MARKER).await.map_err(of)?.trouble())
    }

    pub(super) async fn begin_stream(&self, run: &str, progress: Progress<'_>) -> ClientResult<Moved> {
        let of = |e: Error| failed("copy the database and follow it", &e);
        link::make_database(&self.new, run).await.map_err(of)?;
        self.own_admin().await?;
        let sides = self.sides(run)?;
        if self.goes_on(&sides).await.map_err(of)? {
            return Ok(Moved::default());
        }
        let opened = follow::open(&sides, &Choices::default()).await.map_err(of)?;
        let told = facts::Told::new(progress);
        let options = copy::Options { jobs: JOBS, ..copy::Options::new(run) };
        let report = copy_on(&opened.pinned, &self.new, &*self.tools, &options, &told).await.map_err(of)?;
        opened.pinned.close();
        follow::subscribe(&sides).await.map_err(of)?;
        Ok(facts::copied(&report))
    }

    /// Whether an earlier try got as far as a whole copy and a stream that runs.
    async fn goes_on(&self, sides: &Sides) -> Result<bool, Error> {
        let session = self.new.connect().await?;
        let mark = super::marker::read(&session).await?;
        session.close();
        if mark.is_none_or(|mark| mark.run != sides.run || mark.state == super::State::Copying) {
            return Ok(false);
        }
        match follow::lag(sides, Side::Old, MARKER).await {
            Ok(lag) => Ok(lag.trouble().is_none()),
            // No such table, or no marker row: it was never subscribed.
            Err(error) if error.is_lost() => Err(error),
            Err(_) => Ok(false),
        }
    }

    pub(super) async fn end_streams(&self, run: &str) -> ClientResult<()> {
        if !self.stream_key().exists() {
            return Ok(()); // none was ever begun
        }
        let Some(sides) = self.looked_at(run).await? else { return Ok(()) };
        let left = follow::tidy(&sides).await;
        let Some(first) = left.first() else { return Ok(()) };
        let what = format!("remove the streams of run {run}");
        let side = follow::word(first.side);
        Err(ClientError::new(
            Kind::Unanswered,
            what,
            format!("{} things stay, first on the {side} side: {}", left.len(), first.what),
        ))
    }

    pub(super) async fn over_the_stream(
        &self,
        run: &str,
        from: Side,
        state: &FenceState,
        hold_at_most: Duration,
        hold: &dyn Hold,
    ) -> ClientResult<Handover> {
        let sides = self.sides(run)?;
        let roles = fenced(state.roles.iter().cloned());
        let limits = Limits { hold_at_most, eviction: EVICTION.min(hold_at_most), ..Limits::default() };
        if let Err(why) = caught_up(&sides, from, limits.lag_at_most).await {
            return Ok(Handover::Reopened(why));
        }
        let record = OnDisk(self);
        let request = Request { sides: &sides, giver: from, roles: &roles, hold, record: &record, limits };
        match handover::hand_over(&request).await {
            Ok(handed) => {
                tracing::info!(run, ?from, timings = ?handed.timings, "handed over");
                self.compared.begin(handed.afterwards);
                let part = |time: &handover::PartTime| (time.part.word().to_owned(), time.took_ms);
                let parts = handed.timings.parts.iter().map(part).collect();
                Ok(Handover::Done(Pause { millis: handed.timings.pause_ms, parts }))
            }
            Err(error @ (Failed::NotBegun(_) | Failed::Reopened { .. })) => Ok(Handover::Reopened(error.to_string())),
            Err(error) => Err(ClientError::new(Kind::Unanswered, "hand the writes over", error.to_string())),
        }
    }

    pub(super) async fn settled(&self, run: &str, state: &FenceState, hold: &dyn Hold) -> ClientResult<Side> {
        let sides = self.sides(run)?;
        let roles = fenced(state.roles.iter().cloned());
        let record = OnDisk(self);
        let limits = Limits::default();
        let request = Request { sides: &sides, giver: Side::Old, roles: &roles, hold, record: &record, limits };
        let what = "find out which database has the writes";
        match handover::recover(&request).await.map_err(|e| failed(what, &e))? {
            Stand::Serves(side) => Ok(side),
            // A recovery ends with a side that serves, or with an error.
            odd => Err(ClientError::new(Kind::Refused, what, format!("{odd:?}"))),
        }
    }

    /// An administrator whom the fence does not shut out, where the site's own is the application's role as well.
    async fn own_admin(&self) -> ClientResult<()> {
        let of = |e: Error| failed("make the fence's own administrator", &e);
        let session = self.session(Side::Old).await?;
        let facts = facts::of(&session, &self.old.user, Side::Old).await.map_err(of)?;
        if facts.app_roles.contains(&self.old.user) && session.endpoint().user != fence::ADMIN {
            self.ours(&session).await?;
        }
        session.close();
        Ok(())
    }

    fn stream_key(&self) -> std::path::PathBuf {
        self.key.with_file_name("stream-key")
    }

    /// Both sides for what changes something; the stream's password is made with the first such call.
    fn sides(&self, run: &str) -> ClientResult<Sides> {
        let password = link::make_key(&self.stream_key()).map_err(|e| local("keep the stream's password", &e))?;
        self.both(run, password)?.ok_or_else(|| {
            let what = "follow the old database";
            ClientError::new(
                Kind::Refused,
                what,
                "the site file does not say where RDS reaches it (box.database.published)",
            )
        })
    }

    /// Both sides as they are: nothing is made for it, and where the new database is not there its server is looked at.
    async fn looked_at(&self, run: &str) -> ClientResult<Option<Sides>> {
        let password = match link::read_key(&self.stream_key()) {
            Ok(password) => password,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => SecretString::default(),
            Err(error) => return Err(local("read the stream's password", &error)),
        };
        let mut sides = self.both(run, password)?;
        if let Some(sides) = &mut sides
            && !self.new_is_there().await?
        {
            sides.new.admin = self.new.with_database("postgres");
        }
        Ok(sides)
    }

    fn both(&self, run: &str, stream_password: SecretString) -> ClientResult<Option<Sides>> {
        let Some(reached) = self.reached.clone() else { return Ok(None) };
        let old = match link::read_key(&self.key) {
            Ok(password) => self.old.with_user(fence::ADMIN, password),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.old.clone(),
            Err(error) => return Err(local("read the fence's key", &error)),
        };
        Ok(Some(Sides {
            run: run.to_owned(),
            old: Place { admin: old, seen: reached.old },
            new: Place { admin: self.new.clone(), seen: reached.new },
            stream_password,
        }))
    }
}

/// Waits until the receiver is close behind; else says why it is not.
async fn caught_up(sides: &Sides, giver: Side, close: Duration) -> Result<(), String> {
    let deadline = Instant::now() + CATCHES_UP_WITHIN;
    loop {
        let why = match follow::lag(sides, giver, MARKER).await {
            Ok(lag) if lag.trouble().is_none() && lag.round_trip.is_some_and(|trip| trip <= close) => return Ok(()),
            Ok(lag) => lag.trouble().unwrap_or_else(|| {
                format!("a marker row takes {} ms to arrive", lag.round_trip.unwrap_or_default().as_millis())
            }),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            return Err(format!("the stream did not catch up within {} s: {why}", CATCHES_UP_WITHIN.as_secs()));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
