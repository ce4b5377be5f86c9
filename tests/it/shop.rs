//! A small copy of the demo's box for the steps that change containers: proxy, pages, app, the old and the new database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use outgrow::clients::aws::{Access, Clouds};
use outgrow::clients::docker::{Options, connect, connect_with};
use outgrow::clients::hosts::{HostRead, HostWrite};
use outgrow::clients::instances::{Instance, InstancesRead};
use outgrow::clients::web::{Probe, Web};
use outgrow::clients::web_http::HttpWeb;
use outgrow::clients::{ClientError, ClientResult, Kind};
use outgrow::event::Sink;
use outgrow::postgres::adapter::{Compared, Databases, ThroughEngine};
use outgrow::postgres::port::{
    CaughtUp, Comparison, DatabasesRead, DatabasesWrite, Difference, Facts, FenceState, Handover, Moved, Obstacle,
    PoolerOrder, PoolerStand, Pooling, Progress,
};
use outgrow::postgres::tools::LocalTools;
use outgrow::postgres::{Endpoint, Tls, Transport};
use outgrow::site::{EngineAddress, Pooler, PoolerMode, Site};
use outgrow::step::{Act, Clock, Look, Reach};
use outgrow::world::Side;
use serde_json::json;

use crate::engines::{Host, Sandbox, certificates, docker, try_docker, until};

/// The box, and perhaps a new host.
pub struct Shop {
    pub sandbox: Sandbox,
    pub site: Arc<Site>,
    pub reach: Reach,
    pub host: Option<Host>,
    files: tempfile::TempDir,
}

impl Shop {
    /// Starts all of it. The new database lets the app in.
    pub async fn new(name: &str, with_host: bool) -> Self {
        let sandbox = Sandbox::new(name);
        let certs = tempfile::tempdir().unwrap();
        certificates(certs.path(), "rds.test");
        let rds = sandbox.create("rds", &["-e", "POSTGRES_PASSWORD=secret"], "outgrow-demo/db", &[]);
        for (from, to) in [("server-cert.pem", "server.crt"), ("server-key.pem", "server.key")] {
            std::fs::rename(certs.path().join(from), certs.path().join(to)).unwrap();
        }
        docker(&["cp", certs.path().to_str().unwrap(), &format!("{rds}:/certs")]);
        docker(&["start", &rds]);
        let db = sandbox.run("db", &["-e", "POSTGRES_PASSWORD=secret"], "outgrow-demo/db", &[]);
        for database in [&db, &rds] {
            until(&format!("{database} answers"), 60, || {
                try_docker(&["exec", database, "pg_isready", "-q", "-h", "127.0.0.1"]).status.success()
            });
            let role = "CREATE ROLE shop LOGIN PASSWORD 'shop-secret'";
            docker(&["exec", database, "psql", "-U", "postgres", "-c", role, "-c", "CREATE DATABASE shop OWNER shop"]);
        }
        let mut options = vec!["-e", "DB_HOST=db", "-e", "DB_NAME=shop", "-e", "DB_USER=shop"];
        options.extend(["-e", "DB_PASSWORD=shop-secret", "-v", "/srv/uploads"]);
        let was = sandbox.run("was", &options, "outgrow-demo/was", &[]);
        docker(&["exec", "-u", "0", &was, "sh", "-c", "echo 사진 > /srv/uploads/a.txt; chown app /srv/uploads/a.txt"]);
        sandbox.run("web", &[], "outgrow-demo/web", &[]);
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("extra.conf"), "# from the box's disk\n").unwrap();
        let mount = format!("{}:/etc/nginx/conf.d/extra.conf:ro", files.path().join("extra.conf").display());
        let proxy = sandbox.run("proxy", &["-v", &mount], "outgrow-demo/proxy", &[]);
        let host = with_host.then(|| Host::beside(&sandbox));
        let site = Arc::new(site(&sandbox, &proxy, host.as_ref()));
        let reach = reach(&sandbox, &site, host.as_ref(), &rds).await;
        let shop = Self { sandbox, site, reach, host, files };
        let started = Instant::now();
        while shop.status().await != Some(200) {
            assert!(started.elapsed() < Duration::from_mins(1), "the box does not answer");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        shop
    }

    /// With a pooler in the site file, and both databases really asked.
    pub fn pooled(mut self) -> Self {
        let mut site = (*self.site).clone();
        site.old.database.pooler = Some(Pooler { image: "outgrow-demo/pooler".into(), mode: PoolerMode::Transaction });
        let engine = Arc::clone(&self.reach.old);
        let dial = ThroughEngine {
            host: Arc::clone(&engine) as Arc<dyn HostRead>,
            container: site.old.database.container.clone(),
            port: 5432,
        };
        let endpoint = |transport, tls| Endpoint {
            transport,
            user: "postgres".into(),
            password: "secret".to_owned().into(),
            database: "shop".into(),
            tls,
        };
        let rds = Transport::tcp(self.sandbox.address(&self.sandbox.called("rds")), 5432);
        self.reach.databases = Arc::new(Databases {
            old: endpoint(Transport::Stream(Arc::new(dial)), Tls::Disable),
            new: endpoint(rds, Tls::Require),
            engine,
            tools: Arc::new(LocalTools),
            key: self.files.path().join("key"),
            reached: None,
            compared: Compared::default(),
        });
        self.site = Arc::new(site);
        self
    }

