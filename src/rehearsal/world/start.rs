//! Bringing a world up: what does not wait for anything else is done at the same time.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::try_join_all;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::boxcopy::{Copy, Copying};
use super::front::{Front, trustable};
use super::issuer::Issuer;
use super::objects::Origin;
use super::ready::{BoxReady, DatabaseReady, Ready};
use super::seed::Seeded;
use super::trouble::{Scene, Troubles};
use super::visit::Visit;
use super::{Progress, Result, Spec, World, WorldError, control, files, fingerprint, hosts, owner, rds, seed};
use crate::clients::docker::lab::{Lab, Subnet};
use crate::rehearsal::clock::Clock;
use crate::rehearsal::cloud::{ACCESS_KEY, Cloud, SECRET_KEY, Settings};
use crate::rehearsal::edge::{Authority, Edge};
use crate::rehearsal::state::Shared;

/// This machine's engine.
pub const LOCAL: &str = "/var/run/docker.sock";

/// Brings it up. On an error everything is taken away again.
pub async fn start(spec: Spec, progress: Progress, lab: Lab) -> Result<(World, Ready)> {
    let there = lab.labelled(&format!("{}={}", owner::LABEL, spec.id)).await?;
    if !there.is_empty() {
        // Perhaps a dead one of the same id.
        owner::clean(&lab).await?;
        if !lab.labelled(&format!("{}={}", owner::LABEL, spec.id)).await?.is_empty() {
            return Err(WorldError::Spec(format!("a rehearsal with the id {} is under way", spec.id)));
        }
    }
    let id = spec.id.clone();
    let (up, ()) = tokio::join!(bring_up(spec, progress.clone(), lab.clone()), clean(&lab, &progress));
    if up.is_err() {
        // The failure is the news; what could not be removed is removed by the next rehearsal.
        if let Err(error) = owner::remove(&lab, &id).await {
            tracing::warn!(%error, "not all could be removed");
        }
    }
    up
}

/// What dead rehearsals left behind is in nobody's way: this one goes on, whether it can be removed or not.
async fn clean(lab: &Lab, progress: &Progress) {
    match owner::clean(lab).await {
        Ok(ids) => {
            for id in ids {
                progress.say(&format!("removed what the rehearsal {id} had left behind"));
            }
        }
        Err(error) => progress.say(&format!("what an earlier rehearsal left behind is still there: {error}")),
    }
}

async fn bring_up(spec: Spec, progress: Progress, lab: Lab) -> Result<(World, Ready)> {
    files::make_private(&spec.dir)?;
    let tls_dir = spec.dir.join("tls");
    files::make_private(&tls_dir)?;
    let authority = Authority::open(&tls_dir)?;
    let password = files::secret(&spec.rds_master_password_file)?;

    let from = Lab::connect(&spec.site.old.engine).await?;
    let (about, whose) = tokio::try_join!(lab.about(), from.about())?;
    let same = !about.id.is_empty() && about.id == whose.id;
    let copying = Copying { spec: &spec, from: &from, to: &lab, same, progress: &progress };
    let labels = owner::labels(&spec.id);
    // The two networks in turn: asked at once, the engine would give both the same subnet.
    let networks = async {
        let inside = lab.make_network(&spec.box_network(), &labels, !spec.may_reach_out).await?;
        Ok((inside, lab.make_network(&spec.vpc_network(), &labels, !spec.may_reach_out).await?))
    };
    let networks = progress.part("made the networks", networks);
    let ((inside, vpc), surveyed) = tokio::try_join!(networks, copying.survey())?;

    let instance = &spec.site.aws.database;
    let servers = Arc::new(rds::Host::new(&spec, &lab, &from, &authority, vpc, &surveyed.database).await?);
    let copy = async {
        let copy = copying.make(&surveyed).await?;
        let front = Front { address: copy.proxy, name: spec.site.names.api[0].clone() };
        progress.part("the copied app is well", front.well(&spec.site.app.health)).await?;
        let pem = front.authority().await?;
        trustable(&pem)?;
        Result::Ok((copy, pem))
    };
    let new_hosts = try_join_all((0..spec.site.app.hosts.len()).map(|n| {
        let name = &spec.site.app.hosts[n].name;
        progress.part_owned(format!("the host {name} is up"), hosts::make(&spec, &lab, &about, vpc, n))
    }));
    let database = progress.part("the database instance is up", rds::make(&spec, &servers, &password));
    let ((copy, box_ca), new_hosts, database) = tokio::try_join!(copy, new_hosts, database)?;

    let shared = Shared::new(Clock::default());
    let (cloud, seeded, edge) = cloud(&spec, &shared, vpc, copy.proxy, &database, &new_hosts).await?;
    cloud.set_database_host(servers);
    let box_ca_file = tls_dir.join("box-ca.pem");
    files::write(&box_ca_file, box_ca.as_bytes(), 0o644)?;
    let ca_files = vec![tls_dir.join("ca.pem"), box_ca_file];
    let authorities = vec![edge.ca_pem().to_owned(), box_ca];
    let visit = Visit::new(&spec, edge.dns_address(), shared.clock.clone(), authorities)?;

    let door = TcpListener::bind(("127.0.0.1", 0)).await.map_err(cannot_listen)?;
    let endpoint = door.local_addr().map_err(cannot_listen)?;
    let ending = CancellationToken::new();
    let serving = tokio::spawn({
        let (cloud, ending) = (cloud.clone(), ending.clone());
        async move { cloud.serve(door, ending.cancelled_owned()).await }
    });

    let ready = Ready {
        id: spec.id.clone(),
        pid: std::process::id(),
        control: control::path_for(&spec.dir, &spec.id),
        aws_endpoint: format!("http://{endpoint}"),
        access_key: ACCESS_KEY.into(),
        secret_key: SECRET_KEY.into(),
        region: spec.site.aws.region.clone(),
        dns: edge.dns_address(),
        ca_files,
        resolve: [(database.host.clone(), database.address.into())].into(),
        copy: box_ready(&spec, &copy),
        hosts: new_hosts,
        database: DatabaseReady {
            host: database.host.clone(),
            ip: database.address.into(),
            port: rds::PORT,
            master: instance.master.user.clone(),
            master_password_file: spec.rds_master_password_file.clone(),
        },
        balancer: shared.lock().balancers.get(&seeded.balancer).map(|b| b.dns_name.clone()).unwrap_or_default(),
        distribution: seeded.distribution.clone(),
        zone: seeded.zone.clone(),
        notes: copy.notes.clone(),
        seconds: progress.seconds(),
        parts: progress.parts(),
    };
    let lease = tokio::sync::watch::Sender::new(spec.lease());
    let gateways = vec![inside.nth(1), vpc.nth(1)];
    let scene = scene(&spec, &lab, &ready, &database, &shared, gateways);
    let troubles = Troubles::new(&cloud, scene);
    let world = World {
        spec,
        lab,
        progress,
        cloud,
        edge,
        copy,
        brought: surveyed.brought,
        rds: database,
        seeded,
        rows: fingerprint::Rows::default(),
        visit,
        troubles,
        lease,
        ending,
        serving,
    };
    Ok((world, ready))
}

