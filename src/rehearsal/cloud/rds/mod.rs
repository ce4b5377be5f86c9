//! RDS: what the APIs say of PostgreSQL instances, their groups and snapshots. The server behind an instance is made by a
//! [`DatabaseHost`].

mod account;
mod apply;
mod catalogue;
mod classes;
mod events;
mod groups;
mod host;
mod instances;
mod life;
mod modify;
mod names;
mod order;
mod page;
mod parameters;
mod snapshots;
mod subnet_groups;
mod tags;
mod versions;
mod windows;

use super::law::Law::{D1, D2, D3, D4};
use super::wire::operation::{Service, query};
use super::wire::protocol::Protocol;

pub use catalogue::settings as database_settings;
pub use host::{DatabaseHost, DatabaseOrder, DatabaseServer, HostError};

/// The service.
pub(super) const SERVICE: Service = Service {
    name: "rds",
    protocol: Protocol::Query("http://rds.amazonaws.com/doc/2014-10-31/"),
    operations: &[
        query("AddTagsToResource", tags::add, &[]),
        query("CreateDBInstance", life::create, &[D2, D4]),
        query("CreateDBParameterGroup", groups::create, &[]),
        query("CreateDBSnapshot", snapshots::create, &[]),
        query("CreateDBSubnetGroup", subnet_groups::create, &[D1]),
        query("DeleteDBInstance", life::delete, &[]),
        query("DeleteDBParameterGroup", groups::delete, &[]),
        query("DeleteDBSnapshot", snapshots::delete, &[]),
        query("DeleteDBSubnetGroup", subnet_groups::delete, &[]),
        query("DescribeAccountAttributes", account::quotas, &[]),
        query("DescribeCertificates", account::certificates, &[]),
        query("DescribeDBEngineVersions", versions::describe, &[]),
        query("DescribeDBInstances", instances::describe, &[]),
        query("DescribeDBParameterGroups", groups::describe, &[]),
        query("DescribeDBParameters", parameters::describe, &[D2, D3]),
        query("DescribeDBSnapshots", snapshots::describe, &[]),
        query("DescribeDBSubnetGroups", subnet_groups::describe, &[]),
        query("DescribeEngineDefaultParameters", parameters::engine_defaults, &[D2, D3]),
        query("DescribeEvents", events::describe, &[]),
        query("DescribeOrderableDBInstanceOptions", classes::orderable, &[]),
        query("DescribePendingMaintenanceActions", account::maintenance, &[]),
        query("ListTagsForResource", tags::list, &[]),
        query("ModifyDBInstance", modify::modify, &[D3]),
        query("ModifyDBParameterGroup", parameters::modify, &[D3]),
        query("ModifyDBSubnetGroup", subnet_groups::modify, &[D1]),
        query("RebootDBInstance", life::reboot, &[D3]),
        query("RemoveTagsFromResource", tags::remove, &[]),
        query("ResetDBParameterGroup", parameters::reset, &[D3]),
        query("RestoreDBInstanceFromDBSnapshot", snapshots::restore, &[]),
        query("StartDBInstance", life::start, &[D3]),
        query("StopDBInstance", life::stop, &[]),
    ],
};
