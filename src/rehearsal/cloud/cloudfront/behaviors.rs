//! The cache behaviours of a distribution.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::state::{Behavior, CacheRules, Origin, RequestRules, State, Which};
use super::super::wire::{ApiError, Node, refuse};
use super::{cannot, functions, invalid, policies};

/// Source: CloudFront guide, cloudfront-limits, "Cache behaviors per distribution".
const MOST: usize = 75;
/// The sets of methods a behaviour may pass on, and cache. Source: CloudFront API reference, `AllowedMethods`.
const SETS: &[&[&str]] =
    &[&["GET", "HEAD"], &["GET", "HEAD", "OPTIONS"], &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]];
/// What the legacy settings keep from the origin unless it is named.
/// Source: CloudFront guide, `RequestAndResponseBehaviorCustomOrigin`, HTTP request headers.
const KEPT_BACK: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cookie",
    "host",
    "referer",
    "user-agent",
];

/// The default behaviour, and the others by their path patterns.
pub(super) type Behaviors = (Behavior, Vec<(String, Behavior)>);

/// The behaviours of a complete configuration.
pub(super) fn read(state: &State, config: &Node, origins: &BTreeMap<String, Origin>) -> Result<Behaviors, ApiError> {
    let missing = || invalid("The parameter DefaultCacheBehavior is required.".into());
    let default = behavior(state, config.child("DefaultCacheBehavior").ok_or_else(missing)?, origins)?;
    let mut others: Vec<(String, Behavior)> = Vec::new();
    for node in config.child("CacheBehaviors").into_iter().flat_map(|b| b.items("Items")) {
        let pattern = node.get("PathPattern").unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.*$/~\"'@:+&?".contains(c);
        if pattern.is_empty() || pattern.len() > 255 || !pattern.chars().all(allowed) {
            return Err(invalid(format!("The parameter PathPattern is not valid: {pattern}")));
        }
        if others.iter().any(|(taken, _)| taken == pattern) {
            return Err(invalid(format!("The parameter PathPattern is there twice: {pattern}")));
        }
        others.push((pattern.to_owned(), behavior(state, node, origins)?));
    }
    if others.len() > MOST {
        let message = format!("You cannot create more than {MOST} cache behaviors for the distribution.");
        return Err(refuse("TooManyCacheBehaviors", message));
    }
    Ok((default, others))
}

fn behavior(state: &State, node: &Node, origins: &BTreeMap<String, Origin>) -> Result<Behavior, ApiError> {
    let target = node.get("TargetOriginId").unwrap_or_default();
    if !origins.contains_key(target) {
        let message = format!("One or more of your origins or origin groups do not exist: {target}");
        return Err(refuse("NoSuchOrigin", message).status(404));
    }
    let viewers = node.get("ViewerProtocolPolicy").unwrap_or_default();
    if !["allow-all", "https-only", "redirect-to-https"].contains(&viewers) {
        return Err(invalid(format!("The parameter ViewerProtocolPolicy has no value {viewers}.")));
    }
    beyond_us(node)?;
    let methods = methods(node)?;
    let (cache, request) = match node.get("CachePolicyId") {
        Some(id) => {
            if node.child("ForwardedValues").is_some()
                || ["MinTTL", "DefaultTTL", "MaxTTL"].iter().any(|t| node.get(t).is_some())
            {
                let message = "The parameter ForwardedValues cannot be used when a cache policy is associated to the cache behavior.";
                return Err(invalid(message.into()));
            }
            let request = node.get("OriginRequestPolicyId").map(|id| policies::request_rules(state, id)).transpose()?;
            (policies::cache_rules(state, id)?, request.unwrap_or_default())
        }
        None => legacy(node)?,
    };
    let headers = node.get("ResponseHeadersPolicyId").map(|id| policies::headers_rules(state, id)).transpose()?;
    Ok(Behavior {
        origin: target.to_owned(),
        viewers: viewers.to_owned(),
        methods,
        cache,
        request,
        headers: headers.unwrap_or_default(),
        function: functions::associated(state, node)?,
    })
}

/// What a rehearsal cannot do, refused rather than left out silently.
fn beyond_us(node: &Node) -> Result<(), ApiError> {
    let on = |part: &str| node.child(part).is_some_and(|p| p.get("Enabled") == Some("true"));
    let quantity = |part: &str| node.child(part).is_some_and(|p| p.get("Quantity").is_some_and(|q| q != "0"));
    if on("TrustedSigners") || on("TrustedKeyGroups") {
        return Err(cannot("checks no signed URLs"));
    }
    if quantity("LambdaFunctionAssociations") {
        return Err(cannot("runs no Lambda@Edge functions"));
    }
    if node.get("FieldLevelEncryptionId").is_some() {
        return Err(cannot("has no field-level encryption"));
    }
    if node.get("SmoothStreaming") == Some("true") || on("GrpcConfig") {
        return Err(cannot("has neither smooth streaming nor gRPC"));
    }
    Ok(())
}

