//! The demo site with every fake: what a test of a step or of the engine stands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Fuse;
use super::balancer::FakeBalancer;
use super::certificates::FakeCertificates;
use super::clock::FakeClock;
use super::distributions::{self, FakeDistributions};
use super::dns::{FakeDns, simple};
use super::hosts::FakeHost;
use super::instances::FakeInstances;
use super::metrics::{FakeHooks, FakeMetrics};
use super::objects::FakeObjects;
use super::web::FakeWeb;
use crate::clients::certificates::Status;
use crate::clients::distributions::Certificate;
use crate::clients::hosts::{Attachment, Container, HostWrite};
use crate::clients::instances::Instance;
use crate::event::Sink;
use crate::postgres::fake::FakeDatabases;
use crate::site::{Pooler, PoolerMode, Site};
use crate::step::{Act, Clock, Look, Reach};

/// The run every stage plays.
pub const RUN: &str = "shop-1";

/// The domain name of its distribution.
pub const DOMAIN: &str = "d111.cloudfront.net";

/// A world in memory.
#[derive(Clone)]
pub struct Stage {
    /// Shared by every fake.
    pub fuse: Fuse,
    /// The demo site.
    pub site: Arc<Site>,
    /// Its zone.
    pub dns: FakeDns,
    /// The buckets; none at first.
    pub objects: FakeObjects,
    /// The balancer, with listeners on 80 and 443.
    pub balancer: FakeBalancer,
    /// The RDS instance.
    pub instances: FakeInstances,
    /// ACM; it has issued a certificate for the pages.
    pub certificates: FakeCertificates,
    /// CloudFront, with the site's distribution as somebody else made it.
    pub distributions: FakeDistributions,
    /// The box.
    pub old: FakeHost,
    /// The new host.
    pub new: FakeHost,
    /// The two databases.
    pub databases: FakeDatabases,
    /// The web; nothing answers at first.
    pub web: FakeWeb,
    /// What the balancer measures.
    pub metrics: FakeMetrics,
    /// The operator's commands.
    pub hooks: FakeHooks,
    /// The time.
    pub clock: Arc<FakeClock>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// The demo site before the move.
    pub fn new() -> Self {
        let fuse = Fuse::default();
        let records =
            ["api.shop.test", "box.shop.test", "www.shop.test"].map(|name| simple(name, "A", 300, "10.0.1.5"));
        let instance = Instance {
            status: "available".into(),
            host: "shop-db.rds.test".into(),
            port: 5432,
            version: "15.18".into(),
            master: "postgres".into(),
            class: "db.t4g.medium".into(),
            public: false,
        };
        let old = old_box(&fuse);
        let dns = FakeDns::new(fuse.clone(), "shop.test", records.to_vec());
        let distributions = FakeDistributions::new(fuse.clone());
        let certificates = FakeCertificates::new(fuse.clone(), dns.clone(), distributions.clone());
        let arn = certificates.meddle(&["www.shop.test"], Status::Issued);
        let certificate = Certificate::Acm { arn, tls: "TLSv1.2_2021".into() };
        distributions.meddle(DOMAIN, distributions::plain("shop-pages", &["www.shop.test"], certificate));
        let balancer = FakeBalancer::new(fuse.clone(), "shop", &[("HTTP", 80), ("HTTPS", 443)]);
        Self {
            site: Arc::new(site()),
            dns,
            certificates,
            distributions,
            objects: FakeObjects::new(fuse.clone()),
            metrics: FakeMetrics::new(balancer.clone()),
            hooks: FakeHooks::default(),
            balancer,
            instances: FakeInstances(BTreeMap::from([("shop-db".to_owned(), instance)])),
            new: FakeHost::new(fuse.clone(), "app-1"),
            databases: FakeDatabases::new(fuse.clone(), old.clone()),
            old,
            web: FakeWeb::default(),
            clock: Arc::default(),
            fuse,
        }
    }

    /// The same, with a pooler in the site file and its image on the box.
    #[must_use]
    pub fn pooled(mut self) -> Self {
        let mut site = (*self.site).clone();
        let pooler = Pooler { image: "pooler:1".into(), mode: PoolerMode::Auto };
        site.old.database.pooler = Some(pooler);
        self.site = site.into();
        self.old.hold_image("sha256:pooler", "pooler:1");
        self
    }

