//! What the tests of ACM share: zones, proofs, and certificates on their way.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::time::Duration;

use super::super::super::state::{Action, Answer, RecordSet, Routing};
use super::super::rig;
use super::super::wire::{ApiError, Node};
use super::{SERVICE, validation};

pub(super) use rig::refused;

/// A cloud of its own.
pub(super) struct Rig(rig::Rig);

impl Deref for Rig {
    type Target = rig::Rig;

    fn deref(&self) -> &rig::Rig {
        &self.0
    }
}

/// A request for a certificate that is validated by DNS.
pub(super) fn ask(domain: &str) -> Node {
    Node::default().put("DomainName", domain).put("ValidationMethod", "DNS")
}

#[allow(clippy::unused_self)] // what a test says reads as the rig's
impl Rig {
    pub fn new() -> Self {
        Self(rig::Rig::new())
    }

    pub fn within(&self, region: &str) -> Self {
        Self(self.0.within(region))
    }

    pub fn call(&self, name: &str, input: &Node) -> Result<Node, ApiError> {
        self.0.ask(&SERVICE, name, input)
    }

    pub fn asked(&self, input: &Node) -> String {
        self.call("RequestCertificate", input).unwrap().get("CertificateArn").unwrap().to_owned()
    }

    pub fn request(&self, domain: &str) -> String {
        self.asked(&ask(domain))
    }

    pub fn of(&self, arn: &str) -> Node {
        Node::default().put("CertificateArn", arn)
    }

    pub fn describe(&self, arn: &str) -> Node {
        self.call("DescribeCertificate", &self.of(arn)).unwrap().child("Certificate").unwrap().clone()
    }

    pub fn issued_after(&self) -> Duration {
        self.cloud.settings().issued_after
    }

    pub fn zone(&self, name: &str) -> String {
        self.cloud.seed_zone(name, [])
    }

    /// Puts a record into a zone, as a change of Route 53's would.
    pub fn record(&self, zone: &str, name: &str, kind: &str, values: &[&str]) {
        let record = RecordSet {
            name: name.trim_end_matches('.').into(),
            kind: kind.into(),
            ttl: Some(300),
            answer: Answer::Values(values.iter().map(|v| (*v).to_owned()).collect()),
            routing: Routing::Simple,
            health_check: None,
        };
        self.cloud.shared().lock().zones.get_mut(zone).unwrap().records.push(record);
    }

    /// Puts the record that proves a name into a zone.
    pub fn prove(&self, zone: &str, name: &str) {
        let (record, value) = validation::proof(name);
        self.record(zone, &record, "CNAME", &[&value]);
    }

    /// A certificate that is issued, its zone and all.
    pub fn issued(&self, domain: &str) -> String {
        let zone = self.zone(domain);
        let arn = self.request(domain);
        self.prove(&zone, domain);
        self.cloud.settle();
        self.clock.advance(self.issued_after());
        self.cloud.settle();
        assert_eq!(self.cloud.shared().lock().certificates[&arn].status, "ISSUED");
        arn
    }

    pub fn balancer(&self) -> String {
        self.cloud.seed_balancer("shop", IpAddr::V4(Ipv4Addr::LOCALHOST), &[])
    }

    pub fn listener(&self, balancer: &str, certificate: &str) -> String {
        let nothing = Action::Fixed { status: 404, content_type: "text/plain".into(), body: String::new() };
        self.cloud.seed_listener(balancer, 443, Some(certificate), nothing)
    }
}