    pub fn look(&self) -> Look {
        Look { applied_at: Some(SystemTime::now()), ..self.reach.look(Arc::clone(&self.site), "test-1") }
    }

    pub fn act(&self) -> Act {
        Act {
            look: self.look(),
            reach: self.reach.clone(),
            step: "test".into(),
            epoch: 1,
            may_lose_writes: false,
            events: Sink::nowhere(),
        }
    }

    /// What the box's proxy answers to the health check.
    pub async fn status(&self) -> Option<u16> {
        status(&self.reach.web, SocketAddr::new(self.site.old.address, 443)).await
    }

    /// Asks the box all the time until told to stop: how many requests, how many failed, the longest time without one
    /// that succeeded.
    pub fn visitors(&self) -> (Arc<AtomicBool>, tokio::task::JoinHandle<(usize, usize, Duration)>) {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, web) = (Arc::clone(&stop), Arc::clone(&self.reach.web));
        let address = SocketAddr::new(self.site.old.address, 443);
        let walk = tokio::spawn(async move {
            let (mut all, mut failed, mut longest, mut last) = (0, 0, Duration::ZERO, Instant::now());
            while !told.load(Ordering::Relaxed) {
                all += 1;
                if status(&web, address).await == Some(200) {
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                } else {
                    failed += 1;
                }
            }
            (all, failed, longest)
        });
        (stop, walk)
    }

    /// What a person would call the same: ids, names, state, aliases.
    pub async fn seen(&self) -> Vec<(String, String, bool, Vec<(String, Vec<String>)>)> {
        let all = self.reach.old.containers().await.unwrap();
        let ours = all.into_iter().filter(|c| c.name.starts_with(&self.sandbox.name));
        ours.map(|c| (c.id, c.name, c.running, c.networks.into_iter().map(|n| (n.network, n.aliases)).collect()))
            .collect()
    }
}

async fn status(web: &Arc<dyn Web>, address: SocketAddr) -> Option<u16> {
    let probe = Probe {
        method: "GET".into(),
        url: "https://api.shop.test/healthz".into(),
        connect_to: Some(address),
        headers: Vec::new(),
    };
    web.send(&probe).await.ok().map(|answer| answer.status)
}

fn site(sandbox: &Sandbox, proxy: &str, host: Option<&Host>) -> Site {
    let hosts: Vec<_> = host
        .iter()
        .map(|h| json!({"name": "app-1", "engine": format!("ssh://{}", h.address), "address": h.address}))
        .collect();
    let login = |user: &str| json!({"user": user, "password": "env:OUTGROW_TEST_PASSWORD"});
    serde_json::from_value(json!({
        "site": "shop",
        "box": {
            "engine": "unix:///var/run/docker.sock", "address": sandbox.address(proxy), "proxy": proxy,
            "web": {"container": sandbox.called("web"), "root": "/usr/share/nginx/html"},
            "app": {"container": sandbox.called("was"), "port": 8000, "files": ["/app/config/application.yaml"]},
            "database": {"container": sandbox.called("db"), "name": "shop", "admin": login("postgres")}
        },
        "names": {
            "zone": "shop.test", "pages": ["www.shop.test", "m.shop.test"], "api": ["api.shop.test"],
            "api-base": {"old": "https://box.shop.test/api", "new": "https://api.shop.test/api"}
        },
        "app": {"hosts": hosts, "health": "/healthz"},
        "aws": {
            "region": "ap-northeast-2", "bucket": "b", "balancer": "b", "distribution": "d.cloudfront.net",
            "database": {"instance": "shop-db", "name": "shop", "master": login("postgres")}
        }
    }))
    .unwrap()
}

