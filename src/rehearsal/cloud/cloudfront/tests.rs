//! CloudFront's operations, asked as the front door asks them.

use std::time::Duration;

use super::super::super::clock::Clock;
use super::super::super::state::{Certificate, Shared};
use super::super::law::Law;
use super::super::wire::operation::{Output, Run};
use super::super::wire::{ApiError, Node};
use super::super::{Cloud, Settings, fresh};
use super::{SERVICE, counted};
use crate::clients::viewer_function::Rules;

mod functions;
mod laws;
mod refusals;

const OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

struct Here {
    cloud: Cloud,
    clock: Clock,
    _dir: tempfile::TempDir,
}

impl Here {
    fn new() -> Self {
        let (clock, dir) = (Clock::default(), tempfile::tempdir().unwrap());
        let cloud = Cloud::new(Shared::new(clock.clone()), dir.path().join("s3"), Settings::default()).unwrap();
        Self { cloud, clock, _dir: dir }
    }

    fn ask(&self, operation: &str, input: &Node) -> Result<Output, ApiError> {
        let found = SERVICE.operations.iter().find(|o| o.name == operation).unwrap();
        let Run::Now(run) = found.run else { panic!("{operation} takes its time") };
        run(&self.cloud, input)
    }

    fn does(&self, operation: &str, input: &Node) -> Node {
        self.ask(operation, input).unwrap_or_else(|error| panic!("{operation}: {error}")).node
    }

    fn code(&self, operation: &str, input: &Node) -> &'static str {
        self.ask(operation, input).err().map_or("no refusal", |error| error.code)
    }

    /// The version of something.
    fn etag(&self, operation: &str, input: &Node) -> String {
        let output = self.ask(operation, input).unwrap();
        output.headers.into_iter().find(|(name, _)| *name == "etag").unwrap().1
    }

    fn distribution(&self, config: &Node) -> String {
        self.does("CreateDistribution", config).get("Id").unwrap().to_owned()
    }

    fn certificate(&self, region: &str, status: &str, names: &[&str]) -> String {
        let arn = format!("arn:aws:acm:{region}:000000000000:certificate/{}", fresh());
        let now = self.clock.now();
        let certificate = Certificate {
            domain: names[0].into(),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            status: status.into(),
            validation: Vec::new(),
            created: now,
            issued: Some(now),
            token: None,
        };
        self.cloud.shared().lock().certificates.insert(arn.clone(), certificate);
        arn
    }

    fn access_control(&self, name: &str) -> String {
        let config = Node::new("OriginAccessControlConfig")
            .put("Name", name)
            .put("SigningProtocol", "sigv4")
            .put("SigningBehavior", "always")
            .put("OriginAccessControlOriginType", "s3");
        self.does("CreateOriginAccessControl", &config).get("Id").unwrap().to_owned()
    }
}

/// The smallest configuration: one bucket, read by an access control.
fn config(access: &str) -> Node {
    let origin = Node::new("Origin")
        .put("Id", "pages")
        .put("DomainName", "shop-pages.s3.ap-northeast-2.amazonaws.com")
        .with(Node::new("S3OriginConfig").put("OriginAccessIdentity", ""))
        .put("OriginAccessControlId", access);
    let behavior = Node::new("DefaultCacheBehavior")
        .put("TargetOriginId", "pages")
        .put("ViewerProtocolPolicy", "redirect-to-https")
        .put("CachePolicyId", OPTIMIZED);
    Node::new("DistributionConfig")
        .put("CallerReference", fresh())
        .with(counted("Origins", "Origin", [origin]))
        .with(behavior)
        .put("Comment", "")
        .put("Enabled", true)
}

fn aliased(config: Node, aliases: &[&str], certificate: &str) -> Node {
    config
        .with(counted("Aliases", "CNAME", aliases.iter().map(|a| Node::leaf("CNAME", *a))))
        .with(Node::new("ViewerCertificate").put("ACMCertificateArn", certificate).put("SSLSupportMethod", "sni-only"))
}

fn named(id: &str) -> Node {
    Node::default().put("Id", id)
}

/// Sets what a path of names leads to; a number names an item.
fn set(node: &mut Node, path: &str, child: Node) {
    let mut at = node;
    for name in path.split('/').filter(|p| !p.is_empty()) {
        let found = match name.parse::<usize>() {
            Ok(index) => at.children.get_mut(index),
            Err(_) => at.children.iter_mut().find(|c| c.name == name),
        };
        at = found.unwrap_or_else(|| panic!("no {name} on {path}"));
    }
    at.children.retain(|c| c.name != child.name);
    at.children.push(child);
}

