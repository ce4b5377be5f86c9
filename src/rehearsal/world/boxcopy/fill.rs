//! The other containers: made, and their mounts filled with what the originals hold.

use super::Copying;
use super::define::{copy_of, volume};
use super::select::Original;
use crate::clients::docker::lab::Labels;
use crate::clients::hosts::{Container, Mount};
use crate::clients::{ClientError, Kind};
use crate::rehearsal::world::parcel::{Entry, pack};
use crate::rehearsal::world::{Result, WorldError};

/// Sources of bind mounts that are no data of the app: the machine's own.
const MACHINE: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/var/run"];

impl Copying<'_> {
    /// Makes one copy, not started, filled; gives what could not be copied.
    pub(super) async fn create(&self, original: &Original, labels: &Labels) -> Result<Vec<String>> {
        self.define(original, labels).await?;
        let mut notes = Vec::new();
        let mut mounts: Vec<&Mount> = original.container.mounts.iter().collect();
        // A mount below another is filled after it.
        mounts.sort_by_key(|m| m.target.len());
        for mount in mounts {
            notes.extend(self.fill(&original.container, mount).await?);
        }
        Ok(notes)
    }

    /// Makes volumes and container.
    pub(super) async fn define(&self, original: &Original, labels: &Labels) -> Result<()> {
        let container = &original.container;
        for (n, _) in container.mounts.iter().enumerate().filter(|(_, m)| m.kind == "volume") {
            self.to.make_volume(&volume(self.spec, container, n), labels).await?;
        }
        self.to.create(copy_of(self.spec, container, labels)).await?;
        Ok(())
    }

    /// Carries what a mount of the original holds over; gives a note where it cannot.
    pub(super) async fn fill(&self, original: &Container, mount: &Mount) -> Result<Option<String>> {
        let note = |why: &str| Some(format!("{}: {} is not copied: {why}", original.name, mount.target));
        let machine = mount.kind == "bind"
            && MACHINE.iter().any(|m| mount.source == *m || mount.source.starts_with(&format!("{m}/")));
        if machine {
            return Ok(note("it is the machine's own"));
        }
        if mount.kind == "tmpfs" {
            return Ok(note("it lies in memory"));
        }
        let target = mount.target.trim_end_matches('/');
        let (above, _) = target.rsplit_once('/').unwrap_or(("", target));
        let above = if above.is_empty() { "/" } else { above };
        let copy = self.spec.name(&original.name);
        for first in [true, false] {
            let content = match self.from.host().read(&original.id, target).await {
                Ok(content) => content,
                Err(error) if error.kind == Kind::Refused && error.why.contains("socket") => {
                    return Ok(note("it is a socket"));
                }
                Err(error) => return Err(error.into()),
            };
            match self.to.write(&copy, above, content).await {
                Ok(()) => break,
                // A folder that the image lacks is made when the container starts; it is needed now.
                Err(error) if first && error.kind == Kind::NotFound => self.make_folders(&copy, above).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Makes the folders of `path` that are missing.
    async fn make_folders(&self, container: &str, path: &str) -> Result<()> {
        let mut at = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let above = if at.is_empty() { "/".to_owned() } else { at.clone() };
            at = format!("{at}/{part}");
            match self.to.read(container, &at).await {
                Ok(_) => {}
                Err(ClientError { kind: Kind::NotFound, .. }) => {
                    let folder = pack(&[Entry::directory(part)]).await;
                    let folder =
                        folder.map_err(|e| WorldError::Box(format!("the folder {at} cannot be packed: {e}")))?;
                    self.to.write(container, &above, folder).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
