//! Origin request policies: what of a request the origin sees beside the cache key.

use super::super::super::state::RequestRules;
use super::super::wire::{ApiError, Node};
use super::cache_policy::{behaviors, which};
use super::managed;
use super::policies::Kind;
use super::shape::Member;
use super::shape::Shape::{NamesMaybe, Needed, Or, Part};

/// Origin request policies.
pub(super) const KIND: Kind = Kind {
    name: "OriginRequestPolicy",
    config: "OriginRequestPolicyConfig",
    lists: ("OriginRequestPolicyList", "OriginRequestPolicySummary"),
    path: "/2020-05-31/origin-request-policy",
    path_id: "/2020-05-31/origin-request-policy/{Id}",
    path_config: "/2020-05-31/origin-request-policy/{Id}/config",
    named_by: "OriginRequestPolicyId",
    codes: ["NoSuchOriginRequestPolicy", "OriginRequestPolicyAlreadyExists", "OriginRequestPolicyInUse"],
    shape: &[
        Member("Comment", Or("")),
        Member("Name", Needed),
        Member("HeadersConfig", Part(&[Member("HeaderBehavior", Needed), Member("Headers", NamesMaybe("Name"))])),
        Member("CookiesConfig", Part(&[Member("CookieBehavior", Needed), Member("Cookies", NamesMaybe("Name"))])),
        Member(
            "QueryStringsConfig",
            Part(&[Member("QueryStringBehavior", Needed), Member("QueryStrings", NamesMaybe("Name"))]),
        ),
    ],
    judge,
    managed: managed::request,
};

fn judge(config: &Node) -> Result<(), ApiError> {
    let of_headers = ["none", "whitelist", "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"];
    let whole = Some(config);
    behaviors(whole, "HeadersConfig", "HeaderBehavior", &of_headers)?;
    behaviors(whole, "CookiesConfig", "CookieBehavior", &["none", "whitelist", "all", "allExcept"])?;
    behaviors(whole, "QueryStringsConfig", "QueryStringBehavior", &["none", "whitelist", "all", "allExcept"])
}

/// What a complete configuration comes down to. Headers that CloudFront itself adds are not made in a rehearsal.
pub(super) fn read(config: &Node) -> RequestRules {
    let whole = Some(config);
    RequestRules {
        headers: which(whole, "HeadersConfig", "HeaderBehavior", true),
        cookies: which(whole, "CookiesConfig", "CookieBehavior", false),
        queries: which(whole, "QueryStringsConfig", "QueryStringBehavior", false),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::super::state::Which;
    use super::*;

    #[test]
    fn the_managed_ones_read_as_aws_documents_them() {
        let all = managed::request();
        let rules = |id: &str| read(&all.iter().find(|(i, _)| *i == id).unwrap().1);
        let but_host = rules("b689b0a8-53d0-40ab-baf2-68738e2966ac");
        assert!(but_host.headers.has("authorization") && !but_host.headers.has("host"));
        assert_eq!((but_host.cookies, but_host.queries), (Which::All, Which::All));
        assert_eq!(rules("216adef6-5c7f-47e4-b989-5492eafa07d3").headers, Which::All);
        for (id, config) in &all {
            assert!(judge(config).is_ok(), "{id}");
        }
    }
}
