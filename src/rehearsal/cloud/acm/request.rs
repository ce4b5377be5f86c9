//! `RequestCertificate`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::super::super::state::{ACCOUNT, Certificate, State};
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, constraint, refuse};
use super::super::{Cloud, uuid};
use super::{names, tags, validation};

/// The key algorithm of who names none.
pub(super) const RSA: &str = "RSA_2048";
/// Those the service model knows.
pub(super) const ALGORITHMS: &[&str] =
    &["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];
/// Those a public certificate may be asked for with (ACM guide: ACM certificate characteristics).
const REQUESTABLE: &[&str] = &[RSA, "EC_prime256v1", "EC_secp384r1"];
/// How long an idempotency token is remembered.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Names that are Amazon's own, below which nobody else gets a certificate (ACM guide: Certificate request fails).
const AMAZONS: &[&str] = &["amazonaws.com", "cloudfront.net", "elasticbeanstalk.com"];

pub(super) fn request(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let names = names::read(input)?;
    by_dns(input, &names)?;
    let algorithm = constraint::word(input, "KeyAlgorithm", ALGORITHMS)?.unwrap_or(RSA);
    if !REQUESTABLE.contains(&algorithm) {
        let message = format!("A public certificate cannot be requested with the key algorithm {algorithm}.");
        return Err(refuse("InvalidParameterException", message));
    }
    let token = constraint::some_text(input, "IdempotencyToken", 1..=32)?;
    if let Some(bad) = token.filter(|t| !t.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return Err(constraint::broken(Some(bad), "IdempotencyToken", r"satisfy regular expression pattern: \w+"));
    }
    let tags = tags::read(input)?;
    let now = cloud.shared().clock.now();
    cloud.change(|state| {
        let before = token.and_then(|token| asked_before(cloud, state, token, &names, now));
        let arn = before.unwrap_or_else(|| {
            let arn = format!("arn:aws:acm:{}:{ACCOUNT}:certificate/{}", cloud.region(), uuid());
            let forbidden = names.iter().any(|name| AMAZONS.iter().any(|own| validation::lies_in(name, own)));
            let mut facts = BTreeMap::from([("key_algorithm".to_owned(), algorithm.to_owned())]);
            if forbidden {
                facts.insert("failure".into(), "DOMAIN_NOT_ALLOWED".into());
            }
            state.facts.insert(arn.clone(), facts);
            state.tags.insert(arn.clone(), tags);
            state.certificates.insert(arn.clone(), new(names, token, now, forbidden));
            arn
        });
        Ok(Node::default().put("CertificateArn", arn).into())
    })
}

fn new(names: Vec<String>, token: Option<&str>, created: SystemTime, forbidden: bool) -> Certificate {
    let proof = |name: &String| {
        let (record, value) = validation::proof(name);
        (name.clone(), record, value)
    };
    Certificate {
        domain: names.first().cloned().unwrap_or_default(),
        validation: names.iter().map(proof).collect(),
        names,
        status: if forbidden { "FAILED" } else { "PENDING_VALIDATION" }.into(),
        created,
        issued: None,
        token: token.map(str::to_owned),
    }
}

/// Refuses what is not the public certificate, validated by DNS, that the rehearsal has.
fn by_dns(input: &Node, names: &[String]) -> Result<(), ApiError> {
    let plain = |what: &str| refuse("InvalidParameterException", format!("the rehearsal cloud {what}"));
    // An empty list would be worth a complaint of its own; botocore sends none.
    match constraint::word(input, "ValidationMethod", &["EMAIL", "DNS", "HTTP"])? {
        Some("DNS") => {}
        Some("HTTP") => return Err(plain("has no HTTP validation: ask with ValidationMethod DNS")),
        // what AWS takes where none is named
        _ => {
            return Err(plain(
                "sends no mail, which EMAIL validation (AWS's default) does: ask with ValidationMethod DNS",
            ));
        }
    }
    for (member, what) in [
        ("CertificateAuthorityArn", "has no private certificate authorities"),
        ("ManagedBy", "manages no certificates for other services"),
    ] {
        if input.get(member).is_some() {
            return Err(plain(what));
        }
    }
    if input.child("Options").and_then(|o| o.get("Export")) == Some("ENABLED") {
        return Err(plain("exports no certificates"));
    }
    for option in input.items("DomainValidationOptions") {
        let name = constraint::text(option, "DomainName", 1..=253)?;
        let domain = constraint::text(option, "ValidationDomain", 1..=253)?;
        if !names.contains(&name.to_ascii_lowercase()) || !validation::lies_in(name, domain) {
            let message = format!("{domain} is not {name} or a superdomain of it, or {name} was not asked for.");
            return Err(refuse("InvalidDomainValidationOptionsException", message));
        }
    }
    Ok(())
}

/// The certificate of the region that was asked for with this token within the hour.
fn asked_before(cloud: &Cloud, state: &State, token: &str, names: &[String], now: SystemTime) -> Option<String> {
    let here = format!("arn:aws:acm:{}:", cloud.region());
    let same = |c: &Certificate| {
        c.token.as_deref() == Some(token)
            && c.names == names
            && now.duration_since(c.created).is_ok_and(|d| d < REMEMBERED)
    };
    state.certificates.iter().find(|(arn, c)| arn.starts_with(&here) && same(c)).map(|(arn, _)| arn.clone())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, ask, refused};
    use super::*;

    #[test]
    fn a_token_is_good_for_one_certificate_within_the_hour() {
        let rig = Rig::new();
        let with = |token: &str| ask("shop.test").put("IdempotencyToken", token);
        let asked =
            |input: &Node| rig.call("RequestCertificate", input).unwrap().get("CertificateArn").unwrap().to_owned();
        let first = asked(&with("a"));
        assert_eq!(asked(&with("a")), first);
        assert_ne!(asked(&with("b")), first);
        assert_ne!(asked(&ask("shop.test")), asked(&ask("shop.test")));
        assert_ne!(asked(&ask("www.shop.test").put("IdempotencyToken", "a")), first);
        rig.clock.advance(Duration::from_hours(1));
        assert_ne!(asked(&with("a")), first);
        refused(rig.call("RequestCertificate", &with("no spaces")), "ValidationException");
    }

    #[test]
    fn what_the_rehearsal_cannot_do_is_refused_plainly() {
        let rig = Rig::new();
        let domain = || Node::default().put("DomainName", "shop.test");
        for (input, code) in [
            (domain(), "InvalidParameterException"),
            (domain().put("ValidationMethod", "EMAIL"), "InvalidParameterException"),
            (domain().put("ValidationMethod", "HTTP"), "InvalidParameterException"),
            (domain().put("ValidationMethod", "PIGEON"), "ValidationException"),
            (ask("shop.test").put("KeyAlgorithm", "RSA_4096"), "InvalidParameterException"),
            (ask("shop.test").put("KeyAlgorithm", "DSA"), "ValidationException"),
            (ask("shop.test").put("CertificateAuthorityArn", "arn:aws:acm-pca:x"), "InvalidParameterException"),
        ] {
            refused(rig.call("RequestCertificate", &input), code);
        }
        assert!(rig.cloud.shared().lock().certificates.is_empty());
    }

    #[test]
    fn a_name_of_amazons_own_fails_at_once() {
        let rig = Rig::new();
        let described = rig.describe(&rig.request("mine.cloudfront.net"));
        assert_eq!(described.get("Status"), Some("FAILED"));
        assert_eq!(described.get("FailureReason"), Some("DOMAIN_NOT_ALLOWED"));
    }
}
