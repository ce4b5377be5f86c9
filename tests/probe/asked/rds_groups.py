"""RDS: subnet groups and parameter groups."""

from ask import of, refused, same, true
from make import vpc

about = of("RDS-GROUP", "RDS API")


def subnets(a, *ids, name=None):
    wanted = {"DBSubnetGroupName": name or a.name("sub"), "DBSubnetGroupDescription": "probe"}
    return a.rds.create_db_subnet_group(**wanted, SubnetIds=list(ids))["DBSubnetGroup"]


@about("a subnet group over two zones is complete", "CreateDBSubnetGroup", "D1")
def _(a):
    got = subnets(a, *vpc(a)[1][:2])
    same((got["SubnetGroupStatus"], got["VpcId"], len(got["Subnets"])), ("Complete", vpc(a)[0], 2))
    same(len({s["SubnetAvailabilityZone"]["Name"] for s in got["Subnets"]}), 2)


@about("a subnet group in one zone is refused", "CreateDBSubnetGroup", "D1")
def _(a):
    refused("DBSubnetGroupDoesNotCoverEnoughAZs", lambda: subnets(a, vpc(a)[1][0]))


@about("a subnet that is not there is refused", "CreateDBSubnetGroup", "D1")
def _(a):
    refused(("InvalidSubnet", "InvalidParameterValue"), lambda: subnets(a, vpc(a)[1][0], "subnet-0123456789abcdef0"))


@about("a subnet group's name is used once, and default is no name", "CreateDBSubnetGroup")
def _(a):
    name = subnets(a, *vpc(a)[1][:2])["DBSubnetGroupName"]
    refused("DBSubnetGroupAlreadyExists", lambda: subnets(a, *vpc(a)[1][:2], name=name))
    refused("InvalidParameterValue", lambda: subnets(a, *vpc(a)[1][:2], name="default"))


@about("a subnet group that is not there: DBSubnetGroupNotFoundFault", "DescribeDBSubnetGroups")
def _(a):
    refused("DBSubnetGroupNotFoundFault", lambda: a.rds.describe_db_subnet_groups(DBSubnetGroupName="gone"), 404)
    refused("DBSubnetGroupNotFoundFault", lambda: a.rds.delete_db_subnet_group(DBSubnetGroupName="gone"), 404)


def group(a, family="postgres15", name=None):
    wanted = {"DBParameterGroupName": name or a.name("pg"), "DBParameterGroupFamily": family, "Description": "probe"}
    return a.rds.create_db_parameter_group(**wanted)["DBParameterGroup"]["DBParameterGroupName"]


def parameter(a, of_group, name):
    pages = a.rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=of_group)
    return next((p for page in pages for p in page["Parameters"] if p["ParameterName"] == name), None)


def set_(a, of_group, name, value, when):
    wanted = [{"ParameterName": name, "ParameterValue": value, "ApplyMethod": when}]
    return a.rds.modify_db_parameter_group(DBParameterGroupName=of_group, Parameters=wanted)


@about("a parameter group's name is used once", "CreateDBParameterGroup")
def _(a):
    name = group(a)
    refused("DBParameterGroupAlreadyExists", lambda: group(a, name=name))


@about("a family nobody knows is refused", "CreateDBParameterGroup")
def _(a):
    refused("InvalidParameterValue", lambda: group(a, "postgres99"))


@about("a parameter group that is not there: DBParameterGroupNotFound", "DescribeDBParameterGroups")
def _(a):
    refused("DBParameterGroupNotFound", lambda: a.rds.describe_db_parameter_groups(DBParameterGroupName="gone"), 404)
    refused("DBParameterGroupNotFound", lambda: set_(a, "gone", "log_statement", "all", "immediate"), 404)


@about("rds.force_ssl is on from PostgreSQL 15", "guide: PostgreSQL.Concepts.General.SSL", "D2")
def _(a):
    same(parameter(a, "default.postgres15", "rds.force_ssl")["ParameterValue"], "1")


@about("rds.force_ssl is off in PostgreSQL 14", "guide: PostgreSQL.Concepts.General.SSL", "D2")
def _(a):
    same(parameter(a, "default.postgres14", "rds.force_ssl")["ParameterValue"], "0")


@about("rds.logical_replication is static, log_statement dynamic", "guide: Appendix.PostgreSQL.CommonDBATasks.Parameters", "D3")
def _(a):
    mine = group(a)
    same(parameter(a, mine, "rds.logical_replication")["ApplyType"], "static")
    same(parameter(a, mine, "log_statement")["ApplyType"], "dynamic")


@about("a static parameter cannot be applied immediately", "ModifyDBParameterGroup", "D3")
def _(a):
    mine = group(a)
    refused("InvalidParameterCombination", lambda: set_(a, mine, "rds.logical_replication", "1", "immediate"))
    set_(a, mine, "rds.logical_replication", "1", "pending-reboot")
    got = parameter(a, mine, "rds.logical_replication")
    same((got["ParameterValue"], got["ApplyMethod"], got["Source"]), ("1", "pending-reboot", "user"))


@about("a parameter nobody knows is refused", "ModifyDBParameterGroup")
def _(a):
    refused("InvalidParameterValue", lambda: set_(a, group(a), "no_such_parameter", "1", "immediate"))


@about("a value that is not allowed is refused", "ModifyDBParameterGroup")
def _(a):
    refused("InvalidParameterValue", lambda: set_(a, group(a), "log_statement", "perhaps", "immediate"))


@about("a parameter is reset to the engine's default", "ResetDBParameterGroup")
def _(a):
    mine = group(a)
    set_(a, mine, "log_statement", "all", "immediate")
    back = [{"ParameterName": "log_statement", "ApplyMethod": "immediate"}]
    a.rds.reset_db_parameter_group(DBParameterGroupName=mine, Parameters=back)
    true(parameter(a, mine, "log_statement").get("Source") != "user", "no value of ours")


@about("a default group is not changed", "ModifyDBParameterGroup")
def _(a):
    refused(("InvalidDBParameterGroupState", "InvalidParameterValue"),
            lambda: set_(a, "default.postgres15", "log_statement", "all", "immediate"))
