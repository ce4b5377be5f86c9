//! What is to be sent: the walk, the listing and what former runs left, read side by side in the order of keys.

use std::fs::File;
use std::io::Read;
use std::iter::Peekable;
use std::path::Path;

use futures::StreamExt;

use super::kept::{Kept, Known};
use super::spool::{Row, Rows, Spool};
use super::walk::{Found, Walk};
use super::{Order, Report, disk, mark};
use crate::clients::objects::{Crc64, ObjectsRead};
use crate::rewrite::leak::{Verdict, judge};
use crate::step::StepResult;
use crate::steps::static_site::keys::{Class, class};
use crate::steps::static_site::rewriting::headers;

/// What a file's kind is judged by.
pub(super) const HEAD: usize = 4 << 10;
/// How much is read at once.
const PIECE: usize = 256 << 10;
/// Questions in flight.
const ASKED: usize = 64;
/// The classes, in the order they are sent.
pub(super) const CLASSES: [Class; 4] = [Class::Asset, Class::Other, Class::Page, Class::Index];

/// What came of the comparison.
pub(super) struct Compared {
    pub report: Report,
    pub kept: Kept,
    /// What is to be sent, a spool a class: bytes, and the place of its row.
    pub sends: [Spool<2>; 4],
    /// Objects of the right size of which nothing is known: bytes, checksum, headers, entity tag, the place of its row.
    doubts: Spool<5>,
}

/// Compares. It reads a file only where the bucket has one of its name and size.
pub(super) fn compare(order: &Order, there: Rows<2>) -> StepResult<Compared> {
    let sends = [Spool::new()?, Spool::new()?, Spool::new()?, Spool::new()?];
    let mut all = Compared { report: Report::default(), kept: Kept::new(&order.state)?, sends, doubts: Spool::new()? };
    let mut there = there.peekable();
    let mut former = Kept::former(&order.state)?.map(Iterator::peekable);
    for found in Walk::of(&order.root)? {
        let (path, size) = match found? {
            Found::File(path, size) => (path, size),
            Found::Unfit(path, why) => {
                all.report.leave(path, why);
                continue;
            }
        };
        if let Verdict::Leave { why } = judge(&path, &[], order.choices) {
            all.report.leave(path, why);
            continue;
        }
        let stored = at(&mut there, &path, |key| all.report.other(key.to_owned()))?;
        let known = match &mut former {
            Some(former) => at(former, &path, |_| {})?.map(|row| Known::of(&row)),
            None => None,
        };
        match stored {
            Some(Row { numbers: [there, etag], .. }) if there == size => {
                all.same_size(order, path, Known { size, etag, ..Known::default() }, known)?;
            }
            _ => all.send(&path, size)?,
        }
    }
    for left in there {
        all.report.other(left?.key);
    }
    Ok(all)
}

impl Compared {
    fn send(&mut self, path: &str, size: u64) -> StepResult<()> {
        let row = self.kept.add(path, Known::default())?;
        self.queue(path, size, row)
    }

    fn queue(&mut self, path: &str, size: u64, row: u64) -> StepResult<()> {
        self.report.sent += 1;
        self.report.bytes += size;
        let place = CLASSES.iter().position(|one| *one == class(path)).unwrap_or(0);
        self.sends[place].add(path, [size, row])
    }

    /// The bucket has an object of this size there: only the content can tell.
    fn same_size(&mut self, order: &Order, path: String, found: Known, known: Option<Known>) -> StepResult<()> {
        let (crc, head) = read(&order.root.join(&path))?;
        if let Verdict::Leave { why } = judge(&path, &head, order.choices) {
            self.report.leave(path, why);
            return Ok(());
        }
        let found = Known { crc, headers: mark(&headers(&path, &head)), ..found };
        match known {
            Some(known) if known == found => {
                self.report.same += 1;
                self.kept.add(&path, found).map(drop)
            }
            Some(known) if known.etag == found.etag => self.send(&path, found.size),
            _ => {
                let row = self.kept.add(&path, Known::default())?;
                self.doubts.add(&path, [found.size, crc, found.headers, found.etag, row])
            }
        }
    }
}

/// Asks for each object in doubt what it is stored with.
pub(super) async fn settle(order: &Order, objects: &dyn ObjectsRead, all: &mut Compared) -> StepResult<()> {
    let doubts = std::mem::replace(&mut all.doubts, Spool::new()?);
    if doubts.rows == 0 {
        return Ok(());
    }
    all.report.asked = doubts.rows;
    let asked = futures::stream::iter(doubts.read()?).map(|row| async move {
        let row = row?;
        let stored = objects.head(&order.bucket, &format!("{}{}", order.prefix, row.key)).await?;
        StepResult::Ok((row, stored))
    });
    let mut answers = asked.buffered(ASKED);
    all.kept.flush()?;
    let filler = all.kept.filler();
    while let Some(answer) = answers.next().await {
        let (Row { key, numbers: [size, crc, headers, etag, row] }, stored) = answer?;
        let is_same = stored.as_ref().is_some_and(|stored| {
            let held = (stored.headers.content_type.clone(), stored.headers.cache_control.clone());
            stored.size == size && stored.crc64 == Some(Crc64::written(crc)) && mark(&held) == headers
        });
        if is_same {
            all.report.same += 1;
            // Should the object have changed since the listing, the next one shows another tag, and it is asked again.
            filler.fill(row, Known { size, crc, headers, etag })?;
        } else {
            all.queue(&key, size, row)?;
        }
    }
    Ok(())
}

/// The row of this key, if there is one; what comes before it is passed by.
fn at<const N: usize>(
    rows: &mut Peekable<Rows<N>>,
    key: &str,
    mut passed: impl FnMut(&str),
) -> StepResult<Option<Row<N>>> {
    while let Some(row) = rows.next_if(|row| !row.as_ref().is_ok_and(|row| row.key.as_str() >= key)) {
        passed(&row?.key);
    }
    rows.next_if(|row| row.as_ref().is_ok_and(|row| row.key == key)).transpose()
}

/// A file's checksum and its first bytes.
pub(super) fn read(path: &Path) -> StepResult<(u64, Vec<u8>)> {
    let failed = |e: &std::io::Error| disk(path, e);
    let mut file = File::open(path).map_err(|e| failed(&e))?;
    let size = file.metadata().map_err(|e| failed(&e))?.len();
    let mut piece = vec![0; usize::try_from(size).unwrap_or(PIECE).clamp(1, PIECE)];
    let (mut crc, mut head) = (Crc64::default(), Vec::new());
    loop {
        let n = file.read(&mut piece).map_err(|e| failed(&e))?;
        if n == 0 {
            return Ok((crc.value(), head));
        }
        if head.is_empty() {
            head = piece[..n.min(HEAD)].to_vec();
        }
        crc.update(&piece[..n]);
    }
}
