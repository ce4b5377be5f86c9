"""RDS: instances, as far as they can be asked about without a server behind them."""

from ask import NotAsked, of, refused, same, true
from asked.rds_groups import group
from botocore.exceptions import ClientError

about = of("RDS-INSTANCE", "RDS API")
WANTED = {"DBInstanceClass": "db.t4g.micro", "Engine": "postgres", "AllocatedStorage": 20, "MasterUsername": "owner",
          "MasterUserPassword": "correct-horse"}


def create(a, **more):
    wanted = {"DBInstanceIdentifier": a.name("db"), **WANTED, **more}
    return a.rds.create_db_instance(**{k: v for k, v in wanted.items() if v is not None})["DBInstance"]


def bad(what, code, page="CreateDBInstance", law=None, status=400, **more):
    @about(f"{what} is refused", page, law)
    def _(a):
        refused(code, lambda: create(a, **more), status)


bad("an identifier that begins with a digit", "InvalidParameterValue", DBInstanceIdentifier="1db")
bad("an identifier with two hyphens in a row", "InvalidParameterValue", DBInstanceIdentifier="my--db")
bad("an identifier that ends with a hyphen", "InvalidParameterValue", DBInstanceIdentifier="mydb-")
bad("an identifier of 64 characters", "InvalidParameterValue", DBInstanceIdentifier="d" * 64)
bad("a password of seven characters", "InvalidParameterValue", MasterUserPassword="seven77")
bad("a password with a slash", "InvalidParameterValue", MasterUserPassword="correct/horse")
bad("a password with an at sign", "InvalidParameterValue", MasterUserPassword="correct@horse")
bad("no password at all", "InvalidParameterValue", MasterUserPassword=None)
bad("an engine nobody knows", "InvalidParameterValue", Engine="wombat")
bad("an engine version nobody knows", "InvalidParameterCombination", EngineVersion="15.999")
bad("a class nobody knows", ("InvalidParameterValue", "InvalidParameterCombination"), DBInstanceClass="db.z9.enormous")
bad("a master user named admin", "InvalidParameterValue", "guide: Limits (reserved words)", MasterUsername="admin")
bad("a master user named rdsadmin", "InvalidParameterValue", "guide: Limits (reserved words)", MasterUsername="rdsadmin")
bad("storage of 5 GiB", ("InvalidParameterValue", "InvalidParameterCombination"), AllocatedStorage=5)
bad("a backup kept for 36 days", "InvalidParameterValue", BackupRetentionPeriod=36)
bad("a subnet group that is not there", "DBSubnetGroupNotFoundFault", law="D1", status=404, DBSubnetGroupName="gone")
bad("a parameter group that is not there", "DBParameterGroupNotFound", status=404, DBParameterGroupName="gone")


@about("a parameter group of another family is refused", "CreateDBInstance")
def _(a):
    other = group(a, "postgres14")
    refused("InvalidParameterCombination", lambda: create(a, EngineVersion="15", DBParameterGroupName=other))


@about("an instance that is not there: DBInstanceNotFound", "DescribeDBInstances")
def _(a):
    gone = {"DBInstanceIdentifier": "gone"}
    refused("DBInstanceNotFound", lambda: a.rds.describe_db_instances(**gone), 404)
    refused("DBInstanceNotFound", lambda: a.rds.reboot_db_instance(**gone), 404)
    refused("DBInstanceNotFound", lambda: a.rds.modify_db_instance(**gone, MultiAZ=True), 404)
    refused("DBInstanceNotFound", lambda: a.rds.delete_db_instance(**gone, SkipFinalSnapshot=True), 404)
    refused("DBInstanceNotFound", lambda: a.rds.create_db_snapshot(**gone, DBSnapshotIdentifier=a.name("snap")), 404)


@about("a snapshot that is not there: DBSnapshotNotFound", "DescribeDBSnapshots")
def _(a):
    refused("DBSnapshotNotFound", lambda: a.rds.describe_db_snapshots(DBSnapshotIdentifier="gone"), 404)
    refused("DBSnapshotNotFound", lambda: a.rds.delete_db_snapshot(DBSnapshotIdentifier="gone"), 404)


@about("PostgreSQL's versions are told, with their families", "DescribeDBEngineVersions")
def _(a):
    pages = a.rds.get_paginator("describe_db_engine_versions").paginate(Engine="postgres")
    families = {v["DBParameterGroupFamily"] for p in pages for v in p["DBEngineVersions"]}
    true({"postgres14", "postgres15", "postgres16"} <= families, f"14, 15 and 16 among {families}")


@about("the default version of a family is one", "DescribeDBEngineVersions")
def _(a):
    got = a.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="15", DefaultOnly=True)["DBEngineVersions"]
    true(len(got) == 1 and got[0]["EngineVersion"].startswith("15."), "one of PostgreSQL 15")


@about("classes that can be ordered are told", "DescribeOrderableDBInstanceOptions")
def _(a):
    wanted = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro"}
    got = a.rds.describe_orderable_db_instance_options(**wanted)["OrderableDBInstanceOptions"]
    true(got and {o["DBInstanceClass"] for o in got} == {"db.t4g.micro"}, "db.t4g.micro")


def instance(a):
    """An instance that is shared, where there is a host to make one."""

    def make():
        try:
            it = create(a, EngineVersion="15", DBParameterGroupName=group(a))["DBInstanceIdentifier"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "InsufficientDBInstanceCapacity":
                raise NotAsked("there is no host for database servers here") from None
            raise
        available = lambda: look(a, it)["DBInstanceStatus"] == "available"
        a.wait("it to be available", available, seconds=120, every=1)
        return it

    return a.shared("instance", make)


def look(a, it):
    return a.rds.describe_db_instances(DBInstanceIdentifier=it)["DBInstances"][0]


@about("an available instance has an endpoint, and its identifier is used once", "CreateDBInstance")
def _(a):
    it = instance(a)
    got = look(a, it)
    true(got["Endpoint"]["Address"] and got["Endpoint"]["Port"] == 5432, "an endpoint")
    same((got["MultiAZ"], got["DeletionProtection"], got["MasterUsername"]), (False, False, "owner"))
    refused("DBInstanceAlreadyExists", lambda: create(a, DBInstanceIdentifier=it))


@about("a static parameter waits for a reboot", "guide: USER_WorkingWithParamGroups", "D3")
def _(a):
    it = instance(a)
    mine = look(a, it)["DBParameterGroups"][0]
    same(mine["ParameterApplyStatus"], "in-sync")
    name = mine["DBParameterGroupName"]
    static = [{"ParameterName": "rds.logical_replication", "ParameterValue": "1", "ApplyMethod": "pending-reboot"}]
    a.rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=static)
    status = lambda: look(a, it)["DBParameterGroups"][0]["ParameterApplyStatus"]
    a.wait("it to be pending", lambda: status() == "pending-reboot", seconds=30)
    a.rds.reboot_db_instance(DBInstanceIdentifier=it)
    a.wait("it to be in sync", lambda: status() == "in-sync" and look(a, it)["DBInstanceStatus"] == "available", seconds=120)


@about("a delete says what becomes of the data", "DeleteDBInstance")
def _(a):
    it = instance(a)
    delete = lambda **more: a.rds.delete_db_instance(DBInstanceIdentifier=it, **more)
    refused("InvalidParameterCombination", delete)
    refused("InvalidParameterCombination", lambda: delete(SkipFinalSnapshot=True, FinalDBSnapshotIdentifier="last"))
