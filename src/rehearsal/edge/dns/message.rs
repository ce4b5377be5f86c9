//! DNS messages off and onto the wire, without a detour over trees: a question is read where it lies, and an answer is
//! written into a buffer that is used again. Source: RFC 1035, 4.1; RFC 6891 (EDNS).

use std::net::IpAddr;

use crate::rehearsal::answering::{Asked, Dice, Directory, Outcome, Owner, Record, Value};

/// The largest datagram sent, whatever the client says it takes: what goes unfragmented everywhere.
pub(super) const DATAGRAM: u16 = 1232;

/// What every client takes.
const SMALLEST: u16 = 512;

const HEADER: usize = 12;
const OPT: u16 = 41;
/// What an OPT record of ours takes.
const OPT_LENGTH: usize = 11;
const IN: u16 = 1;

/// Codes that no lookup ends with. Source: IANA, DNS RCODEs.
const FORM_ERR: u16 = 1;
const NOT_IMP: u16 = 4;
const REFUSED: u16 = 5;
const BAD_VERS: u16 = 16;

/// The bits of the second word of a header.
const RESPONSE: u16 = 1 << 15;
const OPCODE: u16 = 0xF << 11;
const AUTHORITATIVE: u16 = 1 << 10;
const TRUNCATED: u16 = 1 << 9;
const RECURSION_DESIRED: u16 = 1 << 8;

/// A query as far as it could be read.
struct Query {
    id: u16,
    flags: u16,
    /// Where the question ends, and what it is; `None` where there is not exactly one.
    question: Option<Question>,
    /// The client's EDNS: version and payload.
    edns: Option<(u8, u16)>,
    whole: bool,
}

#[derive(Clone, Copy)]
struct Question {
    end: usize,
    kind: u16,
    class: u16,
}

/// Writes the reply to a query into `out`; false where it deserves none.
pub(super) fn reply(wire: &[u8], directory: &Directory, dice: &mut Dice, udp: bool, out: &mut Vec<u8>) -> bool {
    out.clear();
    // not even a header, or a response: answering could start a loop
    let Some(query) = read(wire).filter(|query| query.flags & RESPONSE == 0) else { return false };
    let version = query.edns.map_or(0, |(version, _)| version);
    let (code, asked) = match query.question {
        _ if query.flags & OPCODE != 0 => (NOT_IMP, None),
        _ if version > 0 => (BAD_VERS, None),
        Some(question) if query.whole && question.class == IN => (0, Some(question)),
        Some(_) if query.whole => (REFUSED, None),
        _ => (FORM_ERR, None),
    };
    let mut key = [0_u8; 255];
    let (code, outcome) = match asked {
        None => (code, Outcome::default()),
        Some(question) => {
            let name = &wire[HEADER..question.end - 4];
            let key = &mut key[..name.len()];
            key.copy_from_slice(name);
            key.make_ascii_lowercase();
            let public = query.flags & RECURSION_DESIRED != 0;
            let outcome = directory.look_up(Asked { key, kind: question.kind, public }, dice);
            (outcome.code.wire().0.into(), outcome)
        }
    };
    let limit = match (udp, query.edns) {
        (false, _) => usize::from(u16::MAX),
        (true, None) => SMALLEST.into(),
        (true, Some((_, payload))) => payload.clamp(SMALLEST, DATAGRAM).into(),
    };
    let limit = limit - query.edns.map_or(0, |_| OPT_LENGTH);
    let mut flags = RESPONSE | query.flags & (OPCODE | RECURSION_DESIRED) | (code & 0xF);
    if outcome.authoritative {
        flags |= AUTHORITATIVE;
    }
    out.extend(query.id.to_be_bytes());
    out.extend(flags.to_be_bytes());
    out.extend([0; 8]);
    if let Some(question) = query.question {
        // as it was asked, letter by letter: resolvers that mix cases look for theirs
        out.extend(&wire[HEADER..question.end]);
        out[5] = 1;
    }
    let body = out.len();
    for (count, records) in [(6, &outcome.answers), (8, &outcome.authority)] {
        for record in records {
            write(out, record);
        }
        out[count..count + 2].copy_from_slice(&u16::try_from(records.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    if out.len() > limit {
        out.truncate(body);
        out[2..4].copy_from_slice(&(flags | TRUNCATED).to_be_bytes());
        out[6..10].fill(0);
    }
    if query.edns.is_some() {
        out[11] = 1;
        out.push(0);
        out.extend(OPT.to_be_bytes());
        out.extend(DATAGRAM.to_be_bytes());
        out.extend([u8::try_from(code >> 4).unwrap_or_default(), 0, 0, 0, 0, 0]);
    }
    true
}

fn read(wire: &[u8]) -> Option<Query> {
    let word = |at: usize| wire.get(at..at + 2).map(|w| u16::from_be_bytes([w[0], w[1]]));
    let (id, flags, questions) = (word(0)?, word(2)?, word(4)?);
    let others = [word(6)?, word(8)?, word(10)?];
    let mut query = Query { id, flags, question: None, edns: None, whole: false };
    if questions != 1 {
        return Some(query);
    }
    let Some(end) = name_end(wire, HEADER, false) else { return Some(query) };
    let (Some(kind), Some(class)) = (word(end), word(end + 2)) else { return Some(query) };
    query.question = Some(Question { end: end + 4, kind, class });
    let mut at = end + 4;
    for _ in 0..others.iter().map(|n| u32::from(*n)).sum::<u32>() {
        let Some(fixed) = name_end(wire, at, true) else { return Some(query) };
        let (Some(kind), Some(class), Some(length)) = (word(fixed), word(fixed + 2), word(fixed + 8)) else {
            return Some(query);
        };
        if kind == OPT && query.edns.is_none() {
            query.edns = Some((wire[fixed + 5], class));
        }
        at = fixed + 10 + usize::from(length);
    }
    query.whole = at <= wire.len();
    Some(query)
}

/// Where a name that starts at `at` ends. A question's has no pointers: there is nothing before it to point at.
fn name_end(wire: &[u8], mut at: usize, pointers: bool) -> Option<usize> {
    let start = at;
    loop {
        match *wire.get(at)? {
            0 if at + 1 - start <= 255 => return Some(at + 1),
            length @ 1..=63 => at += usize::from(length) + 1,
            192.. if pointers => return Some(at + 2),
            _ => return None,
        }
    }
}

fn write(out: &mut Vec<u8>, record: &Record<'_>) {
    match record.owner {
        Owner::Asked => out.extend([0xC0, 12]),
        Owner::Above(skip) => {
            let at = u16::try_from(HEADER + skip).unwrap_or(12);
            out.extend((0xC000 | at).to_be_bytes());
        }
        Owner::Other(name) => out.extend(name),
    }
    out.extend(record.kind.to_be_bytes());
    out.extend(IN.to_be_bytes());
    out.extend(record.ttl.to_be_bytes());
    let data = |out: &mut Vec<u8>, data: &[u8]| {
        out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(data);
    };
    match record.value {
        Value::Address(IpAddr::V4(address)) => data(out, &address.octets()),
        Value::Address(IpAddr::V6(address)) => data(out, &address.octets()),
        Value::Data(bytes, _) => data(out, bytes),
    }
}