#[test]
fn a_distribution_lives_from_in_progress_to_deleted() {
    let here = Here::new();
    let access = here.access_control("pages");
    let given = config(&access);
    let made = here.ask("CreateDistribution", &given).unwrap();
    assert_eq!((made.status, made.node.get("Status")), (201, Some("InProgress")));
    let id = made.node.get("Id").unwrap().to_owned();
    assert!(made.headers.iter().any(|(n, v)| *n == "location" && v.ends_with(&id)));
    let shown = made.node.child("DistributionConfig").unwrap();
    assert_eq!(shown.child("Aliases").unwrap().get("Quantity"), Some("0"), "completed with its defaults");
    assert_eq!(here.code("CreateDistribution", &given), "DistributionAlreadyExists");
    here.clock.advance(Duration::from_mins(5));
    assert_eq!(here.does("GetDistribution", &named(&id)).get("Status"), Some("Deployed"));

    let etag = here.etag("GetDistributionConfig", &named(&id));
    let mut next = here.does("GetDistributionConfig", &named(&id));
    set(&mut next, "", Node::leaf("Enabled", false));
    let update = |config: &Node, etag: &str| config.clone().put("Id", &id).put("IfMatch", etag);
    assert_eq!(here.code("UpdateDistribution", &update(&next, "")), "InvalidIfMatchVersion");
    assert_eq!(here.code("UpdateDistribution", &update(&next, "E000000000000")), "PreconditionFailed");
    let mut other = next.clone();
    set(&mut other, "", Node::leaf("CallerReference", "another"));
    assert_eq!(here.code("UpdateDistribution", &update(&other, &etag)), "IllegalUpdate");
    assert_eq!(here.code("DeleteDistribution", &named(&id).put("IfMatch", &etag)), "DistributionNotDisabled");
    assert_eq!(here.does("UpdateDistribution", &update(&next, &etag)).get("Status"), Some("InProgress"));
    assert_eq!(here.code("UpdateDistribution", &update(&next, &etag)), "PreconditionFailed", "a new version");
    let etag = here.etag("GetDistribution", &named(&id));
    let gone = named(&id).put("IfMatch", etag);
    assert_eq!(here.code("DeleteDistribution", &gone), "DistributionNotDisabled", "not everywhere yet");
    here.clock.advance(Duration::from_mins(5));
    assert_eq!(here.ask("DeleteDistribution", &gone).unwrap().status, 204);
    assert_eq!(here.code("GetDistribution", &named(&id)), "NoSuchDistribution");
}

#[test]
fn an_access_control_has_one_name_and_stays_while_it_is_used() {
    let here = Here::new();
    let access = here.access_control("pages");
    let twice = Node::new("OriginAccessControlConfig")
        .put("Name", "pages")
        .put("SigningProtocol", "sigv4")
        .put("SigningBehavior", "always")
        .put("OriginAccessControlOriginType", "s3");
    assert_eq!(here.code("CreateOriginAccessControl", &twice), "OriginAccessControlAlreadyExists");
    here.distribution(&config(&access));
    let etag = here.etag("GetOriginAccessControl", &named(&access));
    assert_eq!(
        here.code("DeleteOriginAccessControl", &named(&access).put("IfMatch", &etag)),
        "OriginAccessControlInUse"
    );
    // unsigned from now on: the distribution hears of it
    let never = Node::new("OriginAccessControlConfig")
        .put("Name", "pages")
        .put("SigningProtocol", "sigv4")
        .put("SigningBehavior", "never")
        .put("OriginAccessControlOriginType", "s3");
    here.does("UpdateOriginAccessControl", &never.put("Id", &access).put("IfMatch", etag));
    let signed = here.cloud.shared().lock().distributions.values().any(|d| {
        d.config
            .origins
            .values()
            .any(|o| matches!(o.kind, super::super::super::state::OriginKind::Bucket { signed: true, .. }))
    });
    assert!(!signed);
    let other = here.access_control("other");
    let etag = here.etag("GetOriginAccessControlConfig", &named(&other));
    assert_eq!(here.ask("DeleteOriginAccessControl", &named(&other).put("IfMatch", etag)).unwrap().status, 204);
    assert_eq!(here.code("GetOriginAccessControl", &named(&other)), "NoSuchOriginAccessControl");
}

