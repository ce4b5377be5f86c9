//! The rehearsal cloud's control plane, asked over the wire by the unmodified AWS SDK.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::state::Shared;
use tokio::net::TcpListener;

#[path = "cloud/elb.rs"]
mod elb;
#[path = "cloud/elb_laws.rs"]
mod elb_laws;
#[path = "cloud/elb_network.rs"]
mod elb_network;
#[path = "cloud/elb_rules.rs"]
mod elb_rules;
#[path = "cloud/faults.rs"]
mod faults;
#[path = "cloud/multipart.rs"]
mod multipart;
#[path = "cloud/rds.rs"]
mod rds;
#[path = "cloud/route53.rs"]
mod route53;
#[path = "cloud/route53_batch.rs"]
mod route53_batch;
#[path = "cloud/route53_checks.rs"]
mod route53_checks;
#[path = "cloud/route53_laws.rs"]
mod route53_laws;
#[path = "cloud/route53_zones.rs"]
mod route53_zones;
#[path = "cloud/s3.rs"]
mod s3;
#[path = "cloud/s3_access.rs"]
mod s3_access;
#[path = "cloud/s3_bucket.rs"]
mod s3_bucket;
#[path = "cloud/s3_conditions.rs"]
mod s3_conditions;
#[path = "cloud/s3_versions.rs"]
mod s3_versions;
#[path = "cloud/signed.rs"]
mod signed;

const REGION: &str = "ap-northeast-2";

/// A cloud on a free loopback port, and the clients' configuration for it.
struct Here {
    cloud: Cloud,
    clock: Clock,
    config: SdkConfig,
    endpoint: String,
    dir: tempfile::TempDir,
    vpc: &'static str,
    subnets: [String; 2],
}

impl Here {
    async fn new() -> Self {
        Self::with(Settings { route53_rate: 0, ..Settings::default() }).await
    }

    async fn with(settings: Settings) -> Self {
        let clock = Clock::default();
        let dir = tempfile::tempdir().unwrap();
        let cloud = Cloud::new(Shared::new(clock.clone()), dir.path().join("s3"), settings).unwrap();
        let vpc = "vpc-00000000000000001";
        let subnets = cloud.seed_network(vpc, (Ipv4Addr::new(10, 0, 0, 0), 16));
        let endpoint = serve(&cloud).await;
        let config = config(&endpoint, "outgrow", "rehearsal");
        Self { cloud, clock, config, endpoint, dir, vpc, subnets }
    }

    fn dns(&self) -> aws_sdk_route53::Client {
        aws_sdk_route53::Client::new(&self.config)
    }

    fn elb(&self) -> aws_sdk_elasticloadbalancingv2::Client {
        aws_sdk_elasticloadbalancingv2::Client::new(&self.config)
    }

    fn rds(&self) -> aws_sdk_rds::Client {
        aws_sdk_rds::Client::new(&self.config)
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        s3_client(&self.config)
    }

    fn balancer(&self) -> String {
        self.cloud.seed_balancer("shop", IpAddr::V4(Ipv4Addr::new(127, 80, 0, 1)), &self.subnets)
    }
}

fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn serve(cloud: &Cloud) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let cloud = cloud.clone();
    tokio::spawn(async move { cloud.serve(listener, std::future::pending()).await });
    endpoint
}

fn config(endpoint: &str, key: &str, secret: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(key, secret, None, None, "test")))
        .retry_config(RetryConfig::disabled())
        .build()
}

/// The code and message of a refusal.
#[allow(clippy::needless_pass_by_value)] // it is what `expect_err` gives
fn refusal<E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(error: SdkError<E, R>) -> (String, String) {
    let service = error.as_service_error().unwrap_or_else(|| panic!("the cloud did not answer: {error:?}"));
    (service.code().unwrap_or_default().to_owned(), service.message().unwrap_or_default().to_owned())
}

/// Asserts that an answer is a refusal by this code, and that its message holds each of these texts.
macro_rules! refused {
    ($answer:expr, $code:literal $(, $text:expr)*) => {{
        let (code, message) = $crate::cloud::refusal($answer.expect_err("this should have been refused"));
        assert_eq!(code, $code, "{message}");
        $( assert!(message.contains($text), "{message:?} should hold {:?}", $text); )*
    }};
}
use refused;

#[tokio::test]
async fn the_caller_is_known_by_its_key() {
    let here = Here::new().await;
    let who = aws_sdk_sts::Client::new(&here.config).get_caller_identity().send().await.unwrap();
    assert_eq!(who.account(), Some("000000000000"));
    let stranger = config(&here.endpoint, "AKIASTRANGER", "rehearsal");
    refused!(aws_sdk_sts::Client::new(&stranger).get_caller_identity().send().await, "InvalidClientTokenId");
    refused!(aws_sdk_route53::Client::new(&stranger).list_hosted_zones().send().await, "InvalidClientTokenId");
    refused!(s3_client(&stranger).list_buckets().send().await, "InvalidAccessKeyId");
    let forger = config(&here.endpoint, "outgrow", "guessed");
    refused!(s3_client(&forger).list_buckets().send().await, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = Cloud::new(Shared::new(Clock::default()), dir.path().into(), Settings::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(async move { cloud.serve(listener, async { drop(stopped.await) }).await });
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
