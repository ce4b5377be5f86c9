//! Compares a bucket with what it should hold, object by object: S3 is asked for each one's checksum and headers, and
//! nothing that outgrow noted before is believed.

use std::path::Path;

use futures::StreamExt;

use super::compare::read;
use super::walk::{Found, Walk};
use super::{Report, SAMPLE, STEP};
use crate::clients::hosts::HostRead;
use crate::clients::objects::{Crc64, Listed, ObjectsRead};
use crate::event::{Event, Sink};
use crate::rewrite::leak::{Choices, Verdict, judge};
use crate::site::Site;
use crate::step::{Fault, StepResult};
use crate::steps::static_site::plan::prepare;
use crate::steps::static_site::rewriting::headers;

/// Questions in flight.
const ASKED: usize = 64;

/// What an object should be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Expected {
    key: String,
    size: u64,
    crc: String,
    headers: (String, String),
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: String,
    /// How it differs.
    pub what: String,
}

/// What the comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Objects that should be there.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What differs, in the order of keys.
    pub differences: Vec<Difference>,
    /// How many other objects there are, and some of their keys. They are no difference: outgrow takes nothing away that
    /// it did not put there.
    pub others: (u64, Vec<String>),
    /// Files that are not meant to be there, with why.
    pub left_out: Vec<(String, String)>,
}

impl Comparison {
    /// Whether the bucket holds what it should.
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares with a directory.
///
/// # Errors
/// If the directory or the bucket cannot be read.
pub async fn with_directory(
    root: &Path,
    choices: Choices,
    (bucket, prefix): (&str, &str),
    objects: &dyn ObjectsRead,
    events: &Sink,
) -> StepResult<Comparison> {
    let mut left_out = Report::default();
    let root = root.to_path_buf();
    let walked = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        for found in Walk::of(&root)? {
            match found? {
                Found::Unfit(path, why) => left_out.leave(path, why),
                Found::File(path, size) => {
                    let (crc, head) = read(&root.join(&path))?;
                    if let Verdict::Leave { why } = judge(&path, &head, choices) {
                        left_out.leave(path, why);
                        continue;
                    }
                    let headers = headers(&path, &head);
                    all.push(Expected { key: path, size, crc: Crc64::written(crc), headers });
                }
            }
        }
        StepResult::Ok((all, left_out.left_out))
    });
    let (expected, left_out) = walked.await.map_err(|e| Fault::failed(format!("the reading broke off: {e}")))??;
    compared(expected, left_out, (bucket, prefix), objects, events).await
}

/// Compares with the document root on the box, rewritten as `static-site` rewrites it.
///
/// # Errors
/// If the box or the bucket cannot be read, or the pages cannot be rewritten.
pub async fn with_box(
    site: &Site,
    old: &dyn HostRead,
    objects: &dyn ObjectsRead,
    events: &Sink,
) -> StepResult<Comparison> {
    let prepared = prepare(site, old).await?;
    prepared.agreed()?;
    let expected = prepared.items.iter().map(|(key, item)| Expected {
        key: key.clone(),
        size: item.found.size,
        crc: item.found.crc.clone(),
        headers: item.found.headers.clone(),
    });
    let left_out = prepared.kept_back.iter().chain(&prepared.unfit).cloned().collect();
    compared(expected.collect(), left_out, (&site.aws.bucket, ""), objects, events).await
}

async fn compared(
    expected: Vec<Expected>,
    left_out: Vec<(String, String)>,
    (bucket, prefix): (&str, &str),
    objects: &dyn ObjectsRead,
    events: &Sink,
) -> StepResult<Comparison> {
    let mut found = Comparison { left_out, ..Comparison::default() };
    let known: std::collections::BTreeSet<&str> = expected.iter().map(|one| one.key.as_str()).collect();
    let mut other = |object: Listed| {
        let key = object.key.strip_prefix(prefix).unwrap_or(&object.key);
        let own = prefix.is_empty() && key.starts_with("outgrow/");
        if !own && !known.contains(key) {
            found.others.0 += 1;
            if found.others.1.len() < SAMPLE {
                found.others.1.push(object.key.clone());
            }
        }
    };
    objects.list(bucket, prefix, &mut other).await?;
    found.objects = expected.len() as u64;
    found.bytes = expected.iter().map(|one| one.size).sum();
    let total = found.objects;
    let asked = futures::stream::iter(&expected).map(|one| async move {
        let stored = objects.head(bucket, &format!("{prefix}{}", one.key)).await?;
        StepResult::Ok((one, stored))
    });
    let mut answers = asked.buffered(ASKED);
    let mut done = 0;
    while let Some(answer) = answers.next().await {
        let (one, stored) = answer?;
        let what = match stored {
            None => Some("missing".to_owned()),
            Some(stored) => differs(one, &stored),
        };
        found.differences.extend(what.map(|what| Difference { key: one.key.clone(), what }));
        done += 1;
        if done % 256 == 0 || done == total {
            let (step, label) = (STEP.to_owned(), "objects".to_owned());
            events.send(Event::Progress { step, label, done, total, bytes: false });
        }
    }
    Ok(found)
}

fn differs(one: &Expected, stored: &crate::clients::objects::Stored) -> Option<String> {
    let mut all = Vec::new();
    if stored.size != one.size {
        all.push(format!("{} bytes instead of {}", stored.size, one.size));
    } else if stored.crc64.as_deref() != Some(one.crc.as_str()) {
        let crc = stored.crc64.as_deref().unwrap_or("none");
        all.push(format!("other content of the same size (checksum {crc} instead of {})", one.crc));
    }
    for (name, found, wanted) in [
        ("Content-Type", &stored.headers.content_type, &one.headers.0),
        ("Cache-Control", &stored.headers.cache_control, &one.headers.1),
    ] {
        if found != wanted {
            all.push(format!("{name} `{found}` instead of `{wanted}`"));
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}
