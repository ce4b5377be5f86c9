//! Comparing both sides at the moment of the handover: small tables while everybody waits, all of them afterwards.

use std::fmt::Write as _;

use crate::clients::postgres::Session;
use crate::postgres::catalog::Table;
use crate::postgres::digest::{Way, whole_sql};
use crate::postgres::follow::{Followed, Treatment};
use crate::postgres::pinned::Pinned;
use crate::postgres::verify::{self, Difference};
use crate::postgres::{Error, Result};

/// The tables that are compared while everybody waits, in one question.
pub(super) struct Small {
    sql: String,
    names: Vec<String>,
}

impl Small {
    /// Smallest first, up to so many bytes in all; none if even the smallest is bigger.
    pub(super) fn choose(
        tables: &[Table],
        known: &[(Followed, String)],
        at_most: i64,
        one: &Session,
        other: &Session,
    ) -> Option<Self> {
        let way = Way::common(one, other);
        let mut tables: Vec<_> = tables.iter().collect();
        tables.sort_by_key(|table| table.bytes);
        let (mut left, mut names, mut sql) = (at_most, Vec::new(), String::new());
        for table in tables {
            let refused = |(known, _): &(Followed, String)| {
                known.name == table.name && matches!(known.treatment, Treatment::Refused(_))
            };
            left -= table.bytes;
            if left < 0 {
                break;
            }
            if known.iter().any(refused) {
                continue;
            }
            let union = if names.is_empty() { "" } else { " UNION ALL " };
            let _ = write!(sql, "{union}SELECT {}, d.* FROM ({}) d (rows, sum)", names.len(), whole_sql(table, way));
            names.push(table.name.to_string());
        }
        (!names.is_empty()).then_some(Self { sql, names })
    }

    /// Compares them on both pinned moments.
    pub(super) async fn compare(&self, one: &Pinned, other: &Pinned) -> Result<()> {
        let (ours, theirs) = tokio::try_join!(one.holder().rows(&self.sql, &[]), other.holder().rows(&self.sql, &[]))?;
        let of = |row: &tokio_postgres::Row| -> (i32, i64, String) { (row.get(0), row.get(1), row.get(2)) };
        let mut theirs: Vec<_> = theirs.iter().map(of).collect();
        theirs.sort_unstable();
        let mut ours: Vec<_> = ours.iter().map(of).collect();
        ours.sort_unstable();
        match ours.iter().zip(&theirs).find(|(one, other)| one != other) {
            None => Ok(()),
            Some(((place, rows, _), (_, others, _))) => {
                let name = usize::try_from(*place).ok().and_then(|place| self.names.get(place));
                let table = name.cloned().unwrap_or_default();
                let why = format!(
                    "{rows} rows on the side that gives, {others} on the side that receives, at the same moment"
                );
                Err(Error::Differs { table, why })
            }
        }
    }
}

/// Both sides at the moment of the handover, held still for as long as this value lives: both servers keep what was
/// removed since, so do not keep it for hours.
#[derive(Debug)]
pub struct Afterwards {
    pub(super) giver: Pinned,
    pub(super) receiver: Pinned,
    pub(super) tables: Vec<Table>,
}

impl Afterwards {
    /// Compares every row of every table on both sides by `jobs` sessions each, and lets the moment go. Empty is equal.
    /// A difference means that the stream lost something: hand back, if the other side is to be believed.
    pub async fn compare(self, jobs: usize) -> Result<Vec<Difference>> {
        let found = verify::compare_tables(&self.giver, &self.receiver, &self.tables, jobs).await?;
        self.giver.close();
        self.receiver.close();
        Ok(found)
    }

    /// How many tables will be compared.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }
}
