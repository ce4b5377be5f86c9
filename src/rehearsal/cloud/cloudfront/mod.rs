//! CloudFront: origin access controls, distributions, invalidations, functions, policies.
//!
//! A configuration is kept twice: whole, as the API shows it (`shape`), and read into what the edges act on (`config`).
//! What a rehearsal cannot do it refuses with `UnsupportedOperation` rather than keep and ignore it.

mod access;
mod aliases;
mod behaviors;
mod cache_policy;
mod certificate;
mod config;
mod distributions;
mod functions;
mod headers_policy;
mod invalidations;
mod managed;
mod origins;
mod policies;
mod request_policy;
mod seed;
mod shape;
mod tags;
#[cfg(test)]
mod tests;

use http::Method;

use super::fresh;
use super::law::Law::{C1, C3, C4, C6};
use super::wire::operation::{Operation, Output, Service, rest};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, refuse, xml};

const ACCESS: &str = "/2020-05-31/origin-access-control";
const ACCESS_ID: &str = "/2020-05-31/origin-access-control/{Id}";
const ACCESS_CONFIG: &str = "/2020-05-31/origin-access-control/{Id}/config";
const DISTRIBUTION: &str = "/2020-05-31/distribution";
const DISTRIBUTION_TAGGED: &str = "/2020-05-31/distribution?WithTags";
const DISTRIBUTION_ID: &str = "/2020-05-31/distribution/{Id}";
const DISTRIBUTION_CONFIG: &str = "/2020-05-31/distribution/{Id}/config";
const CONFLICTS: &str = "/2020-05-31/conflicting-alias";
const INVALIDATION: &str = "/2020-05-31/distribution/{DistributionId}/invalidation";
const INVALIDATION_ID: &str = "/2020-05-31/distribution/{DistributionId}/invalidation/{Id}";
const FUNCTION: &str = "/2020-05-31/function";
const FUNCTION_NAME: &str = "/2020-05-31/function/{Name}";
const TAGGING: &str = "/2020-05-31/tagging";

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "cloudfront",
    protocol: Protocol::RestXml("http://cloudfront.amazonaws.com/doc/2020-05-31/"),
    operations: &OPERATIONS,
};

/// An operation on policies, for one kind of them.
macro_rules! of {
    ($does:ident $kind:ident) => {
        |cloud, input| policies::$does(&$kind::KIND, cloud, input)
    };
}

const OPERATIONS: [Operation; 46] = [
    rest("CreateOriginAccessControl", Method::POST, ACCESS, access::create, &[]),
    rest("GetOriginAccessControl", Method::GET, ACCESS_ID, access::get, &[]),
    rest("GetOriginAccessControlConfig", Method::GET, ACCESS_CONFIG, access::get_config, &[]),
    rest("UpdateOriginAccessControl", Method::PUT, ACCESS_CONFIG, access::update, &[]),
    rest("ListOriginAccessControls", Method::GET, ACCESS, access::list, &[]),
    rest("DeleteOriginAccessControl", Method::DELETE, ACCESS_ID, access::delete, &[]),
    rest("CreateDistribution", Method::POST, DISTRIBUTION, distributions::create, &[C1, C3, C4, C6]),
    rest(
        "CreateDistributionWithTags",
        Method::POST,
        DISTRIBUTION_TAGGED,
        distributions::create_with_tags,
        &[C1, C3, C4, C6],
    ),
    rest("GetDistribution", Method::GET, DISTRIBUTION_ID, distributions::get, &[C6]),
    rest("GetDistributionConfig", Method::GET, DISTRIBUTION_CONFIG, distributions::get_config, &[]),
    rest("UpdateDistribution", Method::PUT, DISTRIBUTION_CONFIG, distributions::update, &[C1, C3, C4, C6]),
    rest("ListDistributions", Method::GET, DISTRIBUTION, distributions::list, &[]),
    rest("DeleteDistribution", Method::DELETE, DISTRIBUTION_ID, distributions::delete, &[C6]),
    rest("ListConflictingAliases", Method::GET, CONFLICTS, aliases::conflicting, &[C4]),
    rest("CreateInvalidation", Method::POST, INVALIDATION, invalidations::create, &[C6]),
    rest("GetInvalidation", Method::GET, INVALIDATION_ID, invalidations::get, &[]),
    rest("ListInvalidations", Method::GET, INVALIDATION, invalidations::list, &[]),
    rest("CreateFunction", Method::POST, FUNCTION, functions::create, &[]),
    rest("ListFunctions", Method::GET, FUNCTION, functions::list, &[]),
    rest("GetFunction", Method::GET, FUNCTION_NAME, functions::get, &[]),
    rest("UpdateFunction", Method::PUT, FUNCTION_NAME, functions::update, &[]),
    rest("DeleteFunction", Method::DELETE, FUNCTION_NAME, functions::delete, &[]),
    rest("DescribeFunction", Method::GET, "/2020-05-31/function/{Name}/describe", functions::describe, &[]),
    rest("PublishFunction", Method::POST, "/2020-05-31/function/{Name}/publish", functions::publish, &[]),
    rest("TestFunction", Method::POST, "/2020-05-31/function/{Name}/test", functions::test, &[]),
    rest("ListCachePolicies", Method::GET, cache_policy::KIND.path, of!(list cache_policy), &[]),
    rest("CreateCachePolicy", Method::POST, cache_policy::KIND.path, of!(create cache_policy), &[]),
    rest("GetCachePolicy", Method::GET, cache_policy::KIND.path_id, of!(get cache_policy), &[]),
    rest("GetCachePolicyConfig", Method::GET, cache_policy::KIND.path_config, of!(get_config cache_policy), &[]),
    rest("UpdateCachePolicy", Method::PUT, cache_policy::KIND.path_id, of!(update cache_policy), &[]),
    rest("DeleteCachePolicy", Method::DELETE, cache_policy::KIND.path_id, of!(delete cache_policy), &[]),
    rest("ListOriginRequestPolicies", Method::GET, request_policy::KIND.path, of!(list request_policy), &[]),
    rest("CreateOriginRequestPolicy", Method::POST, request_policy::KIND.path, of!(create request_policy), &[]),
    rest("GetOriginRequestPolicy", Method::GET, request_policy::KIND.path_id, of!(get request_policy), &[]),
    rest(
        "GetOriginRequestPolicyConfig",
        Method::GET,
        request_policy::KIND.path_config,
        of!(get_config request_policy),
        &[],
    ),
    rest("UpdateOriginRequestPolicy", Method::PUT, request_policy::KIND.path_id, of!(update request_policy), &[]),
    rest("DeleteOriginRequestPolicy", Method::DELETE, request_policy::KIND.path_id, of!(delete request_policy), &[]),
    rest("ListResponseHeadersPolicies", Method::GET, headers_policy::KIND.path, of!(list headers_policy), &[]),
    rest("CreateResponseHeadersPolicy", Method::POST, headers_policy::KIND.path, of!(create headers_policy), &[]),
    rest("GetResponseHeadersPolicy", Method::GET, headers_policy::KIND.path_id, of!(get headers_policy), &[]),
    rest(
        "GetResponseHeadersPolicyConfig",
        Method::GET,
        headers_policy::KIND.path_config,
        of!(get_config headers_policy),
        &[],
    ),
    rest("UpdateResponseHeadersPolicy", Method::PUT, headers_policy::KIND.path_id, of!(update headers_policy), &[]),
    rest("DeleteResponseHeadersPolicy", Method::DELETE, headers_policy::KIND.path_id, of!(delete headers_policy), &[]),
    rest("ListTagsForResource", Method::GET, TAGGING, tags::list, &[]),
    rest("TagResource", Method::POST, "/2020-05-31/tagging?Operation=Tag", tags::tag, &[]),
    rest("UntagResource", Method::POST, "/2020-05-31/tagging?Operation=Untag", tags::untag, &[]),
];

