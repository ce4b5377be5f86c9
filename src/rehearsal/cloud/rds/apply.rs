//! How a parameter group's values get into the servers: dynamic ones at once, all of them at a reboot (law D3).

use std::collections::BTreeMap;

use super::super::super::state::{DatabaseInstance, State};
use super::super::Cloud;
use super::catalogue::settings;
use super::groups::{find, in_force, of};

/// Parameters that were set, or set back to their default, to take effect at once.
pub type Touched = BTreeMap<String, Option<String>>;

/// What an instance's group sets.
pub fn wanted(state: &State, instance: &DatabaseInstance) -> BTreeMap<String, String> {
    let group = find(state, &of(instance)).unwrap_or_default();
    group.values.into_iter().map(|(name, (value, _))| (name, value)).collect()
}

/// `ParameterApplyStatus`. Source: RDS API, `DBParameterGroupStatus`; RDS user guide, "Overview of parameter groups".
pub fn status(state: &State, instance: &DatabaseInstance) -> &'static str {
    if instance.applying {
        return "applying";
    }
    let same = of(instance) == in_force(instance) && wanted(state, instance) == instance.parameters;
    if same { "in-sync" } else { "pending-reboot" }
}

/// Sets touched parameters in every running server that has started with this group.
pub fn at_once(cloud: &Cloud, group: &str, touched: &Touched) {
    if touched.is_empty() {
        return;
    }
    let mut state = cloud.shared().lock();
    let users = state.databases.iter_mut().filter(|(_, instance)| {
        of(instance) == group
            && in_force(instance) == group
            && !["creating", "failed", "deleting"].contains(&instance.status.as_str())
    });
    let mut todo = Vec::new();
    for (id, instance) in users {
        let mut parameters = instance.parameters.clone();
        for (name, value) in touched {
            match value {
                Some(value) => parameters.insert(name.clone(), value.clone()),
                None => parameters.remove(name),
            };
        }
        instance.applying = true;
        let settings = settings(&instance.engine_version, &instance.class, &parameters);
        todo.push((id.clone(), parameters, settings));
    }
    drop(state);
    cloud.shared().changed();
    for (id, parameters, settings) in todo {
        let cloud = cloud.clone();
        tokio::spawn(async move {
            let done = match cloud.database_host() {
                Some(host) => host.apply(&id, &settings).await,
                None => Ok(()),
            };
            let _ = cloud.change(|state| {
                if let Some(instance) = state.databases.get_mut(&id) {
                    instance.applying = false;
                    match done {
                        Ok(()) => instance.parameters = parameters,
                        Err(error) => tracing::error!(id, %error, "parameters could not be applied"),
                    }
                }
                Ok::<_, std::convert::Infallible>(())
            });
        });
    }
}
