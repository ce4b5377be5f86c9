//! Images: a few that everybody has, for both architectures. Their ids are the rehearsal's own, the same in every region.

use super::kind::Kind;
use super::{Answer, ApiError, Cloud, Node, State, page, refuse, texts, view};

pub(super) const KIND: Kind = Kind {
    name: "image",
    id: ("ImageId", "imageId"),
    set: "imagesSet",
    prefix: "ami-",
    missing: "InvalidAMIID.NotFound",
    malformed: Some("InvalidAMIID.Malformed"),
    words: "image id",
    nodes,
    filters: &[
        ("image-id", "imageId"),
        ("name", "name"),
        ("description", "description"),
        ("architecture", "architecture"),
        ("state", "imageState"),
        ("owner-id", "imageOwnerId"),
        ("owner-alias", "imageOwnerAlias"),
        ("is-public", "isPublic"),
        ("image-type", "imageType"),
        ("hypervisor", "hypervisor"),
        ("virtualization-type", "virtualizationType"),
        ("root-device-type", "rootDeviceType"),
        ("root-device-name", "rootDeviceName"),
        ("ena-support", "enaSupport"),
        ("platform-details", "platformDetails"),
    ],
};

/// An image.
pub(super) struct Image {
    pub id: &'static str,
    pub name: &'static str,
    pub architecture: &'static str,
    /// Account number and alias of its owner.
    owner: (&'static str, Option<&'static str>),
    description: &'static str,
    created: &'static str,
    pub root: &'static str,
}

const AMAZON: (&str, Option<&str>) = ("137112412989", Some("amazon"));
const DEBIAN: (&str, Option<&str>) = ("136693071363", None);
const CANONICAL: (&str, Option<&str>) = ("099720109477", None);

macro_rules! images {
    ($($id:literal $owner:ident $architecture:literal $root:literal $created:literal $name:literal $description:literal;)*) => {
        const IMAGES: &[Image] = &[$(Image {
            id: $id,
            name: $name,
            architecture: $architecture,
            owner: $owner,
            description: $description,
            created: $created,
            root: $root,
        }),*];
    };
}

images! {
    "ami-0a120230000000864" AMAZON "x86_64" "/dev/xvda" "2026-09-22T18:02:11.000Z"
        "al2023-ami-2023.9.20260922.0-kernel-6.1-x86_64" "Amazon Linux 2023 AMI 2023.9.20260922.0 x86_64 HVM kernel-6.1";
    "ami-0a120230000000a64" AMAZON "arm64" "/dev/xvda" "2026-09-22T18:02:14.000Z"
        "al2023-ami-2023.9.20260922.0-kernel-6.1-arm64" "Amazon Linux 2023 AMI 2023.9.20260922.0 arm64 HVM kernel-6.1";
    "ami-0deb1200000000864" DEBIAN "x86_64" "/dev/xvda" "2026-09-09T12:48:25.000Z"
        "debian-12-amd64-20260909-2230" "Debian 12 (20260909-2230)";
    "ami-0deb12000000000a6" DEBIAN "arm64" "/dev/xvda" "2026-09-09T12:48:31.000Z"
        "debian-12-arm64-20260909-2230" "Debian 12 (20260909-2230)";
    "ami-0deb1300000000864" DEBIAN "x86_64" "/dev/xvda" "2026-09-09T12:49:02.000Z"
        "debian-13-amd64-20260909-2230" "Debian 13 (20260909-2230)";
    "ami-0deb13000000000a6" DEBIAN "arm64" "/dev/xvda" "2026-09-09T12:49:07.000Z"
        "debian-13-arm64-20260909-2230" "Debian 13 (20260909-2230)";
    "ami-0bc22040000000864" CANONICAL "x86_64" "/dev/sda1" "2026-09-12T06:10:41.000Z"
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260912"
        "Canonical, Ubuntu, 22.04 LTS, amd64 jammy image build on 2026-09-12";
    "ami-0bc220400000000a6" CANONICAL "arm64" "/dev/sda1" "2026-09-12T06:11:19.000Z"
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20260912"
        "Canonical, Ubuntu, 22.04 LTS, arm64 jammy image build on 2026-09-12";
    "ami-0bc24040000000864" CANONICAL "x86_64" "/dev/sda1" "2026-09-12T06:21:30.000Z"
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260912"
        "Canonical, Ubuntu, 24.04 LTS, amd64 noble image build on 2026-09-12";
    "ami-0bc240400000000a6" CANONICAL "arm64" "/dev/sda1" "2026-09-12T06:22:02.000Z"
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260912"
        "Canonical, Ubuntu, 24.04 LTS, arm64 noble image build on 2026-09-12";
}

