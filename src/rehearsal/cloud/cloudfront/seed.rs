//! A distribution that is there before a rehearsal begins.

use std::net::IpAddr;

use super::super::super::state::{ACCOUNT, AccessControl, Certificate, Distribution, State};
use super::super::wire::{ApiError, Node};
use super::super::{Cloud, fresh};
use super::{access, config, counted, keep, shape, version};

/// AWS's managed policy `CachingOptimized`.
const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

impl Cloud {
    /// Makes a distribution that reads `bucket` below `origin_path` and answers to `aliases`, as an operator would have
    /// made it: with an origin access control and, for its aliases, an issued certificate. Gives its domain name.
    pub fn seed_distribution(&self, bucket: &str, origin_path: &str, aliases: &[&str], address: IpAddr) -> String {
        let domain = format!("d{}.cloudfront.net", &fresh()[..13]);
        let id = format!("E{}", fresh()[..13].to_uppercase());
        let now = self.shared().clock.now();
        let mut state = self.shared().lock();
        let access = access::new(
            &mut state,
            AccessControl {
                etag: version(),
                name: format!("{bucket}-{}", &id[1..5]),
                description: format!("reads {bucket}"),
                signing: "always".into(),
                origin_type: "s3".into(),
            },
        );
        let certificate = (!aliases.is_empty()).then(|| certificate(&mut state, aliases, now));
        let region = &self.settings().region;
        let given = given(&id, (bucket, region, origin_path), &access, aliases, certificate.as_deref());
        match seeded(&state, &given) {
            Ok((shown, config)) => {
                let distribution = Distribution {
                    id,
                    reference: shown.get("CallerReference").unwrap_or_default().to_owned(),
                    etag: version(),
                    changed: now,
                    deployed_at: now,
                    config,
                    before: None,
                    shown: keep(&shown),
                    invalidations: Vec::new(),
                    address,
                };
                state.distributions.insert(domain.clone(), distribution);
            }
            Err(error) => tracing::error!(%error, "a distribution could not be seeded"),
        }
        drop(state);
        self.shared().changed();
        domain
    }
}

fn seeded(state: &State, given: &Node) -> Result<(Node, super::super::super::state::DistributionConfig), ApiError> {
    let shown = shape::complete("DistributionConfig", shape::DISTRIBUTION, given, "")?;
    let config = config::read(state, &shown, None)?;
    Ok((shown, config))
}

fn certificate(state: &mut State, aliases: &[&str], now: std::time::SystemTime) -> String {
    let arn = format!("arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{}", fresh());
    state.certificates.insert(arn.clone(), Certificate::issued(aliases, now));
    arn
}

/// What the operator would have asked for.
fn given(
    id: &str,
    (bucket, region, path): (&str, &str, &str),
    access: &str,
    aliases: &[&str],
    certificate: Option<&str>,
) -> Node {
    let origin = Node::new("Origin")
        .put("Id", "pages")
        .put("DomainName", format!("{bucket}.s3.{region}.amazonaws.com"))
        .put("OriginPath", path)
        .with(Node::new("S3OriginConfig").put("OriginAccessIdentity", ""))
        .put("OriginAccessControlId", access);
    let behavior = Node::new("DefaultCacheBehavior")
        .put("TargetOriginId", "pages")
        .put("ViewerProtocolPolicy", "redirect-to-https")
        .put("Compress", true)
        .put("CachePolicyId", OPTIMIZED);
    let node = Node::new("DistributionConfig")
        .put("CallerReference", format!("outgrow-{id}"))
        .with(counted("Aliases", "CNAME", aliases.iter().map(|a| Node::leaf("CNAME", a.to_ascii_lowercase()))))
        .put("DefaultRootObject", "index.html")
        .with(counted("Origins", "Origin", [origin]))
        .with(behavior)
        .put("Comment", "")
        .put("Enabled", true)
        .put("HttpVersion", "http2")
        .put("IsIPV6Enabled", true);
    let Some(arn) = certificate else { return node };
    node.with(
        Node::new("ViewerCertificate")
            .put("ACMCertificateArn", arn)
            .put("SSLSupportMethod", "sni-only")
            .put("MinimumProtocolVersion", "TLSv1.2_2021"),
    )
}
