//! A snapshot's data: a base backup of the running server, kept as a tar file in the world's directory.

use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt};
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use super::{Rds, SUPERUSER};
use crate::clients::docker::lab::{Command, Lab};
use crate::clients::hosts::Bytestream;
use crate::rehearsal::world::{Result, Spec, WorldError, files};

/// Where the backup lies inside for a moment.
const INSIDE: &str = "/tmp/outgrow-snapshot";

fn path(spec: &Spec, name: &str) -> PathBuf {
    spec.dir.join("snapshots").join(format!("{name}.tar"))
}

/// Takes one. The data directory's own name is the top of the archive, so that it unpacks in its place.
pub async fn take(spec: &Spec, lab: &Lab, server: &Rds, data: &str, name: &str) -> Result<()> {
    let top = data.rsplit_once('/').map_or(data, |(_, name)| name);
    let whole = format!("{INSIDE}/{top}");
    let run = |line: &[&str]| Command {
        line: line.iter().map(|part| (*part).to_owned()).collect(),
        user: Some("postgres".into()),
        env: Vec::new(),
    };
    lab.output(&server.container, &run(&["rm", "-rf", INSIDE])).await?;
    let port = server.port.to_string();
    let backup = ["pg_basebackup", "-w", "-U", SUPERUSER, "-p", &port, "-D", &whole, "-X", "fetch", "-c", "fast"];
    let taken = async {
        lab.output(&server.container, &run(&backup)).await?;
        let mut stream = lab.read(&server.container, &whole).await?;
        let path = path(spec, name);
        files::make_private(path.parent().unwrap_or(&spec.dir))?;
        let failed = |error| WorldError::file("write", &path)(error);
        let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
        while let Some(piece) = stream.try_next().await.map_err(failed)? {
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)
    };
    let taken = taken.await;
    lab.output(&server.container, &run(&["rm", "-rf", INSIDE])).await?;
    taken
}

/// Its data, to be unpacked above a data directory.
pub async fn open(spec: &Spec, name: &str) -> Result<Bytestream> {
    let path = path(spec, name);
    let file = tokio::fs::File::open(&path).await.map_err(WorldError::file("read", &path))?;
    Ok(ReaderStream::new(file).boxed())
}

/// Removes it; nothing is no error.
pub async fn remove(spec: &Spec, name: &str) -> Result<()> {
    let path = path(spec, name);
    match tokio::fs::remove_file(&path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(WorldError::file("remove", &path)(error)),
        _ => Ok(()),
    }
}
