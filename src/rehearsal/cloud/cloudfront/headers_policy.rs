//! Response headers policies: what is done to the headers of an answer.

use super::super::super::state::{Cors, HeadersRules, SetHeader};
use super::super::wire::{ApiError, Node, refuse};
use super::policies::Kind;
use super::shape::Member;
use super::shape::Shape::{Many, Maybe, Names, NamesMaybe, Needed, Or, PartMaybe};
use super::{cannot, invalid, managed};

/// Source: CloudFront guide, cloudfront-limits, "Custom headers per response headers policy".
const MOST: usize = 10;

/// Response headers policies.
pub(super) const KIND: Kind = Kind {
    name: "ResponseHeadersPolicy",
    config: "ResponseHeadersPolicyConfig",
    lists: ("ResponseHeadersPolicyList", "ResponseHeadersPolicySummary"),
    path: "/2020-05-31/response-headers-policy",
    path_id: "/2020-05-31/response-headers-policy/{Id}",
    path_config: "/2020-05-31/response-headers-policy/{Id}/config",
    named_by: "ResponseHeadersPolicyId",
    codes: ["NoSuchResponseHeadersPolicy", "ResponseHeadersPolicyAlreadyExists", "ResponseHeadersPolicyInUse"],
    shape: &[
        Member("Comment", Or("")),
        Member("Name", Needed),
        Member(
            "CorsConfig",
            PartMaybe(&[
                Member("AccessControlAllowOrigins", Names("Origin")),
                Member("AccessControlAllowHeaders", Names("Header")),
                Member("AccessControlAllowMethods", Names("Method")),
                Member("AccessControlAllowCredentials", Needed),
                Member("AccessControlExposeHeaders", NamesMaybe("Header")),
                Member("AccessControlMaxAgeSec", Maybe),
                Member("OriginOverride", Needed),
            ]),
        ),
        Member(
            "SecurityHeadersConfig",
            PartMaybe(&[
                Member(
                    "XSSProtection",
                    PartMaybe(&[
                        Member("Override", Needed),
                        Member("Protection", Needed),
                        Member("ModeBlock", Maybe),
                        Member("ReportUri", Maybe),
                    ]),
                ),
                Member("FrameOptions", PartMaybe(&[Member("Override", Needed), Member("FrameOption", Needed)])),
                Member("ReferrerPolicy", PartMaybe(&[Member("Override", Needed), Member("ReferrerPolicy", Needed)])),
                Member(
                    "ContentSecurityPolicy",
                    PartMaybe(&[Member("Override", Needed), Member("ContentSecurityPolicy", Needed)]),
                ),
                Member("ContentTypeOptions", PartMaybe(&[Member("Override", Needed)])),
                Member(
                    "StrictTransportSecurity",
                    PartMaybe(&[
                        Member("Override", Needed),
                        Member("IncludeSubdomains", Maybe),
                        Member("Preload", Maybe),
                        Member("AccessControlMaxAgeSec", Needed),
                    ]),
                ),
            ]),
        ),
        Member("ServerTimingHeadersConfig", PartMaybe(&[Member("Enabled", Needed), Member("SamplingRate", Maybe)])),
        Member(
            "CustomHeadersConfig",
            Many(
                "ResponseHeadersPolicyCustomHeader",
                &[Member("Header", Needed), Member("Value", Needed), Member("Override", Needed)],
            ),
        ),
        Member("RemoveHeadersConfig", Many("ResponseHeadersPolicyRemoveHeader", &[Member("Header", Needed)])),
    ],
    judge,
    managed: managed::headers,
};

fn judge(config: &Node) -> Result<(), ApiError> {
    let count = |part: &str| config.child(part).map_or(0, |p| p.items("Items").count());
    if count("CustomHeadersConfig") > MOST {
        let message = "The number of custom headers in the response headers policy exceeds the maximum.";
        return Err(refuse("TooManyCustomHeadersInResponseHeadersPolicy", message));
    }
    if count("RemoveHeadersConfig") > MOST {
        let message =
            "The number of headers in RemoveHeadersConfig in the response headers policy exceeds the maximum.";
        return Err(refuse("TooManyRemoveHeadersInResponseHeadersPolicy", message));
    }
    if config.child("ServerTimingHeadersConfig").is_some_and(|s| s.get("Enabled") == Some("true")) {
        return Err(cannot("sends no Server-Timing headers"));
    }
    let Some(cors) = config.child("CorsConfig") else { return Ok(()) };
    let lists = ["AccessControlAllowOrigins", "AccessControlAllowHeaders", "AccessControlAllowMethods"];
    for list in lists {
        let items = cors.child(list).map(|l| l.texts("Items")).unwrap_or_default();
        if items.is_empty() {
            return Err(invalid(format!("The parameter {list} must hold at least one item.")));
        }
        // law O1: a browser takes no `*` together with credentials
        if cors.get("AccessControlAllowCredentials") == Some("true") && items.iter().any(|i| i == "*" || i == "ALL") {
            return Err(invalid(format!("The parameter {list} must not hold * when credentials are allowed.")));
        }
    }
    Ok(())
}

