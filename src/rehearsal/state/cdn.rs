//! Distributions: what CloudFront keeps.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use rules::{CacheRules, Cors, HeadersRules, RequestRules, SetHeader, Which};

/// A CloudFront distribution.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Its id (`E…`).
    pub id: String,
    /// The caller's reference, which no second distribution may have.
    pub reference: String,
    /// The version `If-Match` has to name.
    pub etag: String,
    /// When it was changed last.
    pub changed: SystemTime,
    /// When the last change has reached every edge; until then it is `InProgress`.
    pub deployed_at: SystemTime,
    /// What it does.
    pub config: DistributionConfig,
    /// What some edges go on doing until the change is deployed (law C6); nothing for a new one.
    pub before: Option<Box<DistributionConfig>>,
    /// The whole configuration as the API shows it, as XML.
    pub shown: String,
    /// What was asked to be dropped from the caches, oldest first.
    pub invalidations: Vec<Invalidation>,
    /// The loopback address its edge listens on; port 80 is served on 8080 and 443 on 8443 there.
    pub address: IpAddr,
}

/// What a distribution does.
#[derive(Debug, Clone, Default)]
pub struct DistributionConfig {
    /// Whether it answers at all.
    pub enabled: bool,
    /// The alternate domain names it answers to, in lower case.
    pub aliases: BTreeSet<String>,
    /// The ARN of its certificate; nothing for CloudFront's own.
    pub certificate: Option<String>,
    /// What `/` becomes; empty for nothing.
    pub default_root: String,
    /// Where it gets things from, by id.
    pub origins: BTreeMap<String, Origin>,
    /// What it does with a path no other behaviour matches.
    pub default: Behavior,
    /// Path patterns and their behaviours; the first that matches is taken.
    pub behaviors: Vec<(String, Behavior)>,
    /// What becomes of an origin's errors, by status.
    pub error_pages: BTreeMap<u16, ErrorPage>,
}

/// Where a distribution gets things from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its domain name.
    pub domain: String,
    /// Put before every path, without a final slash; empty for none.
    pub path: String,
    /// Headers added to every request.
    pub headers: Vec<(String, String)>,
    /// What is there.
    pub kind: OriginKind,
}

/// What is at an origin.
#[derive(Debug, Clone)]
pub enum OriginKind {
    /// A bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// The origin access control, if any.
        access: Option<String>,
        /// Whether requests are signed with it.
        signed: bool,
    },
    /// A web server.
    Custom {
        /// Its port for HTTP.
        http_port: u16,
        /// Its port for HTTPS.
        https_port: u16,
        /// `http-only`, `https-only` or `match-viewer`.
        protocol: String,
        /// How long it may take to answer.
        patience: Duration,
    },
}

/// What a distribution does with the requests of a path pattern.
#[derive(Debug, Clone, Default)]
pub struct Behavior {
    /// The origin's id.
    pub origin: String,
    /// `allow-all`, `https-only` or `redirect-to-https`.
    pub viewers: String,
    /// The methods it passes on.
    pub methods: BTreeSet<String>,
    /// What is cached, and how long.
    pub cache: CacheRules,
    /// What the origin sees of a request, beside what is in the cache key.
    pub request: RequestRules,
    /// What is done to the headers of an answer.
    pub headers: HeadersRules,
    /// The published code of its viewer-request function.
    pub function: Option<Arc<str>>,
}

/// What becomes of an origin's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// The page to show, and the status to show it with.
    pub page: Option<(String, u16)>,
    /// Seconds the error is cached at least.
    pub min_ttl: u64,
}

/// What was asked to be dropped from the caches.
#[derive(Debug, Clone)]
pub struct Invalidation {
    /// Its id (`I…`).
    pub id: String,
    /// The caller's reference.
    pub reference: String,
    /// When it was asked for.
    pub created: SystemTime,
    /// When every edge has dropped it.
    pub done_at: SystemTime,
    /// Paths as they were given, some with a `*` at the end.
    pub paths: Arc<[String]>,
}

/// What CloudFront keeps beside distributions.
#[derive(Debug, Clone, Default)]
pub struct Cdn {
    /// Origin access controls by id.
    pub access_controls: BTreeMap<String, AccessControl>,
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// The account's own policies by id; AWS's managed ones are not kept.
    pub policies: BTreeMap<String, CdnPolicy>,
}

/// An origin access control: the identity a distribution reads a private bucket with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessControl {
    /// The version `If-Match` has to name.
    pub etag: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `always`, `never` or `no-override`.
    pub signing: String,
    /// `s3`, or another kind of origin.
    pub origin_type: String,
}

/// A CloudFront function.
#[derive(Debug, Clone)]
pub struct Function {
    /// When it was made.
    pub created: SystemTime,
    /// The version being worked on.
    pub development: FunctionStage,
    /// The version distributions run, if any was published.
    pub live: Option<FunctionStage>,
}

/// A function at one stage.
#[derive(Debug, Clone)]
pub struct FunctionStage {
    /// The version `If-Match` has to name.
    pub etag: String,
    /// When it came to be.
    pub changed: SystemTime,
    /// What it is for.
    pub comment: String,
    /// `cloudfront-js-1.0` or `cloudfront-js-2.0`.
    pub runtime: String,
    /// The code.
    pub code: Arc<str>,
}

/// A cache policy, origin request policy or response headers policy of the account's own.
#[derive(Debug, Clone)]
pub struct CdnPolicy {
    /// `CachePolicy`, `OriginRequestPolicy` or `ResponseHeadersPolicy`.
    pub kind: &'static str,
    /// The version `If-Match` has to name.
    pub etag: String,
    /// When it was changed last.
    pub changed: SystemTime,
    /// Its configuration as the API shows it, as XML.
    pub shown: String,
}
