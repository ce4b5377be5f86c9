//! Reading Rust sources as far as the layer rules need it: without comments, strings and test code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A source file of the project.
#[derive(Debug, Clone)]
pub struct Source {
    /// From the project's root, such as `src/plan/seal.rs`.
    pub path: String,
    /// As it stands in the file.
    pub text: String,
    /// Without comments, the content of strings, and what is compiled for tests only. Lines stay where they were.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: without_tests(&without_comments(text)) }
    }

    /// The modules this file stands in: `src/plan/seal.rs` is `[plan, seal]`, `src/plan/mod.rs` is `[plan]`.
    pub fn modules(&self) -> Vec<&str> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inside.split('/').filter(|part| !matches!(*part, "mod" | "lib" | "main")).collect()
    }

    /// The room it belongs to: `plan`. None for `main.rs` and `lib.rs`.
    pub fn room(&self) -> Option<&str> {
        self.modules().first().copied()
    }

    /// The files that this file's `mod NAME;` lines lead to; the second is whether for tests only.
    pub fn declared(&self) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        let (mut for_tests, mut by_path) = (false, None);
        for (line, whole) in without_comments(&self.text).lines().map(str::trim).zip(self.text.lines()) {
            let module = line.strip_suffix(';').and_then(|line| line.split_once("mod "));
            if let Some((before, name)) = module
                && (before.is_empty() || before.starts_with("pub"))
                && name.chars().all(is_word)
            {
                let files = by_path.take().map_or_else(|| self.child(name), |path| vec![path]);
                found.extend(files.into_iter().map(|file| (file, for_tests)));
            }
            if line.starts_with("#[path") {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                by_path = whole.split('"').nth(1).map(|file| format!("{folder}/{file}"));
            }
            for_tests = line.starts_with("#[cfg(test)]") || (for_tests && line.starts_with("#["));
        }
        found
    }

    /// Where a module that this file declares may stand.
    fn child(&self, name: &str) -> Vec<String> {
        let folder = match self.path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        vec![format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
    }
}

/// Every Rust file below `folder`, its path as seen from `root`.
pub fn below(root: &Path, folder: &str) -> Vec<Source> {
    let mut open = vec![root.join(folder)];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.extension() {
                _ if entry.is_dir() => open.push(entry),
                Some(kind) if kind == "rs" => files.push(entry),
                _ => {}
            }
        }
    }
    files.sort();
    let name = |file: &Path| file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|file| Source::new(&name(file), &std::fs::read_to_string(file).unwrap())).collect()
}

/// What is compiled into the program: without the files that stand behind `#[cfg(test)] mod …;`.
pub fn shipped(all: &[Source]) -> Vec<Source> {
    let mut tests: BTreeSet<String> = BTreeSet::new();
    for file in all {
        tests.extend(file.declared().into_iter().filter_map(|(path, for_tests)| for_tests.then_some(path)));
    }
    // A test module's own children are test code as well: the folder of `fake/mod.rs` and that of `fake.rs`.
    let folders: Vec<String> =
        tests.iter().map(|t| format!("{}/", t.trim_end_matches("/mod.rs").trim_end_matches(".rs"))).collect();
    let is_test = |path: &str| tests.contains(path) || folders.iter().any(|folder| path.starts_with(folder));
    all.iter().filter(|file| !is_test(&file.path)).cloned().collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words of the code, each with its line number (from 1) and what follows it.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    code.lines().enumerate().flat_map(|(at, line)| {
        let starts = line.char_indices().scan(' ', |before, (at, c)| {
            let starts = is_word(c) && !is_word(*before);
            *before = c;
            Some(starts.then_some(at))
        });
        starts.flatten().map(move |start| {
            let rest = &line[start..];
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (at + 1, &rest[..end], &rest[end..])
        })
    })
}

/// Comments gone, strings emptied, line breaks kept.
pub fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block(rest),
            '"' => keep(&mut out, "\"\"", plain(rest)),
            'r' if !is_word(before) || before == 'b' => match raw(rest) {
                Some(length) => keep(&mut out, "\"\"", length),
                None => keep(&mut out, "r", 1),
            },
            '\'' => match character(rest) {
                Some(length) => keep(&mut out, "' '", length),
                None => keep(&mut out, "'", 1),
            },
            other => {
                out.push(other);
                before = other;
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        before = c;
        out.extend(rest[..length].matches('\n'));
        rest = &rest[length..];
    }
    out
}

fn keep(out: &mut String, text: &str, length: usize) -> usize {
    out.push_str(text);
    length
}

/// The length of a block comment; they nest.
fn block(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a string with escapes.
fn plain(text: &str) -> usize {
    let mut escaped = true; // the opening quote itself
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of a raw string, if this is one.
fn raw(text: &str) -> Option<usize> {
    let hashes = text[1..].find(|c| c != '#')?;
    let open = 1 + hashes;
    text[open..].starts_with('"').then_some(())?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[open + 1..].find(&end).map_or(text.len(), |at| open + 1 + at + end.len()))
}

/// The length of a character, if this is one and no lifetime.
fn character(text: &str) -> Option<usize> {
    let mut chars = text[1..].char_indices();
    match chars.next()?.1 {
        '\\' => text[3..].find('\'').map(|at| at + 4),
        c => text[1 + c.len_utf8()..].starts_with('\'').then_some(c.len_utf8() + 2),
    }
}

/// Items behind `#[cfg(test)]` blanked, line breaks kept. It goes by indentation, as rustfmt makes it.
fn without_tests(code: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut out = String::with_capacity(code.len());
    let mut skipping = None;
    for line in code.lines() {
        let text = line.trim();
        match skipping {
            None if text.starts_with("#[cfg(test)]") => skipping = Some(indent(line)),
            None => out.push_str(line),
            Some(depth) => {
                let over = indent(line) == depth && !text.starts_with("#[") && text.ends_with(['}', ';']);
                skipping = if over { None } else { Some(depth) };
            }
        }
        out.push('\n');
    }
    out
}
