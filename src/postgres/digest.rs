//! Order-independent digests of tables, whole or by bucket of the key.
//!
//! A row's digest is a 64-bit hash made by the server itself (`hash_record_extended`, PostgreSQL 14 and later; two seeds
//! of `hashtextextended` over the row's text before that). A table's is the count and the sum of them. Values whose hash
//! calls different things equal, or which differ from server to server (enums hash by identifier, `1.0` equals `1.00`),
//! are hashed by their text. `jsonb` numbers that PostgreSQL calls equal stay equal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::clients::postgres::Session;

use super::Result;
use super::catalog::{Column, Table};
use super::name::ident;

/// About how many buckets a table is cut into.
const BUCKETS: i64 = 8192;

/// Count and checksum of a set of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many rows.
    pub rows: i64,
    /// Sum of their hashes.
    pub sum: String,
}

/// How rows are hashed; both sides of a comparison use the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `hash_record_extended`, from PostgreSQL 14.
    Record,
    /// Two seeds over the row's text.
    Text,
}

impl Way {
    /// The way both servers can go.
    pub fn common(one: &Session, other: &Session) -> Self {
        if one.version().min(other.version()) >= 14 { Self::Record } else { Self::Text }
    }

    /// The hash of some columns of the row called `alias`.
    fn hash<'a>(self, alias: &str, columns: impl Iterator<Item = &'a Column>) -> String {
        let values: Vec<_> = columns.map(|column| value(alias, column)).collect();
        if values.is_empty() {
            return "0::bigint".to_owned();
        }
        let row = values.join(", ");
        match self {
            Self::Record => format!("pg_catalog.hash_record_extended(ROW({row}), 0)"),
            Self::Text => format!("pg_catalog.hashtextextended(ROW({row})::text, 0)"),
        }
    }

    /// The hash of a whole row.
    pub fn row(self, alias: &str, table: &Table) -> String {
        self.hash(alias, table.columns.iter())
    }
}

/// A column's value in a form whose hash is the same on every server and differs where the stored value does.
fn value(alias: &str, column: &Column) -> String {
    let name = format!("{alias}.{}", ident(&column.name));
    let native = column.builtin
        && match column.base.as_str() {
            "bool" | "int2" | "int4" | "int8" | "oid" | "text" | "varchar" | "bpchar" | "bytea" | "uuid" | "date"
            | "timestamp" | "timestamptz" | "time" | "jsonb" | "name" | "char" | "inet" | "macaddr" | "float4"
            | "float8" => true,
            "numeric" => column.modifier >= 0,
            _ => false,
        };
    if native { name } else { format!("{name}::text") }
}

/// How a table's rows fall into buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buckets {
    /// One whole-number key: neighbours share a bucket, so that an index finds them.
    Range {
        /// The key column.
        column: String,
        /// How many low bits a bucket spans.
        shift: u32,
    },
    /// The hash of the key, or of the whole row where there is none, by this mask.
    Hash {
        /// One less than a power of two.
        mask: i64,
    },
}

impl Buckets {
    /// Chooses for this table, looking at its key's span.
    pub async fn choose(session: &Session, table: &Table) -> Result<Self> {
        if let [column] = table.key.as_slice() {
            let whole = table.column(column).is_some_and(|c| c.builtin && matches!(&*c.base, "int2" | "int4" | "int8"));
            if whole {
                let (name, column_sql) = (&table.name, ident(column));
                let sql = format!(
                    "SELECT min({column_sql})::bigint::numeric::float8, max({column_sql})::bigint::numeric::float8 \
                     FROM ONLY {name}"
                );
                let row = session.one(&sql, &[]).await?;
                let span = row.get::<_, Option<f64>>(1).unwrap_or(0.0) - row.get::<_, Option<f64>>(0).unwrap_or(0.0);
                let mut shift = 5;
                #[allow(clippy::cast_precision_loss)] // a rough width is enough
                while shift < 62 && span / ((1_i64 << shift) as f64) > BUCKETS as f64 {
                    shift += 1;
                }
                return Ok(Self::Range { column: column.clone(), shift });
            }
        }
        // 8 KB of heap hold some 60 rows; a bucket of about that size is a good unit to send again.
        let wanted = table.pages.max(table.estimated_rows / 64).clamp(64, BUCKETS);
        Ok(Self::Hash { mask: u64::try_from(wanted).unwrap_or(64).next_power_of_two().cast_signed() - 1 })
    }

    /// The bucket's number of the row called `alias`.
    pub fn number(&self, alias: &str, table: &Table, way: Way) -> String {
        match self {
            Self::Range { column, shift } => format!("({alias}.{}::bigint >> {shift})", ident(column)),
            Self::Hash { mask } if table.key.is_empty() => format!("({} & {mask})", way.row(alias, table)),
            Self::Hash { mask } => {
                let key = table.key.iter().filter_map(|name| table.column(name));
                format!("({} & {mask})", way.hash(alias, key))
            }
        }
    }

    /// The lowest and highest key that these buckets can hold, where neighbours share a bucket.
    pub fn span(&self, numbers: &[i64]) -> Option<(i64, i64)> {
        let Self::Range { shift, .. } = self else { return None };
        let (lows, highs) = ranges(numbers, *shift);
        Some((*lows.first()?, *highs.last()?))
    }

