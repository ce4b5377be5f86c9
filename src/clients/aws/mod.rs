//! The AWS ports over the wire, by the official SDK.
//!
//! [`Clouds::connect`] makes every client once; each port is fulfilled by one file (`route53`, `s3`, `elb`, `rds`,
//! `acm`, `cloudfront`, `cloudwatch`).
//! `error` is the only place that reads what AWS answers when it says no.

mod acm;
mod cloudfront;
mod cloudwatch;
mod elb;
mod elb_read;
mod error;
mod pace;
mod rds;
mod record;
mod route53;
mod s3;

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::Credentials;
use secrecy::{ExposeSecret, SecretString};

use super::ClientResult;
use super::balancer::BalancerWrite;
use super::certificates::CertificatesWrite;
use super::distributions::DistributionsWrite;
use super::dns::DnsWrite;
use super::instances::InstancesRead;
use super::metrics::MetricsRead;
use super::objects::ObjectsWrite;

/// How AWS is reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The region of the balancer, the bucket and the database.
    pub region: String,
    /// Another endpoint for every service; `AWS_ENDPOINT_URL` and the profile's are honoured where this is `None`.
    pub endpoint: Option<String>,
    /// Access key id and secret; without them AWS's usual chain (environment, profile, single sign-on, instance).
    pub credentials: Option<(String, SecretString)>,
}

/// Who the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's number.
    pub account: String,
    /// The user's or role's ARN.
    pub arn: String,
}

/// Every AWS client of a run.
#[derive(Clone)]
pub struct Clouds {
    /// Route 53.
    pub dns: Arc<dyn DnsWrite>,
    /// S3.
    pub objects: Arc<dyn ObjectsWrite>,
    /// The balancer.
    pub balancer: Arc<dyn BalancerWrite>,
    /// RDS.
    pub instances: Arc<dyn InstancesRead>,
    /// ACM, for CloudFront.
    pub certificates: Arc<dyn CertificatesWrite>,
    /// CloudFront.
    pub distributions: Arc<dyn DistributionsWrite>,
    /// CloudWatch.
    pub metrics: Arc<dyn MetricsRead>,
    sts: aws_sdk_sts::Client,
}

impl Clouds {
    /// Makes the clients. Nothing is sent yet: wrong credentials show at the first call, so ask
    /// [`Clouds::identity`] first.
    pub async fn connect(access: &Access) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(access.region.clone()))
            .retry_config(RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(300)))
            .timeout_config(timeouts(Duration::from_secs(30)))
            // An upload over a slow line is no stalled one: the time limit of an attempt is enough there.
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .upload_enabled(false)
                    .grace_period(Duration::from_secs(30))
                    .build(),
            );
        if let Some(endpoint) = &access.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some((id, secret)) = &access.credentials {
            loader =
                loader.credentials_provider(Credentials::new(id, secret.expose_secret(), None, None, "outgrow-access"));
        }
        Self::of(&loader.load().await, &access.region)
    }

    fn of(config: &SdkConfig, region: &str) -> Self {
        let elsewhere = config.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
        let s3 = aws_sdk_s3::config::Builder::from(config)
            // Bucket names are host names only at AWS itself.
            .force_path_style(elsewhere)
            // A part of 8 MiB passes a line of 0.3 Mbit/s in this time.
            .timeout_config(timeouts(Duration::from_mins(4)))
            .build();
        let acm =
            aws_sdk_acm::config::Builder::from(config).region(aws_sdk_acm::config::Region::new(acm::REGION)).build();
        Self {
            certificates: Arc::new(acm::Acm::new(aws_sdk_acm::Client::from_conf(acm))),
            distributions: Arc::new(cloudfront::CloudFront::new(aws_sdk_cloudfront::Client::new(config))),
            dns: Arc::new(route53::Route53::new(aws_sdk_route53::Client::new(config))),
            objects: Arc::new(s3::S3::new(aws_sdk_s3::Client::from_conf(s3), region, config.credentials_provider())),
            balancer: Arc::new(elb::Elb::new(aws_sdk_elasticloadbalancingv2::Client::new(config))),
            instances: Arc::new(rds::Rds::new(aws_sdk_rds::Client::new(config))),
            metrics: Arc::new(cloudwatch::CloudWatch::new(aws_sdk_cloudwatch::Client::new(config))),
            sts: aws_sdk_sts::Client::new(config),
        }
    }

    /// Who the credentials belong to.
    pub async fn identity(&self) -> ClientResult<Identity> {
        let answer = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|e| error::explain("ask AWS whose credentials these are", "sts:GetCallerIdentity", e))?;
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok(Identity { account: text(answer.account()), arn: text(answer.arn()) })
    }
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(5)).operation_attempt_timeout(attempt).build()
}