fn methods(node: &Node) -> Result<BTreeSet<String>, ApiError> {
    let allowed = node.child("AllowedMethods");
    let set =
        |node: Option<&Node>| node.map(|n| n.texts("Items")).unwrap_or_default().into_iter().collect::<BTreeSet<_>>();
    let (methods, cached) = (set(allowed), set(allowed.and_then(|a| a.child("CachedMethods"))));
    let is = |set: &BTreeSet<String>, of: &[&str]| set.iter().map(String::as_str).eq(of.iter().copied());
    if !SETS.iter().any(|s| is(&methods, s)) {
        return Err(invalid(format!("The parameter AllowedMethods has no such set of methods: {methods:?}")));
    }
    if !SETS[..2].iter().any(|s| is(&cached, s)) || !cached.is_subset(&methods) {
        return Err(invalid(format!("The parameter CachedMethods has no such set of methods: {cached:?}")));
    }
    Ok(methods)
}

/// The settings from before there were policies.
fn legacy(node: &Node) -> Result<(CacheRules, RequestRules), ApiError> {
    let forwarded =
        node.child("ForwardedValues").ok_or_else(|| invalid("The parameter ForwardedValues is required.".into()))?;
    if node.get("OriginRequestPolicyId").is_some() {
        let message = "The parameter OriginRequestPolicyId needs a cache policy in the cache behavior.";
        return Err(invalid(message.into()));
    }
    let ttl = |name: &str| node.number::<u64>(name).map_err(|_| invalid(format!("The parameter {name} is no number.")));
    let min = ttl("MinTTL")?.ok_or_else(|| invalid("The parameter MinTTL is required.".into()))?;
    let default = ttl("DefaultTTL")?.unwrap_or(86_400.max(min));
    let max = ttl("MaxTTL")?.unwrap_or(31_536_000.max(default));
    if !(min <= default && default <= max) {
        let message = "The order of MinTTL, DefaultTTL and MaxTTL is not valid: it must be MinTTL, DefaultTTL, MaxTTL.";
        return Err(refuse("InvalidTTLOrder", message));
    }
    let names = |part: Option<&Node>| part.map(|p| p.texts("Items")).unwrap_or_default();
    let headers: Vec<_> = names(forwarded.child("Headers")).iter().map(|h| h.to_ascii_lowercase()).collect();
    let all = headers.iter().any(|h| h == "*");
    let cookies = forwarded.child("Cookies");
    let cookies = match cookies.and_then(|c| c.get("Forward")) {
        Some("all") => Which::All,
        Some("whitelist") => Which::Only(names(cookies.and_then(|c| c.child("WhitelistedNames")))),
        Some("none") | None => Which::None,
        Some(other) => return Err(refuse("InvalidForwardCookies", format!("Forward has no value {other}."))),
    };
    let keys = names(forwarded.child("QueryStringCacheKeys"));
    let asks = forwarded.get("QueryString") == Some("true");
    let queries = match (asks, keys.is_empty()) {
        (false, _) => Which::None,
        (true, true) => Which::All,
        (true, false) => Which::Only(keys),
    };
    // `*` of headers: everything is passed on and nothing cached
    let (min, default, max) = if all { (0, 0, 0) } else { (min, default, max) };
    let cache = CacheRules {
        min_ttl: min,
        default_ttl: default,
        max_ttl: max,
        encodings: Vec::new(),
        headers: if headers.is_empty() || all { Which::None } else { Which::Only(headers) },
        cookies: cookies.clone(),
        queries,
    };
    let passed = if all { Which::All } else { Which::AllBut(KEPT_BACK.iter().map(|h| (*h).to_owned()).collect()) };
    let request = RequestRules { headers: passed, cookies, queries: if asks { Which::All } else { Which::None } };
    Ok((cache, request))
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;

    fn forwarded(query: bool) -> Node {
        Node::new("DefaultCacheBehavior").with(Node::new("ForwardedValues").put("QueryString", query))
    }

    #[test]
    fn the_legacy_settings_keep_a_day_and_their_ttls_stand_in_order() {
        let (cache, request) = legacy(&forwarded(true).put("MinTTL", 0_u64)).unwrap();
        assert_eq!((cache.min_ttl, cache.default_ttl, cache.max_ttl), (0, 86_400, 31_536_000));
        assert!(request.headers.has("x-own") && !request.headers.has("authorization") && cache.queries == Which::All);
        let wrong = forwarded(false).put("MinTTL", 10_u64).put("DefaultTTL", 5_u64);
        assert_eq!(legacy(&wrong).unwrap_err().code, "InvalidTTLOrder");
        assert_eq!(legacy(&Node::new("x")).unwrap_err().code, "InvalidArgument");
    }

    #[test]
    fn methods_come_in_three_sets() {
        let of = |allowed: &[&str], cached: &[&str]| {
            let list = |name, of: &[&str]| counted(name, "Method", of.iter().map(|m| Node::leaf("Method", *m)));
            let node = list("AllowedMethods", allowed).with(list("CachedMethods", cached));
            methods(&Node::new("x").with(node)).map(|m| m.len())
        };
        assert_eq!(of(&["HEAD", "GET"], &["GET", "HEAD"]).unwrap(), 2);
        assert_eq!(of(&["HEAD", "GET", "POST", "PUT", "PATCH", "OPTIONS", "DELETE"], &["GET", "HEAD"]).unwrap(), 7);
        assert!(of(&["GET", "HEAD", "POST"], &["GET", "HEAD"]).is_err());
        assert!(of(&["GET", "HEAD"], &["GET", "HEAD", "OPTIONS"]).is_err(), "cached, but not passed on");
    }
}
