//! The copy of the box: its containers, data and all, under other names on a network of their own.
//!
//! The box itself is only looked at: definitions, images, mounts and a base backup of its database are read. Nothing
//! is made on its engine, unless that is the local one as well; what is made there carries the rehearsal's label.

mod database;
mod define;
mod fill;
mod image;
mod select;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use futures::future::try_join_all;

use super::console::Console;
use super::progress::Progress;
use super::spec::Spec;
use super::{Result, WorldError, owner};
use crate::clients::docker::lab::Lab;
use crate::clients::hosts::Container;
use crate::site::DatabaseContainer;
use select::Original;

pub use database::{Superuser, session};

/// A box and the engine its copy is made on.
pub struct Copying<'a> {
    /// What is asked for.
    pub spec: &'a Spec,
    /// The box's engine: only read from.
    pub from: &'a Lab,
    /// This machine's engine.
    pub to: &'a Lab,
    /// Whether the two are one.
    pub same: bool,
    /// Who is told.
    pub progress: &'a Progress,
}

/// A copy that runs.
#[derive(Clone)]
pub struct Copy {
    /// The names of the copied containers, by the names of the originals.
    pub containers: BTreeMap<String, String>,
    /// The proxy's address.
    pub proxy: Ipv4Addr,
    /// The database's address.
    pub database: Ipv4Addr,
    /// The way to ask the copied database.
    pub console: Console,
    /// What could not be copied as it is, for the operator.
    pub notes: Vec<String>,
}

/// What the copy needs of the box before anything is made, and the image of its database.
pub struct Surveyed {
    originals: Vec<Original>,
    /// Images that were not on this machine before.
    pub brought: Vec<String>,
    /// The definition of the box's database.
    pub database: Container,
}

impl Copying<'_> {
    /// Looks at the box, and brings the images of its containers where they are missing.
    pub async fn survey(&self) -> Result<Surveyed> {
        let originals =
            self.progress.part("looked at the box", select::originals(self.from, &self.spec.site.old)).await?;
        let brought = if self.same { Vec::new() } else { image::bring(self, &originals).await? };
        let database = self.named(&originals, &self.spec.site.old.database.container)?.container.clone();
        Ok(Surveyed { originals, brought, database })
    }

    /// Makes the copy and starts it; the network is there already.
    pub async fn make(&self, surveyed: &Surveyed) -> Result<Copy> {
        let old = &self.spec.site.old;
        let network = self.spec.box_network();
        let labels = owner::labels(&self.spec.id);
        let (first, rest): (Vec<&Original>, Vec<&Original>) =
            surveyed.originals.iter().partition(|o| o.container.name == old.database.container);
        let data = async {
            let original = first.first().ok_or_else(|| gone(&old.database))?;
            let (console, notes) = self.database(original, &labels).await?;
            let superuser = Superuser::of(&old.database)?;
            let address = self.to.address_of(&self.spec.name(&old.database.container), &network).await?;
            let what = "the copied database answers";
            self.progress.part(what, database::ready(&superuser, address, old.database.port)).await?;
            Result::Ok((address, console, notes))
        };
        // The pages need nobody. The others wait for the database: many an app gives up if it is not there.
        let is_web = |original: &Original| original.container.name == old.web.container;
        let others = try_join_all(rest.iter().map(|original| async {
            let doing = self.create(original, &labels);
            let notes = self.progress.part(&format!("copied {}", original.container.name), doing).await?;
            if is_web(original) {
                self.start(original).await?;
            }
            Result::Ok(notes)
        }));
        let ((database, console, mut notes), others) = tokio::try_join!(data, others)?;
        notes.extend(others.into_iter().flatten());
        notes.extend(surveyed.originals.iter().flat_map(|o| o.notes.iter().cloned()));
        // The proxy last: nginx looks the names behind it up once, at its start.
        let (proxies, others): (Vec<&&Original>, Vec<&&Original>) =
            rest.iter().partition(|o| o.container.name == old.proxy);
        for round in [others, proxies] {
            let starting = round.iter().filter(|o| o.container.running && !is_web(o));
            try_join_all(starting.map(|o| self.start(o))).await?;
        }
        let proxy = self.to.address_of(&self.spec.name(&old.proxy), &network).await?;
        let containers =
            surveyed.originals.iter().map(|o| (o.container.name.clone(), self.spec.name(&o.container.name))).collect();
        Ok(Copy { containers, proxy, database, console, notes })
    }

    async fn start(&self, original: &Original) -> Result<()> {
        let name = self.spec.name(&original.container.name);
        self.progress.part(&format!("started {name}"), async { Ok(self.to.start(&name).await?) }).await
    }

    fn named<'o>(&self, originals: &'o [Original], name: &str) -> Result<&'o Original> {
        let found = originals.iter().find(|o| o.container.name == name);
        found.ok_or_else(|| WorldError::Box(format!("there is no container {name} on {}", self.from.host().address())))
    }
}

fn gone(database: &DatabaseContainer) -> WorldError {
    WorldError::Box(format!("the container {} is not there any more", database.container))
}
