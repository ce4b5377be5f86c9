//! Configurations CloudFront refuses, each with its code.

use super::*;

fn custom(id: &str) -> Node {
    let server = Node::new("CustomOriginConfig")
        .put("HTTPPort", 80_u16)
        .put("HTTPSPort", 443_u16)
        .put("OriginProtocolPolicy", "https-only");
    Node::new("Origin").put("Id", id).put("DomainName", "shop-1.ap-northeast-2.elb.amazonaws.com").with(server)
}

fn error_page(code: u16, page: Option<(&str, &str)>) -> Node {
    let node = Node::new("CustomErrorResponse").put("ErrorCode", code);
    let node = node.put_some("ResponsePagePath", page.map(|p| p.0)).put_some("ResponseCode", page.map(|p| p.1));
    counted("CustomErrorResponses", "CustomErrorResponse", [node])
}

fn behavior(pattern: &str, target: &str) -> Node {
    Node::new("CacheBehavior")
        .put("PathPattern", pattern)
        .put("TargetOriginId", target)
        .put("ViewerProtocolPolicy", "https-only")
        .put("CachePolicyId", OPTIMIZED)
}

#[test]
fn every_mistake_has_aws_code() {
    let here = Here::new();
    let access = here.access_control("pages");
    let origin = "Origins/Items/0";
    let default = "DefaultCacheBehavior";
    let methods = |of: &[&str]| counted("AllowedMethods", "Method", of.iter().map(|m| Node::leaf("Method", *m)));
    let twice = ["/api/*", "/api/*"].map(|p| behavior(p, "pages"));
    let cases: Vec<(&str, Node, &str)> = vec![
        (default, Node::leaf("TargetOriginId", "nowhere"), "NoSuchOrigin"),
        ("", counted("CacheBehaviors", "CacheBehavior", [behavior("/api/*", "alb")]), "NoSuchOrigin"),
        ("", counted("CacheBehaviors", "CacheBehavior", twice), "InvalidArgument"),
        (default, Node::leaf("CachePolicyId", "none"), "NoSuchCachePolicy"),
        (default, Node::leaf("OriginRequestPolicyId", "none"), "NoSuchOriginRequestPolicy"),
        (default, Node::leaf("ResponseHeadersPolicyId", "none"), "NoSuchResponseHeadersPolicy"),
        (default, Node::leaf("ViewerProtocolPolicy", "http-only"), "InvalidArgument"),
        (default, methods(&["GET", "HEAD", "POST"]), "InvalidArgument"),
        (default, Node::leaf("MinTTL", 5_u8), "InvalidArgument"),
        (origin, Node::leaf("OriginAccessControlId", "E000000000000"), "InvalidOriginAccessControl"),
        (origin, Node::leaf("DomainName", "192.0.2.1"), "InvalidArgument"),
        (origin, Node::leaf("DomainName", "www.shop.test"), "InvalidArgument"),
        (origin, Node::leaf("OriginPath", "v2"), "InvalidArgument"),
        ("", counted("Origins", "Origin", []), "InvalidArgument"),
        ("", Node::new("Origins").put("Quantity", 2_u8), "InconsistentQuantities"),
        ("", Node::leaf("DefaultRootObject", "/index.html"), "InvalidDefaultRootObject"),
        ("", Node::leaf("PriceClass", "PriceClass_300"), "InvalidArgument"),
        ("", Node::leaf("HttpVersion", "http9"), "InvalidArgument"),
        ("", error_page(402, None), "InvalidErrorCode"),
        ("", error_page(404, Some(("/index.html", "201"))), "InvalidResponseCode"),
        ("", error_page(404, Some(("index.html", "200"))), "InvalidArgument"),
        ("", error_page(404, Some(("/index.html", ""))), "InvalidArgument"),
        ("", Node::leaf("WebACLId", "arn:aws:wafv2:x"), "UnsupportedOperation"),
        ("", Node::new("TenantConfig").put("ParameterDefinitions", "x"), "UnsupportedOperation"),
    ];
    for (path, child, code) in cases {
        let mut wrong = config(&access);
        let what = format!("{path} {child:?}");
        set(&mut wrong, path, child);
        assert_eq!(here.code("CreateDistribution", &wrong), code, "{what}");
    }
    assert_eq!(here.code("CreateDistribution", &Node::default()), "MissingBody");
}

#[test]
fn a_web_server_is_no_bucket() {
    let here = Here::new();
    let with = |origin: Node| {
        let mut given = config("");
        set(&mut given, "", counted("Origins", "Origin", [origin]));
        set(&mut given, "DefaultCacheBehavior", Node::leaf("TargetOriginId", "alb"));
        given
    };
    let access = here.access_control("pages");
    let named = with(custom("alb").put("OriginAccessControlId", access));
    assert_eq!(here.code("CreateDistribution", &named), "InvalidDomainNameForOriginAccessControl");
    let mut port = custom("alb");
    set(&mut port, "CustomOriginConfig", Node::leaf("HTTPPort", 81_u16));
    assert_eq!(here.code("CreateDistribution", &with(port)), "InvalidArgument");
    let both = custom("alb").with(Node::new("S3OriginConfig").put("OriginAccessIdentity", ""));
    assert_eq!(here.code("CreateDistribution", &with(both)), "InvalidArgument");
    here.distribution(&with(custom("alb")));
}
