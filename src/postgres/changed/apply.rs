//! The receiving transaction: stage the differing rows, merge them, check.
//!
//! Where the session may act as a replica (a superuser, or a granted parameter) neither foreign keys nor triggers run,
//! and rows are simply replaced. Elsewhere rows are merged, parents first and removals children first, so that every
//! foreign key holds at every statement; where that is not possible (cycles, exchanged unique values) the foreign keys
//! concerned are dropped and made again, checked, within the same transaction.

use super::guards::{self, Guards};
use super::{ChangedTable, Differing, check};
use crate::clients::postgres::{Error as ServerError, Session};
use crate::postgres::Result;
use crate::postgres::catalog::Table;
use crate::postgres::copy::{column_list, column_list_of, copy_into, pipe, travels_in_binary};
use crate::postgres::digest::Way;
use crate::postgres::name::ident;

pub(super) async fn apply(
    reader: &Session,
    writer: &Session,
    differing: &[Differing],
    way: Way,
) -> Result<Vec<ChangedTable>> {
    let mut changed = Vec::new();
    for (number, one) in differing.iter().enumerate() {
        let travelled = stage(reader, writer, one, number, way).await?;
        changed.push(ChangedTable { table: one.table.name.clone(), travelled, removed: 0, written: 0 });
    }
    let replica = guards::act_as_replica(writer).await?;
    let guards = Guards::lower(writer, differing.iter().map(|one| &one.table), replica).await?;
    let merged = if replica {
        replace_all(writer, differing, way, &mut changed).await?;
        false
    } else {
        writer.run("SAVEPOINT outgrow_merge").await?;
        let before = changed.clone();
        match merge_all(writer, differing, way, &mut changed).await {
            Ok(()) => true,
            Err(error) if error.code().is_some() && !error.is_lost() => {
                writer.run("ROLLBACK TO SAVEPOINT outgrow_merge").await?;
                changed = before;
                let keys = guards::drop_foreign_keys(writer, differing.iter().map(|one| &one.table)).await?;
                replace_all(writer, differing, way, &mut changed).await?;
                keys.restore(writer).await?;
                false
            }
            Err(error) => return Err(error),
        }
    };
    guards.raise(writer).await?;
    for one in differing {
        check(writer, one, way, merged).await?;
    }
    Ok(changed)
}

fn staging(number: usize) -> String {
    format!("pg_temp.outgrow_stage_{number}")
}

/// Rows of the differing buckets into a staging table; says how many.
async fn stage(reader: &Session, writer: &Session, one: &Differing, number: usize, way: Way) -> Result<u64> {
    let (table, staged) = (&one.table, staging(number));
    let all = column_list_of("t", table.columns.iter());
    writer
        .run(&format!(
            "CREATE TEMPORARY TABLE outgrow_stage_{number} ON COMMIT DROP AS SELECT {all} FROM ONLY {} AS t WITH NO DATA",
            table.name
        ))
        .await?;
    let binary = reader.version() == writer.version() && table.columns.iter().all(travels_in_binary);
    let rows = one.buckets.only(table, way, &one.numbers);
    let format = if binary { "binary" } else { "text" };
    let out = format!("COPY (SELECT {all} {rows}) TO STDOUT (FORMAT {format})");
    let into = copy_into(&staged, &column_list(table.columns.iter()), binary, false);
    let (count, _) = pipe(reader, &out, writer, &into, |_| ()).await?;
    writer.run(&format!("ANALYZE {staged}")).await?;
    Ok(count)
}

/// Whether two rows have the same key. The empty search path hides an extension's own operators: such keys compare by
/// their text.
fn same_key(table: &Table, one: &str, other: &str) -> String {
    let equal = |name: &String| {
        let name_sql = ident(name);
        let native = table.column(name).is_some_and(|c| c.class == 'e' || (c.builtin && c.class == 'b'));
        if native {
            format!("{one}.{name_sql} = {other}.{name_sql}")
        } else {
            format!("{one}.{name_sql}::text = {other}.{name_sql}::text")
        }
    };
    table.key.iter().map(equal).collect::<Vec<_>>().join(" AND ")
}