fn nodes(_: &State) -> Vec<Node> {
    let one = |image: &Image| {
        let (owner, alias) = image.owner;
        let disk = Node::new("ebs").put("deleteOnTermination", true).put("volumeSize", 8_u8).put("volumeType", "gp3");
        let disk = Node::default().put("deviceName", image.root).with(disk.put("encrypted", false));
        Node::default()
            .put("imageId", image.id)
            .put("imageLocation", format!("{}/{}", alias.unwrap_or(owner), image.name))
            .put("imageState", "available")
            .put("imageOwnerId", owner)
            .put_some("imageOwnerAlias", alias)
            .put("creationDate", image.created)
            .put("isPublic", true)
            .put("architecture", image.architecture)
            .put("imageType", "machine")
            .put("name", image.name)
            .put("description", image.description)
            .put("platformDetails", "Linux/UNIX")
            .put("usageOperation", "RunInstances")
            .put("enaSupport", true)
            .put("sriovNetSupport", "simple")
            .put("hypervisor", "xen")
            .put("virtualizationType", "hvm")
            .put("rootDeviceType", "ebs")
            .put("rootDeviceName", image.root)
            .list("blockDeviceMapping", "item", [disk])
    };
    IMAGES.iter().map(one).collect()
}

/// The image of an id.
pub(super) fn find(id: &str) -> Result<&'static Image, ApiError> {
    IMAGES.iter().find(|image| image.id == id).ok_or_else(|| not_found(id))
}

fn not_found(id: &str) -> ApiError {
    let told = KIND.not_found(id);
    match told.code {
        "InvalidAMIID.NotFound" => refuse(told.code, format!("The image id '[{id}]' does not exist")),
        _ => told,
    }
}

/// The image of Debian for an architecture, which stands for what a rehearsal's hosts were made from.
pub(super) fn debian(architecture: &str) -> &'static str {
    let fits = |image: &&Image| image.architecture == architecture && image.name.starts_with("debian-12");
    IMAGES.iter().find(fits).map_or("", |image| image.id)
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Answer {
    for id in texts(input, "ImageId") {
        find(&id)?;
    }
    let owners = texts(input, "Owner");
    view(cloud, input, |state| {
        let mut found = KIND.select(state, input)?;
        found.retain(|image| {
            let is = |owner: &String| {
                image.get("imageOwnerId") == Some(owner) || image.get("imageOwnerAlias") == Some(owner)
            };
            owners.is_empty() || owners.iter().any(is)
        });
        let by_id = input.all("ImageId").next().is_some();
        Ok(page::of(input, KIND.set, found, by_id)?.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_ec2_makes_them_and_each_architecture_has_the_same_names() {
        for image in IMAGES {
            let digits = image.id.strip_prefix("ami-").unwrap();
            assert!(digits.len() == 17 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{}", image.id);
        }
        let of = |architecture: &str| IMAGES.iter().filter(|i| i.architecture == architecture).count();
        assert_eq!(of("x86_64"), of("arm64"));
        assert!(!debian("arm64").is_empty() && debian("arm64") != debian("x86_64"));
    }
}
