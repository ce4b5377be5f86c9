//! What the step alters: every object it puts, with what was there before. It goes into the journal, so a file is one
//! short row and headers are listed once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::step::{Change, Reversal};

/// So many of a kind are told one by one; the rest by number.
const TOLD: usize = 40;

/// The objects this run puts, and what it leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteChange {
    /// The bucket.
    pub bucket: String,
    /// Whether the bucket is made.
    pub create: bool,
    /// Content-Type and Cache-Control, by the number a file names.
    pub headers: Vec<(String, String)>,
    /// What is put, in the keys' order.
    pub puts: Vec<Put>,
    /// Key and size of what is there as it should be.
    pub same: Vec<(String, u64)>,
    /// Rewritten files: key, how often, the first place.
    pub rewritten: Vec<(String, usize, String)>,
    /// Old and new path of files whose name carries their content's hash.
    pub renamed: Vec<(String, String)>,
    /// What does not go up, and why.
    pub left_out: Vec<(String, String)>,
    /// How many other objects are in the bucket, and some of their keys.
    pub others: (usize, Vec<String>),
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Put {
    /// The key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// CRC64NVME in base64.
    pub crc: String,
    /// Its number in [`SiteChange::headers`].
    pub headers: usize,
    /// The checksum of what the key holds now; empty for one S3 has none of, `None` for a new key.
    pub former: Option<String>,
}

/// A row of the journal.
type Row = (String, u64, String, usize, Option<String>);

impl From<Row> for Put {
    fn from((key, size, crc, headers, former): Row) -> Self {
        Self { key, size, crc, headers, former }
    }
}

impl From<Put> for Row {
    fn from(put: Put) -> Self {
        (put.key, put.size, put.crc, put.headers, put.former)
    }
}

impl SiteChange {
    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        !self.create && self.puts.is_empty()
    }

    /// Bytes to be put.
    pub fn bytes(&self) -> u64 {
        self.puts.iter().map(|put| put.size).sum()
    }
}

impl Change for SiteChange {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.create {
            lines.push(format!("+ private bucket {}", self.bucket));
        }
        let (changed, new): (Vec<&Put>, Vec<&Put>) = self.puts.iter().partition(|put| put.former.is_some());
        let bytes = |puts: &[&Put]| size(puts.iter().map(|put| put.size).sum());
        if !new.is_empty() {
            lines.push(format!("+ {} new objects, {}{}", new.len(), bytes(&new), kinds(&new, &self.headers)));
        }
        if !changed.is_empty() {
            lines.push(format!(
                "~ {} overwritten objects, {}; the former ones are kept",
                changed.len(),
                bytes(&changed)
            ));
            told(&mut lines, changed.iter().map(|put| format!("~ {}", put.key)), changed.len());
        }
        if !self.same.is_empty() {
            lines.push(format!("  {} objects are as they should be", self.same.len()));
        }
        if !self.rewritten.is_empty() {
            lines.push(format!("~ the API's address is rewritten in {} files", self.rewritten.len()));
            let files = self.rewritten.iter().map(|(key, hits, place)| format!("~ {key}: {hits} times; {place}"));
            told(&mut lines, files, self.rewritten.len());
        }
        if !self.renamed.is_empty() {
            lines.push(format!("~ {} files get a new name, as their content is new", self.renamed.len()));
            told(&mut lines, self.renamed.iter().map(|(old, new)| format!("~ {old} → {new}")), self.renamed.len());
        }
        if !self.left_out.is_empty() {
            lines.push(format!("- {} files are left out", self.left_out.len()));
            told(&mut lines, self.left_out.iter().map(|(path, why)| format!("- {path}: {why}")), self.left_out.len());
        }
        if self.others.0 > 0 {
            let some = self.others.1.join(", ");
            lines.push(format!("  {} other objects in the bucket stay as they are, such as {some}", self.others.0));
        }
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

fn told(lines: &mut Vec<String>, all: impl Iterator<Item = String>, of: usize) {
    lines.extend(all.take(TOLD));
    if of > TOLD {
        lines.push(format!("  … and {} more", of - TOLD));
    }
}

/// How many of each content type, the most frequent first.
fn kinds(puts: &[&Put], headers: &[(String, String)]) -> String {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for put in puts {
        let kind = headers.get(put.headers).map_or("", |(kind, _)| kind.as_str());
        *count.entry(kind.split(';').next().unwrap_or_default()).or_default() += 1;
    }
    let mut count: Vec<(&str, usize)> = count.into_iter().collect();
    count.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let some: Vec<String> = count.iter().take(6).map(|(kind, n)| format!("{n} {kind}")).collect();
    if some.is_empty() { String::new() } else { format!(" ({})", some.join(", ")) }
}

/// Bytes as people say them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit < UNITS.len() - 1 {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_shortly() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 30), "5.0 GiB");
    }

    #[test]
    fn a_file_is_one_short_row() {
        let put = Put { key: "a".into(), size: 1, crc: "x=".into(), headers: 0, former: None };
        let row = serde_json::to_string(&put).unwrap();
        assert_eq!(row, r#"["a",1,"x=",0,null]"#);
        assert_eq!(serde_json::from_str::<Put>(&row).unwrap(), put);
    }
}
