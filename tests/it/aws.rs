//! The AWS clients against the rehearsal cloud, over the wire: every call of every port, and every kind of failure.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::net::{IpAddr, Ipv4Addr};

use outgrow::clients::aws::{Access, Clouds};
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::state::{Action, Shared};
use tokio::net::TcpListener;

#[path = "aws/balancer.rs"]
mod balancer;
#[path = "aws/dns.rs"]
mod dns;
#[path = "aws/failures.rs"]
mod failures;
#[path = "aws/objects.rs"]
mod objects;

const REGION: &str = "ap-northeast-2";

/// A cloud on a free loopback port, and the clients for it.
struct Here {
    cloud: Cloud,
    clock: Clock,
    clouds: Clouds,
    endpoint: String,
    vpc: &'static str,
    subnets: [String; 2],
    _dir: tempfile::TempDir,
}

impl Here {
    async fn new() -> Self {
        let clock = Clock::default();
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { route53_rate: 0, ..Settings::default() };
        let cloud = Cloud::new(Shared::new(clock.clone()), dir.path().join("s3"), settings).unwrap();
        let vpc = "vpc-00000000000000001";
        let subnets = cloud.seed_network(vpc, (Ipv4Addr::new(10, 0, 0, 0), 16));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let served = cloud.clone();
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        let clouds = connect(&endpoint, "rehearsal").await;
        Self { cloud, clock, clouds, endpoint, vpc, subnets, _dir: dir }
    }

    /// A balancer with an HTTPS listener; gives the listener's ARN.
    fn balancer(&self) -> String {
        let arn = self.cloud.seed_balancer("shop", IpAddr::V4(Ipv4Addr::new(127, 80, 0, 1)), &self.subnets);
        let certificate = self.cloud.seed_certificate(&["shop.test", "*.shop.test"]);
        let default = Action::Fixed { status: 404, content_type: "text/plain".into(), body: String::new() };
        self.cloud.seed_listener(&arn, 443, Some(&certificate), default)
    }
}

async fn connect(endpoint: &str, secret: &str) -> Clouds {
    Clouds::connect(&Access {
        region: REGION.into(),
        endpoint: Some(endpoint.into()),
        credentials: Some(("outgrow".into(), secret.to_owned().into())),
    })
    .await
}

fn tags() -> Vec<(String, String)> {
    vec![("outgrow:run".into(), "shop-1".into()), ("outgrow:site".into(), "shop".into())]
}

#[tokio::test]
async fn the_identity_tells_whose_account_it_is() {
    let here = Here::new().await;
    let identity = here.clouds.identity().await.unwrap();
    assert_eq!(identity.account, "000000000000");
    assert!(identity.arn.starts_with("arn:aws:"), "{identity:?}");
}

#[tokio::test]
async fn an_instance_is_found_and_a_missing_one_is_none() {
    let here = Here::new().await;
    here.cloud.seed_database(
        "shop-db",
        outgrow::rehearsal::state::DatabaseInstance {
            status: "available".into(),
            engine_version: "15.18".into(),
            class: "db.t4g.medium".into(),
            address: "172.20.0.9".into(),
            port: 5432,
            master: "postgres".into(),
            ..Default::default()
        },
    );
    let found = here.clouds.instances.instance("shop-db").await.unwrap().unwrap();
    assert_eq!((found.status.as_str(), found.host.as_str(), found.port), ("available", "172.20.0.9", 5432));
    assert_eq!((found.version.as_str(), found.master.as_str()), ("15.18", "postgres"));
    assert!(here.clouds.instances.instance("other").await.unwrap().is_none());
}
