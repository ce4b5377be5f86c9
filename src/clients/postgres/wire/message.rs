//! The messages of the protocol, as far as simple queries and `COPY` need them: a kind, a length that counts itself,
//! the content.

use crate::clients::postgres::Error;

/// Bytes read at once.
const ROOM: usize = 128 * 1024;
/// A message's kind and length.
pub(super) const HEAD: usize = 5;
/// The longest message that is held whole: all but rows are short.
const LONGEST: usize = 1 << 20;

/// Says goodbye.
pub(super) const TERMINATE: [u8; 5] = [b'X', 0, 0, 0, 4];
/// Ends the rows of one `COPY`.
pub(super) const COPY_DONE: [u8; 5] = [b'c', 0, 0, 0, 4];

/// A simple query: one or several statements.
pub(super) fn query(sql: &str) -> Vec<u8> {
    message(b'Q', sql.as_bytes())
}

/// Makes the receiver forget the rows of this `COPY`.
pub(super) fn copy_fail(why: &str) -> Vec<u8> {
    message(b'f', why.as_bytes())
}

/// A message of one string.
fn message(kind: u8, text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len() + HEAD).unwrap_or(u32::MAX);
    [&[kind], length.to_be_bytes().as_slice(), text, &[0]].concat()
}

/// The server said no.
#[derive(Debug)]
pub(super) struct Refused {
    code: String,
    why: String,
}

impl Refused {
    fn parse(body: &[u8]) -> Self {
        let (mut code, mut message, mut more) = (String::new(), String::new(), Vec::new());
        for field in body.split(|byte| *byte == 0) {
            let Some((kind, text)) = field.split_first() else { continue };
            let text = String::from_utf8_lossy(text);
            match kind {
                b'C' => code = text.into_owned(),
                b'M' => message = text.into_owned(),
                b'D' => more.push(format!(" (detail: {text})")),
                b'H' => more.push(format!(" (hint: {text})")),
                b'W' => more.push(format!(" (where: {text})")),
                _ => {}
            }
        }
        Self { code, why: message + &more.concat() }
    }

    pub(super) fn into_error(self, server: &str, doing: &str) -> Error {
        // The server ends the connection with these (administrator, crash, shutdown).
        if self.code.starts_with("57P") {
            return self.into_lost(server, doing);
        }
        Error::Refused { server: server.to_owned(), doing: doing.to_owned(), why: self.why, code: self.code }
    }

    pub(super) fn into_lost(self, server: &str, doing: &str) -> Error {
        Error::Lost { server: server.to_owned(), doing: doing.to_owned(), why: self.why }
    }
}

/// What came from the server and is not dealt with yet, and what it said so far.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Row counts of the statements done.
    pub counts: Vec<u64>,
    /// The first refusal.
    pub refused: Option<Refused>,
    /// Whether it waits for the next query.
    pub ready: bool,
}

/// What the next message is.
pub(super) enum Next {
    /// Not all of it is here yet.
    Nothing,
    /// Rows: so many bytes of content follow, not all of which need be here.
    Rows(usize),
    /// The end of a `COPY`'s rows.
    RowsEnd,
    /// Something else, dealt with.
    Answer,
}

impl Inbox {
    /// A new query begins.
    pub(super) fn begin(&mut self) {
        self.counts.clear();
        self.refused = None;
        self.ready = false;
    }

    /// Where to read into.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.bytes.len() < ROOM {
            self.bytes.resize(ROOM, 0);
        }
        if self.start > 0 && self.bytes.len() - self.end < ROOM / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes were read.
    pub(super) fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// What is here.
    fn here(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Takes up to so many bytes of content.
    pub(super) fn take(&mut self, most: usize) -> &[u8] {
        let from = self.start;
        self.start = self.end.min(from + most);
        &self.bytes[from..self.start]
    }

    /// Looks at the next message. Rows' content is left to [`Self::take`].
    pub(super) fn next(&mut self) -> Result<Next, String> {
        let here = self.here();
        let [kind, a, b, c, d, ..] = *here else { return Ok(Next::Nothing) };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(content) = length.checked_sub(4) else { return Err("a message of no length".to_owned()) };
        if kind == b'd' {
            self.start += HEAD;
            return Ok(Next::Rows(content));
        }
        if content > LONGEST {
            return Err(format!("a message of {content} bytes"));
        }
        let Some(body) = here.get(HEAD..HEAD + content) else { return Ok(Next::Nothing) };
        match kind {
            b'E' => {
                let refused = Refused::parse(body);
                self.refused.get_or_insert(refused);
            }
            b'C' => {
                let tag = body.split(|byte| *byte == 0).next().and_then(|tag| std::str::from_utf8(tag).ok());
                let count = tag.and_then(|tag| tag.rsplit(' ').next()).and_then(|count| count.parse::<u64>().ok());
                self.counts.extend(count);
            }
            b'Z' => self.ready = true,
            // Rows to come or to send, results that nobody asked for, settings, notices, notifications.
            b'H' | b'G' | b'c' | b'T' | b'D' | b'I' | b'S' | b'N' | b'A' => {}
            other => return Err(format!("a message of kind {:?}", char::from(other))),
        }
        self.start += HEAD + content;
        Ok(if kind == b'c' { Next::RowsEnd } else { Next::Answer })
    }

    /// Deals with every whole message that is here, where no rows are expected.
    pub(super) fn read_answers(&mut self) -> Result<(), String> {
        while !self.ready {
            match self.next()? {
                Next::Nothing => return Ok(()),
                Next::Rows(_) => return Err("rows that were not asked for".to_owned()),
                Next::RowsEnd | Next::Answer => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_come_in() {
        let mut inbox = Inbox::default();
        let bytes =
            [b"C\0\0\0\x0bCOPY 7\0".as_slice(), b"N\0\0\0\x05\0", b"E\0\0\0\x10C23505\0Mno\0\0", b"Z\0\0\0\x05I"];
        for byte in bytes.concat() {
            inbox.room()[0] = byte;
            inbox.filled(1);
            inbox.read_answers().unwrap();
        }
        assert!(inbox.ready);
        assert_eq!(inbox.counts, [7]);
        let error = inbox.refused.take().unwrap().into_error("here", "asking");
        assert_eq!((error.code(), error.to_string().as_str()), (Some("23505"), "here refused \"asking\": no"));
    }

    #[test]
    fn rows_that_nobody_asked_for_and_unknown_kinds_are_told() {
        for bytes in [b"d\0\0\0\x04".as_slice(), b"?\0\0\0\x04", b"C\0\0\0\x01"] {
            let mut inbox = Inbox::default();
            inbox.room()[..bytes.len()].copy_from_slice(bytes);
            inbox.filled(bytes.len());
            assert!(inbox.read_answers().is_err());
        }
    }
}
