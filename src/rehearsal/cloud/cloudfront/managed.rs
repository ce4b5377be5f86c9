//! The policies AWS manages, by their real ids.
//! Source: CloudFront guide, using-managed-cache-policies, using-managed-origin-request-policies and
//! using-managed-response-headers-policies.

use super::super::wire::Node;
use super::counted;

/// The version all of them have.
pub(super) const ETAG: &str = "E23ZP02F085DFQ";
/// When they came to be, in seconds since 1970.
pub(super) const SINCE: u64 = 1_594_339_200;

/// An id and a configuration.
type Managed = Vec<(&'static str, Node)>;

const DAY: u64 = 86_400;
const YEAR: u64 = 31_536_000;
/// What makes a method be overridden, for origins that steer caching themselves.
const OVERRIDES: &[&str] = &["host", "origin", "x-http-method-override", "x-http-method", "x-method-override"];

fn part(config: &str, behavior: &str, value: &str, list: &str, names: &[&str]) -> Node {
    let node = Node::new(config).put(behavior, value);
    if names.is_empty() {
        return node;
    }
    node.with(counted(list, "Name", names.iter().map(|n| Node::leaf("Name", *n))))
}

fn headers_part(names: &[&str]) -> Node {
    let value = if names.is_empty() { "none" } else { "whitelist" };
    part("HeadersConfig", "HeaderBehavior", value, "Headers", names)
}

fn cookies(value: &str) -> Node {
    part("CookiesConfig", "CookieBehavior", value, "Cookies", &[])
}

fn queries(value: &str, names: &[&str]) -> Node {
    part("QueryStringsConfig", "QueryStringBehavior", value, "QueryStrings", names)
}

/// The managed cache policies.
pub(super) fn cache() -> Managed {
    let policy =
        |name: &str, comment: &str, [min, default, max]: [u64; 3], [gzip, brotli]: [bool; 2], parts: [Node; 3]| {
            let mut key = Node::new("ParametersInCacheKeyAndForwardedToOrigin")
                .put("EnableAcceptEncodingGzip", gzip)
                .put("EnableAcceptEncodingBrotli", brotli);
            key.children.extend(parts);
            Node::new("CachePolicyConfig")
                .put("Comment", comment)
                .put("Name", name)
                .put("DefaultTTL", default)
                .put("MaxTTL", max)
                .put("MinTTL", min)
                .with(key)
        };
    let none = || [headers_part(&[]), cookies("none"), queries("none", &[])];
    let viewer = ["authorization", "cloudfront-viewer-country", "host"];
    vec![
        (
            "2e54312d-136d-493c-8eb9-b001f22f67d2",
            policy(
                "Managed-Amplify",
                "Policy for Amplify Origin",
                [2, 2, 600],
                [true, true],
                [headers_part(&viewer), cookies("all"), queries("all", &[])],
            ),
        ),
        (
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            policy("Managed-CachingDisabled", "Policy with caching disabled", [0, 0, 0], [false, false], none()),
        ),
        (
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            policy(
                "Managed-CachingOptimized",
                "Policy with caching enabled. Supports Gzip and Brotli compression.",
                [1, DAY, YEAR],
                [true, true],
                none(),
            ),
        ),
        (
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            policy(
                "Managed-CachingOptimizedForUncompressedObjects",
                "Default policy when compression is disabled",
                [1, DAY, YEAR],
                [false, false],
                none(),
            ),
        ),
        (
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
            policy(
                "UseOriginCacheControlHeaders",
                "Policy for origins that return Cache-Control headers. Query strings are not included in the cache key.",
                [0, 0, YEAR],
                [true, true],
                [headers_part(OVERRIDES), cookies("all"), queries("none", &[])],
            ),
        ),
        (
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
            policy(
                "UseOriginCacheControlHeaders-QueryStrings",
                "Policy for origins that return Cache-Control headers and serve different content based on values present in the query string.",
                [0, 0, YEAR],
                [true, true],
                [headers_part(OVERRIDES), cookies("all"), queries("all", &[])],
            ),
        ),
    ]
}

/// The managed origin request policies.
pub(super) fn request() -> Managed {
    let policy = |name: &str, comment: &str, parts: [Node; 3]| {
        let mut node = Node::new("OriginRequestPolicyConfig").put("Comment", comment).put("Name", name);
        node.children.extend(parts);
        node
    };
    let all = |value: &str, names: &[&str]| {
        [part("HeadersConfig", "HeaderBehavior", value, "Headers", names), cookies("all"), queries("all", &[])]
    };
    let headers = |names: &[&str]| [headers_part(names), cookies("none"), queries("none", &[])];
    vec![
        (
            "216adef6-5c7f-47e4-b989-5492eafa07d3",
            policy("Managed-AllViewer", "Policy to forward all parameters in viewer requests", all("allViewer", &[])),
        ),
        (
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            policy(
                "Managed-AllViewerExceptHostHeader",
                "Policy to forward all parameters in viewer requests except for the Host header",
                all("allExcept", &["host"]),
            ),
        ),
        (
            "59781a5b-3903-41f3-afcb-af62929ccde1",
            policy("Managed-CORS-CustomOrigin", "Policy for CORS with a custom origin", headers(&["origin"])),
        ),
        (
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
            policy(
                "Managed-CORS-S3Origin",
                "Policy for S3 origin with CORS",
                headers(&["origin", "access-control-request-headers", "access-control-request-method"]),
            ),
        ),
        (
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            policy(
                "Managed-UserAgentRefererHeaders",
                "Policy to forward user-agent and referer headers to origin",
                headers(&["user-agent", "referer"]),
            ),
        ),
        (
            "bf0718e1-ba1e-49d1-88b1-f726733018ae",
            policy("Managed-HostHeaderOnly", "Policy to forward Host header only", headers(&["host"])),
        ),
    ]
}

/// The managed response headers policies.
pub(super) fn headers() -> Managed {
    let policy = |name: &str, comment: &str, parts: Vec<Node>| {
        let mut node = Node::new("ResponseHeadersPolicyConfig").put("Comment", comment).put("Name", name);
        node.children.extend(parts);
        node.with(counted("CustomHeadersConfig", "", [])).with(counted("RemoveHeadersConfig", "", []))
    };
    vec![
        (
            "60669652-455b-4ae9-85a4-c4c02393f86c",
            policy("Managed-SimpleCORS", "Allows all origins for simple CORS requests", vec![cors(false)]),
        ),
        (
            "5cc3b908-e619-4b99-88e5-2cf7f45965bd",
            policy(
                "Managed-CORS-With-Preflight",
                "Allows all origins for CORS requests, including preflight requests",
                vec![cors(true)],
            ),
        ),
        (
            "67f7725c-6f97-4210-82d7-5512b31e9d03",
            policy(
                "Managed-SecurityHeadersPolicy",
                "Adds a set of security headers to every response",
                vec![security()],
            ),
        ),
        (
            "e61eb60c-9c35-4d20-a928-2b84e02af89c",
            policy(
                "Managed-CORS-and-SecurityHeadersPolicy",
                "Allows all origins for simple CORS requests and adds security headers",
                vec![cors(false), security()],
            ),
        ),
        (
            "eaab4381-ed33-4a86-88ca-d9558dc6cd63",
            policy(
                "Managed-CORS-with-preflight-and-SecurityHeadersPolicy",
                "Allows all origins for CORS requests, including preflight requests, and adds security headers",
                vec![cors(true), security()],
            ),
        ),
    ]
}

fn cors(preflight: bool) -> Node {
    let list = |name: &str, item: &str, items: &[&str]| counted(name, item, items.iter().map(|i| Node::leaf(item, *i)));
    let methods: &[&str] =
        if preflight { &["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"] } else { &["GET", "HEAD"] };
    let node = Node::new("CorsConfig")
        .with(list("AccessControlAllowOrigins", "Origin", &["*"]))
        .with(list("AccessControlAllowHeaders", "Header", &["*"]))
        .with(list("AccessControlAllowMethods", "Method", methods))
        .put("AccessControlAllowCredentials", false);
    let node = if preflight { node.with(list("AccessControlExposeHeaders", "Header", &["*"])) } else { node };
    node.put("OriginOverride", false)
}

fn security() -> Node {
    let part = |name: &str, overrides: bool| Node::new(name).put("Override", overrides);
    Node::new("SecurityHeadersConfig")
        .with(part("XSSProtection", false).put("Protection", true).put("ModeBlock", true))
        .with(part("FrameOptions", false).put("FrameOption", "SAMEORIGIN"))
        .with(part("ReferrerPolicy", false).put("ReferrerPolicy", "strict-origin-when-cross-origin"))
        .with(part("ContentTypeOptions", true))
        .with(
            part("StrictTransportSecurity", false)
                .put("IncludeSubdomains", false)
                .put("Preload", false)
                .put("AccessControlMaxAgeSec", YEAR),
        )
}
