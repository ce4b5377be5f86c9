//! Rows: `COPY … TO STDOUT` on the pinned snapshot piped into `COPY … FROM STDIN`, several tables at a time, the biggest
//! first. Bytes pass through as they are; what is held is one buffer a connection.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use futures::future::try_join_all;
use futures::{SinkExt as _, TryStreamExt as _};

use super::{Event, Options, Progress};
use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::Result;
use crate::postgres::catalog::{Column, Table};
use crate::postgres::name::{TableName, ident};
use crate::postgres::pinned::Pinned;

/// Bytes sent at once.
const BUFFER: usize = 128 * 1024;
/// Tables smaller than this are not truncated and frozen: it costs more than it saves.
const FREEZE_FROM: i64 = 64 * 1024;

/// A table or a range of its pages.
#[derive(Clone, Debug)]
struct Piece {
    table: usize,
    pages: Option<(i64, i64)>,
}

/// Cuts big heaps into pieces; the list stays in the tables' order, biggest first.
fn pieces(tables: &[Table], piece_bytes: i64, ranges: bool) -> VecDeque<Piece> {
    let mut pieces = VecDeque::new();
    for (place, table) in tables.iter().enumerate() {
        let count = if ranges && table.heap { table.bytes / piece_bytes.max(1) + 1 } else { 1 };
        if count == 1 {
            pieces.push_back(Piece { table: place, pages: None });
            continue;
        }
        let step = table.pages / count + 1;
        for number in 0..count {
            // The last piece has no end: the heap may have grown behind the snapshot, which sees nothing of it.
            let end = if number == count - 1 { 0xFFFF_FFFE } else { (number + 1) * step };
            pieces.push_back(Piece { table: place, pages: Some((number * step, end)) });
        }
    }
    pieces
}

/// Copies all rows; says how many of each table, and how many bytes travelled.
pub(super) async fn copy(
    pinned: &Pinned,
    target: &Endpoint,
    tables: &[Table],
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Vec<(TableName, u64)>, u64)> {
    let pieces = pieces(tables, options.piece_bytes, pinned.holder().version() >= 14);
    let jobs = options.jobs.clamp(1, pieces.len().max(1));
    let queue = Arc::new(Mutex::new(pieces));
    let workers = (0..jobs).map(|_| {
        let queue = Arc::clone(&queue);
        async move {
            let (reader, writer) = (pinned.session().await?, target.connect().await?);
            writer.run("SET synchronous_commit = off").await?;
            let binary_servers = reader.version() == writer.version();
            let mut moved = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(piece) = next else { break };
                let table = &tables[piece.table];
                let (rows, bytes) = move_piece(&reader, &writer, table, &piece, binary_servers, progress).await?;
                progress.tell(Event::Rows { table: table.name.clone(), rows });
                moved.push((piece.table, rows, bytes));
            }
            reader.close();
            writer.close();
            Result::Ok(moved)
        }
    });
    let (mut rows_of, mut total) = (BTreeMap::<usize, u64>::new(), 0);
    for (table, rows, bytes) in try_join_all(workers).await?.into_iter().flatten() {
        *rows_of.entry(table).or_default() += rows;
        total += bytes;
    }
    Ok((rows_of.into_iter().map(|(table, rows)| (tables[table].name.clone(), rows)).collect(), total))
}

async fn move_piece(
    reader: &Session,
    writer: &Session,
    table: &Table,
    piece: &Piece,
    binary_servers: bool,
    progress: &dyn Progress,
) -> Result<(u64, u64)> {
    let columns = column_list(table.stored());
    let binary = binary_servers && table.stored().all(travels_in_binary);
    let freeze = piece.pages.is_none() && table.bytes >= FREEZE_FROM;
    let range = piece
        .pages
        .map_or(String::new(), |(from, to)| format!(" WHERE t.ctid >= '({from},0)'::tid AND t.ctid < '({to},0)'::tid"));
    let out = format!(
        "COPY (SELECT {} FROM ONLY {} AS t{range}) TO STDOUT (FORMAT {})",
        column_list_of("t", table.stored()),
        table.name,
        format_name(binary)
    );
    let into = copy_into(&table.name.to_string(), &columns, binary, freeze);
    if freeze {
        writer.run(&format!("BEGIN; TRUNCATE ONLY {}", table.name)).await?;
    }
    let moved = pipe(reader, &out, writer, &into, |bytes| {
        progress.tell(Event::Moved { table: table.name.clone(), bytes });
    })
    .await?;
    if freeze {
        writer.run("COMMIT").await?;
    }
    Ok(moved)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: i64) -> Table {
        Table {
            oid: 1,
            name: TableName::new("public", "t"),
            bytes,
            pages: bytes / 8192,
            estimated_rows: -1,
            heap: true,
            rules: false,
            columns: Vec::new(),
            key: Vec::new(),
        }
    }

    #[test]
    fn the_pieces_of_a_table_cover_every_page_once() {
        let pieces = pieces(&[table(10 << 20), table(8192)], 3 << 20, true);
        let ranges: Vec<_> = pieces.iter().filter(|p| p.table == 0).filter_map(|p| p.pages).collect();
        assert_eq!(ranges.len(), 4);
        assert_eq!(ranges[0].0, 0);
        assert!(ranges.windows(2).all(|two| two[0].1 == two[1].0));
        assert_eq!(ranges[3].1, 0xFFFF_FFFE);
        assert_eq!(pieces.iter().filter(|p| p.table == 1).count(), 1);
    }
}