#[test]
fn own_policies_come_and_go_and_the_managed_ones_stay() {
    let here = Here::new();
    let policy = |max: u64| {
        Node::new("CachePolicyConfig")
            .put("Name", "short")
            .put("MinTTL", 0_u64)
            .put("DefaultTTL", 5_u64)
            .put("MaxTTL", max)
    };
    assert_eq!(here.code("CreateCachePolicy", &policy(1)), "InvalidArgument", "the TTLs are out of order");
    let made = here.does("CreateCachePolicy", &policy(60));
    let id = made.get("Id").unwrap();
    assert_eq!(here.code("CreateCachePolicy", &policy(60)), "CachePolicyAlreadyExists");
    let access = here.access_control("pages");
    let mut given = config(&access);
    set(&mut given, "DefaultCacheBehavior", Node::leaf("CachePolicyId", id));
    here.distribution(&given);
    let etag = here.etag("GetCachePolicy", &named(id));
    here.does("UpdateCachePolicy", &policy(90).put("Id", id).put("IfMatch", &etag));
    let max = here.cloud.shared().lock().distributions.values().map(|d| d.config.default.cache.max_ttl).max();
    assert_eq!(max, Some(90), "the distribution goes by the new one");
    let etag = here.etag("GetCachePolicyConfig", &named(id));
    assert_eq!(here.code("DeleteCachePolicy", &named(id).put("IfMatch", etag)), "CachePolicyInUse");
    let managed = named(OPTIMIZED).put("IfMatch", here.etag("GetCachePolicy", &named(OPTIMIZED)));
    assert_eq!(here.code("DeleteCachePolicy", &managed), "IllegalDelete");
    let custom = here.does("ListCachePolicies", &Node::default().put("Type", "custom"));
    assert_eq!(custom.get("Quantity"), Some("1"));
    for operation in ["ListOriginRequestPolicies", "ListResponseHeadersPolicies", "ListCachePolicies"] {
        let managed = here.does(operation, &Node::default().put("Type", "managed").put("MaxItems", 2_u8));
        assert_eq!((managed.get("Quantity"), managed.get("NextMarker").is_some()), (Some("2"), true), "{operation}");
    }
}

#[test]
fn tags_are_given_with_a_distribution_and_later() {
    let here = Here::new();
    let tag = |key: &str| Node::new("Tag").put("Key", key).put("Value", "v");
    let access = here.access_control("pages");
    let both = Node::new("DistributionConfigWithTags").with(config(&access)).with(Node::new("Tags").list(
        "Items",
        "Tag",
        [tag("one")],
    ));
    let arn = here.does("CreateDistributionWithTags", &both).get("ARN").unwrap().to_owned();
    let resource = Node::new("Tags").put("Resource", &arn);
    here.does("TagResource", &resource.clone().list("Items", "Tag", [tag("two")]));
    here.does("UntagResource", &resource.clone().texts_list("Items", "Key", ["one"]));
    let tags = here.does("ListTagsForResource", &resource);
    let keys: Vec<_> = tags.items("Items").filter_map(|t| t.get("Key")).collect();
    assert_eq!(keys, ["two"]);
    let other = Node::default().put("Resource", arn.replace("distribution/E", "distribution/X"));
    assert_eq!(here.code("ListTagsForResource", &other), "NoSuchResource");
}

#[test]
fn a_seeded_distribution_is_a_whole_one() {
    let here = Here::new();
    let domain = here.cloud.seed_distribution("pages", "", &["www.shop.test"], "127.80.9.9".parse().unwrap());
    let list = here.does("ListDistributions", &Node::default());
    let summary = list.items("Items").next().unwrap();
    assert_eq!((summary.get("DomainName"), summary.get("Status")), (Some(domain.as_str()), Some("Deployed")));
    let id = summary.get("Id").unwrap();
    let mut config = here.does("GetDistributionConfig", &named(id));
    assert_eq!(config.child("ViewerCertificate").unwrap().get("CertificateSource"), Some("acm"));
    let etag = here.etag("GetDistributionConfig", &named(id));
    set(&mut config, "", Node::leaf("Comment", "taken over"));
    here.does("UpdateDistribution", &config.put("Id", id).put("IfMatch", etag));
}
