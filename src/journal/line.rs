//! The form of a record on disk: one JSON object a line, its last member a checksum chained to the line before.

use super::{Fact, Record};

/// The journal cannot be trusted beyond this line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal is broken in line {line}: {why}; nothing was done. Restore the file from a backup, or ask for help with it"
)]
pub struct Broken {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// The checksum chain, and with it the next sequence number.
#[derive(Debug, Default, Clone)]
pub struct Chain {
    last: u64,
    seq: u64,
}

impl Chain {
    /// The number of the next record.
    pub fn next_seq(&self) -> u64 {
        self.seq + 1
    }

    /// Takes the record into the chain and returns its line, final line break included.
    pub fn push(&mut self, record: &Record) -> String {
        // A record is made of strings, numbers and JSON values: it can always be written.
        let mut body = serde_json::to_string(record).unwrap_or_default();
        self.last = sum(self.last, &body);
        self.seq = record.seq;
        body.pop();
        format!("{body},\"sum\":\"{:016x}\"}}\n", self.last)
    }
}

/// What was read: the records, and how many bytes of the text they take. What follows is a torn tail.
#[derive(Debug)]
pub struct Read {
    /// The good records.
    pub records: Vec<Record>,
    /// Their length in bytes.
    pub good: usize,
}

/// Reads a journal. A last line that does not hold is torn (the process died while writing it, so its effect never
/// happened) and left out; any other line that does not hold refuses the whole journal.
pub fn read(text: &[u8]) -> Result<Read, Broken> {
    let mut read = Read { records: Vec::new(), good: 0 };
    let mut chain = Chain::default();
    for (index, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
        match parse(line, &chain) {
            Ok((record, sum)) => {
                chain = Chain { last: sum, seq: record.seq };
                read.good += line.len();
                read.records.push(record);
            }
            Err(_) if read.good + line.len() == text.len() => break,
            Err(why) => return Err(Broken { line: index + 1, why }),
        }
    }
    Ok(read)
}

fn parse(line: &[u8], chain: &Chain) -> Result<(Record, u64), String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').ok_or("it has no end")?;
    let (body, tail) = text.rsplit_once(",\"sum\":\"").ok_or("it has no checksum")?;
    let written = tail.strip_suffix("\"}").and_then(|hex| u64::from_str_radix(hex, 16).ok()).ok_or("no checksum")?;
    let body = format!("{body}}}");
    if sum(chain.last, &body) != written {
        return Err("its checksum does not agree".to_owned());
    }
    let record: Record = serde_json::from_str(&body).map_err(|e| format!("it cannot be read: {e}"))?;
    if record.seq != chain.next_seq() {
        return Err(format!("it is number {}, expected {}", record.seq, chain.next_seq()));
    }
    if chain.seq == 0 && !matches!(record.fact, Fact::Begun { .. }) {
        return Err("the first record is not `begun`".to_owned());
    }
    Ok((record, written))
}

fn sum(last: u64, body: &str) -> u64 {
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    digest.update(&last.to_le_bytes());
    digest.update(body.as_bytes());
    digest.finalize()
}
