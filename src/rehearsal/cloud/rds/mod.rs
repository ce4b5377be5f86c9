//! RDS: what the APIs say of a database instance. The server behind it is made by a [`DatabaseHost`].

mod host;
mod instances;
mod parameters;
mod tags;

use futures::FutureExt;

use super::law::Law::D3;
use super::wire::operation::{Operation, Run, Service, query};

pub use host::{DatabaseHost, DatabaseOrder, HostError};

use super::wire::protocol::Protocol;
/// The service.
pub(super) const SERVICE: Service = Service {
    name: "rds",
    protocol: Protocol::Query("http://rds.amazonaws.com/doc/2014-10-31/"),
    operations: &[
        query("DescribeDBInstances", instances::describe, &[]),
        Operation {
            name: "CreateDBInstance",
            rest: None,
            laws: &[],
            run: Run::Later(|cloud, input| async move { host::create(&cloud, &input) }.boxed()),
        },
        Operation {
            name: "RebootDBInstance",
            rest: None,
            laws: &[D3],
            run: Run::Later(|cloud, input| async move { host::reboot(&cloud, &input) }.boxed()),
        },
        Operation {
            name: "DeleteDBInstance",
            rest: None,
            laws: &[],
            run: Run::Later(|cloud, input| async move { host::delete(&cloud, &input) }.boxed()),
        },
        query("DescribeDBParameters", parameters::describe, &[]),
        query("DescribeDBEngineVersions", parameters::engine_versions, &[]),
        query("AddTagsToResource", tags::add, &[]),
        query("RemoveTagsFromResource", tags::remove, &[]),
        query("ListTagsForResource", tags::list, &[]),
    ],
};
