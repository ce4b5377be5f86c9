//! Compares two databases table by table, each side at one moment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, try_join_all};

use crate::clients::postgres::Session;

use super::catalog::{self, Table};
use super::digest::{self, Buckets, Digest, Way};
use super::name::{TableName, ident};
use super::pinned::Pinned;
use super::{Result, sequences};

/// How many differing keys are named.
const KEYS: usize = 5;
/// How many differing buckets are looked into for them.
const LOOKED_INTO: usize = 4;

/// Something that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table or sequence.
    pub table: TableName,
    /// What differs, in words.
    pub what: String,
    /// The first keys whose rows differ, where the table has a key.
    pub first_keys: Vec<String>,
    /// Between which keys all differing rows are, where the key is one whole number.
    pub key_range: Option<(i64, i64)>,
}

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tables compared.
    pub tables: usize,
    /// Rows of the source compared.
    pub rows: i64,
    /// What is not the same.
    pub differences: Vec<Difference>,
}

/// Digests every table on one side.
pub async fn digests(pinned: &Pinned, way: Way, jobs: usize) -> Result<BTreeMap<TableName, Digest>> {
    let tables = catalog::tables(pinned.holder()).await?;
    on_tables(pinned, &tables, jobs, |session, table| Box::pin(digest::whole(session, table, way)))
        .await
        .map(|digests| tables.iter().map(|table| table.name.clone()).zip(digests).collect())
}

/// Runs one look per table over several sessions on the pinned moment; the answers come in the tables' order.
pub(super) async fn on_tables<T: Send>(
    pinned: &Pinned,
    tables: &[Table],
    jobs: usize,
    // Boxed, because the future of an async closure is not known to be `Send` for every lifetime.
    look: impl for<'a> Fn(&'a Session, &'a Table) -> BoxFuture<'a, Result<T>> + Sync,
) -> Result<Vec<T>> {
    let queue: Arc<Mutex<VecDeque<usize>>> = Arc::new(Mutex::new((0..tables.len()).collect()));
    let workers = (0..jobs.clamp(1, tables.len().max(1))).map(|_| {
        let (queue, look) = (Arc::clone(&queue), &look);
        async move {
            let session = pinned.session().await?;
            let mut answers = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(place) = next else { break };
                answers.push((place, look(&session, &tables[place]).await?));
            }
            session.close();
            Result::Ok(answers)
        }
    });
    let mut answers: Vec<_> = try_join_all(workers).await?.into_iter().flatten().collect();
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// All differences between the pinned moments of two databases: rows of every table, and sequences.
///
/// # Errors
/// A table or column that exists on one side only is [`super::Error::Schema`].
pub async fn compare(source: &Pinned, target: &Pinned, jobs: usize) -> Result<Vec<Difference>> {
    Ok(comparison(source, target, jobs).await?.differences)
}

/// The same, with how much was compared.
///
/// # Errors
/// As [`compare`].
pub async fn comparison(source: &Pinned, target: &Pinned, jobs: usize) -> Result<Comparison> {
    let (ours, theirs) = tokio::try_join!(catalog::tables(source.holder()), catalog::tables(target.holder()))?;
    let tables = catalog::pair(ours, &theirs)?;
    let (rows, mut differences) = rows_of(source, target, &tables, jobs).await?;
    let (ours, theirs) = tokio::try_join!(sequences::read(source.holder()), sequences::read(target.holder()))?;
    let theirs: BTreeMap<_, _> = theirs.into_iter().map(|sequence| (sequence.name.clone(), sequence)).collect();
    for sequence in ours {
        let other = theirs.get(&sequence.name);
        if other != Some(&sequence) {
            let stands = other.map_or("is missing".to_owned(), |other| format!("stands at {}", other.last_value));
            let what = format!("stands at {} on the source, {stands} on the target", sequence.last_value);
            differences.push(Difference { table: sequence.name, what, first_keys: Vec::new(), key_range: None });
        }
    }
    Ok(Comparison { tables: tables.len(), rows, differences })
}

/// The same for the rows of these tables alone.
pub(super) async fn compare_tables(
    source: &Pinned,
    target: &Pinned,
    tables: &[Table],
    jobs: usize,
) -> Result<Vec<Difference>> {
    Ok(rows_of(source, target, tables, jobs).await?.1)
}

/// How many rows were compared, and what differs.
async fn rows_of(source: &Pinned, target: &Pinned, tables: &[Table], jobs: usize) -> Result<(i64, Vec<Difference>)> {
    let way = Way::common(source.holder(), target.holder());
    let (ours, theirs) = tokio::try_join!(
        on_tables(source, tables, jobs, |session, table| Box::pin(digest::whole(session, table, way))),
        on_tables(target, tables, jobs, |session, table| Box::pin(digest::whole(session, table, way)))
    )?;
    let mut differences = Vec::new();
    let rows = ours.iter().map(|digest| digest.rows).sum();
    for (table, (one, other)) in tables.iter().zip(ours.iter().zip(&theirs)) {
        if one == other {
            continue;
        }
        let what = if one.rows == other.rows {
            format!("{} rows on both sides, but their content differs", one.rows)
        } else {
            format!("{} rows on the source, {} on the target", one.rows, other.rows)
        };
        let (first_keys, key_range) = first_keys(source, target, table, way).await?;
        differences.push(Difference { table: table.name.clone(), what, first_keys, key_range });
    }
    Ok((rows, differences))
}

async fn first_keys(
    source: &Pinned,
    target: &Pinned,
    table: &Table,
    way: Way,
) -> Result<(Vec<String>, Option<(i64, i64)>)> {
    if table.key.is_empty() {
        return Ok((Vec::new(), None));
    }
    let buckets = Buckets::choose(source.holder(), table).await?;
    let (ours, theirs) = tokio::try_join!(
        digest::by_bucket(source.holder(), table, way, &buckets, None),
        digest::by_bucket(target.holder(), table, way, &buckets, None)
    )?;
    let mut numbers = digest::differing(&ours, &theirs);
    let range = buckets.span(&numbers);
    numbers.truncate(LOOKED_INTO);
    let key = table.key.iter().map(|column| format!("t.{}", ident(column))).collect::<Vec<_>>().join(", ");
    let row = way.row("t", table);
    let sql = format!("SELECT ROW({key})::text, {row} {}", buckets.only(table, way, &numbers));
    let (ours, theirs) = tokio::try_join!(keyed(source.holder(), &sql), keyed(target.holder(), &sql))?;
    let mut keys: Vec<_> = ours.keys().chain(theirs.keys()).filter(|key| ours.get(*key) != theirs.get(*key)).collect();
    keys.sort_by(|one, other| one.len().cmp(&other.len()).then(one.cmp(other)));
    keys.dedup();
    let plain = |key: &String| key.trim_start_matches('(').trim_end_matches(')').to_owned();
    Ok((keys.into_iter().take(KEYS).map(plain).collect(), range))
}

async fn keyed(session: &Session, sql: &str) -> Result<BTreeMap<String, i64>> {
    Ok(session.rows(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1))).collect())
}
