//! The world's files: for their owner alone, and never half written.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::{Result, WorldError};

/// Makes a directory, and those above it, for its owner alone.
pub fn make_private(path: &Path) -> Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(WorldError::file("make", path))
}

/// Writes a file beside its place and moves it there, so that nobody reads half of it.
pub fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let beside = path.with_extension("new");
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(WorldError::file("write", path))
}

/// A secret kept in a file; a fresh one is made and kept where there is none.
pub fn secret(path: &Path) -> Result<secrecy::SecretString> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim_end_matches(['\r', '\n']).to_owned().into()),
        Ok(_) => Err(WorldError::Spec(format!("the password in {} is empty", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if let Some(above) = path.parent() {
                make_private(above)?;
            }
            let fresh = format!("{:032x}", rand::random::<u128>());
            write(path, fresh.as_bytes(), 0o600)?;
            Ok(fresh.into())
        }
        Err(error) => Err(WorldError::file("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets/비밀");
        let first = secret(&path).unwrap();
        assert_eq!(first.expose_secret(), secret(&path).unwrap().expose_secret());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::write(&path, "\n").unwrap();
        assert!(secret(&path).is_err());
    }
}
