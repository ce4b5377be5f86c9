//! JSON with comments and trailing commas: a recursive descent that keeps spans.

use super::pieces;
use super::slot::{Slot, Style};
use super::{Format, RewriteError};

/// Deeper nesting than this is refused: the descent must not run out of stack.
const DEPTH: usize = 200;

pub(super) fn scan(text: &str) -> Result<Vec<Slot>, RewriteError> {
    let mut reader = Reader { text, at: 0, slots: Vec::new() };
    reader.blank()?;
    reader.value(&mut String::new(), 0)?;
    reader.blank()?;
    if reader.at < text.len() {
        return Err(reader.error("text after the end of the value"));
    }
    Ok(reader.slots)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    slots: Vec<Slot>,
}

impl Reader<'_> {
    fn error(&self, what: &str) -> RewriteError {
        RewriteError::syntax(Format::Json, self.text, self.at, what)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// White space and comments.
    fn blank(&mut self) -> Result<(), RewriteError> {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").ok_or_else(|| self.error("the comment is never closed"))? + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, path: &mut String, depth: usize) -> Result<(), RewriteError> {
        if depth > DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.object(path, depth),
            Some(b'[') => self.array(path, depth),
            Some(b'"') => {
                let value = self.string()?;
                self.push(path, value, start, Style::JsonString);
                Ok(())
            }
            _ => {
                let rest = &self.text[start..];
                let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
                let word = &rest[..len];
                if serde_json::from_str::<serde_json::Value>(word).is_err() {
                    return Err(self.error("expected a value"));
                }
                self.at += len;
                if word != "null" {
                    self.push(path, word.to_owned(), start, Style::Bare);
                }
                Ok(())
            }
        }
    }

    fn push(&mut self, path: &str, value: String, start: usize, style: Style) {
        self.slots.push(Slot { path: path.to_owned(), value, span: start..self.at, style });
    }

    fn string(&mut self) -> Result<String, RewriteError> {
        let start = self.at;
        let mut escaped = false;
        for (i, c) in self.text[start + 1..].char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    self.at = start + i + 2;
                    let raw = &self.text[start..self.at];
                    // the library is the judge of escapes, our own pieces only of where they stand
                    let value: String = serde_json::from_str(raw).map_err(|_| {
                        RewriteError::syntax(Format::Json, self.text, start, "bad escape in the string")
                    })?;
                    return Ok(value);
                }
                '\n' => break,
                _ => {}
            }
        }
        Err(self.error("the string is never closed"))
    }

    fn object(&mut self, path: &mut String, depth: usize) -> Result<(), RewriteError> {
        self.at += 1;
        loop {
            self.blank()?;
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'"') => {}
                _ => return Err(self.error("expected a key in double quotes or }")),
            }
            let key = self.string()?;
            self.blank()?;
            if self.peek() != Some(b':') {
                return Err(self.error("expected : after the key"));
            }
            self.at += 1;
            self.blank()?;
            let kept = path.len();
            pieces::push_key(path, &key);
            self.value(path, depth + 1)?;
            path.truncate(kept);
            if self.comma(b'}')? {
                return Ok(());
            }
        }
    }

    fn array(&mut self, path: &mut String, depth: usize) -> Result<(), RewriteError> {
        let start = self.at;
        self.at += 1;
        for index in 0.. {
            self.blank()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                if index == 0 {
                    self.push(path, String::new(), start, Style::EmptyList);
                }
                return Ok(());
            }
            let kept = path.len();
            pieces::push_index(path, index);
            self.value(path, depth + 1)?;
            path.truncate(kept);
            if self.comma(b']')? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A comma, or the end: then `true`.
    fn comma(&mut self, end: u8) -> Result<bool, RewriteError> {
        self.blank()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(b) if b == end => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.error("expected a comma or the closing bracket")),
        }
    }
}
