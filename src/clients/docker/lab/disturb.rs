//! What a rehearsal does to its own containers on purpose.

use super::{Engine, Lab};
use crate::clients::ClientResult;

impl Lab {
    /// Lets every process of a container stand still; its sockets stay open and silent.
    ///
    /// # Errors
    /// [`Kind::NotFound`](crate::clients::Kind::NotFound) or `Conflict` if it does not run.
    pub async fn stand_still(&self, container: &str) -> ClientResult<()> {
        let engine: &Engine = &self.engine;
        let what = format!("let the container {container} stand still");
        engine.docker.pause_container(container).await.map_err(engine.failed(what))
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// As [`Lab::stand_still`].
    pub async fn go_on(&self, container: &str) -> ClientResult<()> {
        let engine: &Engine = &self.engine;
        let what = format!("let the container {container} go on");
        engine.docker.unpause_container(container).await.map_err(engine.failed(what))
    }
}
