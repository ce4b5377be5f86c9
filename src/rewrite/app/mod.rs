//! Where an application's configuration names its database and the origins it trusts, and what it should say after the
//! move. Nothing here shows a password: what a person sees are redacted addresses.

mod address;
mod change;
mod cors;
mod database;
mod groups;
mod keys;
mod keyword;
mod placeholder;
mod source;
mod url;

#[cfg(test)]
mod tests;

pub use change::{EnvChange, FileChange, Outcome, Plan};
pub use database::{Database, NewAddress, OldAddress};

use super::config::RewriteError;
use source::Source;

/// What is to be searched, and for what.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// The container's environment.
    pub env: &'a [(String, String)],
    /// Configuration files: path as the application sees it, and text.
    pub files: &'a [(String, String)],
    /// The database that moves, if one does.
    pub database: Option<&'a Database>,
    /// The site's own origins, as a browser sends them (`https://www.shop.test`); none leaves the allow-lists alone.
    pub origins: &'a [String],
}

/// Plans the change of the database's address and of the CORS allow-lists.
///
/// # Errors
/// A file that cannot be read as what it is, or whose change would not read back as intended; always with the file's
/// name. A file of a format that is not edited is no error but a note.
pub fn plan(search: Search<'_>) -> Result<Outcome, RewriteError> {
    let mut plan = Plan::default();
    let mut database_found = false;
    let mut cors_found = false;

    let mut environment = Source::of_env(search.env);
    let mut files = Vec::new();
    plan.searched.push(format!("environment ({} variables)", search.env.len()));
    for (path, text) in search.files {
        match Source::of_file(path, text) {
            Ok(source) => {
                plan.searched.push(path.clone());
                files.push((path, text, source));
            }
            Err(error @ RewriteError::Unsupported { .. }) => plan.notes.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    for source in std::iter::once(&mut environment).chain(files.iter_mut().map(|(_, _, s)| s)) {
        if let Some(database) = search.database {
            database_found |= groups::turn(source, database);
        }
        if !search.origins.is_empty() {
            cors_found |= source.grow_lists(search.origins);
        }
    }

    plan.env = environment.env_changes(search.env);
    plan.notes.append(&mut environment.notes);
    for (path, text, mut source) in files {
        plan.notes.append(&mut source.notes);
        plan.files.extend(source.file_change(path, text)?);
    }
    if !search.origins.is_empty() && !cors_found {
        plan.notes.push("no CORS allow-list was found: the application may keep it in its code".to_owned());
    }
    if search.database.is_some() && !database_found {
        return Ok(Outcome::NoneFound(plan));
    }
    Ok(Outcome::Planned(plan))
}