async fn reach(sandbox: &Sandbox, site: &Site, host: Option<&Host>, rds: &str) -> Reach {
    // Nothing here may ask AWS: nobody listens there.
    let access = Access {
        region: "ap-northeast-2".into(),
        endpoint: Some("http://127.0.0.1:1".into()),
        credentials: Some(("x".into(), "x".to_owned().into())),
    };
    let clouds = Clouds::connect(&access).await;
    let mut hosts: BTreeMap<String, Arc<dyn HostWrite>> = BTreeMap::new();
    if let Some(host) = host {
        let address = EngineAddress::Ssh { destination: host.address.clone() };
        let options = Options { ssh_config: Some(host.ssh_config()) };
        hosts.insert("app-1".into(), connect_with(&address, &options).await.unwrap());
    }
    Reach {
        dns: clouds.dns,
        objects: clouds.objects,
        balancer: clouds.balancer,
        certificates: clouds.certificates,
        distributions: clouds.distributions,
        instances: Arc::new(OneInstance(sandbox.address(rds))),
        old: connect(&site.old.engine).await.unwrap(),
        hosts,
        databases: Arc::new(OpenDatabase),
        web: Arc::new(HttpWeb::new(&[]).unwrap()),
        metrics: clouds.metrics,
        hooks: Arc::new(outgrow::clients::hooks::Shell),
        clock: Arc::new(RealClock),
    }
}

struct OneInstance(String);

#[async_trait]
impl InstancesRead for OneInstance {
    async fn instance(&self, _: &str) -> ClientResult<Option<Instance>> {
        Ok(Some(Instance {
            status: "available".into(),
            host: self.0.clone(),
            port: 5432,
            version: "15".into(),
            master: "postgres".into(),
            class: "db.t4g.medium".into(),
            public: false,
        }))
    }
}

struct RealClock;

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn sleep(&self, for_: Duration) {
        tokio::time::sleep(for_).await;
    }
}

/// A database that lets `shop` in. These steps ask for nothing else.
struct OpenDatabase;

fn not_asked<T>() -> ClientResult<T> {
    Err(ClientError::new(Kind::Refused, "ask a database", "these steps have no business with it"))
}

#[async_trait]
impl DatabasesRead for OpenDatabase {
    async fn facts(&self, _: Side) -> ClientResult<Facts> {
        Ok(Facts {
            version: "15".into(),
            bytes: 0,
            tables: Vec::new(),
            large_objects: (0, 0),
            app_roles: vec!["shop".into()],
            obstacles: Vec::new(),
            copied_by: None,
            foreign_objects: false,
        })
    }
    async fn is_fenced(&self, _: Side, _: &[String]) -> ClientResult<bool> {
        not_asked()
    }
    async fn fence_state(&self, _: Side, _: &[String]) -> ClientResult<FenceState> {
        not_asked()
    }
    async fn differences(&self) -> ClientResult<Vec<Difference>> {
        not_asked()
    }
    async fn caught_up_by(&self) -> ClientResult<Option<CaughtUp>> {
        not_asked()
    }
    async fn follow_obstacles(&self, _: &str) -> ClientResult<Vec<Obstacle>> {
        not_asked()
    }
    async fn stream_trouble(&self, _: &str, _: Side) -> ClientResult<Option<String>> {
        not_asked()
    }
    async fn comparison(&self) -> Comparison {
        Comparison::None
    }
    async fn pooling(&self, _: &[String]) -> ClientResult<Pooling> {
        not_asked()
    }
    async fn pooler(&self, _: &str) -> ClientResult<Option<PoolerStand>> {
        not_asked()
    }
}

#[async_trait]
impl DatabasesWrite for OpenDatabase {
    async fn copy(&self, _: &str, _: Progress<'_>) -> ClientResult<Moved> {
        not_asked()
    }
    async fn wipe(&self, _: &str) -> ClientResult<()> {
        not_asked()
    }
    async fn catch_up(&self, _: &str, _: Side, _: Progress<'_>) -> ClientResult<Moved> {
        not_asked()
    }
    async fn forget_catch_up(&self) -> ClientResult<()> {
        not_asked()
    }
    async fn fence(&self, _: Side, _: &[String]) -> ClientResult<()> {
        not_asked()
    }
    async fn unfence(&self, _: Side, _: &FenceState) -> ClientResult<()> {
        not_asked()
    }
    async fn follow(&self, _: &str, _: Progress<'_>) -> ClientResult<Moved> {
        not_asked()
    }
    async fn unfollow(&self, _: &str) -> ClientResult<()> {
        not_asked()
    }
    async fn hand_over(
        &self,
        _: &str,
        _: Side,
        _: &FenceState,
        _: Duration,
        _: Option<&str>,
    ) -> ClientResult<Handover> {
        not_asked()
    }
    async fn settle(&self, _: &str, _: &FenceState, _: Option<&str>) -> ClientResult<Side> {
        not_asked()
    }
    async fn arm_pooler(&self, _: &str, _: &PoolerOrder) -> ClientResult<()> {
        not_asked()
    }
    async fn fit_pooler(&self, _: &str, _: bool) -> ClientResult<PoolerStand> {
        not_asked()
    }
    async fn hold_clients(&self, _: &str) -> ClientResult<()> {
        not_asked()
    }
    async fn send_clients(&self, _: &str, _: Side) -> ClientResult<()> {
        not_asked()
    }
    async fn tidy(&self, _: Side) -> ClientResult<()> {
        not_asked()
    }
}
