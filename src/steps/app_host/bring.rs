//! Brings containers to a new host, and takes them away again: all that bears this run's label, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use serde_json::Value;

use super::change::{AppHostChange, How, Moved};
use super::mounts::LIMIT;
use super::{AppHost, observe};
use crate::clients::hosts::{Container, HostWrite, Mount};
use crate::rewrite::app::Plan;
use crate::step::{Act, Fault, StepResult};
use crate::steps::app_config::{self, REPLACES, RUN_LABEL, Settings};

/// How long a container may take to end.
const GRACE: u32 = 10;
/// What a definition on the box says that means nothing on another host.
const BOXES_OWN: [&str; 3] = ["Links", "VolumesFrom", "CgroupParent"];

/// Does it, from wherever it stands.
pub(super) async fn apply(step: &AppHost, act: &Act, change: &AppHostChange) -> StepResult<()> {
    let to = engine(step, act)?;
    let sources = observe::sources(&act.look).await?;
    images(act, change, &sources, to).await?;
    for network in &change.networks {
        to.ensure_network(network, &labels(act, change)).await?;
    }
    for moved in &change.containers {
        let source = sources.iter().find(|source| source.name == moved.name).ok_or_else(|| {
            Fault::drifted(format!("the container {}", moved.name), "the one that was planned", "none in the site file")
        })?;
        match to.container(&moved.name).await? {
            Some(there) if there.labels.get(RUN_LABEL) != Some(&change.run) => {
                return Err(Fault::drifted(
                    format!("the container {} on {}", moved.name, step.name),
                    "none",
                    "one that this run did not make",
                ));
            }
            // It is started last: then all of it is there.
            Some(there) if there.running => continue,
            Some(half) => to.remove(&half.id).await?,
            None => {}
        }
        container(act, change, moved, source, to).await?;
    }
    Ok(())
}

/// Takes it away.
pub(super) async fn undo(step: &AppHost, act: &Act, change: &AppHostChange) -> StepResult<()> {
    let to = engine(step, act)?;
    for moved in change.containers.iter().rev() {
        if let Some(there) = to.container(&moved.name).await?
            && there.labels.get(RUN_LABEL) == Some(&change.run)
        {
            to.stop(&there.id, GRACE).await?;
            to.remove(&there.id).await?;
        }
    }
    for network in &change.networks {
        if to.network(network).await?.is_some_and(|labels| labels.get(RUN_LABEL) == Some(&change.run)) {
            to.remove_network(network).await?;
        }
    }
    for image in &change.images {
        if to.has_image(&image.id).await? {
            to.remove_image(&image.reference).await?;
        }
    }
    Ok(())
}

fn engine<'a>(step: &AppHost, act: &'a Act) -> StepResult<&'a dyn HostWrite> {
    let found = act.reach.hosts.get(&step.name);
    found.map(AsRef::as_ref).ok_or_else(|| Fault::failed(format!("no engine of {} is known", step.name)))
}

fn labels(act: &Act, change: &AppHostChange) -> BTreeMap<String, String> {
    BTreeMap::from([(RUN_LABEL.to_owned(), change.run.clone()), ("outgrow.epoch".to_owned(), act.epoch.to_string())])
}

/// Streams the images that are not there, in one go: what they share is sent once.
async fn images(act: &Act, change: &AppHostChange, sources: &[Container], to: &dyn HostWrite) -> StepResult<()> {
    let mut missing = Vec::new();
    let mut total = 0;
    for image in &change.images {
        if !to.has_image(&image.id).await? {
            missing.push(image.reference.clone());
            total += image.bytes;
        }
    }
    if !missing.is_empty() {
        let (teller, sent) = (act.clone(), Arc::new(AtomicU64::new(0)));
        let stream = act.reach.old.save_images(&missing).await?.inspect(move |piece| {
            let bytes = piece.as_ref().map_or(0, |p| p.len() as u64);
            teller.progress("images", sent.fetch_add(bytes, Ordering::Relaxed) + bytes, total, true);
        });
        to.load_images(stream.boxed()).await?;
    }
    for source in sources {
        if !to.has_image(&source.image_id).await? {
            return Err(Fault::failed_with(
                format!("after loading it, {} does not know the image {} by its id", to.address(), source.image),
                "engines with the containerd image store give images other ids: set \"features\": \
                 {\"containerd-snapshotter\": false} in its daemon.json",
            ));
        }
    }
    Ok(())
}

