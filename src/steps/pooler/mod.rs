//! Step `pooler`: a PgBouncer is put before the box's database. Nobody uses it until `app-config` points the app to it;
//! at `database-handover` it makes the app's clients wait for a moment and sends them on to RDS.
//!
//! Its container bears the run's label and holds all it needs, so nothing of it is remembered anywhere else.

mod change;
mod make;
mod preflight;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use change::PoolerChange;
pub(in crate::steps) use make::awake;

use super::app_config::{self, RUN_LABEL};
use crate::clients::Kind;
use crate::clients::hosts::{Attachment, Container};
use crate::postgres::pooler::{Mode, Target};
use crate::site::{Pooler as Wanted, PoolerMode};
use crate::step::{Act, Fault, Finding, Look, Planned, Step, StepResult, Verdict};
use crate::world::{Side, World};

/// The step. Which image, and how, is in the site file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pooler {}

impl Step for Pooler {
    const KIND: &'static str = "pooler";
    type Change = PoolerChange;

    fn title(&self) -> String {
        "put a pooler before the box's database".to_owned()
    }

    fn explain(&self) -> String {
        "Starts a PgBouncer beside the box's database, which sends clients there. Nobody uses it yet: app-config points the \
         app to it, and at the handover it makes the app's requests wait for a moment and sends them on to RDS, so that no \
         visitor sees the databases change places."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.pooler = Some(Side::Old);
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        preflight::check(look).await
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<PoolerChange>> {
        let wanted = wanted(look)?;
        let name = look.site.old.database.pooler_name();
        let image = look.old.image(&wanted.image).await?.ok_or_else(|| {
            Fault::failed_with(
                format!("the image {} is not on the box", wanted.image),
                "bring it there (docker pull, docker load), or correct `box.database.pooler`",
            )
        })?;
        let networks = networks(look, &name).await?;
        let facts = look.databases.facts(Side::Old).await?;
        let pooling = look.databases.pooling(&facts.app_roles).await?;
        let (mode, why) = match wanted.mode {
            PoolerMode::Auto => (pooling.mode, pooling.why),
            PoolerMode::Transaction => (Mode::Transaction, vec!["the site file says so".to_owned()]),
            PoolerMode::Session => (Mode::Session, vec!["the site file says so".to_owned()]),
        };
        let (old, new) = targets(look).await?;
        Ok(Planned::Change(PoolerChange {
            run: look.run.clone(),
            container: name,
            image: wanted.image.clone(),
            image_id: image.id,
            networks,
            port: look.site.old.database.port,
            roles: facts.app_roles,
            mode,
            automatic: wanted.mode == PoolerMode::Auto,
            why,
            old,
            new,
        }))
    }

    async fn apply(&self, act: &Act, change: &PoolerChange) -> StepResult<()> {
        make::apply(act, change).await
    }

    async fn verify(&self, look: &Look, change: &PoolerChange) -> StepResult<Verdict> {
        let name = &change.container;
        let Some(there) = look.old.container(name).await? else {
            return Ok(Verdict::Drifted(format!("the container {name} is gone")));
        };
        if there.labels.get(RUN_LABEL) != Some(&change.run) {
            return Ok(Verdict::Drifted(format!("the container {name} was not made by this run")));
        }
        if !there.running {
            let logs = app_config::last_words(look.old.as_ref(), &there.id).await;
            return Ok(Verdict::Broken(format!("the pooler {name} does not run{logs}")));
        }
        let why = match look.databases.pooler(name).await {
            Ok(Some(stand)) if stand.sends_to == Some(Side::Old) => return Ok(Verdict::Holds),
            Ok(Some(_)) => {
                return Ok(Verdict::Drifted(format!("the pooler {name} does not send clients to the old database")));
            }
            Ok(None) => return Ok(Verdict::Broken(format!("the pooler {name} has no configuration of this run"))),
            Err(error) if error.kind == Kind::Unanswered => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        if app_config::late(look) {
            let logs = app_config::last_words(look.old.as_ref(), &there.id).await;
            return Ok(Verdict::Broken(format!("{why}{logs}")));
        }
        Ok(Verdict::Wait { why, again_in: Duration::from_secs(1) })
    }

    async fn undo(&self, act: &Act, change: &PoolerChange) -> StepResult<()> {
        make::undo(act, change).await
    }
}

fn wanted(look: &Look) -> StepResult<&Wanted> {
    look.site.old.database.pooler.as_ref().ok_or_else(app_config::no_pooler)
}

/// The networks of the database and of the app, with the pooler's name in each. The engine's own bridge knows no names.
async fn networks(look: &Look, name: &str) -> StepResult<Vec<Attachment>> {
    let old = &look.site.old;
    let mut all: Vec<Attachment> = Vec::new();
    for container in [&old.database.container, &old.app.container] {
        let there = container_of(look, container).await?;
        for network in there.networks.iter().map(|place| &place.network) {
            if network != "bridge" && all.iter().all(|known| known.network != *network) {
                all.push(Attachment {
                    network: network.clone(),
                    aliases: vec![name.to_owned()],
                    address: String::new(),
                });
            }
        }
        if container == &old.database.container && all.is_empty() {
            return Err(Fault::failed_with(
                format!("{container} is on no network in which containers find each other by name"),
                "put it and the app on a network of their own (docker network create), or leave `pooler` out",
            ));
        }
    }
    Ok(all)
}

async fn container_of(look: &Look, name: &str) -> StepResult<Container> {
    look.old.container(name).await?.ok_or_else(|| {
        Fault::failed_with(
            format!("there is no container {name} on {}", look.old.address()),
            "correct `box` in the site file",
        )
    })
}

/// Both databases, as a container on the box reaches them.
async fn targets(look: &Look) -> StepResult<(Target, Target)> {
    let (database, rds) = (&look.site.old.database, &look.site.aws.database);
    let instance = look.instances.instance(&rds.instance).await?.ok_or_else(|| {
        Fault::failed_with(
            format!("there is no RDS instance {}", rds.instance),
            "make it, or correct `aws.database.instance`",
        )
    })?;
    let old = Target {
        host: database.container.clone(),
        port: database.port,
        database: database.name.clone(),
        sslmode: "prefer".to_owned(),
        root_certificate: None,
    };
    let new = Target {
        host: instance.host,
        port: instance.port,
        database: rds.name.clone(),
        // As the app without a pooler: RDS refuses clients without TLS from PostgreSQL 15 on (law D2).
        sslmode: "require".to_owned(),
        root_certificate: None,
    };
    Ok((old, new))
}
