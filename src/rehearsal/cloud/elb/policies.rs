//! Security policies: which TLS versions and ciphers an HTTPS listener speaks.
//! Source: ELB guide, "Security policies for your Application Load Balancer".

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::page;

/// What a listener has that names none.
pub(super) const UNLESS_NAMED: &str = "ELBSecurityPolicy-2016-08";

const TLS13: &str = "TLSv1.3";
const TLS12: &str = "TLSv1.2";
const ALL_OLD: &[&str] = &["TLSv1", "TLSv1.1", TLS12];

const POLICIES: &[(&str, &[&str])] = &[
    (UNLESS_NAMED, ALL_OLD),
    ("ELBSecurityPolicy-TLS13-1-2-2021-06", &[TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", &[TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", &[TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", &[TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-1-2021-06", &["TLSv1.1", TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-0-2021-06", &["TLSv1", "TLSv1.1", TLS12, TLS13]),
    ("ELBSecurityPolicy-TLS13-1-3-2021-06", &[TLS13]),
    ("ELBSecurityPolicy-TLS-1-2-2017-01", &[TLS12]),
    ("ELBSecurityPolicy-TLS-1-2-Ext-2018-06", &[TLS12]),
    ("ELBSecurityPolicy-TLS-1-1-2017-01", &["TLSv1.1", TLS12]),
    ("ELBSecurityPolicy-FS-1-2-Res-2020-10", &[TLS12]),
    ("ELBSecurityPolicy-FS-1-2-Res-2019-08", &[TLS12]),
    ("ELBSecurityPolicy-FS-1-2-2019-08", &[TLS12]),
    ("ELBSecurityPolicy-FS-1-1-2019-08", &["TLSv1.1", TLS12]),
    ("ELBSecurityPolicy-FS-2018-06", ALL_OLD),
    ("ELBSecurityPolicy-2015-05", ALL_OLD),
];

/// A few ciphers that each policy of a version has; the order is that of preference.
fn ciphers(versions: &[&str]) -> Vec<&'static str> {
    let mut names = Vec::new();
    if versions.contains(&TLS13) {
        names.extend(["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]);
    }
    if versions.contains(&TLS12) {
        names.extend([
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            "ECDHE-RSA-AES256-GCM-SHA384",
        ]);
    }
    names
}

fn not_found(name: &str) -> ApiError {
    refuse("SSLPolicyNotFound", format!("SSL policy '{name}' not found"))
}

/// A policy that must be one.
pub(super) fn known(name: &str) -> Result<&str, ApiError> {
    if POLICIES.iter().any(|(known, _)| *known == name) { Ok(name) } else { Err(not_found(name)) }
}

pub(super) fn describe(_: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let names = input.texts("Names");
    for name in &names {
        known(name)?;
    }
    let wanted = POLICIES.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name));
    let found = wanted.map(|(name, versions)| {
        let ciphers = ciphers(versions).into_iter().enumerate();
        let ciphers = ciphers.map(|(n, name)| Node::default().put("Name", name).put("Priority", n + 1));
        Node::default()
            .put("Name", name)
            .texts_list("SslProtocols", "member", *versions)
            .list("Ciphers", "member", ciphers)
            .texts_list("SupportedLoadBalancerTypes", "member", ["application", "network"])
    });
    Ok(page(input, "SslPolicies", found.collect())?.into())
}