/// A version for `If-Match`.
fn version() -> String {
    format!("E{}", fresh()[..13].to_uppercase())
}

/// A request that is wrong in itself.
fn invalid(message: String) -> ApiError {
    refuse("InvalidArgument", message)
}

/// What AWS can and a rehearsal cannot.
fn cannot(what: &str) -> ApiError {
    refuse("UnsupportedOperation", format!("the rehearsal cloud {what}"))
}

/// `Quantity` and, where there are any, `Items`.
fn counted(name: &str, item: &str, items: impl IntoIterator<Item = Node>) -> Node {
    let items: Vec<_> = items.into_iter().collect();
    let node = Node::new(name).put("Quantity", items.len());
    if items.is_empty() { node } else { node.list("Items", item, items) }
}

/// Holds a change to the version it was made from.
fn if_match(input: &Node, current: &str) -> Result<(), ApiError> {
    let given = input.get("IfMatch").unwrap_or_default().trim_matches('"');
    if given.len() < 8 || !given.starts_with('E') || !given.chars().all(|c| c.is_ascii_alphanumeric()) {
        let message = "The If-Match version is missing or not valid for the resource.";
        return Err(refuse("InvalidIfMatchVersion", message));
    }
    if given != current {
        let message =
            "The request failed because it didn't meet the preconditions in one or more request-header fields.";
        return Err(refuse("PreconditionFailed", message).status(412));
    }
    Ok(())
}

/// The configuration in a request's body.
fn body<'a>(input: &'a Node, name: &str) -> Result<&'a Node, ApiError> {
    if input.name == name {
        return Ok(input);
    }
    let missing = "This operation requires a body. Ensure that the body is present and the Content-Type header is set.";
    Err(refuse("MissingBody", missing))
}

/// A page of a list, named by the marker after which it begins; a whole one tells of its marker and its end too.
fn page(input: &Node, name: &str, item: &str, items: Vec<(String, Node)>, whole: bool) -> Result<Node, ApiError> {
    let size = input.number::<usize>("MaxItems").ok().unwrap_or(Some(0)).unwrap_or(100);
    if size == 0 {
        return Err(invalid("The parameter MaxItems is not valid.".into()));
    }
    let marker = input.get("Marker").unwrap_or_default().to_owned();
    let mut rest = items.into_iter().skip_while(|(key, _)| !marker.is_empty() && *key != marker);
    if !marker.is_empty() && rest.next().is_none() {
        return Err(invalid(format!("The parameter Marker is not valid: {marker}")));
    }
    let taken: Vec<_> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some();
    let next = taken.last().filter(|_| more).map(|(key, _)| key.clone());
    let mut node = Node::new(name);
    if whole {
        node = node.put("Marker", marker);
    }
    node = node.put_some("NextMarker", next).put("MaxItems", size);
    if whole {
        node = node.put("IsTruncated", more);
    }
    node.children.extend(counted(name, item, taken.into_iter().map(|(_, node)| node)).children);
    Ok(node)
}

/// A configuration as it is kept.
fn keep(node: &Node) -> String {
    xml::write(node, "")
}

/// A kept configuration as a tree. What this cloud wrote reads back.
fn kept(text: &str) -> Node {
    xml::read(text.as_bytes()).unwrap_or_default()
}

fn created(node: Node, etag: &str, location: &str) -> Output {
    let location = format!("https://cloudfront.amazonaws.com/2020-05-31/{location}");
    Output::from(node).status(201).header("etag", etag).header("location", location)
}

fn gone() -> Output {
    Output::from(Node::default()).status(204)
}
