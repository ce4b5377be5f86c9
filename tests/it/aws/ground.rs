//! What the contract stands on: the clients, and a balancer, a zone and a database that they find.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use outgrow::clients::aws::{Access, Clouds};
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::state::{DatabaseInstance, Shared};
use tokio::net::TcpListener;

use crate::probe::python;

pub const REGION: &str = "ap-northeast-2";

/// A server and what was made on it (`tests/probe/ground.py`).
pub struct Ground {
    pub clouds: Clouds,
    pub endpoint: String,
    made: serde_json::Value,
}

impl Ground {
    fn made(&self, name: &str) -> &str {
        self.made[name].as_str().unwrap()
    }

    /// The default VPC.
    pub fn vpc(&self) -> &str {
        self.made("vpc")
    }

    /// An address in the VPC.
    pub fn inside(&self) -> &str {
        self.made("inside")
    }

    /// The ARN of the listener of the balancer `shop`.
    pub fn listener(&self) -> &str {
        self.made("listener")
    }

    /// The balancer's DNS name, and the zone that an alias to it names.
    pub fn balancer(&self) -> (&str, &str) {
        (self.made("balancer_dns"), self.made("balancer_zone"))
    }

    /// The id of the zone `shop.test`.
    pub fn zone(&self) -> &str {
        self.made("zone")
    }
}

/// Makes it on a server.
pub async fn of(endpoint: &str) -> Arc<Ground> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe/ground.py");
    let mut command = Command::new(python());
    command.arg(script).args(["--endpoint", endpoint]).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let made = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"));
    Arc::new(Ground { clouds: connect(endpoint, "rehearsal").await, endpoint: endpoint.into(), made })
}

/// The rehearsal's cloud on a free loopback port, and the ground on it.
pub struct Here {
    pub cloud: Cloud,
    pub ground: Arc<Ground>,
    _dir: tempfile::TempDir,
}

impl Here {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Rows run side by side; law R8 has tests of its own.
        let settings = Settings { route53_rate: 0, ..Settings::default() };
        let cloud = Cloud::new(Shared::new(Clock::default()), dir.path().join("s3"), settings).unwrap();
        cloud.seed_default_network();
        let database = DatabaseInstance {
            status: "available".into(),
            engine_version: "15.18".into(),
            class: "db.t4g.medium".into(),
            address: "172.20.0.9".into(),
            port: 5432,
            master: "owner".into(),
            ..DatabaseInstance::default()
        };
        cloud.seed_database("shop-db", database);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let served = cloud.clone();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let ground = of(&endpoint).await;
        Self { cloud, ground, _dir: dir }
    }
}

/// The clients of a server.
pub async fn connect(endpoint: &str, secret: &str) -> Clouds {
    Clouds::connect(&Access {
        region: REGION.into(),
        endpoint: Some(endpoint.into()),
        credentials: Some(("outgrow".into(), secret.to_owned().into())),
    })
    .await
}

/// Tags as a run puts them on.
pub fn tags() -> Vec<(String, String)> {
    vec![("outgrow:run".into(), "shop-1".into()), ("outgrow:site".into(), "shop".into())]
}
