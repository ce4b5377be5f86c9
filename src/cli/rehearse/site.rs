//! The site as it is in the rehearsal's world: the same, but for where things are.

use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::site::{SecretRef, Site};

/// The site file of the copy. Names, addresses and engines are the world's; everything a step decides by is the site's.
pub fn in_world(site: &Site, world: &World) -> Result<Site, Failure> {
    let mut copy = site.clone();
    let boxed = &world.old;
    copy.old.engine = boxed.engine.clone();
    copy.old.address = boxed.address;
    copy.old.proxy.clone_from(&boxed.containers.proxy);
    copy.old.web.container.clone_from(&boxed.containers.web);
    copy.old.app.container.clone_from(&boxed.containers.app);
    copy.old.database.container.clone_from(&boxed.containers.database);
    for host in &mut copy.app.hosts {
        let part = world
            .hosts
            .iter()
            .find(|h| h.name == host.name)
            .ok_or_else(|| Failure::bad_input(format!("the rehearsal's world has no host {}", host.name)))?;
        host.engine = part.engine.clone();
        host.address = part.address;
    }
    copy.aws.distribution.clone_from(&world.distribution);
    copy.aws.database.master.user.clone_from(&world.database.master);
    copy.aws.database.master.password = SecretRef::File(world.database.master_password_file.display().to_string());
    Ok(copy)
}
