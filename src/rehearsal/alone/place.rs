//! Where a cloud keeps its files: a directory that stays, or one that goes with it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Another cloud uses it.
    #[error("another cloud runs in {0}: end it, or name another directory")]
    Taken(PathBuf),
    /// The system said no.
    #[error("the cloud could not {doing} {path}: {source}; name a directory that can be written to")]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The directory, locked while this lives.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    temporary: bool,
    _lock: File,
}

impl Place {
    /// Opens the directory given, made if it is not there; without one, makes a temporary one.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn open(given: Option<&Path>) -> Result<Self, PlaceError> {
        let path = given.map_or_else(temporary, Path::to_owned);
        let path = std::path::absolute(&path).unwrap_or(path);
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| PlaceError::File { doing, path, source }
        };
        // A temporary one must be new: what stands there already is somebody else's.
        DirBuilder::new().recursive(given.is_some()).mode(0o700).create(&path).map_err(failed("make", &path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&lock_path);
        let lock = lock.map_err(failed("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, temporary: given.is_none(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(PlaceError::Taken(path)),
            Err(TryLockError::Error(source)) => Err(failed("lock", &lock_path)(source)),
        }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where S3's buckets lie.
    pub fn s3(&self) -> PathBuf {
        self.path.join("s3")
    }

    /// Where the certificate authority lies.
    pub fn tls(&self) -> PathBuf {
        self.path.join("tls")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(%error, path = %self.path.display(), "the cloud's directory could not be removed");
        }
    }
}

fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("outgrow-cloud-{:016x}", rand::random::<u64>()))
}