    /// Every writing client.
    pub fn reach(&self) -> Reach {
        Reach {
            dns: Arc::new(self.dns.clone()),
            objects: Arc::new(self.objects.clone()),
            balancer: Arc::new(self.balancer.clone()),
            instances: Arc::new(self.instances.clone()),
            certificates: Arc::new(self.certificates.clone()),
            distributions: Arc::new(self.distributions.clone()),
            old: Arc::new(self.old.clone()),
            hosts: BTreeMap::from([("app-1".to_owned(), Arc::new(self.new.clone()) as Arc<dyn HostWrite>)]),
            databases: Arc::new(self.databases.clone()),
            web: Arc::new(self.web.clone()),
            metrics: Arc::new(self.metrics.clone()),
            hooks: Arc::new(self.hooks.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        }
    }

    /// What a step may look at.
    pub fn look(&self) -> Look {
        self.reach().look(Arc::clone(&self.site), RUN)
    }

    /// What a step may look at once its change was applied, just now.
    pub fn look_applied(&self) -> Look {
        Look { applied_at: Some(self.clock.now()), ..self.look() }
    }

    /// What a step may act with.
    pub fn act(&self) -> Act {
        Act {
            look: self.look(),
            reach: self.reach(),
            step: "test".into(),
            epoch: 1,
            may_lose_writes: false,
            events: Sink::nowhere(),
        }
    }

    /// The whole world, comparable.
    pub fn snapshot(&self) -> Value {
        json!({
            "dns": self.dns.all(),
            "objects": self.objects.snapshot(),
            "balancer": self.balancer.snapshot(),
            "certificates": self.certificates.snapshot(),
            "distributions": self.distributions.snapshot(),
            "old": self.old.snapshot(),
            "new": self.new.snapshot(),
            "databases": self.databases.snapshot(),
        })
    }
}

/// The demo site's file.
pub fn site() -> Site {
    serde_json::from_value(json!({
        "site": "shop",
        "box": {
            "engine": "unix:///var/run/docker.sock",
            "address": "10.0.1.5",
            "proxy": "demo-proxy",
            "web": { "container": "demo-web", "root": "/usr/share/nginx/html" },
            "app": { "container": "demo-was", "port": 8000, "files": ["/app/.env"] },
            "database": {
                "container": "demo-db", "name": "shop",
                "admin": { "user": "postgres", "password": "env:OUTGROW_TEST_ADMIN" }
            }
        },
        "names": {
            "zone": "shop.test", "pages": ["www.shop.test"], "api": ["api.shop.test"],
            "api-base": { "old": "https://box.shop.test/api", "new": "https://api.shop.test/api" }
        },
        "app": {
            "hosts": [{ "name": "app-1", "engine": "ssh://app-1", "address": "10.0.2.7" }],
            "health": "/healthz"
        },
        "aws": {
            "region": "ap-northeast-2", "bucket": "shop-pages", "balancer": "shop",
            "distribution": DOMAIN,
            "database": {
                "instance": "shop-db", "name": "shop",
                "master": { "user": "postgres", "password": "env:OUTGROW_TEST_MASTER" }
            }
        }
    }))
    .expect("the demo site is well formed")
}

/// A container that runs on the demo's network.
pub fn container(name: &str, alias: &str) -> Container {
    Container {
        id: format!("id-{name}"),
        name: name.into(),
        image: format!("{name}:1"),
        image_id: format!("sha256:{name}"),
        running: true,
        env: Vec::new(),
        entrypoint: None,
        command: None,
        workdir: String::new(),
        user: String::new(),
        labels: BTreeMap::new(),
        ports: Vec::new(),
        mounts: Vec::new(),
        networks: vec![Attachment {
            network: "demo".into(),
            aliases: vec![alias.into()],
            address: format!("172.20.0.{}", name.len()),
        }],
        restart: "always".into(),
        hostname: alias.into(),
        unmodelled: Vec::new(),
        rest: Value::Null,
    }
}

/// The proxy's site of the demo, shortened.
const PROXY: &str = r"
server { listen 80 default_server; server_name _; return 301 https://$host$request_uri; }
server {
    listen 443 ssl; server_name www.shop.test api.shop.test box.shop.test;
    ssl_certificate /etc/nginx/tls/site.pem; ssl_certificate_key /etc/nginx/tls/site.key;
    set $app was;
    location /api/ { proxy_pass http://$app:8000; }
    location = /healthz { proxy_pass http://$app:8000; access_log off; }
    location / { proxy_pass http://web:80; }
}";

fn old_box(fuse: &Fuse) -> FakeHost {
    let host = FakeHost::new(fuse.clone(), "box");
    for (name, alias) in [("demo-proxy", "proxy"), ("demo-web", "web"), ("demo-was", "was"), ("demo-db", "db")] {
        host.place(container(name, alias));
    }
    host.text("demo-proxy", "/etc/nginx/nginx.conf", "http { include /etc/nginx/conf.d/*.conf; }");
    host.text("demo-proxy", "/etc/nginx/conf.d/site.conf", PROXY);
    let root = "/usr/share/nginx/html";
    let pages = [
        ("index.html", "<!doctype html><script src=\"/assets/app-0a1b2c3d.js\"></script>"),
        ("about/index.html", "<!doctype html><p>about"),
        ("assets/app-0a1b2c3d.js", "fetch(\"https://box.shop.test/api/products\")"),
        ("assets/style-4e5f6a7b.css", "body{color:#222}"),
        ("manifest.json", "{\"api\":\"https://box.shop.test/api\"}"),
        ("사진/제품 목록 100%+.txt", "목록"),
    ];
    for (path, text) in pages {
        host.text("demo-web", &format!("{root}/{path}"), text);
    }
    host
}
