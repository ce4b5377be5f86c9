//! A distribution's configuration: judged as AWS judges it, and read into what the edges act on.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::state::{DistributionConfig, ErrorPage, State};
use super::super::law::Law;
use super::super::wire::{ApiError, Node, refuse};
use super::{behaviors, cannot, certificate, invalid, origins};

/// Source: CloudFront guide, cloudfront-limits, "Alternate domain names (CNAMEs) per distribution".
const MOST_ALIASES: usize = 100;
/// Errors that can have a page of their own. Source: CloudFront API reference, `CustomErrorResponse`.
const ERRORS: &[u16] = &[400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/// Reads a complete configuration. `own` is the distribution it is for, once there is one.
pub(super) fn read(state: &State, shown: &Node, own: Option<&str>) -> Result<DistributionConfig, ApiError> {
    beyond_us(shown)?;
    one_of(shown, "PriceClass", &["PriceClass_100", "PriceClass_200", "PriceClass_All"])?;
    one_of(shown, "HttpVersion", &["http1.1", "http2", "http3", "http2and3"])?;
    let truth =
        |name: &str| shown.flag(name).map_err(|_| invalid(format!("The parameter {name} is neither true nor false.")));
    let enabled = truth("Enabled")?.ok_or_else(|| invalid("The parameter Enabled is required.".into()))?;
    truth("IsIPV6Enabled")?;
    if shown.get("Comment").is_some_and(|c| c.chars().count() > 128) {
        return Err(invalid("The parameter Comment is too long: at most 128 characters.".into()));
    }
    let default_root = shown.get("DefaultRootObject").unwrap_or_default();
    if default_root.starts_with('/') || default_root.len() > 255 || default_root.contains(char::is_whitespace) {
        let message = "The default root object file name is too big or contains an invalid character.";
        return Err(refuse("InvalidDefaultRootObject", message).by(Law::C3));
    }
    let aliases = aliases(state, shown, own)?;
    let origins = origins::read(state, shown)?;
    let (default, behaviors) = behaviors::read(state, shown, &origins)?;
    Ok(DistributionConfig {
        enabled,
        certificate: certificate::read(state, shown, &aliases)?,
        aliases,
        default_root: default_root.to_owned(),
        origins,
        default,
        behaviors,
        error_pages: error_pages(shown)?,
    })
}

fn one_of(shown: &Node, name: &str, allowed: &[&str]) -> Result<(), ApiError> {
    let value = shown.get(name).unwrap_or_default();
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(invalid(format!("The parameter {name} has no value {value}; it is one of {}.", allowed.join(", "))))
}

/// What a rehearsal cannot do, refused rather than left out silently.
fn beyond_us(shown: &Node) -> Result<(), ApiError> {
    let some = |part: &str| shown.child(part).is_some_and(|p| p.get("Quantity").is_some_and(|q| q != "0"));
    let geo = shown.child("Restrictions").and_then(|r| r.child("GeoRestriction"));
    if some("OriginGroups") {
        return Err(cannot("has no origin groups"));
    }
    if shown.child("Logging").is_some_and(|l| l.get("Enabled") == Some("true")) {
        return Err(cannot("writes no access logs of a distribution"));
    }
    if geo.is_some_and(|g| g.get("RestrictionType") != Some("none")) {
        return Err(cannot("does not know where viewers live"));
    }
    if shown.get("WebACLId").is_some() {
        return Err(cannot("has no WAF"));
    }
    if shown.get("Staging") == Some("true") || shown.get("ContinuousDeploymentPolicyId").is_some() {
        return Err(cannot("has no continuous deployment"));
    }
    Ok(())
}

fn aliases(state: &State, shown: &Node, own: Option<&str>) -> Result<BTreeSet<String>, ApiError> {
    let given = shown.child("Aliases").map(|a| a.texts("Items")).unwrap_or_default();
    let mut aliases = BTreeSet::new();
    for alias in given {
        let alias = alias.to_ascii_lowercase();
        let name = alias.strip_prefix("*.").unwrap_or(&alias);
        let label = |l: &str| {
            let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !l.is_empty() && l.len() <= 63 && l.chars().all(fine)
        };
        if !name.contains('.') || name.len() > 253 || !name.split('.').all(label) {
            return Err(invalid(format!(
                "The parameter CNAME contains one or more parameters that are not valid: {alias}"
            )));
        }
        aliases.insert(alias);
    }
    if aliases.len() > MOST_ALIASES {
        let message = "Your request contains more CNAMEs than are allowed per distribution.";
        return Err(refuse("TooManyDistributionCNAMEs", message));
    }
    let mut others = state.distributions.values().filter(|d| own != Some(d.id.as_str()));
    if others.any(|d| !d.config.aliases.is_disjoint(&aliases)) {
        let message = "One or more of the CNAMEs you provided are already associated with a different resource.";
        return Err(refuse("CNAMEAlreadyExists", message).status(409).by(Law::C4));
    }
    Ok(aliases)
}

fn error_pages(shown: &Node) -> Result<BTreeMap<u16, ErrorPage>, ApiError> {
    let mut pages = BTreeMap::new();
    for node in shown.child("CustomErrorResponses").into_iter().flat_map(|c| c.items("Items")) {
        let code = node.number::<u16>("ErrorCode").ok().flatten().filter(|c| ERRORS.contains(c));
        let wrong = "Your request contains an error code that is not valid.";
        let code = code.ok_or_else(|| refuse("InvalidErrorCode", wrong))?;
        let page = match (node.get("ResponsePagePath"), node.get("ResponseCode")) {
            (None, None) => None,
            (Some(path), Some(status)) => {
                if !path.starts_with('/') {
                    return Err(invalid(format!("The parameter ResponsePagePath must begin with /: {path}")));
                }
                let status = status.parse().ok().filter(|s| *s == 200 || ERRORS.contains(s));
                let wrong = "Your request contains a response code that is not valid.";
                Some((path.to_owned(), status.ok_or_else(|| refuse("InvalidResponseCode", wrong))?))
            }
            _ => {
                let message = "ResponsePagePath and ResponseCode are given both or neither.";
                return Err(invalid(message.into()));
            }
        };
        let min_ttl = node.number("ErrorCachingMinTTL").ok().flatten().filter(|t: &u64| *t <= 31_536_000);
        let min_ttl = min_ttl.ok_or_else(|| invalid("The parameter ErrorCachingMinTTL is not valid.".into()))?;
        if pages.insert(code, ErrorPage { page, min_ttl }).is_some() {
            return Err(invalid(format!("The parameter CustomErrorResponses holds the error {code} twice.")));
        }
    }
    Ok(pages)
}
