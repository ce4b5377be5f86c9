"""EC2: images, types and instances."""

from ask import of, refused, same, true
from make import group, vpc

about = of("EC2-INSTANCE", "EC2 API")
GONE = "i-0123456789abcdef0"


def image(a, architecture="x86_64"):
    """An image of Amazon's own, of that architecture."""
    of_it = [{"Name": "architecture", "Values": [architecture]}, {"Name": "state", "Values": ["available"]}]
    got = a.ec2.describe_images(Owners=["amazon"], Filters=of_it)["Images"]
    true(got, f"an image of {architecture}")
    return got[0]["ImageId"]


def run(a, **more):
    wanted = {"ImageId": image(a), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, "SubnetId": vpc(a)[1][0], **more}
    return a.ec2.run_instances(**wanted)["Instances"][0]


def state(a, of_it):
    got = a.ec2.describe_instances(InstanceIds=[of_it])["Reservations"][0]["Instances"][0]
    return got["State"]["Name"]


@about("an instance is pending, then running, with an address of its subnet", "RunInstances")
def _(a):
    got = run(a)
    same(got["State"]["Name"], "pending")
    true(got["PrivateIpAddress"].startswith("10.77.1."), f"an address of the subnet, not {got['PrivateIpAddress']}")
    same((got["InstanceType"], got["Architecture"], got["VpcId"]), ("t3.micro", "x86_64", vpc(a)[0]))
    a.wait("it to run", lambda: state(a, got["InstanceId"]) == "running", seconds=60)


@about("an image that is not there: InvalidAMIID.NotFound", "errors-overview")
def _(a):
    refused("InvalidAMIID.NotFound", lambda: run(a, ImageId="ami-0123456789abcdef0"))
    refused("InvalidAMIID.NotFound", lambda: a.ec2.describe_images(ImageIds=["ami-0123456789abcdef0"]))
    refused("InvalidAMIID.Malformed", lambda: a.ec2.describe_images(ImageIds=["nonsense"]))


@about("an image of another architecture than the type's is refused", "RunInstances; instance-types", "L8")
def _(a):
    refused("InvalidParameterValue", lambda: run(a, InstanceType="t4g.micro"), saying="architecture")
    refused("InvalidParameterValue", lambda: run(a, ImageId=image(a, "arm64")), saying="architecture")
    run(a, ImageId=image(a, "arm64"), InstanceType="t4g.micro")


@about("a type that is none is refused", "RunInstances")
def _(a):
    refused("InvalidParameterValue", lambda: run(a, InstanceType="z9.enormous"))


@about("a type's architecture and size are told", "DescribeInstanceTypes", "L8")
def _(a):
    got = a.ec2.describe_instance_types(InstanceTypes=["t4g.small"])["InstanceTypes"][0]
    same(got["ProcessorInfo"]["SupportedArchitectures"], ["arm64"])
    same((got["VCpuInfo"]["DefaultVCpus"], got["MemoryInfo"]["SizeInMiB"], got["BurstablePerformanceSupported"]), (2, 2048, True))
    refused("InvalidInstanceType", lambda: a.ec2.describe_instance_types(InstanceTypes=["z9.enormous"]))


@about("an instance that is not there: InvalidInstanceID.NotFound", "errors-overview")
def _(a):
    refused("InvalidInstanceID.NotFound", lambda: a.ec2.describe_instances(InstanceIds=[GONE]))
    refused("InvalidInstanceID.NotFound", lambda: a.ec2.terminate_instances(InstanceIds=[GONE]))
    refused("InvalidInstanceID.Malformed", lambda: a.ec2.describe_instances(InstanceIds=["nonsense"]))


@about("a subnet or a group that is not there stops it", "RunInstances")
def _(a):
    refused("InvalidSubnetID.NotFound", lambda: run(a, SubnetId="subnet-0123456789abcdef0"))
    refused("InvalidGroup.NotFound", lambda: run(a, SecurityGroupIds=["sg-0123456789abcdef0"]))


@about("a terminated instance can still be described, and not be started", "TerminateInstances")
def _(a):
    it = run(a)["InstanceId"]
    got = a.ec2.terminate_instances(InstanceIds=[it])["TerminatingInstances"][0]
    true(got["CurrentState"]["Name"] in ("shutting-down", "terminated"), "it on its way")
    a.wait("it to be gone", lambda: state(a, it) == "terminated", seconds=60)
    refused("IncorrectInstanceState", lambda: a.ec2.start_instances(InstanceIds=[it]))


@about("a stopped instance keeps its address and can be started", "StopInstances, StartInstances")
def _(a):
    got = run(a)
    it = got["InstanceId"]
    a.wait("it to run", lambda: state(a, it) == "running", seconds=60)
    a.ec2.stop_instances(InstanceIds=[it])
    a.wait("it to stop", lambda: state(a, it) == "stopped", seconds=60)
    a.ec2.start_instances(InstanceIds=[it])
    a.wait("it to run again", lambda: state(a, it) == "running", seconds=60)


@about("an instance of the balancer's VPC is a target, of another not", "ELBv2 API: RegisterTargets", "L8")
def _(a):
    default = a.ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]["SubnetId"]
    near, far = run(a)["InstanceId"], run(a, SubnetId=default)["InstanceId"]
    for it in (near, far):
        a.wait("it to run", lambda it=it: state(a, it) == "running", seconds=60)
    arn = group(a, "instance")
    put = lambda it: a.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": it}])
    put(near)
    refused("InvalidTarget", lambda: put(far))


@about("the default credit option of a T4g is told", "DescribeInstanceCreditSpecifications", "M2")
def _(a):
    it = run(a, ImageId=image(a, "arm64"), InstanceType="t4g.micro")["InstanceId"]
    got = a.ec2.describe_instance_credit_specifications(InstanceIds=[it])["InstanceCreditSpecifications"]
    same([(c["InstanceId"], c["CpuCredits"]) for c in got], [(it, "unlimited")])
