//! Every row of the old database as it was at the first look, by its hash: eight bytes a row.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::rehearsal::world::Result;
use crate::rehearsal::world::console::Console;

/// What was there at the first look.
#[derive(Default)]
pub struct Rows(Mutex<Option<Kept>>);

struct Kept {
    digests: Value,
    hashes: BTreeMap<String, Vec<i64>>,
}

impl Rows {
    /// Keeps the hashes of every row of these tables, whose digests are known.
    pub async fn keep(&self, console: &Console, database: &str, tables: &[&str], digests: &Value) -> Result<()> {
        let mut hashes = BTreeMap::new();
        for table in tables {
            hashes.insert((*table).to_owned(), fetch(console, database, table).await?);
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { digests: digests.clone(), hashes });
        Ok(())
    }

    /// Gives a table that differs its former digest if every row of then is in it still; otherwise says how many are
    /// gone.
    pub async fn forgive(&self, console: &Console, database: &str, digests: &mut Value) -> Result<()> {
        let differing: Vec<(String, Value, Vec<i64>)> = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(kept) = kept.as_ref() else { return Ok(()) };
            let changed = kept.hashes.iter().filter(|(name, _)| kept.digests[*name] != digests[*name]);
            changed.map(|(name, then)| (name.clone(), kept.digests[name].clone(), then.clone())).collect()
        };
        for (name, digest, then) in differing {
            if digests[&name].is_null() {
                continue;
            }
            let gone = missing(&then, &fetch(console, database, &name).await?);
            digests[&name] = if gone == 0 { digest } else { json!({"now": digests[&name], "rows gone": gone}) };
        }
        Ok(())
    }
}

/// The sorted hashes of a table's rows.
async fn fetch(console: &Console, database: &str, table: &str) -> Result<Vec<i64>> {
    let sql = format!("SELECT pg_catalog.hashtextextended(t::text, 0) FROM {table} t");
    let text = console.text(database, &sql).await?;
    let mut hashes: Vec<i64> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    hashes.sort_unstable();
    Ok(hashes)
}

/// How many of `then` are not in `now`; a row that was there twice must be there twice. Both are sorted.
fn missing(then: &[i64], now: &[i64]) -> usize {
    let (mut gone, mut rest) = (0, now.iter().peekable());
    for wanted in then {
        while rest.next_if(|found| *found < wanted).is_some() {}
        if rest.next_if(|found| *found == wanted).is_none() {
            gone += 1;
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn rows_may_come_but_not_go() {
        assert_eq!(missing(&[1, 2, 2, 9], &[0, 1, 2, 2, 3, 9, 10]), 0);
        assert_eq!(missing(&[1, 2, 2, 9], &[1, 2, 9]), 1);
        assert_eq!(missing(&[5], &[]), 1);
        assert_eq!(missing(&[], &[5]), 0);
    }
}
