//! The site as it is in the rehearsal's world: the same, but for where things are.

use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::rehearsal::world::LOCAL_ENGINE;
use crate::site::{EngineAddress, SecretRef, Site};

/// The site file of the copy. Names, addresses and engines are the world's; everything a step decides by is the site's.
pub fn in_world(site: &Site, world: &World) -> Result<Site, Failure> {
    let ready = &world.ready;
    let mut copy = site.clone();
    copy.old.engine = EngineAddress::Unix(LOCAL_ENGINE.to_owned());
    copy.old.address = ready.copy.address;
    copy.old.proxy.clone_from(&ready.copy.proxy);
    copy.old.web.container.clone_from(&ready.copy.web);
    copy.old.app.container.clone_from(&ready.copy.app);
    copy.old.database.container.clone_from(&ready.copy.database);
    for host in &mut copy.app.hosts {
        let part = ready
            .hosts
            .iter()
            .find(|h| h.name == host.name)
            .ok_or_else(|| Failure::bad_input(format!("the rehearsal's world has no host {}", host.name)))?;
        host.engine = part.engine.clone();
        host.address = part.address;
    }
    if let Some(distribution) = &ready.distribution {
        copy.aws.distribution.clone_from(distribution);
    }
    copy.aws.database.master.user.clone_from(&ready.database.master);
    copy.aws.database.master.password = SecretRef::File(ready.database.master_password_file.display().to_string());
    Ok(copy)
}