/// The AWS side, with what the site's owner has there, and the data plane that acts on it.
async fn cloud(
    spec: &Spec,
    shared: &Shared,
    vpc: Subnet,
    proxy: Ipv4Addr,
    database: &rds::Rds,
    hosts: &[hosts::Host],
) -> Result<(Cloud, Seeded, Edge)> {
    let settings = Settings { region: spec.site.aws.region.clone(), ..Settings::default() };
    let s3 = spec.dir.join("s3");
    let cloud = Cloud::new(shared.clone(), s3.clone(), settings).map_err(WorldError::file("use", &s3))?;
    let seeded = seed::seed(&cloud, spec, vpc, proxy, database, hosts)?;
    let origin = Arc::new(Origin(cloud.objects()));
    let edge = Edge::start(shared.clone(), &spec.dir.join("tls"), ([127, 0, 0, 1], 0).into(), origin).await?;
    edge.log_in(spec.dir.join("access-logs"));
    cloud.set_certificate_issuer(Arc::new(Issuer(edge.authority().clone())));
    match edge.troubles().first() {
        Some(trouble) => Err(WorldError::Spec(trouble.clone())),
        None => Ok((cloud, seeded, edge)),
    }
}

/// Where trouble can come to.
fn scene(
    spec: &Spec,
    lab: &Lab,
    ready: &Ready,
    database: &rds::Rds,
    shared: &Shared,
    gateways: Vec<Ipv4Addr>,
) -> Scene {
    let mut copy: Vec<String> = ready.copy.containers.values().cloned().collect();
    copy.sort_by_key(|name| *name != ready.copy.app);
    // A run may put a pooler on the box: it is cut off with the rest of it.
    let mut copied = spec.site.old.database.clone();
    copied.container.clone_from(&ready.copy.database);
    copy.extend(copied.pooler.is_some().then(|| copied.pooler_name()));
    Scene {
        lab: lab.clone(),
        copy,
        old_database: ready.copy.database.clone(),
        rds: database.container.clone(),
        hosts: ready.hosts.iter().map(|host| (host.name.clone(), host.container.clone())).collect(),
        engines: ready.hosts.iter().map(|host| (host.name.clone(), host.engine.clone())).collect(),
        shared: shared.clone(),
        gateways,
        helper: hosts::idle(spec),
        prefix: spec.name(""),
    }
}

fn box_ready(spec: &Spec, copy: &Copy) -> BoxReady {
    let old = &spec.site.old;
    BoxReady {
        address: copy.proxy.into(),
        proxy: spec.name(&old.proxy),
        web: spec.name(&old.web.container),
        app: spec.name(&old.app.container),
        database: spec.name(&old.database.container),
        database_address: copy.database.into(),
        containers: copy.containers.clone(),
        network: spec.box_network(),
    }
}

fn cannot_listen(source: std::io::Error) -> WorldError {
    WorldError::File { doing: "listen at", path: PathBuf::from("127.0.0.1"), source }
}