    /// `FROM … WHERE …` for the rows `t` of the given buckets, in a form that uses the key's index where it can.
    pub fn only(&self, table: &Table, way: Way, numbers: &[i64]) -> String {
        let list = |numbers: &mut dyn Iterator<Item = i64>| {
            let mut text = String::from("'{");
            for (place, number) in numbers.enumerate() {
                let _ = write!(text, "{}{number}", if place == 0 { "" } else { "," });
            }
            text + "}'::bigint[]"
        };
        match self {
            Self::Range { column, shift } => {
                let (lows, highs) = ranges(numbers, *shift);
                let (name, column) = (&table.name, ident(column));
                format!(
                    "FROM unnest({}, {}) AS outgrow_r(low, high) JOIN ONLY {name} AS t \
                     ON t.{column} >= outgrow_r.low AND t.{column} <= outgrow_r.high WHERE true",
                    list(&mut lows.into_iter()),
                    list(&mut highs.into_iter())
                )
            }
            Self::Hash { .. } => format!(
                "FROM ONLY {} AS t WHERE {} = ANY ({})",
                table.name,
                self.number("t", table, way),
                list(&mut numbers.iter().copied())
            ),
        }
    }
}

/// Neighbouring buckets as ranges of key values, both ends included.
fn ranges(numbers: &[i64], shift: u32) -> (Vec<i64>, Vec<i64>) {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let (mut lows, mut highs): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    for number in sorted {
        let low = number << shift;
        let high = low | ((1_i64 << shift) - 1);
        match highs.last_mut() {
            Some(last) if last.checked_add(1) == Some(low) => *last = high,
            _ => {
                lows.push(low);
                highs.push(high);
            }
        }
    }
    (lows, highs)
}

/// The digest of a whole table.
pub async fn whole(session: &Session, table: &Table, way: Way) -> Result<Digest> {
    let row = session.one(&whole_sql(table, way), &[]).await?;
    Ok(Digest { rows: row.get(0), sum: row.get(1) })
}

/// The question for a whole table's count and checksum.
pub(super) fn whole_sql(table: &Table, way: Way) -> String {
    format!("SELECT count(*), {} FROM ONLY {} AS t", sum(table, way), table.name)
}

fn sum(table: &Table, way: Way) -> String {
    let first = way.row("t", table);
    match way {
        Way::Record => format!("coalesce(sum({first})::text, '0')"),
        Way::Text => {
            let second = first.replace(", 0)", ", 7919)");
            format!("coalesce(sum({first})::text || '/' || sum({second})::text, '0')")
        }
    }
}

/// Digests by bucket. `numbers` keeps to some buckets; `None` takes all.
pub async fn by_bucket(
    session: &Session,
    table: &Table,
    way: Way,
    buckets: &Buckets,
    numbers: Option<&[i64]>,
) -> Result<BTreeMap<i64, Digest>> {
    let source = match numbers {
        Some(numbers) => buckets.only(table, way, numbers),
        None => format!("FROM ONLY {} AS t", table.name),
    };
    if table.key.is_empty() && way == Way::Record {
        return by_row_hash(session, table, way, buckets, &source).await;
    }
    let (number, sum) = (buckets.number("t", table, way), sum(table, way));
    let rows = session.rows(&format!("SELECT {number}, count(*), {sum} {source} GROUP BY 1"), &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), Digest { rows: row.get(1), sum: row.get(2) })).collect())
}

/// Without a key the bucket comes out of the row's own hash, which is then made once and not twice.
async fn by_row_hash(
    session: &Session,
    table: &Table,
    way: Way,
    buckets: &Buckets,
    source: &str,
) -> Result<BTreeMap<i64, Digest>> {
    let Buckets::Hash { mask } = buckets else { return Ok(BTreeMap::new()) };
    let hash = way.row("t", table);
    let sql = format!(
        "SELECT h.hash & {mask}, count(*), sum(h.hash)::text FROM (SELECT {hash} AS hash {source} OFFSET 0) AS h GROUP BY 1"
    );
    let rows = session.rows(&sql, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), Digest { rows: row.get(1), sum: row.get(2) })).collect())
}

/// The buckets whose digests differ, in order.
pub fn differing(one: &BTreeMap<i64, Digest>, other: &BTreeMap<i64, Digest>) -> Vec<i64> {
    let mut numbers: Vec<_> = one.keys().chain(other.keys()).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.retain(|number| one.get(number) != other.get(number));
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_buckets_become_one_range() {
        assert_eq!(ranges(&[4, 3, 9], 5), (vec![96, 288], vec![159, 319]));
        assert_eq!(ranges(&[-1, 0], 5), (vec![-32], vec![31]));
    }

    #[test]
    fn the_highest_bucket_does_not_overflow() {
        let top = i64::MAX >> 5;
        assert_eq!(ranges(&[top], 5).1, vec![i64::MAX]);
        let bottom = i64::MIN >> 5;
        assert_eq!(ranges(&[bottom], 5).0, vec![i64::MIN]);
    }

    #[test]
    fn a_missing_bucket_differs() {
        let digest = |sum: &str| Digest { rows: 1, sum: sum.into() };
        let one = BTreeMap::from([(1, digest("a")), (2, digest("b"))]);
        let other = BTreeMap::from([(2, digest("b")), (3, digest("c"))]);
        assert_eq!(differing(&one, &other), vec![1, 3]);
    }
}
