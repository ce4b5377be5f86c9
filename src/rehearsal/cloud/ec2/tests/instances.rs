//! Instances, images, types, keys.

use super::super::testing::{Here, VPC, refused};

const X86: &str = "ami-0deb1200000000864";
const ARM: &str = "ami-0deb12000000000a6";

fn run(here: &Here, image: &str, class: &str, rest: &str) -> String {
    let subnet = &here.subnets[0];
    format!("RunInstances&ImageId={image}&InstanceType={class}&MinCount=1&MaxCount=1&SubnetId={subnet}{rest}")
}

#[test]
fn l8_an_image_runs_on_its_own_architecture_only() {
    let here = Here::new();
    for (image, class) in [(ARM, "t3a.small"), (X86, "t4g.small"), (X86, "m7g.large")] {
        refused!(
            here,
            run(&here, image, class, ""),
            "InvalidParameterValue",
            "does not match the architecture",
            "[law L8]"
        );
    }
    here.ask(&run(&here, ARM, "t4g.small", "")).unwrap();
    here.ask(&run(&here, X86, "t3a.small", "")).unwrap();
}

#[test]
fn an_instance_goes_through_its_states() {
    let here = Here::new();
    let tag = "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=app-1";
    let id = here.get(&run(&here, X86, "t3a.small", tag), "instancesSet.item.instanceId");
    let told = |path: &str| {
        here.get(
            &format!("DescribeInstances&InstanceId.1={id}"),
            &format!("reservationSet.item.instancesSet.item.{path}"),
        )
    };
    assert_eq!((told("instanceState.name").as_str(), told("tagSet.item.value").as_str()), ("pending", "app-1"));
    refused!(here, format!("StopInstances&InstanceId.1={id}"), "IncorrectInstanceState");
    here.wait(6);
    assert_eq!((told("instanceState.name").as_str(), told("vpcId").as_str()), ("running", VPC));
    let status = |path: &str| here.get("DescribeInstanceStatus", &format!("instanceStatusSet.item.{path}"));
    assert_eq!(status("instanceStatus.status"), "initializing");
    here.wait(5);
    assert_eq!(status("systemStatus.status"), "ok");
    let stop = format!("StopInstances&InstanceId.1={id}");
    assert_eq!(here.get(&stop, "instancesSet.item.currentState.name"), "stopping");
    refused!(here, format!("StartInstances&InstanceId.1={id}"), "IncorrectInstanceState", "can be started");
    here.wait(6);
    assert_eq!(told("instanceState.code"), "80");
    assert_eq!(here.ask("DescribeInstanceStatus").unwrap().items("instanceStatusSet").count(), 0);
    here.ask(&format!("StartInstances&InstanceId.1={id}")).unwrap();
    here.wait(6);
    here.ask(&format!("TerminateInstances&InstanceId.1={id}")).unwrap();
    here.wait(6);
    assert_eq!(told("instanceState.name"), "terminated");
    assert_eq!(here.ask("DescribeNetworkInterfaces").unwrap().items("networkInterfaceSet").count(), 0);
    here.wait(3601);
    refused!(here, format!("DescribeInstances&InstanceId.1={id}"), "InvalidInstanceID.NotFound", "does not exist");
    refused!(here, "DescribeInstances&InstanceId.1=x", "InvalidInstanceID.Malformed");
    let two = "TerminateInstances&InstanceId.1=i-00000000000000001&InstanceId.2=i-00000000000000002";
    refused!(here, two, "InvalidInstanceID.NotFound", "The instance IDs", "do not exist");
}

#[test]
fn what_an_instance_names_must_be_there() {
    let here = Here::new();
    refused!(
        here,
        run(&here, "ami-00000000000000000", "t3.micro", ""),
        "InvalidAMIID.NotFound",
        "The image id '[ami-00000000000000000]' does not exist"
    );
    refused!(here, run(&here, "debian", "t3.micro", ""), "InvalidAMIID.Malformed");
    refused!(here, run(&here, X86, "t9.micro", ""), "InvalidParameterValue", "t9.micro");
    refused!(here, run(&here, X86, "t3.micro", "&KeyName=me"), "InvalidKeyPair.NotFound", "'me'");
    refused!(here, run(&here, X86, "t3.micro", "&SecurityGroupId.1=sg-00000000000000000"), "InvalidGroup.NotFound");
    refused!(
        here,
        format!("RunInstances&ImageId={X86}&InstanceType=t3.micro&MinCount=1&MaxCount=1&SubnetId=subnet-gone"),
        "InvalidSubnetID.NotFound"
    );
    refused!(
        here,
        format!("RunInstances&ImageId={X86}&InstanceType=t3.micro&MinCount=1&MaxCount=1"),
        "VPCIdNotSpecified"
    );
    refused!(here, format!("RunInstances&ImageId={X86}&MinCount=2&MaxCount=1"), "InvalidParameterCombination");
    let vpc = here.get("CreateVpc&CidrBlock=10.9.0.0/16", "vpc.vpcId");
    let other = here.get(&format!("CreateSecurityGroup&GroupName=o&GroupDescription=d&VpcId={vpc}"), "groupId");
    let across = run(&here, X86, "t3.micro", &format!("&SecurityGroupId.1={other}"));
    refused!(here, across, "InvalidParameter", "belong to different networks");
    refused!(here, run(&here, X86, "t3.micro", "&PrivateIpAddress=10.9.0.9"), "InvalidParameterValue");
    here.ask(&run(&here, X86, "t3.micro", "&PrivateIpAddress=10.0.0.9")).unwrap();
    refused!(here, run(&here, X86, "t3.micro", "&PrivateIpAddress=10.0.0.9"), "InvalidIPAddress.InUse");
}