/// Makes one container with its files, and starts it.
async fn container(
    act: &Act,
    change: &AppHostChange,
    moved: &Moved,
    source: &Container,
    to: &dyn HostWrite,
) -> StepResult<()> {
    let from = act.reach.old.as_ref();
    let plan = planned(act, moved, source).await?;
    let id = to.create(&definition(act, change, moved, source, &plan)).await?;
    for mount in &moved.mounts {
        match mount.how {
            How::Volume => {
                let (teller, label, total) = (act.clone(), format!("copy {}", mount.target), mount.bytes);
                let tick = move |done| teller.progress(&label, done, total, true);
                app_config::copy((from, &source.id), (to, &id), &mount.target, LIMIT, tick).await?;
            }
            How::File => {
                let content = from.read_file(&source.id, &mount.target).await?;
                app_config::put_file((from, &source.id), (to, &id), &mount.target, &content).await?;
            }
            How::Kept => {}
        }
    }
    if source.name == act.look.site.old.app.container {
        for path in &act.look.site.old.app.files {
            if let Some(file) = plan.files.iter().find(|file| file.path == *path) {
                app_config::put_file((from, &source.id), (to, &id), path, file.new_text.as_bytes()).await?;
            } else if !app_config::is_mounted(&source.mounts, path) {
                // Unchanged, but perhaps not as the image has it.
                let content = from.read_file(&source.id, path).await?;
                app_config::put_file((from, &source.id), (to, &id), path, &content).await?;
            }
        }
    }
    Ok(to.start(&id).await?)
}

/// The rewriting as it comes out now. Less than was shown is fine (the box's app was rewritten meanwhile), more is not.
async fn planned(act: &Act, moved: &Moved, source: &Container) -> StepResult<Plan> {
    if source.name != act.look.site.old.app.container {
        return Ok(Plan::default());
    }
    match app_config::observe(&act.look, act.reach.old.as_ref(), source, app_config::Goal::New).await? {
        Settings::AlreadySo => Ok(Plan::default()),
        Settings::Change(plan) => {
            let now = app_config::edits(&plan);
            if now.iter().all(|edit| moved.edits.contains(edit)) {
                return Ok(plan);
            }
            let what = format!("the configuration of {}", source.name);
            Err(Fault::drifted(what, moved.edits.join("; "), now.join("; ")))
        }
    }
}

fn definition(act: &Act, change: &AppHostChange, moved: &Moved, source: &Container, plan: &Plan) -> Container {
    let mut new = source.clone();
    new.env = app_config::with_env(&source.env, plan);
    new.ports.clone_from(&moved.ports);
    let mounts = moved.mounts.iter().filter_map(|placed| {
        let old = source.mounts.iter().find(|mount| mount.target == placed.target)?;
        match placed.how {
            How::Kept => Some(old.clone()),
            How::File => None,
            // It could not be filled if it were read-only.
            How::Volume => Some(Mount {
                kind: "volume".to_owned(),
                source: String::new(),
                target: placed.target.clone(),
                read_only: false,
            }),
        }
    });
    new.mounts = mounts.collect();
    for place in &mut new.networks {
        place.address.clear();
    }
    if let Some(Value::Object(host)) = new.rest.get_mut("HostConfig") {
        host.retain(|key, _| !BOXES_OWN.contains(&key.as_str()));
    }
    new.labels.remove(REPLACES);
    new.labels.extend(labels(act, change));
    new
}
