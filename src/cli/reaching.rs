//! Makes every client of a run: the engines, AWS, both databases, the clock. The only place that knows whether a run is
//! a rehearsal; the steps do not.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::clock::{RealClock, WorldClock};
use super::failure::{Code, Failure};
use super::world::World;
use crate::clients::aws::{Access, Clouds};
use crate::clients::hooks::Shell;
use crate::clients::hosts::{HostRead, HostWrite};
use crate::clients::web_http::HttpWeb;
use crate::clients::{ClientError, docker};
use crate::postgres::adapter::{Compared, Databases, Reached, ThroughEngine};
use crate::postgres::follow::Seen;
use crate::postgres::tools::LocalTools;
use crate::postgres::{Endpoint, Tls, Transport};
use crate::site::{EngineAddress, Login, Site};
use crate::step::{Clock, Reach};

/// Connects to everything the site names. `world` is the rehearsal's, if it is one; `key` is where the run keeps the
/// fence's key.
pub async fn connect(site: &Site, world: Option<&World>, key: &Path) -> Result<Reach, Failure> {
    let access = world.map_or_else(|| Access { region: site.aws.region.clone(), ..Access::default() }, World::access);
    let clouds = Clouds::connect(&access).await;
    let identity = clouds.identity().await.map_err(|e| not_reached("AWS", &e))?;
    tracing::info!(account = identity.account, arn = identity.arn, "AWS answers");
    let old = engine(&site.old.engine).await?;
    let mut hosts = BTreeMap::new();
    for host in &site.app.hosts {
        hosts.insert(host.name.clone(), engine(&host.engine).await?);
    }
    let databases = databases(site, &old, &clouds, world, key).await?;
    let roots = world.map(World::authorities).transpose()?.unwrap_or_default();
    let web =
        HttpWeb::new(&roots).map_err(|e| Failure::of(Code::BadInput, "the probes' TLS could not be set up", &e))?;
    let clock: Arc<dyn Clock> = match world {
        Some(world) => Arc::new(WorldClock::connect(world).await?),
        None => Arc::new(RealClock),
    };
    Ok(Reach {
        dns: clouds.dns,
        objects: clouds.objects,
        balancer: clouds.balancer,
        instances: clouds.instances,
        certificates: clouds.certificates,
        distributions: clouds.distributions,
        old,
        hosts,
        databases: Arc::new(databases),
        web: Arc::new(web),
        metrics: clouds.metrics,
        hooks: Arc::new(Shell),
        clock,
    })
}

async fn engine(address: &EngineAddress) -> Result<Arc<dyn HostWrite>, Failure> {
    docker::connect(address).await.map_err(|e| not_reached("a Docker engine", &e))
}

async fn databases(
    site: &Site,
    old: &Arc<dyn HostWrite>,
    clouds: &Clouds,
    world: Option<&World>,
    key: &Path,
) -> Result<Databases, Failure> {
    let container = &site.old.database;
    let dial = ThroughEngine {
        host: Arc::clone(old) as Arc<dyn HostRead>,
        container: container.container.clone(),
        port: container.port,
    };
    let rds = &site.aws.database;
    let instance = clouds.instances.instance(&rds.instance).await.map_err(|e| not_reached("RDS", &e))?;
    // Without an instance nothing connects; that it is missing is a finding, told with all the others.
    let (host, port) = instance.map_or_else(|| ("no-such-instance.invalid".to_owned(), 5432), |i| (i.host, i.port));
    let reached = reached(site, world, &host, port);
    let address = world.and_then(|world| world.resolve(&host));
    Ok(Databases {
        reached,
        compared: Compared::default(),
        old: endpoint(Transport::Stream(Arc::new(dial)), &container.admin, &container.name, Tls::Disable)?,
        new: endpoint(Transport::Tcp { host, port, address }, &rds.master, &rds.name, proof(site, world)?)?,
        engine: Arc::clone(old),
        tools: Arc::new(LocalTools),
        key: key.to_path_buf(),
    })
}

/// What the instance has to prove. A rehearsal's has its certificate from the world's own authority.
fn proof(site: &Site, world: Option<&World>) -> Result<Tls, Failure> {
    let path = match (world, &site.aws.database.certificates) {
        (Some(world), _) => world.ready.ca_files.first(),
        (None, path) => path.as_ref(),
    };
    let Some(path) = path else { return Ok(Tls::Require) };
    std::fs::read_to_string(path).map(Tls::VerifyFull).map_err(|e| {
        let what = format!("the certificate authorities of RDS cannot be read from {}", path.display());
        Failure::of(Code::BadInput, what, &e).hint("see `aws.database.certificates` in the site file")
    })
}

/// How the servers reach each other. A rehearsal's old one is the copy, which the database instance reaches on the box's
/// network.
fn reached(site: &Site, world: Option<&World>, instance: &str, port: u16) -> Option<Reached> {
    let database = &site.old.database;
    let published = database.published.as_ref()?;
    let (host, at) = match world {
        Some(world) => (world.ready.copy.database_address.to_string(), database.port),
        None => (published.host.clone(), published.port),
    };
    let seen =
        |host: String, port, sslmode: &str| Seen { host, port, sslmode: sslmode.to_owned(), root_certificate: None };
    Some(Reached { old: seen(host, at, "prefer"), new: seen(instance.to_owned(), port, "require") })
}

fn endpoint(transport: Transport, login: &Login, database: &str, tls: Tls) -> Result<Endpoint, Failure> {
    let password = login
        .password
        .resolve()
        .map_err(|e| Failure::of(Code::BadInput, format!("the password of {} is not to be had", login.user), &e))?;
    Ok(Endpoint { transport, user: login.user.clone(), password, database: database.to_owned(), tls })
}

fn not_reached(what: &str, error: &ClientError) -> Failure {
    let failure =
        Failure::bad_input(format!("{what} could not be reached; nothing was changed")).because(error.to_string());
    match &error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
