//! Cache policies: what is in the cache key, and how long things are kept (law C5).

use super::super::super::state::{CacheRules, Which};
use super::super::wire::{ApiError, Node};
use super::policies::Kind;
use super::shape::Member;
use super::shape::Shape::{NamesMaybe, Needed, Or, Part};
use super::{invalid, managed};

/// Cache policies.
pub(super) const KIND: Kind = Kind {
    name: "CachePolicy",
    config: "CachePolicyConfig",
    lists: ("CachePolicyList", "CachePolicySummary"),
    path: "/2020-05-31/cache-policy",
    path_id: "/2020-05-31/cache-policy/{Id}",
    path_config: "/2020-05-31/cache-policy/{Id}/config",
    named_by: "CachePolicyId",
    codes: ["NoSuchCachePolicy", "CachePolicyAlreadyExists", "CachePolicyInUse"],
    shape: &[
        Member("Comment", Or("")),
        Member("Name", Needed),
        Member("DefaultTTL", Or("86400")),
        Member("MaxTTL", Or("31536000")),
        Member("MinTTL", Needed),
        Member(
            "ParametersInCacheKeyAndForwardedToOrigin",
            Part(&[
                Member("EnableAcceptEncodingGzip", Or("false")),
                Member("EnableAcceptEncodingBrotli", Or("false")),
                Member(
                    "HeadersConfig",
                    Part(&[Member("HeaderBehavior", Or("none")), Member("Headers", NamesMaybe("Name"))]),
                ),
                Member(
                    "CookiesConfig",
                    Part(&[Member("CookieBehavior", Or("none")), Member("Cookies", NamesMaybe("Name"))]),
                ),
                Member(
                    "QueryStringsConfig",
                    Part(&[Member("QueryStringBehavior", Or("none")), Member("QueryStrings", NamesMaybe("Name"))]),
                ),
            ]),
        ),
    ],
    judge,
    managed: managed::cache,
};

fn judge(config: &Node) -> Result<(), ApiError> {
    let ttl = |name: &str| {
        config.number::<u64>(name).ok().flatten().ok_or_else(|| invalid(format!("The parameter {name} is not valid.")))
    };
    let (min, default, max) = (ttl("MinTTL")?, ttl("DefaultTTL")?, ttl("MaxTTL")?);
    if !(min <= default && default <= max) {
        let message = "The parameter MinTTL must not be over DefaultTTL, nor DefaultTTL over MaxTTL.";
        return Err(invalid(message.into()));
    }
    let rules = read(config);
    if max == 0 {
        let keyed = rules.headers != Which::None || rules.cookies != Which::None || rules.queries != Which::None;
        if keyed || !rules.encodings.is_empty() {
            let message = "The parameters in the cache key must be none when caching is disabled (MaxTTL of 0).";
            return Err(invalid(message.into()));
        }
    }
    let parts = config.child("ParametersInCacheKeyAndForwardedToOrigin");
    behaviors(parts, "HeadersConfig", "HeaderBehavior", &["none", "whitelist"])?;
    behaviors(parts, "CookiesConfig", "CookieBehavior", &["none", "whitelist", "allExcept", "all"])?;
    behaviors(parts, "QueryStringsConfig", "QueryStringBehavior", &["none", "whitelist", "allExcept", "all"])
}

/// Holds a part's behaviour to its values, and asks for names where it needs some.
pub(super) fn behaviors(parts: Option<&Node>, part: &str, name: &str, allowed: &[&str]) -> Result<(), ApiError> {
    let part = parts.and_then(|p| p.child(part));
    let value = part.and_then(|p| p.get(name)).unwrap_or_default();
    if !allowed.contains(&value) {
        return Err(invalid(format!("The parameter {name} has no value {value}.")));
    }
    let names = part.and_then(|p| p.children.get(1)).is_some_and(|n| n.items("Items").next().is_some());
    let needs = matches!(value, "whitelist" | "allExcept" | "allViewerAndWhitelistCloudFront");
    if names == needs {
        Ok(())
    } else {
        Err(invalid(format!("The parameter {name} is {value}: its names do not fit.")))
    }
}

/// What a complete configuration comes down to.
pub(super) fn read(config: &Node) -> CacheRules {
    let parts = config.child("ParametersInCacheKeyAndForwardedToOrigin");
    let on = |name: &str| parts.and_then(|p| p.get(name)) == Some("true");
    let ttl = |name: &str| config.number(name).ok().flatten().unwrap_or_default();
    let encodings = [("EnableAcceptEncodingBrotli", "br"), ("EnableAcceptEncodingGzip", "gzip")];
    CacheRules {
        min_ttl: ttl("MinTTL"),
        default_ttl: ttl("DefaultTTL"),
        max_ttl: ttl("MaxTTL"),
        encodings: encodings.iter().filter(|(name, _)| on(name)).map(|(_, e)| (*e).to_owned()).collect(),
        headers: which(parts, "HeadersConfig", "HeaderBehavior", true),
        cookies: which(parts, "CookiesConfig", "CookieBehavior", false),
        queries: which(parts, "QueryStringsConfig", "QueryStringBehavior", false),
    }
}

/// The names a part of a policy speaks of.
pub(super) fn which(parts: Option<&Node>, part: &str, name: &str, lower: bool) -> Which {
    let Some(part) = parts.and_then(|p| p.child(part)) else { return Which::None };
    let names = part.children.get(1).map(|n| n.texts("Items")).unwrap_or_default();
    let names = names.into_iter().map(|n| if lower { n.to_ascii_lowercase() } else { n }).collect();
    match part.get(name) {
        Some("whitelist") => Which::Only(names),
        Some("allExcept") => Which::AllBut(names),
        Some("all" | "allViewer" | "allViewerAndWhitelistCloudFront") => Which::All,
        _ => Which::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managed_ones_read_as_aws_documents_them() {
        let all = managed::cache();
        let rules = |id: &str| read(&all.iter().find(|(i, _)| *i == id).unwrap().1);
        let optimized = rules("658327ea-f89d-4fab-a63d-7e88639e58f6");
        assert_eq!((optimized.min_ttl, optimized.default_ttl, optimized.max_ttl), (1, 86_400, 31_536_000));
        assert_eq!((optimized.encodings, optimized.queries), (vec!["br".to_owned(), "gzip".to_owned()], Which::None));
        assert_eq!(rules("4135ea2d-6df8-44a3-9df3-4b5a84be39ad").max_ttl, 0);
        for (id, config) in &all {
            assert!(judge(config).is_ok(), "{id}");
        }
    }
}
