//! Reading site files and playbooks. The only room that names the YAML library; everybody else sees the model, the
//! [`Source`] with the place of everything in it, and complaints that point.

mod outline;
mod wording;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::complaint::{Complaint, Level, LoadError};
use super::lint;
use super::model::Playbook;
use super::source::{Source, Spot};
use crate::site::Site;

/// No site file and no playbook is longer than this.
const LONGEST: u64 = 1 << 20;

/// What a drafted file holds where a person has to fill something in.
pub const BLANK: &str = "???";

/// Reads a site file. What is read is well-formed; whether it makes sense is told by [`lint::site`].
pub fn load_site(path: &Path) -> Result<(Site, Source), LoadError> {
    load(path, What::Site)
}

/// The playbooks that come along, by name. A file of that name goes first.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("one-shot", include_str!("../../playbooks/one-shot.yaml")),
    ("canary", include_str!("../../playbooks/canary.yaml")),
    ("rehearsal", include_str!("../../playbooks/rehearsal.yaml")),
];

/// Reads a playbook: a file, or one of [`BUILT_IN`] by its name. What is read is well-formed; whether it makes sense is told by [`lint::playbook`].
pub fn load_playbook(path: &Path) -> Result<(Playbook, Source), LoadError> {
    load(path, What::Playbook)
}

/// Reads and lints a site file: an error of either kind refuses it. The rest of the complaints come along.
pub fn checked_site(path: &Path) -> Result<(Site, Source, Vec<Complaint>), LoadError> {
    let (site, source) = load_site(path)?;
    let complaints = lint::site(&site, &source);
    accept(site, source, complaints)
}

/// Reads and lints a playbook: an error of either kind refuses it. The rest of the complaints come along.
pub fn checked_playbook(path: &Path) -> Result<(Playbook, Source, Vec<Complaint>), LoadError> {
    let (playbook, source) = load_playbook(path)?;
    let complaints = lint::playbook(&playbook, &source);
    accept(playbook, source, complaints)
}

/// What a file is, by its first words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A site file.
    Site,
    /// A playbook.
    Playbook,
}

impl What {
    /// As a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Site => "site file",
            Self::Playbook => "playbook",
        }
    }
}

/// Tells a site file from a playbook by its keys, as far as it can be read; nothing if it could be either.
pub fn tell(path: &Path) -> Result<Option<What>, LoadError> {
    let (_, source) = read(path, None)?;
    let has = |key| source.place(key).is_some();
    Ok(match (has("steps") || has("playbook"), has("site") || has("box") || has("aws")) {
        (true, false) => Some(What::Playbook),
        (false, true) => Some(What::Site),
        _ => None,
    })
}

fn accept<T>(value: T, source: Source, complaints: Vec<Complaint>) -> Result<(T, Source, Vec<Complaint>), LoadError> {
    if complaints.iter().any(|c| c.level == Level::Error) {
        return Err(LoadError { source, complaints });
    }
    Ok((value, source, complaints))
}

fn load<T: DeserializeOwned>(path: &Path, what: What) -> Result<(T, Source), LoadError> {
    let (text, source) = read(path, Some(what))?;
    if let Some(blanks) = blanks(&source) {
        return Err(LoadError { source, complaints: blanks });
    }
    match parse(&text) {
        Ok(value) => Ok((value, source)),
        Err(error) => {
            let complaint = wording::complaint(&error, &source, what);
            Err(LoadError::one(source, complaint))
        }
    }
}

/// The blanks that a drafted file leaves for a person, if any is still there.
fn blanks(source: &Source) -> Option<Vec<Complaint>> {
    let blank = |(path, spot): (&str, Spot)| {
        let key = path.rsplit('/').find(|part| !part.bytes().all(|b| b.is_ascii_digit())).unwrap_or(path);
        let fix = format!("replace it with what is right, as in {}", wording::phrase(key));
        Complaint::error(Some(spot), format!("`{key}` is still a blank"), fix)
    };
    let mut complaints: Vec<_> = source.values_that_are(BLANK).map(blank).collect();
    complaints.sort_by_key(|c| c.spot.map(|spot| (spot.line, spot.column)));
    (!complaints.is_empty()).then_some(complaints)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
}

/// The text and its outline, or what stands in the way of reading it.
fn read(path: &Path, what: Option<What>) -> Result<(String, Source), LoadError> {
    let shown = path.display().to_string();
    let name = what.map_or("file", What::name);
    let refuse = |complaint| LoadError::one(Source::new(&shown, "", BTreeMap::new()), complaint);
    let unreadable = |error: std::io::Error| {
        let fix = match error.kind() {
            std::io::ErrorKind::NotFound if what == Some(What::Playbook) => {
                "name a file, or one of those that come along: one-shot, canary, rehearsal"
            }
            std::io::ErrorKind::NotFound => "check the path; it is taken from the directory you are in",
            std::io::ErrorKind::PermissionDenied => "make the file readable for the user that runs outgrow",
            _ => "name a readable YAML file",
        };
        refuse(Complaint::error(None, format!("the {name} could not be read: {error}"), fix))
    };
    let mut bytes = Vec::new();
    let file = match (File::open(path), built_in(path).filter(|_| what != Some(What::Site))) {
        (Ok(file), _) => Some(file),
        (Err(_), Some(text)) => {
            bytes.extend_from_slice(text.as_bytes());
            None
        }
        (Err(error), None) => return Err(unreadable(error)),
    };
    if let Some(file) = file {
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if bytes.len() as u64 > LONGEST {
        let fix = format!("name a {name}; none is longer than 1 MiB");
        return Err(refuse(Complaint::error(None, format!("this is too long for a {name}"), fix)));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&shown, &error))?;
    let text = text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text);
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        let fix = match what {
            Some(What::Playbook) => "begin with `playbook: NAME` and `steps:`, or take one from playbooks/",
            _ => "begin with `site: NAME`, or let `outgrow discover` draft it",
        };
        return Err(refuse(Complaint::error(None, format!("the {name} is empty"), fix)));
    }
    let source = Source::new(&shown, &text, outline::places(&text));
    Ok((text, source))
}

fn built_in(path: &Path) -> Option<&'static str> {
    let name = path.to_str()?;
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

fn not_utf8(path: &str, error: &std::string::FromUtf8Error) -> LoadError {
    let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let text = String::from_utf8_lossy(good);
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let shown = String::from_utf8_lossy(error.as_bytes());
    let complaint = Complaint::error(
        Some(Spot { line, column, length: 1 }),
        "the file is not UTF-8 from here on",
        "save it as UTF-8, for instance with `iconv -f EUC-KR -t UTF-8`",
    );
    LoadError::one(Source::new(path, &shown, BTreeMap::new()), complaint)
}

#[cfg(test)]
#[path = "load/tests.rs"]
mod tests;
