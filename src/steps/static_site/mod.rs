//! `static-site`: the document root goes out of the web container into the private bucket, with the API's base address
//! rewritten in its text files.
//!
//! [`survey`] streams the container's archive once and learns of every file; texts wait in a [`spool`] on disk, all
//! else is streamed again when it is uploaded. [`rewriting`] says what becomes of the texts, [`plan`] compares with the
//! bucket, [`upload`] sends assets before pages, [`undo`] takes back what this run put there, and nothing else.

pub mod alone;
mod archive;
mod check;
mod keys;
mod live;
mod manifest;
mod plan;
mod rewriting;
mod spool;
mod survey;
#[cfg(test)]
pub(crate) mod tests;
mod undo;
mod upload;
mod verify;
mod window;

use serde::{Deserialize, Serialize};

use crate::step::{Act, Finding, Look, Planned, Step, StepResult, Verdict};
use crate::steps::cdn;
use crate::world::World;

pub use manifest::SiteChange;

/// The step. It has no parameters: all of it is in the site file and on the box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaticSite {}

impl Step for StaticSite {
    const KIND: &'static str = "static-site";
    type Change = SiteChange;

    fn title(&self) -> String {
        "copy the pages into the bucket".to_owned()
    }

    fn explain(&self) -> String {
        "Every file of the document root goes into the private bucket, with its content type and cache headers, and \
         with the API's new address where the pages name the old one. Visitors do not see it yet."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.pages_uploaded = true;
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        check::findings(look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<SiteChange>> {
        let prepared = plan::prepare(&look.site, look.old.as_ref()).await?;
        let change = plan::compared(look, &prepared).await?;
        Ok(if change.is_nothing() { Planned::AlreadySo } else { Planned::Change(change) })
    }

    async fn apply(&self, act: &Act, change: &SiteChange) -> StepResult<()> {
        upload::apply(act, change).await?;
        forget(act, change, "there").await
    }

    async fn verify(&self, look: &Look, change: &SiteChange) -> StepResult<Verdict> {
        verify::verify(look, change).await
    }

    async fn undo(&self, act: &Act, change: &SiteChange) -> StepResult<()> {
        undo::undo(act, change).await?;
        forget(act, change, "back").await
    }
}

/// Edges that serve the pages already, as those of an adopted distribution may, forget what was overwritten (law C6).
async fn forget(act: &Act, change: &SiteChange, occasion: &str) -> StepResult<()> {
    let overwritten: Vec<&str> =
        change.puts.iter().filter(|put| put.former.is_some()).map(|put| put.key.as_str()).collect();
    cdn::forget(act, &overwritten, occasion).await
}