#[test]
fn a_token_makes_instances_once_and_protection_keeps_them() {
    let here = Here::new();
    let form = run(&here, X86, "t3.micro", "&ClientToken=t&DisableApiTermination=true");
    let (id, again) =
        (here.get(&form, "instancesSet.item.instanceId"), here.get(&form, "instancesSet.item.instanceId"));
    assert_eq!(id, again);
    refused!(here, format!("TerminateInstances&InstanceId.1={id}"), "OperationNotPermitted", "disableApiTermination");
    let group = here.get(&format!("CreateSecurityGroup&GroupName=g&GroupDescription=d&VpcId={VPC}"), "groupId");
    here.ask(&run(&here, X86, "t3.micro", &format!("&SecurityGroupId.1={group}"))).unwrap();
    refused!(here, format!("DeleteSecurityGroup&GroupId={group}"), "DependencyViolation");
}

#[test]
fn images_types_and_offerings_are_found() {
    let here = Here::new();
    let found = here.ask("DescribeImages&Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=al2023-ami-*&Filter.2.Name=architecture&Filter.2.Value.1=arm64").unwrap();
    assert_eq!(found.items("imagesSet").count(), 1);
    assert_eq!(here.ask("DescribeImages&Owner.1=self").unwrap().items("imagesSet").count(), 0);
    let told = |path: &str| {
        here.get("DescribeInstanceTypes&InstanceType.1=t4g.medium", &format!("instanceTypeSet.item.{path}"))
    };
    assert_eq!(told("processorInfo.supportedArchitectures.item"), "arm64");
    assert_eq!((told("vCpuInfo.defaultVCpus").as_str(), told("memoryInfo.sizeInMiB").as_str()), ("2", "4096"));
    refused!(here, "DescribeInstanceTypes&InstanceType.1=t9.x", "InvalidInstanceType", "[t9.x]");
    let offered = here.ask("DescribeInstanceTypeOfferings&LocationType=availability-zone&Filter.1.Name=instance-type&Filter.1.Value.1=t4g.small").unwrap();
    assert_eq!(offered.items("instanceTypeOfferingSet").count(), 4);
}

#[test]
fn keys_are_brought_along() {
    let here = Here::new();
    let key = "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUE9PSBtZQ==";
    let import = format!("ImportKeyPair&KeyName=me&PublicKeyMaterial={key}");
    here.ask(&import).unwrap();
    refused!(here, import, "InvalidKeyPair.Duplicate");
    assert_eq!(here.get("DescribeKeyPairs&KeyName.1=me", "keySet.item.keyType"), "ed25519");
    refused!(here, "ImportKeyPair&KeyName=x&PublicKeyMaterial=eA==", "InvalidKey.Format");
    here.ask("DeleteKeyPair&KeyName=me").unwrap();
    here.ask("DeleteKeyPair&KeyName=me").unwrap();
    refused!(here, "DescribeKeyPairs&KeyName.1=me", "InvalidKeyPair.NotFound");
}

#[test]
fn a_host_that_is_there_is_a_running_instance() {
    let here = Here::new();
    let id = here.cloud.seed_instance("app-1", "10.0.0.200".parse().unwrap()).unwrap();
    let form = format!("DescribeInstances&InstanceId.1={id}");
    assert_eq!(here.get(&form, "reservationSet.item.instancesSet.item.privateIpAddress"), "10.0.0.200");
    assert_eq!(here.get(&form, "reservationSet.item.instancesSet.item.instanceState.name"), "running");
    let at = here.cloud.shared().lock().network.instance_address(&id);
    assert_eq!(at, Some("10.0.0.200".parse().unwrap()));
    assert_eq!(here.cloud.seed_instance("app-2", "192.168.0.1".parse().unwrap()), None);
}
