//! The swap: the new container is known under the old one's names before the old one stops.

use std::time::{Duration, Instant};

use super::change::AppConfigChange;
use super::state::State;
use super::{answers, beside};
use crate::clients::hosts::{Attachment, Container, HostRead, HostWrite};
use crate::clients::{ClientError, Kind};
use crate::step::{Act, StepResult};

/// How long the app may take to end its requests.
pub(super) const GRACE: u32 = 10;
/// How long a proxy may take to reload; also how long one is given whose workers cannot be told apart.
const RELOAD: Duration = Duration::from_secs(2);

/// Does it, from wherever it stands.
pub(super) async fn apply(act: &Act, change: &AppConfigChange) -> StepResult<()> {
    let host = act.reach.old.as_ref();
    let state = State::observe(host, change).await?;
    let old = state.old(change)?;
    let new = beside::make(act, change, old, state.new.as_ref()).await?;
    let mut gap = None;
    if change.alone && old.running {
        gap = Some(Instant::now());
        host.stop(&old.id, GRACE).await?;
    }
    host.start(&new).await?;
    answers::until_up(&act.look, host, &new, change.pooled).await?;
    answers::origins_allowed(&act.look, host, &new).await?;

    for place in &change.networks {
        let wanted = Attachment { aliases: change.wanted(place), address: String::new(), ..place.clone() };
        stand(host, &new, &wanted).await?;
    }
    // It was off its networks for a moment, and its connections with it: it must have come back before anybody asks it.
    answers::until_up(&act.look, host, &new, change.pooled).await?;
    reload(act).await?;
    host.stop(&old.id, GRACE).await?;
    // At once: until the proxy has forgotten the address that is gone, a request may wait for it in vain.
    reload(act).await?;
    if let Some(gap) = gap {
        act.note(format!("the API was away for {} ms", gap.elapsed().as_millis()));
    }
    for place in &old.networks {
        host.disconnect(&old.id, &place.network).await?;
    }
    take_name(host, &old.id, &change.before()).await?;
    take_name(host, &new, &change.container).await?;
    answers::until_proxied(&act.look, act.look.site.old.address, Duration::from_secs(20)).await
}

/// Sees to it that a container stands in a network under exactly these names.
pub(super) async fn stand(host: &dyn HostWrite, container: &str, wanted: &Attachment) -> StepResult<()> {
    let now = look(host, container).await?;
    match now.networks.iter().find(|there| there.network == wanted.network) {
        Some(there) if there.aliases == wanted.aliases => return Ok(()),
        // The engine knows no other way to change names.
        Some(_) => host.disconnect(container, &wanted.network).await?,
        None => {}
    }
    Ok(host.connect(container, wanted).await?)
}

/// Renames a container unless it has the name.
pub(super) async fn take_name(host: &dyn HostWrite, container: &str, name: &str) -> StepResult<()> {
    if look(host, container).await?.name != name {
        host.rename(container, name).await?;
    }
    Ok(())
}

/// Lets the proxy look its upstreams up anew; running requests end undisturbed. nginx reloads on SIGHUP, and that is
/// done once no worker from before takes requests.
pub(super) async fn reload(act: &Act) -> StepResult<()> {
    let host = act.reach.old.as_ref();
    let proxy = &act.look.site.old.proxy;
    if !host.container(proxy).await?.is_some_and(|proxy| proxy.running) {
        return Ok(());
    }
    let before = workers(host, proxy).await?;
    host.signal(proxy, "SIGHUP").await?;
    let started = Instant::now();
    while started.elapsed() < RELOAD {
        let now = workers(host, proxy).await?;
        if !now.is_empty() && now.iter().all(|worker| !before.contains(worker)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// The nginx workers that take requests.
async fn workers(host: &dyn HostRead, proxy: &str) -> StepResult<Vec<u32>> {
    let all = host.processes(proxy).await?;
    let takes = |command: &str| command.contains("nginx: worker process") && !command.contains("shutting down");
    Ok(all.into_iter().filter(|(_, command)| takes(command)).map(|(pid, _)| pid).collect())
}

async fn look(host: &dyn HostRead, container: &str) -> StepResult<Container> {
    let found = host.container(container).await?;
    Ok(found.ok_or_else(|| {
        ClientError::new(Kind::NotFound, format!("look at the container {container}"), "it is not there any more")
    })?)
}
