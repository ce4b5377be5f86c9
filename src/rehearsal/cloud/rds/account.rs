//! What the account has: quotas, certificate authorities, maintenance that is due.
//! Source: RDS API, `DescribeAccountAttributes`, `DescribeCertificates`, `DescribePendingMaintenanceActions`; RDS user guide,
//! "Using SSL/TLS to encrypt a connection" for the authorities.

use std::time::{Duration, UNIX_EPOCH};

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node, refuse};
use super::names::identifier;
use super::page::{Filters, page};

/// The certificate authorities, and how many years each is valid. In a rehearsal one authority of the rehearsal's own
/// stands for all of them: its PEM is the bundle to trust.
pub const AUTHORITIES: &[(&str, u64)] =
    &[("rds-ca-ecc384-g1", 100), ("rds-ca-rsa2048-g1", 40), ("rds-ca-rsa4096-g1", 100)];
/// The one an instance gets unless it asks for another.
pub const DEFAULT_AUTHORITY: &str = "rds-ca-rsa2048-g1";
/// The day the authorities were made, in seconds since 1970: 2021-05-21.
const MADE: u64 = 1_621_555_200;
const YEAR: u64 = 365 * 86400;

#[allow(clippy::unnecessary_wraps)] // every operation has this shape
pub(super) fn quotas(cloud: &Cloud, _: &Node) -> Result<Output, ApiError> {
    let state = cloud.shared().lock();
    let storage: u32 = state.databases.values().map(|d| d.storage).sum();
    let most = state.subnet_groups.values().map(|g| g.subnets.len()).max().unwrap_or_default();
    let quotas = [
        ("DBInstances", state.databases.len(), 40),
        ("ReservedDBInstances", 0, 40),
        ("AllocatedStorage", usize::try_from(storage).unwrap_or(usize::MAX), 100_000),
        ("DBSecurityGroups", 0, 25),
        ("DBParameterGroups", state.parameter_groups.len(), 50),
        ("ManualSnapshots", state.snapshots.len(), 100),
        ("EventSubscriptions", 0, 20),
        ("DBSubnetGroups", state.subnet_groups.len(), 50),
        ("OptionGroups", 0, 20),
        ("SubnetsPerDBSubnetGroup", most, 20),
    ];
    let quotas = quotas
        .map(|(name, used, most)| Node::default().put("AccountQuotaName", name).put("Used", used).put("Max", most));
    Ok(Node::default().list("AccountQuotas", "AccountQuota", quotas).into())
}

pub(super) fn certificates(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    Filters::read(input, &[])?;
    let wanted = input.get("CertificateIdentifier");
    if let Some(name) = wanted.filter(|name| AUTHORITIES.iter().all(|(a, _)| a != name)) {
        return Err(refuse("CertificateNotFound", format!("Certificate not found: {name}")).status(404));
    }
    let region = &cloud.settings().region;
    let found = AUTHORITIES.iter().filter(|(name, _)| wanted.is_none_or(|w| w == *name)).map(|(name, years)| {
        let node = Node::default()
            .put("CertificateIdentifier", name)
            .put("CertificateType", "CA")
            .put("ValidFrom", UNIX_EPOCH + Duration::from_secs(MADE))
            .put("ValidTill", UNIX_EPOCH + Duration::from_secs(MADE + years * YEAR))
            .put("CertificateArn", format!("arn:aws:rds:{region}::cert:{name}"))
            .put("CustomerOverride", false);
        ((*name).to_owned(), node)
    });
    let output = page(input, "Certificates", "Certificate", found.collect())?;
    Ok(output.node.put("DefaultCertificateForNewLaunches", DEFAULT_AUTHORITY).into())
}

/// Nothing is ever due in a rehearsal.
pub(super) fn maintenance(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    Filters::read(input, &["db-cluster-id", "db-instance-id"])?;
    if input.get("ResourceIdentifier").is_some() {
        let id = identifier(input, "ResourceIdentifier", 63)?;
        if !cloud.shared().lock().databases.contains_key(&id) {
            return Err(refuse("ResourceNotFoundFault", format!("Resource {id} not found.")).status(404));
        }
    }
    page(input, "PendingMaintenanceActions", "ResourcePendingMaintenanceActions", Vec::new())
}
