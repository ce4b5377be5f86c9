//! Makes the pooler's container, armed before it starts; and takes it away again, once nobody uses it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::PoolerChange;
use crate::clients::Kind;
use crate::clients::hosts::Container;
use crate::postgres::pooler::kept::{INI, RUNS_AS, path};
use crate::postgres::port::PoolerStand;
use crate::step::{Act, Fault, StepResult};
use crate::steps::app_config::{self, Goal, RUN_LABEL, Settings};

/// How long it may take to answer.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end.
const GRACE: u32 = 5;

/// Does it, from wherever it stands.
pub(super) async fn apply(act: &Act, change: &PoolerChange) -> StepResult<()> {
    let (host, databases) = (act.reach.old.as_ref(), act.reach.databases.as_ref());
    let name = &change.container;
    let id = match ours(act, change).await? {
        // It is started last: then all of it is there.
        Some(there) if there.running => there.id,
        Some(half) => {
            host.remove(&half.id).await?;
            make(act, change).await?
        }
        None => make(act, change).await?,
    };
    until_it_answers(act, name, &id).await?;
    let stand = databases.fit_pooler(name, change.automatic).await?;
    if stand.mode != change.mode {
        act.note(format!(
            "PgBouncer {} keeps no prepared statements apart: session mode, each client loses its connection once at the \
             handover",
            stand.version
        ));
    }
    Ok(())
}

/// Sees to it that the pooler of this name answers; one that was removed is drift.
pub(in crate::steps) async fn awake(act: &Act, name: &str) -> StepResult<()> {
    let host = act.reach.old.as_ref();
    let Some(there) = host.container(name).await? else {
        let what = format!("the container {name} on the box");
        return Err(Fault::drifted(what, "there, since the app reaches its database through it", "gone"));
    };
    if !there.running {
        host.start(&there.id).await?;
    }
    until_it_answers(act, name, &there.id).await.map(drop)
}

/// Right also where it was never made; somebody else's container of that name is left alone.
pub(super) async fn undo(act: &Act, change: &PoolerChange) -> StepResult<()> {
    let host = act.reach.old.as_ref();
    let Some(there) = ours(act, change).await? else { return Ok(()) };
    if there.running {
        still_used(act, change).await?;
    }
    host.stop(&there.id, GRACE).await?;
    Ok(host.remove(&there.id).await?)
}

/// The container, if this run made it.
async fn ours(act: &Act, change: &PoolerChange) -> StepResult<Option<Container>> {
    match act.reach.old.container(&change.container).await? {
        Some(there) if there.labels.get(RUN_LABEL) != Some(&change.run) => Err(Fault::drifted(
            format!("the container {} on the box", change.container),
            "none",
            "one that this run did not make",
        )),
        found => Ok(found),
    }
}

async fn make(act: &Act, change: &PoolerChange) -> StepResult<String> {
    let (host, databases) = (act.reach.old.as_ref(), act.reach.databases.as_ref());
    let id = host.create(&definition(act, change).await?).await?;
    databases.arm_pooler(&change.container, &change.order()).await?;
    host.start(&id).await?;
    Ok(id)
}

async fn definition(act: &Act, change: &PoolerChange) -> StepResult<Container> {
    let database = super::container_of(&act.look, &act.look.site.old.database.container).await?;
    // Whose the database's container is, in outgrow's own words, holds for what stands before it too.
    let marks = database.labels.into_iter().filter(|(key, _)| key.starts_with("outgrow."));
    let mut labels: BTreeMap<String, String> = marks.collect();
    labels.insert(RUN_LABEL.to_owned(), change.run.clone());
    labels.insert("outgrow.epoch".to_owned(), act.epoch.to_string());
    Ok(Container {
        name: change.container.clone(),
        image: change.image.clone(),
        image_id: change.image_id.clone(),
        entrypoint: Some(vec!["pgbouncer".to_owned(), path(INI)]),
        command: Some(Vec::new()),
        user: format!("{RUNS_AS}:{RUNS_AS}"),
        labels,
        networks: change.networks.clone(),
        // It is part of the way to the database from now on, also after the box was started again.
        restart: "unless-stopped".to_owned(),
        hostname: change.container.clone(),
        ..Container::default()
    })
}

/// There is no event for it, so it is asked again and again.
async fn until_it_answers(act: &Act, name: &str, id: &str) -> StepResult<PoolerStand> {
    let (host, started) = (act.reach.old.as_ref(), Instant::now());
    loop {
        let why = match act.reach.databases.pooler(name).await {
            Ok(Some(stand)) => return Ok(stand),
            Ok(None) => return Err(Fault::failed(format!("the pooler {name} has no configuration"))),
            Err(error) if error.kind == Kind::Unanswered => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        let runs = host.container(id).await?.is_some_and(|there| there.running);
        if !runs || started.elapsed() > START {
            let state = if runs { "does not answer within 30 s" } else { "ended by itself" };
            let logs = app_config::last_words(host, id).await;
            return Err(Fault::failed_with(
                format!("the pooler {name} {state}: {why}{logs}"),
                "see that its image has pgbouncer on its PATH",
            ));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An app that still looks for its database here would find none.
async fn still_used(act: &Act, change: &PoolerChange) -> StepResult<()> {
    let app = app_config::app(&act.look).await?;
    match app_config::observe(&act.look, act.reach.old.as_ref(), &app, Goal::Pooler).await {
        Ok(Settings::AlreadySo) => Err(Fault::failed_with(
            format!("{} still reaches its database through {}", app.name, change.container),
            "point it to its database again first (that is what taking app-config back does)",
        )),
        Err(fault @ Fault::InDoubt(_)) => Err(fault),
        // Not by this name, at least.
        Ok(Settings::Change(_)) | Err(_) => Ok(()),
    }
}
