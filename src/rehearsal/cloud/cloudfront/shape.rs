//! The shapes of configurations: completed with AWS's defaults, their quantities counted, foreign members refused.
//! Source: CloudFront API reference, `DistributionConfig` and what is below it.

use super::super::wire::{ApiError, Node, refuse};
use super::{cannot, certificate, counted, invalid};

/// A member of a structure, and what it holds.
pub(super) struct Member(pub &'static str, pub Shape);

/// What a member holds.
pub(super) enum Shape {
    /// A value that must be there; it may be empty.
    Needed,
    /// A value, or this one.
    Or(&'static str),
    /// A value that is shown only where it was given.
    Maybe,
    /// A structure that is shown with its defaults where it was not given.
    Part(&'static [Member]),
    /// A structure that is shown only where it was given.
    PartMaybe(&'static [Member]),
    /// `Quantity` and `Items` of structures.
    Many(&'static str, &'static [Member]),
    /// `Quantity` and `Items` of texts.
    Names(&'static str),
    /// The same, shown only where it was given.
    NamesMaybe(&'static str),
    /// The methods a behaviour passes on, with those it caches.
    Methods,
    /// The certificate viewers see.
    Certificate,
    /// The members of another structure.
    Also(&'static [Member]),
}

use Shape::{Also, Certificate, Many, Maybe, Methods, Names, NamesMaybe, Needed, Or, Part, PartMaybe};

/// What the front door adds to a tree beside the body: parameters of path, query and headers.
const BESIDE: &[&str] = &["IfMatch", "Id", "WithTags"];

const NOBODY: &[Member] = &[Member("Enabled", Or("false")), Member("Quantity", Or("0"))];

const BEHAVIOR: &[Member] = &[
    Member("TargetOriginId", Needed),
    Member("TrustedSigners", Part(NOBODY)),
    Member("TrustedKeyGroups", Part(NOBODY)),
    Member("ViewerProtocolPolicy", Needed),
    Member("AllowedMethods", Methods),
    Member("SmoothStreaming", Or("false")),
    Member("Compress", Or("false")),
    Member("LambdaFunctionAssociations", Names("LambdaFunctionAssociation")),
    Member(
        "FunctionAssociations",
        Many("FunctionAssociation", &[Member("FunctionARN", Needed), Member("EventType", Needed)]),
    ),
    Member("FieldLevelEncryptionId", Or("")),
    Member("CachePolicyId", Maybe),
    Member("OriginRequestPolicyId", Maybe),
    Member("ResponseHeadersPolicyId", Maybe),
    Member("GrpcConfig", Part(&[Member("Enabled", Or("false"))])),
    Member(
        "ForwardedValues",
        PartMaybe(&[
            Member("QueryString", Needed),
            Member("Cookies", Part(&[Member("Forward", Or("none")), Member("WhitelistedNames", NamesMaybe("Name"))])),
            Member("Headers", Names("Name")),
            Member("QueryStringCacheKeys", Names("Name")),
        ]),
    ),
    Member("MinTTL", Maybe),
    Member("DefaultTTL", Maybe),
    Member("MaxTTL", Maybe),
];

const ORIGIN: &[Member] = &[
    Member("Id", Needed),
    Member("DomainName", Needed),
    Member("OriginPath", Or("")),
    Member("CustomHeaders", Many("OriginCustomHeader", &[Member("HeaderName", Needed), Member("HeaderValue", Needed)])),
    Member(
        "S3OriginConfig",
        PartMaybe(&[Member("OriginAccessIdentity", Or("")), Member("OriginReadTimeout", Or("30"))]),
    ),
    Member(
        "CustomOriginConfig",
        PartMaybe(&[
            Member("HTTPPort", Needed),
            Member("HTTPSPort", Needed),
            Member("OriginProtocolPolicy", Needed),
            Member("OriginSslProtocols", Names("SslProtocol")),
            Member("OriginReadTimeout", Or("30")),
            Member("OriginKeepaliveTimeout", Or("5")),
        ]),
    ),
    Member("ConnectionAttempts", Or("3")),
    Member("ConnectionTimeout", Or("10")),
    Member("OriginShield", Part(&[Member("Enabled", Or("false"))])),
    Member("OriginAccessControlId", Or("")),
];

/// A distribution's configuration.
pub(super) const DISTRIBUTION: &[Member] = &[
    Member("CallerReference", Needed),
    Member("Aliases", Names("CNAME")),
    Member("DefaultRootObject", Or("")),
    Member("Origins", Many("Origin", ORIGIN)),
    Member("OriginGroups", Names("OriginGroup")),
    Member("DefaultCacheBehavior", Part(BEHAVIOR)),
    Member("CacheBehaviors", Many("CacheBehavior", &[Member("PathPattern", Needed), Member("", Also(BEHAVIOR))])),
    Member(
        "CustomErrorResponses",
        Many(
            "CustomErrorResponse",
            &[
                Member("ErrorCode", Needed),
                Member("ResponsePagePath", Or("")),
                Member("ResponseCode", Or("")),
                Member("ErrorCachingMinTTL", Or("10")),
            ],
        ),
    ),
    Member("Comment", Needed),
    Member(
        "Logging",
        Part(&[
            Member("Enabled", Or("false")),
            Member("IncludeCookies", Or("false")),
            Member("Bucket", Or("")),
            Member("Prefix", Or("")),
        ]),
    ),
    Member("PriceClass", Or("PriceClass_All")),
    Member("Enabled", Needed),
    Member("ViewerCertificate", Certificate),
    Member(
        "Restrictions",
        Part(&[Member("GeoRestriction", Part(&[Member("RestrictionType", Or("none")), Member("Quantity", Or("0"))]))]),
    ),
    Member("WebACLId", Or("")),
    Member("HttpVersion", Or("http2")),
    Member("IsIPV6Enabled", Or("false")),
    Member("ContinuousDeploymentPolicyId", Or("")),
    Member("Staging", Or("false")),
];

/// The structure of `input`, whole and in order. `at` says where it stands.
pub(super) fn complete(name: &str, members: &[Member], input: &Node, at: &str) -> Result<Node, ApiError> {
    let known = |child: &Node| knows(members, &child.name) || (at.is_empty() && BESIDE.contains(&child.name.as_str()));
    if let Some(foreign) = input.children.iter().find(|c| !known(c) && !says_nothing(c)) {
        return Err(cannot(&format!("has no {}", path(at, &foreign.name))));
    }
    let mut whole = Node::new(name);
    for member in members {
        whole.children.extend(member_of(member, input, at)?);
    }
    Ok(whole)
}

fn knows(members: &[Member], name: &str) -> bool {
    members.iter().any(|Member(own, shape)| match shape {
        Also(others) => knows(others, name),
        _ => *own == name,
    })
}

/// A member of a later AWS that is there but switched off.
fn says_nothing(node: &Node) -> bool {
    let off = matches!(node.text.trim(), "" | "false" | "0" | "direct");
    off && node.children.iter().all(says_nothing)
}

fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn member_of(Member(name, shape): &Member, input: &Node, at: &str) -> Result<Vec<Node>, ApiError> {
    let given = input.child(name);
    let at = path(at, name);
    let value = |default: &str| Node::leaf(name, given.map_or(default, |g| g.text.as_str()));
    let nothing = Node::new(name);
    let one = match shape {
        Needed if given.is_none() => return Err(invalid(format!("The parameter {name} is required."))),
        Needed => value(""),
        Or(default) => match given {
            Some(g) if !g.text.is_empty() => value(""),
            _ => Node::leaf(name, *default),
        },
        Maybe => return Ok(given.filter(|g| !g.text.is_empty()).map(|_| value("")).into_iter().collect()),
        Part(members) => complete(name, members, given.unwrap_or(&nothing), &at)?,
        PartMaybe(members) => match given {
            Some(given) => complete(name, members, given, &at)?,
            None => return Ok(Vec::new()),
        },
        Many(item, members) => {
            let items = items(given, &at)?.into_iter().map(|i| complete(item, members, i, &at));
            counted(name, item, items.collect::<Result<Vec<_>, _>>()?)
        }
        NamesMaybe(_) if given.is_none() => return Ok(Vec::new()),
        Names(item) | NamesMaybe(item) => counted(name, item, items(given, &at)?.into_iter().cloned()),
        Methods => methods(given, &at)?,
        Certificate => certificate::shown(given)?,
        Also(members) => {
            let mut all = Vec::new();
            for member in *members {
                all.extend(member_of(member, input, at.trim_end_matches('.'))?);
            }
            return Ok(all);
        }
    };
    Ok(vec![one])
}

/// The items of a counted list, whose `Quantity` has to be theirs.
pub(super) fn items<'a>(given: Option<&'a Node>, at: &str) -> Result<Vec<&'a Node>, ApiError> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let items: Vec<_> = given.items("Items").collect();
    match given
        .number::<usize>("Quantity")
        .map_err(|_| invalid(format!("The parameter {at}.Quantity is no number.")))?
    {
        Some(quantity) if quantity == items.len() => Ok(items),
        None if items.is_empty() => Ok(items),
        quantity => {
            let said = quantity.map_or_else(|| "is missing".to_owned(), |q| format!("is {q}"));
            let message = format!("The value of Quantity in {at} {said}, but Items holds {}.", items.len());
            Err(refuse("InconsistentQuantities", message))
        }
    }
}

fn methods(given: Option<&Node>, at: &str) -> Result<Node, ApiError> {
    let reads = || ["HEAD", "GET"].map(|m| Node::leaf("Method", m)).to_vec();
    let listed = |given: Option<&Node>, at: &str| -> Result<Vec<Node>, ApiError> {
        let listed: Vec<_> = items(given, at)?.into_iter().cloned().collect();
        Ok(if listed.is_empty() { reads() } else { listed })
    };
    let cached = listed(given.and_then(|g| g.child("CachedMethods")), &path(at, "CachedMethods"))?;
    let allowed = listed(given, at)?;
    Ok(counted("AllowedMethods", "Method", allowed).with(counted("CachedMethods", "Method", cached)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_filled_in_and_what_is_foreign_refused() {
        let part = Node::new("Logging").put("Enabled", true);
        let Member(_, Part(logging)) = &DISTRIBUTION[9] else { panic!("Logging stands elsewhere") };
        let whole = complete("Logging", logging, &part, "Logging").unwrap();
        let names: Vec<_> = whole.children.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["Enabled", "IncludeCookies", "Bucket", "Prefix"]);
        assert_eq!((whole.get("Enabled"), whole.get("IncludeCookies")), (Some("true"), Some("false")));
        let foreign = complete("Logging", logging, &part.put("Colour", "red"), "Logging").unwrap_err();
        assert_eq!(foreign.code, "UnsupportedOperation");
        assert!(foreign.message.contains("Logging.Colour"), "{foreign}");
    }

    #[test]
    fn a_quantity_is_that_of_its_items() {
        let two = counted("Aliases", "CNAME", ["a", "b"].map(|a| Node::leaf("CNAME", a)));
        assert_eq!(items(Some(&two), "Aliases").unwrap().len(), 2);
        let mut wrong = two.clone();
        wrong.children[0].text = "3".into();
        assert_eq!(items(Some(&wrong), "Aliases").unwrap_err().code, "InconsistentQuantities");
        assert!(items(None, "Aliases").unwrap().is_empty());
    }
}
