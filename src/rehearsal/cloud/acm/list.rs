//! `ListCertificates`.

use super::super::super::state::{Certificate, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::describe::{PURPOSES, key_usages};
use super::request::ALGORITHMS;
use super::{key_algorithm, users, validity};

const STATUSES: &[&str] =
    &["PENDING_VALIDATION", "ISSUED", "INACTIVE", "EXPIRED", "VALIDATION_TIMED_OUT", "REVOKED", "FAILED"];
/// The key algorithms that are listed where none is asked for (ACM API: Filters).
const DEFAULT_ALGORITHMS: [&str; 2] = ["RSA_1024", "RSA_2048"];

pub(super) fn list(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let statuses = constraint::words(input, "CertificateStatuses", STATUSES)?;
    let size = constraint::number(input, "MaxItems", 1..=1000)?.unwrap_or(1000);
    let newest_first = newest_first(input)?;
    let wanted = Wanted::read(input.child("Includes"))?;
    let state = cloud.shared().lock();
    let here = format!("arn:aws:acm:{}:", cloud.region());
    let mut found: Vec<_> = state
        .certificates
        .iter()
        .filter(|(arn, c)| arn.starts_with(&here) && (statuses.is_empty() || statuses.contains(&c.status)))
        .filter(|(arn, c)| wanted.fits(key_algorithm(&state, arn), c))
        .collect();
    found.sort_by_key(|(arn, c)| (c.created, *arn));
    if newest_first {
        found.reverse();
    }
    // A token is the ARN to go on with: a listing stands up to certificates that come and go between its pages.
    let from = match input.get("NextToken") {
        Some(token) => found.iter().position(|(arn, _)| arn.as_str() == token).ok_or_else(|| {
            refuse("InvalidArgsException", "The NextToken is not one that ListCertificates gave out.")
        })?,
        None => 0,
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let next = found.get(from.saturating_add(size)).map(|(arn, _)| (*arn).clone());
    let page = found.into_iter().skip(from).take(size).map(|(arn, c)| summary(&state, arn, c));
    Ok(Node::default().list("CertificateSummaryList", "member", page).put_some("NextToken", next).into())
}

fn newest_first(input: &Node) -> Result<bool, ApiError> {
    let by = constraint::word(input, "SortBy", &["CREATED_AT"])?;
    let order = constraint::word(input, "SortOrder", &["ASCENDING", "DESCENDING"])?;
    if by.is_some() != order.is_some() {
        let message = "SortBy and SortOrder must be given together.";
        return Err(refuse("InvalidArgsException", message));
    }
    Ok(order == Some("DESCENDING"))
}

/// What `Includes` asks for.
struct Wanted {
    algorithms: Vec<String>,
    usages: Vec<String>,
    purposes: Vec<String>,
}

impl Wanted {
    fn read(includes: Option<&Node>) -> Result<Self, ApiError> {
        let empty = Node::default();
        let includes = includes.unwrap_or(&empty);
        let mut algorithms = constraint::words(includes, "keyTypes", ALGORITHMS)?;
        if algorithms.is_empty() {
            algorithms = DEFAULT_ALGORITHMS.map(str::to_owned).into();
        }
        Ok(Self { algorithms, usages: includes.texts("keyUsage"), purposes: includes.texts("extendedKeyUsage") })
    }

    fn fits(&self, algorithm: &str, certificate: &Certificate) -> bool {
        let issued = certificate.status == "ISSUED";
        self.algorithms.iter().any(|a| a == algorithm)
            && self.usages.iter().all(|u| issued && key_usages(algorithm).contains(&u.as_str()))
            && self.purposes.iter().all(|p| issued && PURPOSES.iter().any(|(name, _)| name == p))
    }
}

fn summary(state: &State, arn: &str, certificate: &Certificate) -> Node {
    let algorithm = key_algorithm(state, arn);
    let in_use = !users(state, arn).is_empty();
    let issued = certificate.issued.filter(|_| certificate.status == "ISSUED");
    let validity = issued.map(validity);
    let usages = if issued.is_some() { key_usages(algorithm) } else { &[] };
    let purposes = PURPOSES.iter().map(|(name, _)| *name).filter(|_| issued.is_some());
    Node::default()
        .put("CertificateArn", arn)
        .put("DomainName", &certificate.domain)
        .texts_list("SubjectAlternativeNameSummaries", "member", &certificate.names)
        .put("HasAdditionalSubjectAlternativeNames", false)
        .put("Status", &certificate.status)
        .put("Type", "AMAZON_ISSUED")
        .put("KeyAlgorithm", algorithm)
        .texts_list("KeyUsages", "member", usages.iter().copied())
        .texts_list("ExtendedKeyUsages", "member", purposes)
        .put("ExportOption", "DISABLED")
        .put("InUse", in_use)
        .put("RenewalEligibility", if issued.is_some() && in_use { "ELIGIBLE" } else { "INELIGIBLE" })
        .put_some("NotBefore", validity.map(|v| v.0))
        .put_some("NotAfter", validity.map(|v| v.1))
        .put("CreatedAt", certificate.created)
        .put_some("IssuedAt", issued)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, ask, refused};
    use super::*;

    fn listed(rig: &Rig, input: &Node) -> Vec<String> {
        let answer = rig.call("ListCertificates", input).unwrap();
        answer.items("CertificateSummaryList").map(|c| c.get("DomainName").unwrap().to_owned()).collect()
    }

    #[test]
    fn the_list_is_the_regions_and_of_rsa_keys_unless_asked() {
        let rig = Rig::new();
        rig.request("a.shop.test");
        rig.asked(&ask("b.shop.test").put("KeyAlgorithm", "EC_prime256v1"));
        rig.within("us-east-1").request("c.shop.test");
        assert_eq!(listed(&rig, &Node::default()), ["a.shop.test"]);
        let types = Node::new("Includes").texts_list("keyTypes", "member", ["EC_prime256v1"]);
        assert_eq!(listed(&rig, &Node::default().with(types)), ["b.shop.test"]);
        assert_eq!(listed(&rig.within("us-east-1"), &Node::default()), ["c.shop.test"]);
        rig.issued("d.test");
        let issued = Node::default().texts_list("CertificateStatuses", "member", ["ISSUED"]);
        assert_eq!(listed(&rig, &issued), ["d.test"]);
    }

    #[test]
    fn pages_go_on_where_the_last_one_ended() {
        let rig = Rig::new();
        for name in ["a.test", "b.test", "c.test"] {
            rig.request(name);
        }
        let sorted = |order: &str| Node::default().put("SortBy", "CREATED_AT").put("SortOrder", order);
        let first = rig.call("ListCertificates", &sorted("ASCENDING").put("MaxItems", 2)).unwrap();
        assert_eq!(first.items("CertificateSummaryList").count(), 2);
        let token = first.get("NextToken").unwrap();
        assert_eq!(listed(&rig, &sorted("ASCENDING").put("MaxItems", 2).put("NextToken", token)), ["c.test"]);
        assert_eq!(listed(&rig, &sorted("DESCENDING")), ["c.test", "b.test", "a.test"]);
        for (input, code) in [
            (Node::default().put("MaxItems", 0), "ValidationException"),
            (Node::default().put("MaxItems", 1001), "ValidationException"),
            (Node::default().put("NextToken", "made up"), "InvalidArgsException"),
            (Node::default().put("SortBy", "CREATED_AT"), "InvalidArgsException"),
            (Node::default().texts_list("CertificateStatuses", "member", ["LOST"]), "ValidationException"),
        ] {
            refused(rig.call("ListCertificates", &input), code);
        }
    }
}
