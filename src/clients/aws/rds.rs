//! RDS, as far as it is looked at.

use async_trait::async_trait;
use aws_sdk_rds::Client;

use super::error::{explain, unless_missing};
use crate::clients::ClientResult;
use crate::clients::instances::{Instance, InstancesRead};

/// The database service's control plane.
pub(super) struct Rds {
    client: Client,
}

impl Rds {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl InstancesRead for Rds {
    async fn instance(&self, id: &str) -> ClientResult<Option<Instance>> {
        let answer = self
            .client
            .describe_db_instances()
            .db_instance_identifier(id)
            .send()
            .await
            .map_err(|e| explain(format!("look up the database instance {id}"), "rds:DescribeDBInstances", e));
        let Some(page) = unless_missing(answer)? else { return Ok(None) };
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok(page.db_instances().first().map(|db| Instance {
            status: text(db.db_instance_status()),
            // An instance that is still being made has no endpoint yet.
            host: text(db.endpoint().and_then(aws_sdk_rds::types::Endpoint::address)),
            port: db
                .endpoint()
                .and_then(aws_sdk_rds::types::Endpoint::port)
                .and_then(|p| u16::try_from(p).ok())
                .unwrap_or(0),
            version: text(db.engine_version()),
            master: text(db.master_username()),
            class: text(db.db_instance_class()),
            public: db.publicly_accessible().unwrap_or(false),
        }))
    }
}
