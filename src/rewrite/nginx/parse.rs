//! The tree of directives, with includes followed.

use super::lex::{Token, tokens};
use super::{Directive, NginxError};

/// Includes may nest so deep, as a loop never ends.
const DEEPEST: usize = 20;

/// The directives of one file, includes as they stand.
///
/// # Errors
/// With file and line where the text is no nginx configuration.
pub fn parse(file: &str, text: &str) -> Result<Vec<Directive>, NginxError> {
    let tokens = tokens(file, text)?;
    let mut at = 0;
    let out = block(file, &tokens, &mut at, 0)?;
    match tokens.get(at) {
        None => Ok(out),
        Some((line, _)) => Err(wrong(file, *line, "a closing brace too many")),
    }
}

/// The directives of a file with those it includes in their places. `read` gives path and text of every file a
/// pattern means, in order; the pattern is absolute, or relative to the main file's directory.
///
/// # Errors
/// As [`parse`], and where includes go round in a circle.
pub fn load(
    main: &str,
    text: &str,
    read: &dyn Fn(&str) -> Vec<(String, String)>,
) -> Result<Vec<Directive>, NginxError> {
    let directory = main.rsplit_once('/').map_or("", |(directory, _)| directory);
    include(parse(main, text)?, directory, read, 0)
}

fn include(
    tree: Vec<Directive>,
    directory: &str,
    read: &dyn Fn(&str) -> Vec<(String, String)>,
    depth: usize,
) -> Result<Vec<Directive>, NginxError> {
    let mut out = Vec::with_capacity(tree.len());
    for mut directive in tree {
        if directive.name == "include" && directive.block.is_none() {
            if depth >= DEEPEST {
                return Err(wrong(&directive.file, directive.line, "includes go round in a circle"));
            }
            let pattern = directive.arg();
            let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("{directory}/{pattern}") };
            for (path, text) in read(&pattern) {
                out.extend(include(parse(&path, &text)?, directory, read, depth + 1)?);
            }
            continue;
        }
        if let Some(inside) = directive.block.take() {
            directive.block = Some(include(inside, directory, read, depth)?);
        }
        out.push(directive);
    }
    Ok(out)
}

fn block(file: &str, tokens: &[(usize, Token)], at: &mut usize, opened: usize) -> Result<Vec<Directive>, NginxError> {
    let mut out = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut start = 0;
    while let Some((line, token)) = tokens.get(*at) {
        if words.is_empty() {
            start = *line;
        }
        match token {
            Token::Word(word) => words.push(word.clone()),
            Token::Close if !words.is_empty() => return Err(wrong(file, start, "a directive does not end with `;`")),
            // The caller takes the brace.
            Token::Close => return Ok(out),
            Token::End | Token::Open if words.is_empty() => {
                return Err(wrong(file, *line, "there is no directive before this"));
            }
            Token::End | Token::Open => {
                let inside = if *token == Token::Open {
                    *at += 1;
                    let inside = block(file, tokens, at, start)?;
                    if tokens.get(*at).is_none() {
                        return Err(wrong(file, start, "a block is not closed"));
                    }
                    Some(inside)
                } else {
                    None
                };
                let mut args = std::mem::take(&mut words);
                let name = args.remove(0);
                out.push(Directive { file: file.to_owned(), line: start, name, args, block: inside });
            }
        }
        *at += 1;
    }
    if words.is_empty() { Ok(out) } else { Err(wrong(file, start.max(opened), "the file ends within a directive")) }
}

fn wrong(file: &str, line: usize, what: &str) -> NginxError {
    NginxError { file: file.to_owned(), line, what: what.to_owned() }
}
