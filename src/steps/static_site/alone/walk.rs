//! A directory's files in the order of the keys they get, one folder in memory at a time.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::disk;
use crate::step::{Fault, StepResult};
use crate::steps::static_site::keys::obstacle;

/// Folders inside each other.
const DEEPEST: usize = 100;

/// What the walk comes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A file: its path below the root, with slashes, and its bytes.
    File(String, u64),
    /// What cannot go up, and why.
    Unfit(String, &'static str),
}

/// The walk.
pub(super) struct Walk {
    root: PathBuf,
    /// The folders it is in, each with what is left of it, last first.
    open: Vec<Vec<Entry>>,
}

/// Something in a folder. Its name is in lossless UTF-8, a folder's ends with a slash: that is the order of keys.
struct Entry {
    path: String,
    kind: Kind,
}

enum Kind {
    File(u64),
    Folder,
    Unfit(&'static str),
}

impl Walk {
    /// Begins at the root, which has to be a directory.
    pub(super) fn of(root: &Path) -> StepResult<Self> {
        let root = root.canonicalize().map_err(|e| disk(root, &e))?;
        let mut walk = Self { root, open: Vec::new() };
        let first = walk.folder("")?;
        walk.open.push(first);
        Ok(walk)
    }

    fn folder(&self, below: &str) -> StepResult<Vec<Entry>> {
        let at = self.root.join(below);
        let failed = |e: &std::io::Error| disk(&at, e);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&at).map_err(|e| failed(&e))? {
            let entry = entry.map_err(|e| failed(&e))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let path = format!("{below}{}", name.to_string_lossy());
                entries.push(Entry { path, kind: Kind::Unfit("its name is not UTF-8: rename it") });
                continue;
            };
            let mut path = format!("{below}{name}");
            let metadata = entry.metadata().map_err(|e| failed(&e))?;
            let kind = if metadata.is_symlink() { self.linked(&entry.path()) } else { kind(&metadata) };
            if matches!(kind, Kind::Folder) {
                path.push('/');
            }
            entries.push(Entry { path, kind });
        }
        entries.sort_unstable_by(|a, b| b.path.cmp(&a.path));
        Ok(entries)
    }

    /// What a link leads to, as long as that is below the root.
    fn linked(&self, link: &Path) -> Kind {
        let Ok(target) = link.canonicalize() else { return Kind::Unfit("it is a link that leads nowhere") };
        if !target.starts_with(&self.root) {
            return Kind::Unfit("it is a link that leaves the document root");
        }
        // The link's own place, with the links on the way to it followed: a folder in it would come round for ever.
        let own = link.parent().and_then(|parent| parent.canonicalize().ok());
        if own.is_some_and(|own| own.starts_with(&target)) {
            return Kind::Unfit("it is a link that leads in a circle");
        }
        target.metadata().map_or(Kind::Unfit("it is a link that leads nowhere"), |metadata| kind(&metadata))
    }

    fn step(&mut self) -> StepResult<Option<Found>> {
        loop {
            let Some(folder) = self.open.last_mut() else { return Ok(None) };
            let Some(Entry { path, kind }) = folder.pop() else {
                self.open.pop();
                continue;
            };
            if let Some(why) = obstacle(&path) {
                return Ok(Some(Found::Unfit(path, why)));
            }
            match kind {
                Kind::File(size) => return Ok(Some(Found::File(path, size))),
                Kind::Unfit(why) => return Ok(Some(Found::Unfit(path, why))),
                Kind::Folder if self.open.len() >= DEEPEST => {
                    return Err(Fault::failed(format!("{path} lies in more than {DEEPEST} folders")));
                }
                Kind::Folder => {
                    let inside = self.folder(&path)?;
                    self.open.push(inside);
                }
            }
        }
    }
}

impl Iterator for Walk {
    type Item = StepResult<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

fn kind(metadata: &Metadata) -> Kind {
    if metadata.is_file() {
        Kind::File(metadata.len())
    } else if metadata.is_dir() {
        Kind::Folder
    } else {
        Kind::Unfit("it is a device, a pipe or a socket")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_keys_and_links_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for path in ["a/b.txt", "a.txt", "a-/x", "a/한글 1.png", "z"] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), path).unwrap();
        }
        let link = |to: &str, from: &str| std::os::unix::fs::symlink(to, at(from)).unwrap();
        link("a", "linked");
        link("../..", "a/round");
        link("/etc/passwd", "away");
        link("gone", "nowhere");
        let found: Vec<Found> = Walk::of(dir.path()).unwrap().collect::<StepResult<_>>().unwrap();
        let files: Vec<&str> = found
            .iter()
            .filter_map(|f| if let Found::File(path, _) = f { Some(path.as_str()) } else { None })
            .collect();
        let mut sorted = files.clone();
        sorted.sort_unstable();
        assert_eq!(files, sorted);
        assert_eq!(files, ["a-/x", "a.txt", "a/b.txt", "a/한글 1.png", "linked/b.txt", "linked/한글 1.png", "z"]);
        let unfit: Vec<&str> = found
            .iter()
            .filter_map(|f| if let Found::Unfit(path, _) = f { Some(path.as_str()) } else { None })
            .collect();
        assert_eq!(unfit, ["a/round", "away", "linked/round", "nowhere"]);
        assert!(matches!(Walk::of(&at("none")), Err(Fault::Failed { .. })));
    }
}
