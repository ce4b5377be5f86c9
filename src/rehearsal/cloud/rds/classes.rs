//! Instance classes, and what can be ordered. Source: RDS user guide, "Hardware specifications for DB instance classes".

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::catalogue::{Size, versions};
use super::page::{Filters, cut, invalid, need};

/// Family, GiB of memory for each processor, and its sizes.
const FAMILIES: &[(&str, u32, &[&str])] = &[
    ("m5", 4, SIZES_24),
    ("m6g", 4, SIZES_16),
    ("m6i", 4, SIZES_32),
    ("m7g", 4, SIZES_16),
    ("r5", 8, SIZES_24),
    ("r6g", 8, SIZES_16),
    ("r6i", 8, SIZES_32),
    ("r7g", 8, SIZES_16),
];
const SIZES_16: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"];
const SIZES_24: &[&str] = &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge"];
const SIZES_32: &[&str] =
    &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "32xlarge"];
/// Burstable sizes: processors and GiB.
const BURSTABLE: &[(&str, u32, u32)] =
    &[("micro", 2, 1), ("small", 2, 2), ("medium", 2, 4), ("large", 2, 8), ("xlarge", 4, 16), ("2xlarge", 8, 32)];

/// Storage types: smallest and largest size in GiB, and the range of operations a second where they are asked for.
pub const STORAGE: &[Storage] = &[
    Storage { name: "gp2", least: 20, most: 65536, iops: None },
    Storage { name: "gp3", least: 20, most: 65536, iops: Some((3000, 80000)) },
    Storage { name: "io1", least: 100, most: 65536, iops: Some((1000, 256_000)) },
    Storage { name: "io2", least: 100, most: 65536, iops: Some((1000, 256_000)) },
    Storage { name: "standard", least: 5, most: 3072, iops: None },
];

/// A storage type.
pub struct Storage {
    /// Its name.
    pub name: &'static str,
    /// GiB.
    pub least: u32,
    /// GiB.
    pub most: u32,
    /// Operations a second.
    pub iops: Option<(u32, u32)>,
}

/// Every class with its processors and GiB of memory.
fn all() -> impl Iterator<Item = (String, u32, u32)> {
    let burstable = ["t3", "t4g"].into_iter().flat_map(|family| {
        BURSTABLE.iter().map(move |(size, processors, memory)| (format!("db.{family}.{size}"), *processors, *memory))
    });
    let steady = FAMILIES.iter().flat_map(|(family, ratio, sizes)| {
        sizes.iter().map(move |size| {
            let times: u32 = size.trim_end_matches("xlarge").parse().unwrap_or(1);
            let processors = if *size == "large" { 2 } else { 4 * times };
            (format!("db.{family}.{size}"), processors, processors * ratio)
        })
    });
    burstable.chain(steady)
}

/// What formulas know of a class; nothing if there is none of that name.
pub fn size(class: &str) -> Option<Size> {
    let (_, processors, memory) = all().find(|(name, ..)| name == class)?;
    Some(Size { memory: f64::from(memory) * 1_073_741_824.0, processors: f64::from(processors) })
}

pub(super) fn orderable(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let engine = need(input, "Engine")?;
    if engine != "postgres" {
        return Err(invalid(format!("the rehearsal cloud has no engine '{engine}'")));
    }
    Filters::read(input, &[])?;
    let wanted = |name: &str, is: &str| input.get(name).is_none_or(|w| w == is);
    let zones = zones(cloud);
    let mut found = Vec::new();
    let license = wanted("LicenseModel", "postgresql-license") && input.flag("Vpc")? != Some(false);
    for version in versions::all().map(|v| v.to_string()).filter(|v| license && wanted("EngineVersion", v)) {
        for (class, ..) in all().filter(|(class, ..)| wanted("DBInstanceClass", class)) {
            for storage in
                STORAGE.iter().filter(|s| s.name != "standard" || !class.contains("6g") && !class.contains("7g"))
            {
                let key = format!("{version}/{class}/{}", storage.name);
                found.push((key, option(&version, &class, storage, &zones)));
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(cut(input, "OrderableDBInstanceOptions", "OrderableDBInstanceOption", found, 1000)?.into())
}

/// The zones the account has subnets in.
fn zones(cloud: &Cloud) -> Vec<String> {
    let mut zones: Vec<String> = cloud.shared().lock().subnets.values().map(|s| s.zone.clone()).collect();
    zones.sort();
    zones.dedup();
    zones
}

fn option(version: &str, class: &str, storage: &Storage, zones: &[String]) -> Node {
    let zones = zones.iter().map(|zone| Node::default().put("Name", zone));
    Node::default()
        .put("Engine", "postgres")
        .put("EngineVersion", version)
        .put("DBInstanceClass", class)
        .put("LicenseModel", "postgresql-license")
        .list("AvailabilityZones", "AvailabilityZone", zones)
        .put("MultiAZCapable", true)
        .put("ReadReplicaCapable", true)
        .put("Vpc", true)
        .put("SupportsStorageEncryption", true)
        .put("StorageType", storage.name)
        .put("SupportsIops", storage.iops.is_some())
        .put("SupportsEnhancedMonitoring", true)
        .put("SupportsIAMDatabaseAuthentication", true)
        .put("SupportsPerformanceInsights", true)
        .put("MinStorageSize", storage.least)
        .put("MaxStorageSize", storage.most)
        .put_some("MinIopsPerDbInstance", storage.iops.map(|i| i.0))
        .put_some("MaxIopsPerDbInstance", storage.iops.map(|i| i.1))
        .texts_list("SupportedEngineModes", "member", ["provisioned"])
        .put("SupportsStorageAutoscaling", storage.name != "standard")
        .put("SupportsKerberosAuthentication", true)
        .put("OutpostCapable", false)
        .put("SupportsGlobalDatabases", false)
        .texts_list("SupportedNetworkTypes", "member", ["IPV4", "DUAL"])
        .put("SupportsClusters", false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_the_size_aws_says() {
        let gib = |class| size(class).map(|s| (s.memory / 1_073_741_824.0, s.processors));
        assert_eq!(gib("db.t4g.medium"), Some((4.0, 2.0)));
        assert_eq!(gib("db.r6g.2xlarge"), Some((64.0, 8.0)));
        assert_eq!(gib("db.m7g.large"), Some((8.0, 2.0)));
        assert_eq!(gib("db.m6i.32xlarge"), Some((512.0, 128.0)));
        assert_eq!(gib("db.x9.large"), None);
    }
}
