//! Site file and playbook by name or path, and a plan made from them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::Failure;
use super::world::World;
use super::{reaching, session};
use crate::home::Home;
use crate::home::RunDir;
use crate::plan::{Plan, draft};
use crate::playbook::load;
use crate::playbook::model::Playbook;
use crate::site::Site;
use crate::step::Reach;

/// Reads a site file.
pub fn site(path: &Path) -> Result<Site, Failure> {
    Ok(load::checked_site(path)?.0)
}

/// Reads a playbook: a file, or one of the program's own by its name.
pub fn playbook(name: &Path) -> Result<Playbook, Failure> {
    Ok(load::checked_playbook(name)?.0)
}

/// A plan, with the clients it was made with.
pub struct Made {
    /// The plan.
    pub plan: Plan,
    /// The clients.
    pub reach: Reach,
}

/// Looks at everything and plans. `run` will be the run's id; nothing is changed.
pub async fn plan(
    site: &Site,
    playbook: &Playbook,
    run: &str,
    key: PathBuf,
    rehearsal: Option<(&Path, &World)>,
) -> Result<Made, Failure> {
    if rehearsal.is_none() && !playbook.faults.is_empty() {
        return Err(Failure::bad_input(format!(
            "the playbook {} has faults in it; nothing real is made to fail",
            playbook.playbook
        ))
        .hint("rehearse it, or take its `faults:` out"));
    }
    let reach = reaching::connect(site, rehearsal.map(|(_, world)| world), &key).await?;
    let look = reach.look(Arc::new(site.clone()), run);
    let dir = rehearsal.map(|(dir, _)| dir.display().to_string());
    let plan = draft::draft(&look, playbook, dir).await;
    Ok(Made { plan, reach })
}

/// The run's directory for a plan's id: new, since a plan runs once.
pub fn new_run(home: &Home, plan: &Plan) -> Result<RunDir, Failure> {
    home.claim(&plan.id).map_err(|e| Failure::bad_input(e.to_string()))
}

/// Where a run that is not made yet would keep its key.
pub fn key(home: &Home, id: &str) -> PathBuf {
    session::key_of(&home.at(id))
}
