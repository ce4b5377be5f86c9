//! Words, braces and semicolons of an nginx configuration.

use super::NginxError;

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// Every token with its line.
pub(super) fn tokens(file: &str, text: &str) -> Result<Vec<(usize, Token)>, NginxError> {
    let mut lexer = Lexer { file, rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut out: Vec<(usize, Token)> = Vec::new();
    while let Some(token) = lexer.next()? {
        let lua =
            matches!(&token.1, Token::Open) && last_name(&out).is_some_and(|name| name.ends_with("_by_lua_block"));
        out.push(token);
        if lua {
            lexer.skip_foreign_block()?;
            out.push((lexer.line, Token::Close));
        }
    }
    Ok(out)
}

/// The first word of the directive that is being written.
fn last_name(tokens: &[(usize, Token)]) -> Option<&str> {
    let start = tokens.iter().rposition(|(_, t)| !matches!(t, Token::Word(_))).map_or(0, |at| at + 1);
    match tokens.get(start) {
        Some((_, Token::Word(name))) => Some(name),
        _ => None,
    }
}

struct Lexer<'a> {
    file: &'a str,
    rest: &'a str,
    line: usize,
}

impl Lexer<'_> {
    fn bump(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn error(&self, line: usize, what: &str) -> NginxError {
        NginxError { file: self.file.to_owned(), line, what: what.to_owned() }
    }

    fn next(&mut self) -> Result<Option<(usize, Token)>, NginxError> {
        loop {
            let Some(c) = self.rest.chars().next() else { return Ok(None) };
            let line = self.line;
            match c {
                '#' => while self.bump().is_some_and(|c| c != '\n') {},
                ';' | '{' | '}' => {
                    self.bump();
                    let token = match c {
                        ';' => Token::End,
                        '{' => Token::Open,
                        _ => Token::Close,
                    };
                    return Ok(Some((line, token)));
                }
                '"' | '\'' => return self.quoted(c).map(|word| Some((line, Token::Word(word)))),
                c if c.is_whitespace() => {
                    self.bump();
                }
                _ => return Ok(Some((line, Token::Word(self.word())))),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, NginxError> {
        let line = self.line;
        self.bump();
        let mut word = String::new();
        while let Some(c) = self.bump() {
            match c {
                c if c == quote => return Ok(word),
                // As nginx: a backslash before anything but a quote, a backslash or one of t, r, n stays.
                '\\' => match self.bump() {
                    Some(c @ ('"' | '\'' | '\\')) => word.push(c),
                    Some('t') => word.push('\t'),
                    Some('r') => word.push('\r'),
                    Some('n') => word.push('\n'),
                    Some(c) => word.extend(['\\', c]),
                    None => break,
                },
                c => word.push(c),
            }
        }
        Err(self.error(line, "a quote is not closed"))
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.chars().next() {
            if c.is_whitespace() || matches!(c, ';' | '}') || (c == '{' && !word.ends_with('$')) {
                break;
            }
            self.bump();
            word.push(c);
            match c {
                // `${name}` is one word.
                '{' => {
                    while let Some(c) = self.bump() {
                        word.push(c);
                        if c == '}' {
                            break;
                        }
                    }
                }
                '\\' => word.extend(self.bump()),
                _ => {}
            }
        }
        word
    }

    /// Skips a block in another language up to its closing brace.
    fn skip_foreign_block(&mut self) -> Result<(), NginxError> {
        let line = self.line;
        let mut depth = 1_usize;
        while let Some(c) = self.bump() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
        Err(self.error(line, "a block is not closed"))
    }
}
