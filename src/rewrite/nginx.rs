//! nginx configuration, read and not rewritten: which server answers to which names, and where each path goes.
//!
//! [`parse`] makes a tree of one file, [`load`] follows its includes, [`servers`] tells what the tree means.
//! Pure: files come through a closure or a map.

mod glob;
mod lex;
mod pages;
mod parse;
mod servers;
#[cfg(test)]
mod tests;

pub use glob::matching;
pub use pages::{Pages, pages};
pub use parse::{load, parse};
pub use servers::{Listen, Modifier, Peer, Redirect, Route, Server, To, routes, server_for, servers};

/// One directive, with what its block holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The file it stands in.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its arguments, without quotes.
    pub args: Vec<String>,
    /// The directives of its block, if it has one.
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// The first argument; empty if there is none.
    pub fn arg(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    /// What its block holds.
    pub fn inside(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// The text is no nginx configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct NginxError {
    /// Which file.
    pub file: String,
    /// Which line.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}
