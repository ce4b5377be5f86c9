//! The statements that move a table's rows, and the pipe for those who move a few.

use std::pin::pin;

use bytes::BytesMut;
use futures::{SinkExt as _, TryStreamExt as _};

use super::work::Pages;
use crate::clients::postgres::Session;
use crate::postgres::Result;
use crate::postgres::catalog::{Column, Table};
use crate::postgres::name::ident;

/// Bytes sent at once.
const BUFFER: usize = 128 * 1024;
/// Tables smaller than this are not truncated and frozen: it costs more than it saves.
const FREEZE_FROM: i64 = 64 * 1024;

/// `COPY … TO STDOUT` of a table or some of its pages.
pub(super) fn copy_out(table: &Table, pages: Option<Pages>, same_servers: bool) -> String {
    let range = pages
        .map_or(String::new(), |(from, to)| format!(" WHERE t.ctid >= '({from},0)'::tid AND t.ctid < '({to},0)'::tid"));
    format!(
        "COPY (SELECT {} FROM ONLY {} AS t{range}) TO STDOUT (FORMAT {})",
        column_list_of("t", table.stored()),
        table.name,
        format_name(in_binary(table, same_servers))
    )
}

/// What receives them. A whole table is emptied and filled frozen in the same transaction, which saves a later VACUUM
/// from writing every page again.
pub(super) fn copy_whole_into(table: &Table, pages: Option<Pages>, same_servers: bool) -> String {
    let freeze = pages.is_none() && table.bytes >= FREEZE_FROM;
    let binary = in_binary(table, same_servers);
    let into = copy_into(&table.name.to_string(), &column_list(table.stored()), binary, freeze);
    if freeze { format!("TRUNCATE ONLY {}; {into}", table.name) } else { into }
}

fn in_binary(table: &Table, same_servers: bool) -> bool {
    same_servers && table.stored().all(travels_in_binary)
}

/// `COPY … FROM STDIN`; a table without stored columns has an empty list, which SQL writes by leaving it out.
pub(in crate::postgres) fn copy_into(table: &str, columns: &str, binary: bool, freeze: bool) -> String {
    let list = if columns.is_empty() { String::new() } else { format!(" ({columns})") };
    let freeze = if freeze { ", FREEZE" } else { "" };
    format!("COPY {table}{list} FROM STDIN (FORMAT {}{freeze})", format_name(binary))
}

/// The columns, quoted.
pub(in crate::postgres) fn column_list<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| ident(&column.name)).collect::<Vec<_>>().join(", ")
}

/// The columns of the row called `alias`.
pub(in crate::postgres) fn column_list_of<'a>(alias: &str, columns: impl Iterator<Item = &'a Column>) -> String {
    columns.map(|column| format!("{alias}.{}", ident(&column.name))).collect::<Vec<_>>().join(", ")
}

fn format_name(binary: bool) -> &'static str {
    if binary { "binary" } else { "text" }
}

/// Whether a type's binary form means the same on another server: those of the server itself without identifiers in
/// them, and enums (sent by label). Arrays and composites of user types carry identifiers.
pub(in crate::postgres) fn travels_in_binary(column: &Column) -> bool {
    let identifier = column.base.starts_with("reg") || column.base.starts_with("_reg");
    column.binary && !identifier && (column.class == 'e' || (column.builtin && column.class != 'c'))
}

/// Passes a `COPY`'s bytes from one server to the other; says how many rows and bytes.
pub(in crate::postgres) async fn pipe(
    reader: &Session,
    out: &str,
    writer: &Session,
    into: &str,
    mut moved: impl FnMut(u64),
) -> Result<(u64, u64)> {
    let mut source = pin!(reader.copy_out(out).await?);
    let mut sink = pin!(writer.copy_in(into).await?);
    let (mut buffer, mut total) = (BytesMut::with_capacity(BUFFER), 0);
    loop {
        let chunk = source.try_next().await.map_err(|error| reader.error(out, &error))?;
        let ended = chunk.is_none();
        if let Some(chunk) = chunk {
            buffer.extend_from_slice(&chunk);
        }
        if buffer.len() >= BUFFER || (ended && !buffer.is_empty()) {
            let bytes = buffer.len() as u64;
            total += bytes;
            sink.send(buffer.split().freeze()).await.map_err(|error| writer.error(into, &error))?;
            buffer.reserve(BUFFER);
            moved(bytes);
        }
        if ended {
            break;
        }
    }
    let rows = sink.finish().await.map_err(|error| writer.error(into, &error))?;
    Ok((rows, total))
}
