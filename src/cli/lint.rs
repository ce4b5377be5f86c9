//! `outgrow lint`: every complaint about site files and playbooks, without looking at anything but the files.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{Global, Lint};
use super::failure::{Code, Failure};
use super::out;
use crate::playbook::complaint::LoadError;
use crate::playbook::load::{self, What};
use crate::playbook::{Complaint, Level, Source};

/// What was said about a file.
pub struct Told {
    source: Source,
    complaints: Vec<Complaint>,
}

/// Everything that was said.
pub struct Report(Vec<Told>);

/// Reads every file and tells everything about it.
pub fn run(args: &Lint, global: &Global) -> Result<(), Failure> {
    let report = lint(args);
    if global.json {
        out::data(&report.json().to_string())?;
    } else {
        out::say(&report.render());
    }
    // What is wrong has been told in full; the exit code says the rest.
    if report.count(Level::Error) > 0 { Err(Failure::told(Code::BadInput)) } else { Ok(()) }
}

/// Reads every file, also after one of them was refused.
pub fn lint(args: &Lint) -> Report {
    let told = |result: Result<(Source, Vec<Complaint>), LoadError>| match result {
        Ok((source, complaints)) => Told { source, complaints },
        Err(error) => Told { source: error.source, complaints: error.complaints },
    };
    let one = |path: &std::path::PathBuf| match load::tell(path)? {
        Some(What::Playbook) => load::checked_playbook(path).map(|(_, source, complaints)| (source, complaints)),
        // A file that is neither gets the site file's complaints, which say how one begins.
        Some(What::Site) | None => load::checked_site(path).map(|(_, source, complaints)| (source, complaints)),
    };
    Report(args.files.iter().map(|path| told(one(path))).collect())
}

impl Report {
    /// How many complaints of a level there are.
    fn count(&self, level: Level) -> usize {
        self.0.iter().flat_map(|told| &told.complaints).filter(|c| c.level == level).count()
    }

    /// For a person.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for told in &self.0 {
            for complaint in &told.complaints {
                let _ = writeln!(text, "{}\n", complaint.render(&told.source));
            }
        }
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        let files = self.0.len();
        let _ = write!(text, "{}: ", count("file", files));
        match (errors, warnings) {
            (0, 0) => text.push_str("nothing wrong"),
            _ => {
                let _ = write!(text, "{}, {}", count("error", errors), count("warning", warnings));
            }
        }
        text
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let file = |told: &Told| {
            let level = |c: &Complaint| c.level == Level::Error;
            json!({
                "file": told.source.path(),
                "accepted": !told.complaints.iter().any(level),
                "complaints": told.complaints.iter().map(complaint).collect::<Vec<_>>(),
            })
        };
        json!({ "files": self.0.iter().map(file).collect::<Vec<_>>(), "errors": self.count(Level::Error) })
    }
}

/// `1 error`, `2 errors`.
fn count(word: &str, number: usize) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn complaint(complaint: &Complaint) -> Value {
    json!({
        "level": complaint.level,
        "line": complaint.spot.map(|spot| spot.line),
        "column": complaint.spot.map(|spot| spot.column),
        "what": complaint.what,
        "try": complaint.fix,
    })
}
