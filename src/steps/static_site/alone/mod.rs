//! A directory into a bucket, without a site file and a playbook. It sends what is missing or different, in the order that
//! keeps every page whole, and takes nothing away.
//!
//! Its memory does not grow with the number of files: the tree is walked in the order of keys ([`walk`]), the listing and
//! what is known from former runs ([`kept`]) are read beside it in the same order ([`compare`]), and what is to be sent
//! waits in files ([`spool`]) until [`send`] takes it, class after class.

mod compare;
mod kept;
mod listing;
mod send;
mod spool;
#[cfg(test)]
mod tests;
pub mod verify;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use crate::clients::objects::{Crc64, ObjectsWrite};
use crate::event::Sink;
use crate::rewrite::leak::Choices;
use crate::step::{Fault, StepResult};

/// What is to be uploaded, and where to.
#[derive(Debug, Clone)]
pub struct Order {
    /// The directory.
    pub root: PathBuf,
    /// The bucket, which has to be there.
    pub bucket: String,
    /// What stands before every key: empty, or ended by a slash.
    pub prefix: String,
    /// A directory of this upload's own, for what is known from one run to the next.
    pub state: PathBuf,
    /// What goes out beside the usual.
    pub choices: Choices,
    /// Only say what would be sent.
    pub dry: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects that were sent, or would be.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that are as they should be.
    pub same: u64,
    /// Objects that were looked at one by one, since nothing was known of them.
    pub asked: u64,
    /// Files that stay behind, with why; the first [`TOLD`].
    pub left_out: Vec<(String, String)>,
    /// How many files stay behind.
    pub left_out_in_all: u64,
    /// How many objects below the prefix are of no file, and some of their keys.
    pub others: (u64, Vec<String>),
}

/// So many files are told one by one.
pub const TOLD: usize = 1000;
/// So many keys of other objects are told.
const SAMPLE: usize = 5;

/// Names the upload in progress.
pub const STEP: &str = "upload";

impl Report {
    fn leave(&mut self, path: String, why: impl Into<String>) {
        self.left_out_in_all += 1;
        if self.left_out.len() < TOLD {
            self.left_out.push((path, why.into()));
        }
    }

    fn other(&mut self, key: String) {
        self.others.0 += 1;
        if self.others.1.len() < SAMPLE {
            self.others.1.push(key);
        }
    }
}

/// Uploads.
///
/// # Errors
/// [`Fault::Failed`] for what a person must put right, [`Fault::InDoubt`] for a broken line: typed again, it goes on where
/// it was.
pub async fn upload(order: &Order, objects: Arc<dyn ObjectsWrite>, events: &Sink) -> StepResult<Report> {
    let _lock = kept::lock(&order.state)?;
    if !order.dry {
        send::abort_what_was_left(order, objects.as_ref()).await?;
    }
    let there = listing::fetch(objects.as_ref(), &order.bucket, &order.prefix).await?;
    let task = order.clone();
    let compared = tokio::task::spawn_blocking(move || compare::compare(&task, there)).await;
    let mut compared = compared.map_err(|e| Fault::failed(format!("the comparison broke off: {e}")))??;
    compare::settle(order, objects.as_ref(), &mut compared).await?;
    if order.dry {
        return Ok(compared.report);
    }
    compared.kept.publish()?;
    if compared.report.sent > 0 {
        send::send(order, &objects, &mut compared, events).await?;
        listing::confirm(objects.as_ref(), order, &compared.kept).await?;
    }
    Ok(compared.report)
}

/// A mark of the headers an object is stored with, to be compared and nothing else.
fn mark(headers: &(String, String)) -> u64 {
    Crc64::number([headers.0.as_bytes(), b"\0", headers.1.as_bytes()].concat().as_slice())
}

fn disk(path: &std::path::Path, error: &std::io::Error) -> Fault {
    Fault::failed_with(format!("{}: {error}", path.display()), "see that the path can be used, and that there is room")
}
