//! Where runs live on disk: a directory a run, with its plan, its journal, its log and its socket.

use std::io;
use std::path::{Path, PathBuf};

use rand::RngExt as _;

/// outgrow's own directory: `--home`, else `$OUTGROW_HOME`, else `$XDG_STATE_HOME/outgrow`, else
/// `~/.local/state/outgrow`.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

/// A run's directory.
#[derive(Debug, Clone)]
pub struct RunDir {
    /// The run's id.
    pub id: String,
    /// The directory.
    pub path: PathBuf,
}

/// Why there is no such run.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// No run has this id.
    #[error("there is no run `{0}` in {1}; `outgrow runs` lists what there is")]
    NoSuchRun(String, String),
    /// The id is none.
    #[error("`{0}` is no run id; `outgrow runs` lists what there is")]
    NotAnId(String),
    /// There is such a run already.
    #[error("the plan was executed already, as run {0}; a plan runs once: plan anew, or `outgrow resume {0}`")]
    Taken(String),
    /// The directory could not be used.
    #[error("{path}: {source}")]
    Disk {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl Home {
    /// The directory given, or the customary one; made if it is not there, for its owner alone.
    pub fn open(given: Option<&Path>) -> Result<Self, HomeError> {
        let root = given.map_or_else(customary, Path::to_path_buf);
        // Other processes and containers get paths below it, so it must mean the same everywhere.
        let root = std::path::absolute(&root).unwrap_or(root);
        let home = Self { root };
        for part in ["runs", "locks", "rehearsals"] {
            make_private(&home.root.join(part))?;
        }
        Ok(home)
    }

    /// Where rehearsals keep their worlds.
    pub fn rehearsals(&self) -> PathBuf {
        self.root.join("rehearsals")
    }

    /// Where what is known of a bucket lies, for uploads without a run. `place` names the bucket, its prefix, and the
    /// endpoint if it is not AWS's own.
    pub fn upload(&self, place: &[&str]) -> PathBuf {
        let name: Vec<String> = place.iter().map(hex::encode).collect();
        // A name of a file has at most 255 bytes; what is longer keeps apart by its digest.
        let name = name.join("-");
        let name = if name.len() <= 200 {
            name
        } else {
            hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes()))
        };
        self.root.join("uploads").join(name)
    }

    /// The lock file of a site.
    pub fn lock(&self, site: &str) -> PathBuf {
        self.root.join("locks").join(format!("{site}.lock"))
    }

    /// Where a run of this id has its directory, or would have it.
    pub fn at(&self, id: &str) -> RunDir {
        RunDir { id: id.to_owned(), path: self.root.join("runs").join(id) }
    }

    /// Makes the directory of a new run. An id is used once.
    pub fn claim(&self, id: &str) -> Result<RunDir, HomeError> {
        let run = self.at(id);
        if run.path.exists() {
            return Err(HomeError::Taken(id.to_owned()));
        }
        make_private(&run.path)?;
        Ok(run)
    }

    /// The directory of a run that is there.
    pub fn run(&self, id: &str) -> Result<RunDir, HomeError> {
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(HomeError::NotAnId(id.to_owned()));
        }
        let path = self.root.join("runs").join(id);
        if path.is_dir() {
            Ok(RunDir { id: id.to_owned(), path })
        } else {
            Err(HomeError::NoSuchRun(id.to_owned(), self.root.display().to_string()))
        }
    }

    /// Every run, oldest first.
    pub fn runs(&self) -> Result<Vec<RunDir>, HomeError> {
        let dir = self.root.join("runs");
        let disk = |source| HomeError::Disk { path: dir.display().to_string(), source };
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&dir).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            if let Some(id) = entry.file_name().to_str() {
                all.push(RunDir { id: id.to_owned(), path: entry.path() });
            }
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }
}

impl RunDir {
    /// The sealed plan.
    pub fn plan(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The log: spans and calls, for a person who has to know more.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.jsonl")
    }

    /// Secrets outgrow made for this run (the password of its own database role), for its owner alone.
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets")
    }
}

/// A new id: the time, then four random letters, so that ids sort by time and never meet.
pub fn new_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    let mut rng = rand::rng();
    let tail: String = (0..4).map(|_| char::from(b'a' + rng.random_range(0..26u8))).collect();
    format!("{now}-{tail}")
}

/// Who is at work: `user@host`.
pub fn whoami() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{host}")
}

fn customary() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("OUTGROW_HOME")
        .or_else(|| set("XDG_STATE_HOME").map(|dir| dir.join("outgrow")))
        .or_else(|| set("HOME").map(|dir| dir.join(".local/state/outgrow")))
        .unwrap_or_else(|| PathBuf::from(".outgrow"))
}

fn make_private(path: &Path) -> Result<(), HomeError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| HomeError::Disk { path: path.display().to_string(), source })
}
