//! Instance types: the common ones, burstable and general, of both architectures.
//! Source: EC2 instance types guide.

use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, filter, page, places, refuse, view};

/// A family: name, architecture, maker, whether it is burstable, and its sizes as (name, vCPUs, MiB).
type Family = (&'static str, &'static str, &'static str, bool, &'static [(&'static str, u32, u32)]);

const SMALL: &[(&str, u32, u32)] = &[
    ("nano", 2, 512),
    ("micro", 2, 1024),
    ("small", 2, 2048),
    ("medium", 2, 4096),
    ("large", 2, 8192),
    ("xlarge", 4, 16_384),
    ("2xlarge", 8, 32_768),
];
const GENERAL: &[(&str, u32, u32)] =
    &[("large", 2, 8192), ("xlarge", 4, 16_384), ("2xlarge", 8, 32_768), ("4xlarge", 16, 65_536)];
const GENERAL_ARM: &[(&str, u32, u32)] =
    &[("medium", 1, 4096), ("large", 2, 8192), ("xlarge", 4, 16_384), ("2xlarge", 8, 32_768), ("4xlarge", 16, 65_536)];
const COMPUTE: &[(&str, u32, u32)] = &[("large", 2, 4096), ("xlarge", 4, 8192), ("2xlarge", 8, 16_384)];
const MEMORY: &[(&str, u32, u32)] = &[("large", 2, 16_384), ("xlarge", 4, 32_768), ("2xlarge", 8, 65_536)];

const FAMILIES: &[Family] = &[
    ("t3", "x86_64", "Intel", true, SMALL),
    ("t3a", "x86_64", "AMD", true, SMALL),
    ("t4g", "arm64", "AWS", true, SMALL),
    ("m5", "x86_64", "Intel", false, GENERAL),
    ("m6i", "x86_64", "Intel", false, GENERAL),
    ("m7i", "x86_64", "Intel", false, GENERAL),
    ("m6g", "arm64", "AWS", false, GENERAL_ARM),
    ("m7g", "arm64", "AWS", false, GENERAL_ARM),
    ("c6i", "x86_64", "Intel", false, COMPUTE),
    ("c7g", "arm64", "AWS", false, COMPUTE),
    ("r6i", "x86_64", "Intel", false, MEMORY),
    ("r7g", "arm64", "AWS", false, MEMORY),
];

const KIND: Kind = Kind {
    name: "instance-type",
    id: ("InstanceType", "instanceType"),
    set: "instanceTypeSet",
    prefix: "",
    missing: "InvalidInstanceType",
    malformed: None,
    words: "instance type",
    nodes,
    filters: &[
        ("instance-type", "instanceType"),
        ("current-generation", "currentGeneration"),
        ("bare-metal", "bareMetal"),
        ("burstable-performance-supported", "burstablePerformanceSupported"),
        ("free-tier-eligible", "freeTierEligible"),
        ("processor-info.supported-architecture", "processorInfo.supportedArchitectures.item"),
        ("vcpu-info.default-vcpus", "vCpuInfo.defaultVCpus"),
        ("memory-info.size-in-mib", "memoryInfo.sizeInMiB"),
        ("supported-usage-class", "supportedUsageClasses.item"),
        ("supported-virtualization-type", "supportedVirtualizationTypes.item"),
        ("hypervisor", "hypervisor"),
    ],
};

fn nodes(_: &State) -> Vec<Node> {
    let of_family = |(family, architecture, maker, burstable, sizes): &Family| {
        let one = |(size, cpus, mib): &(&str, u32, u32)| {
            let processor = Node::new("processorInfo")
                .texts_list("supportedArchitectures", "item", [architecture])
                .put("manufacturer", maker);
            let threads = if *architecture == "arm64" { 1 } else { (*cpus).min(2) };
            let cpu = Node::new("vCpuInfo")
                .put("defaultVCpus", *cpus)
                .put("defaultCores", cpus / threads)
                .put("defaultThreadsPerCore", threads);
            Node::default()
                .put("instanceType", format!("{family}.{size}"))
                .put("currentGeneration", true)
                .put("freeTierEligible", matches!((*family, *size), ("t3" | "t4g", "micro" | "small")))
                .texts_list("supportedUsageClasses", "item", ["on-demand", "spot"])
                .texts_list("supportedRootDeviceTypes", "item", ["ebs"])
                .texts_list("supportedVirtualizationTypes", "item", ["hvm"])
                .put("bareMetal", false)
                .put("hypervisor", "nitro")
                .with(processor)
                .with(cpu)
                .with(Node::new("memoryInfo").put("sizeInMiB", *mib))
                .put("instanceStorageSupported", false)
                .put("burstablePerformanceSupported", *burstable)
        };
        sizes.iter().map(one).collect::<Vec<_>>()
    };
    FAMILIES.iter().flat_map(of_family).collect()
}

/// The architecture of a type.
pub(super) fn architecture(name: &str) -> Result<&'static str, ApiError> {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let known = FAMILIES.iter().find(|(f, _, _, _, sizes)| *f == family && sizes.iter().any(|(s, _, _)| *s == size));
    known.map(|(_, architecture, ..)| *architecture).ok_or_else(|| {
        let why = format!("Invalid value '{name}' for InstanceType.");
        refuse("InvalidParameterValue", why)
    })
}

/// The vCPUs, cores and threads a core of a type.
pub(super) fn cpus(name: &str) -> u32 {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let sizes = FAMILIES.iter().find(|(f, ..)| *f == family).map_or(&[][..], |(_, _, _, _, sizes)| *sizes);
    sizes.iter().find(|(s, _, _)| *s == size).map_or(1, |(_, cpus, _)| *cpus)
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    for name in super::texts(input, "InstanceType") {
        if architecture(&name).is_err() {
            let why = format!("The following supplied instance types do not exist: [{name}]");
            return Err(refuse("InvalidInstanceType", why));
        }
    }
    KIND.describe(cloud, input)
}

/// Every type is offered everywhere.
pub(super) fn offerings(cloud: &Cloud, input: &Node) -> Answer {
    const FILTERS: &[(&str, &str)] = &[("instance-type", "instanceType"), ("location", "location")];
    let region = cloud.region();
    let kind = input.get("LocationType").unwrap_or("region");
    let places = match kind {
        "region" => vec![region.to_owned()],
        "availability-zone" => places::names(region),
        "availability-zone-id" => places::names(region).iter().map(|zone| places::zone_id(zone)).collect(),
        other => return Err(super::invalid("locationType", other, "Unknown location type.")),
    };
    view(cloud, input, |state| {
        let of = |node: Node| {
            let name = node.get("instanceType").unwrap_or_default().to_owned();
            let one = move |place: &String| {
                Node::default().put("instanceType", &name).put("locationType", kind).put("location", place)
            };
            places.iter().map(one).collect::<Vec<_>>()
        };
        let all = nodes(state).into_iter().flat_map(of).collect();
        Ok(page::of(input, "instanceTypeOfferingSet", filter::keep(FILTERS, input, all)?, false)?.into())
    })
}