/// Removes rows of the differing buckets: those not staged, and with `changed` also those staged with other content.
async fn remove(writer: &Session, one: &Differing, number: usize, way: Way, changed: bool) -> Result<u64> {
    let (table, staged) = (&one.table, staging(number));
    let rows = one.buckets.only(table, way, &one.numbers);
    let kept = if table.key.is_empty() {
        String::new()
    } else {
        let same = same_key(table, "s", "t");
        let content =
            if changed { format!(" AND {} = {}", way.row("s", table), way.row("t", table)) } else { String::new() };
        format!(" AND NOT EXISTS (SELECT 1 FROM {staged} AS s WHERE {same}{content})")
    };
    let sql = format!("DELETE FROM ONLY {} AS d WHERE d.ctid = ANY (ARRAY(SELECT t.ctid {rows}{kept}))", table.name);
    Ok(writer.execute(&sql, &[]).await?)
}

/// Writes the staged rows that are not there, whatever is there for their key being equal.
async fn insert(writer: &Session, table: &Table, number: usize) -> Result<u64> {
    let missing = if table.key.is_empty() {
        String::new()
    } else {
        format!(" WHERE NOT EXISTS (SELECT 1 FROM ONLY {} AS t WHERE {})", table.name, same_key(table, "t", "s"))
    };
    Ok(writer.execute(&format!("{}{missing}", insert_from(table, number)), &[]).await?)
}

fn insert_from(table: &Table, number: usize) -> String {
    let columns = column_list(table.stored());
    if columns.is_empty() {
        return format!("INSERT INTO {} SELECT FROM {} AS s", table.name, staging(number));
    }
    let values = column_list_of("s", table.stored());
    format!(
        "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {} AS s",
        table.name,
        staging(number)
    )
}

async fn replace_all(writer: &Session, differing: &[Differing], way: Way, changed: &mut [ChangedTable]) -> Result<()> {
    for (number, one) in differing.iter().enumerate() {
        changed[number].removed = remove(writer, one, number, way, true).await?;
    }
    for (number, one) in differing.iter().enumerate() {
        changed[number].written = insert(writer, &one.table, number).await?;
    }
    Ok(())
}

async fn merge_all(writer: &Session, differing: &[Differing], way: Way, changed: &mut [ChangedTable]) -> Result<()> {
    let order = guards::parents_first(writer, differing.iter().map(|one| &one.table)).await?;
    for &number in &order {
        let one = &differing[number];
        if one.table.key.is_empty() {
            changed[number].removed = remove(writer, one, number, way, true).await?;
            changed[number].written = insert(writer, &one.table, number).await?;
        } else {
            changed[number].written = merge(writer, &one.table, number, way).await?;
        }
    }
    for &number in order.iter().rev().filter(|number| !differing[**number].table.key.is_empty()) {
        changed[number].removed = remove(writer, &differing[number], number, way, false).await?;
    }
    Ok(writer.run("SET CONSTRAINTS ALL IMMEDIATE").await?)
}

/// Writes staged rows that are new or have other content.
async fn merge(writer: &Session, table: &Table, number: usize, way: Way) -> Result<u64> {
    let (same, ours, theirs) = (same_key(table, "t", "s"), way.row("s", table), way.row("t", table));
    let key = table.key.iter().map(|name| ident(name)).collect::<Vec<_>>().join(", ");
    let assign = |name: String| format!("{name} = excluded.{name}");
    let rest = table.stored().filter(|column| !table.key.contains(&column.name));
    let rest: Vec<_> = rest.map(|column| assign(ident(&column.name))).collect();
    let action = if rest.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", rest.join(", ")) };
    let sql = format!(
        "{} WHERE NOT EXISTS (SELECT 1 FROM ONLY {} AS t WHERE {same} AND {theirs} = {ours}) \
         ON CONFLICT ({key}) DO {action}",
        insert_from(table, number),
        table.name
    );
    let written: std::result::Result<u64, ServerError> = writer.execute(&sql, &[]).await;
    Ok(written?)
}
