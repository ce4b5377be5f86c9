//! What the app's configuration says, and what it should say: the environment and the files of the site file, through
//! [`crate::rewrite::app`].

use crate::clients::hosts::{Container, HostRead};
use crate::clients::{ClientError, Kind};
use crate::rewrite::app::{Database, NewAddress, OldAddress, Outcome, Plan, Search, plan};
use crate::rewrite::config::RewriteError;
use crate::step::{Fault, Look, StepResult};

/// What was found.
pub(in crate::steps) enum Settings {
    /// The new database and every origin are in it.
    AlreadySo,
    /// This has to change. Holds passwords; its `Debug` and [`edits`] do not.
    Change(Plan),
}

/// What the app's database address is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::steps) enum Goal {
    /// RDS.
    New,
    /// The pooler on the box.
    Pooler,
}

/// Looks at the app container on `host`.
pub(in crate::steps) async fn observe(
    look: &Look,
    host: &dyn HostRead,
    app: &Container,
    goal: Goal,
) -> StepResult<Settings> {
    let database = database(look, goal).await?;
    let files = texts(look, host, app).await?;
    let origins = look.site.page_origins();
    let search = |database| plan(Search { env: &app.env, files: &files, database: Some(database), origins: &origins });
    match search(&database).map_err(|e| refused(&e))? {
        Outcome::Planned(plan) => Ok(told(plan)),
        Outcome::NoneFound(plan) => {
            // The old address is nowhere: is the new one there already?
            let old = OldAddress {
                hosts: vec![database.new.host.clone()],
                port: database.new.port,
                name: database.new.name.clone(),
                user: String::new(),
            };
            match search(&Database { old, new: database.new.clone() }).map_err(|e| refused(&e))? {
                Outcome::Planned(plan) => Ok(told(plan)),
                Outcome::NoneFound(_) => Err(nowhere(app, &database, &plan)),
            }
        }
    }
}

/// The playbook asks for a pooler and the site file has none.
pub(in crate::steps) fn no_pooler() -> Fault {
    Fault::failed_with("the site file names no pooler", NO_POOLER)
}

/// What to do where the site file has no pooler.
pub(in crate::steps) const NO_POOLER: &str = "add `pooler: { image: … }` under `box.database`, with an image on the box that \
    has pgbouncer; or take `pooler` out of the playbook and put `app-config` right after `database-handover`";

fn told(plan: Plan) -> Settings {
    if plan.env.is_empty() && plan.files.is_empty() { Settings::AlreadySo } else { Settings::Change(plan) }
}

/// The lines of a plan, as people may see them.
pub(in crate::steps) fn edits(plan: &Plan) -> Vec<String> {
    let env = plan.env.iter().flat_map(|change| &change.lines);
    env.chain(plan.files.iter().flat_map(|change| &change.lines)).cloned().collect()
}

/// The environment with the plan's changes.
pub(in crate::steps) fn with_env(env: &[(String, String)], plan: &Plan) -> Vec<(String, String)> {
    let new = |(key, old): &(String, String)| {
        let change = plan.env.iter().find(|change| change.key == *key && change.old == *old);
        (key.clone(), change.map_or_else(|| old.clone(), |change| change.new.clone()))
    };
    env.iter().map(new).collect()
}

/// Where the database is, by every name the app may know it, and where it will be.
async fn database(look: &Look, goal: Goal) -> StepResult<Database> {
    let site = &look.site;
    let mut hosts = vec![site.old.database.container.clone(), site.old.address.to_string()];
    if let Some(found) = look.old.container(&site.old.database.container).await? {
        hosts.push(found.hostname);
        for place in found.networks {
            hosts.extend(place.aliases);
            hosts.push(place.address);
        }
    }
    if goal == Goal::New && site.old.database.pooler.is_some() {
        hosts.push(site.old.database.pooler_name());
    }
    hosts.retain(|host| !host.is_empty());
    let old = OldAddress {
        hosts,
        port: site.old.database.port,
        name: site.old.database.name.clone(),
        user: site.old.database.admin.user.clone(),
    };
    if goal == Goal::Pooler {
        if site.old.database.pooler.is_none() {
            return Err(no_pooler());
        }
        // It listens where the old database did, in the clear: as private as the box's own network.
        let host = site.old.database.pooler_name();
        let new = NewAddress { host, port: old.port, name: old.name.clone(), sslmode: None };
        return Ok(Database { old, new });
    }
    let id = &site.aws.database.instance;
    let instance = look.instances.instance(id).await?.ok_or_else(|| {
        Fault::failed_with(format!("there is no RDS instance {id}"), "make it, or correct `aws.database.instance`")
    })?;
    Ok(Database {
        old,
        new: NewAddress {
            host: instance.host,
            port: instance.port,
            name: site.aws.database.name.clone(),
            // RDS refuses clients without TLS from PostgreSQL 15 on (law D2).
            sslmode: Some("require".to_owned()),
        },
    })
}

async fn texts(look: &Look, host: &dyn HostRead, app: &Container) -> StepResult<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for path in &look.site.old.app.files {
        let content = host.read_file(&app.id, path).await.map_err(|e| missing(e, path))?;
        let text = String::from_utf8(content.to_vec()).map_err(|_| {
            Fault::failed_with(format!("{path} in {} is not UTF-8 text", app.name), "take it out of `box.app.files`")
        })?;
        texts.push((path.clone(), text));
    }
    Ok(texts)
}

fn missing(error: ClientError, path: &str) -> Fault {
    if error.kind == Kind::NotFound {
        return Fault::failed_with(error.to_string(), format!("correct {path} in `box.app.files` of the site file"));
    }
    error.into()
}

fn refused(error: &RewriteError) -> Fault {
    Fault::failed_with(error.to_string(), "nothing was changed; correct the file, or take it out of `box.app.files`")
}

fn nowhere(app: &Container, database: &Database, plan: &Plan) -> Fault {
    let mut what = format!(
        "{} names its database nowhere outgrow looked: neither {} nor {} stands in {}",
        app.name,
        database.old.hosts.join(", "),
        database.new.host,
        plan.searched.join(", ")
    );
    for note in &plan.notes {
        what.push_str("; ");
        what.push_str(note);
    }
    Fault::failed_with(what, "name the configuration files in `box.app.files` of the site file")
}
