//! Trouble done, and mended.

use std::time::Duration;

use super::{Place, Scene, What};
use crate::clients::docker::lab::{Command, Lab};
use crate::rehearsal::world::Result;

/// Kills one of the server's own processes without warning: the server drops every connection, starts anew and
/// recovers, as after a loss of power (PostgreSQL documentation: the postmaster reinitialises after a crash).
const CRASH: &str = "for p in /proc/[0-9]*; do \
    if tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^postgres:.*checkpointer'; then kill -9 ${p##*/}; exit 0; fi; \
    done; exit 1";

/// Where a Docker engine unpacks what it is sent.
const ENGINE_TMP: &str = "/var/lib/docker/tmp";

/// Where an app that can misbehave looks how it shall: see demo/was/app/misbehave.py.
const MISBEHAVE: &str = "/tmp/misbehave";

impl Scene {
    /// Does it, waits as long as it lasts, and mends it.
    pub(super) async fn strike(&self, what: &What) -> Result<()> {
        match what {
            What::Call { .. } => Ok(()),
            What::StandStill(place, length) => self.stand_still(place, *length).await,
            What::Restart(place) => self.shell(self.first(place)?, CRASH).await,
            What::Cut(one, other, length) => self.cut(one, other, *length).await,
            What::Misbehave { host, app, how } => {
                let lab = Lab::connect(self.engine(host)?).await?;
                let line = ["sh", "-c", &format!("printf %s '{how}' >{MISBEHAVE}")].map(str::to_owned).to_vec();
                let command = Command { line, user: Some("0".to_owned()), env: Vec::new() };
                Ok(lab.output(app, &command).await.map(drop)?)
            }
            What::Silent(group) => {
                self.shared.lock().silent.insert(group.clone());
                self.shared.changed();
                Ok(())
            }
            What::DiskFull(place, length) => {
                let host = self.first(place)?;
                // A file system with no room over the engine's own: what it writes there fails as on a full disk.
                let fill = format!(
                    "mkdir -p {ENGINE_TMP} && mount -t tmpfs -o size=4k tmpfs {ENGINE_TMP} \
                    && head -c 4096 /dev/zero >{ENGINE_TMP}/full"
                );
                self.shell(host, &fill).await?;
                tokio::time::sleep(*length).await;
                self.shell(host, &format!("umount -l {ENGINE_TMP}")).await
            }
        }
    }

    async fn stand_still(&self, place: &Place, length: Duration) -> Result<()> {
        // By its id: a step may give the name to another container meanwhile.
        let name = self.first(place)?;
        let id = self.lab.host().container(name).await?.map_or_else(|| name.to_owned(), |found| found.id);
        self.lab.stand_still(&id).await?;
        tokio::time::sleep(length).await;
        Ok(self.lab.go_on(&id).await?)
    }

    /// Runs a line of shell in a container, as its superuser.
    pub(super) async fn shell(&self, container: &str, line: &str) -> Result<()> {
        let line = ["sh", "-c", line].map(str::to_owned).to_vec();
        let command = Command { line, user: Some("0".to_owned()), env: Vec::new() };
        Ok(self.lab.output(container, &command).await.map(drop)?)
    }
}
