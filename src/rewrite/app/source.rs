//! One place of configuration, the environment or a file, as a list of values that may change.

use super::change::{EnvChange, FileChange};
use super::cors::{self, Listed};
use super::keys;
use crate::rewrite::config::{self, Format, Found, RewriteError};

/// A value, and what it will say.
pub(super) struct Place {
    pub key: String,
    pub value: String,
    /// The value to come, if it changes.
    pub new: Option<String>,
    /// Lines for people, redacted.
    pub lines: Vec<String>,
    /// `application.yml:12 spring.datasource.url`, or the variable's name.
    pub label: String,
    found: Option<Found>,
}

impl Place {
    /// The value as it stands after the changes so far.
    pub(super) fn now(&self) -> &str {
        self.new.as_deref().unwrap_or(&self.value)
    }

    /// Sets the new value and tells of it in words that may be shown.
    pub(super) fn set(&mut self, new: String, before: &str, after: &str) {
        self.lines.push(format!("{}: {before} → {after}", self.label));
        self.new = Some(new);
    }
}

/// The environment or a file.
pub(super) struct Source {
    pub places: Vec<Place>,
    pub notes: Vec<String>,
    format: Option<Format>,
    /// Keys of lists without items.
    empty: Vec<String>,
    /// Items to add to real lists: the list's key and the origin.
    added: Vec<(String, String)>,
}

impl Source {
    pub(super) fn of_env(env: &[(String, String)]) -> Self {
        let place = |(key, value): &(String, String)| Place {
            key: key.clone(),
            value: value.clone(),
            new: None,
            lines: Vec::new(),
            label: key.clone(),
            found: None,
        };
        Self {
            places: env.iter().map(place).collect(),
            notes: Vec::new(),
            format: None,
            empty: Vec::new(),
            added: Vec::new(),
        }
    }

    pub(super) fn of_file(path: &str, text: &str) -> Result<Self, RewriteError> {
        let format = Format::of(path, text)?;
        let place = |found: Found| Place {
            key: found.path.clone(),
            value: found.value.clone(),
            new: None,
            lines: Vec::new(),
            label: format!("{path}:{} {}", found.line, found.path),
            found: Some(found),
        };
        let found = config::values(text, format).map_err(|e| e.in_file(path))?;
        let empty = config::empty_lists(text, format).map_err(|e| e.in_file(path))?;
        let empty = empty.into_iter().map(|(key, _)| key).filter(|key| keys::is_cors(key)).collect();
        let places = found.into_iter().map(place).collect();
        Ok(Self { places, notes: Vec::new(), format: Some(format), empty, added: Vec::new() })
    }

    /// Adds the origins to every allow-list; says whether there is one.
    pub(super) fn grow_lists(&mut self, origins: &[String]) -> bool {
        let mut any = false;
        let mut lists: Vec<(String, Vec<String>, String)> =
            self.empty.iter().map(|key| (key.clone(), Vec::new(), key.clone())).collect();
        any |= !lists.is_empty();
        for place in &mut self.places {
            let list = place.key.rsplit_once('[').map(|(list, _)| list.to_owned());
            if !keys::is_cors(list.as_deref().unwrap_or(&place.key)) || is_flag(&place.value) {
                continue;
            }
            any = true;
            if let Some(list) = list {
                match lists.iter_mut().find(|(key, ..)| *key == list) {
                    Some((_, items, _)) => items.push(place.value.clone()),
                    None => lists.push((list, vec![place.value.clone()], place.label.clone())),
                }
                continue;
            }
            match cors::grow(&place.value, origins) {
                Listed::Grown(new) => {
                    let (before, after) = (place.value.clone(), new.clone());
                    place.set(new, &format!("{before:?}"), &format!("{after:?}"));
                }
                Listed::AlreadySo => {}
                Listed::Any => self.notes.push(format!("{}: allows every origin (*) and was left", place.label)),
                Listed::Unreadable(why) => self.notes.push(format!("{}: was left, {why}", place.label)),
            }
        }
        for (list, items, label) in lists {
            let items: Vec<&str> = items.iter().map(String::as_str).collect();
            if items.contains(&"*") {
                self.notes.push(format!("{label}: allows every origin (*) and was left"));
                continue;
            }
            self.added.extend(cors::missing(&items, origins).into_iter().map(|o| (list.clone(), o.to_owned())));
        }
        any
    }

    pub(super) fn env_changes(&self, env: &[(String, String)]) -> Vec<EnvChange> {
        let changed = self.places.iter().zip(env).filter_map(|(place, (key, old))| {
            let new = place.new.clone().filter(|new| new != old)?;
            Some(EnvChange { key: key.clone(), old: old.clone(), new, lines: place.lines.clone() })
        });
        changed.collect()
    }

    /// The file's change, if there is one.
    pub(super) fn file_change(self, path: &str, text: &str) -> Result<Option<FileChange>, RewriteError> {
        let Some(format) = self.format else { return Ok(None) };
        let edits: Vec<(&Found, &str)> =
            self.places.iter().filter_map(|p| Some((p.found.as_ref()?, p.new.as_deref()?))).collect();
        let mut new_text = config::edit_found(text, format, &edits).map_err(|e| e.in_file(path))?;
        let mut lines: Vec<String> = self.places.iter().flat_map(|p| p.lines.iter().cloned()).collect();
        for (list, origin) in &self.added {
            new_text = config::append(&new_text, format, list, origin).map_err(|e| e.in_file(path))?;
            lines.push(format!("{path} {list}: + {origin}"));
        }
        let changed = new_text != text;
        Ok(changed.then(|| FileChange { path: path.to_owned(), old_text: text.to_owned(), new_text, lines }))
    }
}

fn is_flag(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off")
}
