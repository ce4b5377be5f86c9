//! ACM: certificates that are issued once their names are proven by DNS, each in the region it was asked for in.
//!
//! What it keeps beside the state's [`Certificate`]: the key algorithm and the reason of a failure, as facts by ARN.

mod describe;
mod list;
mod names;
mod request;
mod tags;
mod validation;

#[cfg(test)]
mod testing;

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use super::super::state::{ACCOUNT, Certificate, State};
use super::Cloud;
use super::law::Law::C1;
use super::wire::operation::{Output, Service, query};
use super::wire::protocol::Protocol;
use super::wire::{ApiError, Node, constraint, refuse};

pub use describe::CertificateIssuer;
pub(super) use validation::settle;

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "acm",
    protocol: Protocol::Json("CertificateManager"),
    operations: &[
        query("RequestCertificate", request::request, &[C1]),
        query("DescribeCertificate", describe::describe, &[C1]),
        query("GetCertificate", describe::get, &[C1]),
        query("ListCertificates", list::list, &[]),
        query("DeleteCertificate", delete, &[C1]),
        query("AddTagsToCertificate", tags::add, &[C1]),
        query("RemoveTagsFromCertificate", tags::remove, &[C1]),
        query("ListTagsForCertificate", tags::list, &[C1]),
    ],
};

/// How long a public certificate is valid (ACM guide: ACM certificate characteristics).
const VALID: Duration = Duration::from_hours(198 * 24);

/// The certificate a request names, which must be one of the call's region.
fn find<'a>(cloud: &Cloud, state: &'a State, input: &Node) -> Result<(String, &'a Certificate), ApiError> {
    let arn = constraint::text(input, "CertificateArn", 20..=2048)?;
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let ["arn", _, "acm", region, account, resource] = parts.as_slice() else {
        let must =
            r"satisfy regular expression pattern: arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*";
        return Err(constraint::broken(Some(arn), "CertificateArn", must));
    };
    if !resource.starts_with("certificate/") {
        return Err(refuse("InvalidArnException", format!("The ARN {arn} names no certificate.")));
    }
    let missing = || refuse("ResourceNotFoundException", format!("Could not find certificate {arn}."));
    if *region != cloud.region() || *account != ACCOUNT {
        return Err(missing().by(C1));
    }
    state.certificates.get(arn).map(|certificate| (arn.to_owned(), certificate)).ok_or_else(missing)
}

/// What uses a certificate: the ARNs of balancers whose listeners present it, and of distributions.
fn users(state: &State, arn: &str) -> BTreeSet<String> {
    let listeners = state.listeners.values().filter(|l| l.certificates.iter().any(|c| c == arn));
    let distributions = state.distributions.values().filter(|d| d.config.certificate.as_deref() == Some(arn));
    let distributions = distributions.map(|d| format!("arn:aws:cloudfront::{ACCOUNT}:distribution/{}", d.id));
    listeners.map(|listener| listener.balancer.clone()).chain(distributions).collect()
}

/// A fact that only ACM shows of a certificate.
fn fact<'a>(state: &'a State, arn: &str, name: &str) -> Option<&'a str> {
    state.facts.get(arn)?.get(name).map(String::as_str)
}

/// The key algorithm a certificate was asked with.
fn key_algorithm<'a>(state: &'a State, arn: &str) -> &'a str {
    fact(state, arn, "key_algorithm").unwrap_or(request::RSA)
}

/// From when until when an issued certificate is valid: from the midnight before.
fn validity(issued: SystemTime) -> (SystemTime, SystemTime) {
    let since = issued.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let from = SystemTime::UNIX_EPOCH + Duration::from_secs(since - since % 86_400);
    (from, from + VALID - Duration::from_secs(1))
}

fn delete(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    cloud.change(|state| {
        let (arn, _) = find(cloud, state, input)?;
        if !users(state, &arn).is_empty() {
            let message = format!("Certificate {arn} in account {ACCOUNT} is in use.");
            return Err(refuse("ResourceInUseException", message));
        }
        state.certificates.remove(&arn);
        state.facts.remove(&arn);
        state.tags.remove(&arn);
        Ok(Node::default().into())
    })
}

impl Cloud {
    /// Who makes the chains that `GetCertificate` shows. Without one it is refused.
    pub fn set_certificate_issuer(&self, issuer: std::sync::Arc<dyn CertificateIssuer>) {
        *self.inner.certificate_issuer.lock().unwrap_or_else(PoisonError::into_inner) = Some(issuer);
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Rig, refused};

    #[test]
    fn a_certificate_in_use_stays_and_one_that_is_free_goes() {
        let rig = Rig::new();
        let arn = rig.request("shop.test");
        let of = rig.of(&arn);
        let balancer = rig.balancer();
        let listener = rig.listener(&balancer, &arn);
        assert_eq!(rig.describe(&arn).texts("InUseBy"), [balancer]);
        assert!(refused(rig.call("DeleteCertificate", &of), "ResourceInUseException").contains(&arn));
        rig.cloud.shared().lock().listeners.remove(&listener);
        let domain = rig.cloud.seed_distribution("shop", "", &[], std::net::Ipv4Addr::LOCALHOST.into());
        let present = |certificate: Option<String>| {
            rig.cloud.shared().lock().distributions.get_mut(&domain).unwrap().config.certificate = certificate;
        };
        present(Some(arn.clone()));
        assert!(rig.describe(&arn).texts("InUseBy")[0].starts_with("arn:aws:cloudfront::000000000000:distribution/E"));
        refused(rig.call("DeleteCertificate", &of), "ResourceInUseException");
        present(None);
        rig.call("DeleteCertificate", &of).unwrap();
        refused(rig.call("DeleteCertificate", &of), "ResourceNotFoundException");
    }

    #[test]
    fn a_certificate_is_known_in_its_own_region_only() {
        let rig = Rig::new();
        let (here, there) = (rig.request("shop.test"), rig.within("us-east-1").request("shop.test"));
        assert!(here.starts_with("arn:aws:acm:ap-northeast-2:000000000000:certificate/"), "{here}");
        assert!(there.starts_with("arn:aws:acm:us-east-1:"), "{there}");
        let message = refused(rig.call("DescribeCertificate", &rig.of(&there)), "ResourceNotFoundException");
        assert!(message.ends_with("[law C1]"), "{message}");
        refused(rig.within("us-east-1").call("DeleteCertificate", &rig.of(&here)), "ResourceNotFoundException");
        rig.describe(&here);
        // one proof serves both: it depends on account and name alone
        let record = |d: &super::Node| {
            let option = d.items("DomainValidationOptions").next().unwrap();
            option.child("ResourceRecord").unwrap().get("Value").unwrap().to_owned()
        };
        assert_eq!(record(&rig.describe(&here)), record(&rig.within("us-east-1").describe(&there)));
    }

    #[test]
    fn what_is_no_arn_of_a_certificate_is_refused_as_such() {
        let rig = Rig::new();
        for (arn, code) in [
            ("", "ValidationException"),
            ("arn:aws:iam::000000000000:server-certificate/x", "ValidationException"),
            ("arn:aws:acm:ap-northeast-2:000000000000:account/x", "InvalidArnException"),
            ("arn:aws:acm:ap-northeast-2:000000000000:certificate/gone", "ResourceNotFoundException"),
        ] {
            refused(rig.call("DescribeCertificate", &rig.of(arn)), code);
        }
    }
}