/// What a complete configuration comes down to.
pub(super) fn read(config: &Node) -> HeadersRules {
    let mut set = Vec::new();
    for own in config.child("CustomHeadersConfig").into_iter().flat_map(|c| c.items("Items")) {
        set.push(SetHeader {
            name: own.get("Header").unwrap_or_default().to_ascii_lowercase(),
            value: own.get("Value").unwrap_or_default().to_owned(),
            overrides: own.get("Override") == Some("true"),
        });
    }
    set.extend(config.child("SecurityHeadersConfig").into_iter().flat_map(security));
    let remove = config.child("RemoveHeadersConfig").into_iter().flat_map(|r| r.items("Items"));
    let remove = remove.filter_map(|r| r.get("Header")).map(str::to_ascii_lowercase).collect();
    HeadersRules { set, remove, cors: config.child("CorsConfig").map(cors) }
}

fn security(config: &Node) -> Vec<SetHeader> {
    let mut set = Vec::new();
    let mut add = |part: &str, name: &str, value: &dyn Fn(&Node) -> String| {
        if let Some(part) = config.child(part) {
            let overrides = part.get("Override") == Some("true");
            set.push(SetHeader { name: name.to_owned(), value: value(part), overrides });
        }
    };
    let text = |part: &Node, name: &str| part.get(name).unwrap_or_default().to_owned();
    add("XSSProtection", "x-xss-protection", &|part| {
        let on = part.get("Protection") == Some("true");
        let block = if part.get("ModeBlock") == Some("true") { "; mode=block" } else { "" };
        let report = part.get("ReportUri").map(|uri| format!("; report={uri}")).unwrap_or_default();
        if on { format!("1{block}{report}") } else { "0".to_owned() }
    });
    add("FrameOptions", "x-frame-options", &|part| text(part, "FrameOption"));
    add("ReferrerPolicy", "referrer-policy", &|part| text(part, "ReferrerPolicy"));
    add("ContentSecurityPolicy", "content-security-policy", &|part| text(part, "ContentSecurityPolicy"));
    add("ContentTypeOptions", "x-content-type-options", &|_| "nosniff".to_owned());
    add("StrictTransportSecurity", "strict-transport-security", &|part| {
        let flag = |name: &str, text: &'static str| if part.get(name) == Some("true") { text } else { "" };
        let subdomains = flag("IncludeSubdomains", "; includeSubDomains");
        format!("max-age={}{subdomains}{}", text(part, "AccessControlMaxAgeSec"), flag("Preload", "; preload"))
    });
    set
}

fn cors(config: &Node) -> Cors {
    let list = |name: &str| config.child(name).map(|l| l.texts("Items")).unwrap_or_default();
    Cors {
        origins: list("AccessControlAllowOrigins"),
        headers: list("AccessControlAllowHeaders"),
        methods: list("AccessControlAllowMethods"),
        credentials: config.get("AccessControlAllowCredentials") == Some("true"),
        expose: list("AccessControlExposeHeaders"),
        max_age: config.number("AccessControlMaxAgeSec").ok().flatten(),
        overrides: config.get("OriginOverride") == Some("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managed_security_headers_are_those_aws_documents() {
        let all = managed::headers();
        let rules = read(&all.iter().find(|(id, _)| *id == "67f7725c-6f97-4210-82d7-5512b31e9d03").unwrap().1);
        let mut set: Vec<_> = rules.set.iter().map(|s| (s.name.as_str(), s.value.as_str(), s.overrides)).collect();
        set.sort_unstable();
        assert_eq!(
            set,
            [
                ("referrer-policy", "strict-origin-when-cross-origin", false),
                ("strict-transport-security", "max-age=31536000", false),
                ("x-content-type-options", "nosniff", true),
                ("x-frame-options", "SAMEORIGIN", false),
                ("x-xss-protection", "1; mode=block", false),
            ]
        );
        for (id, config) in &all {
            assert!(judge(config).is_ok(), "{id}");
        }
    }
}
