//! RDS: what is told of an instance, and that a host makes the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::Tag;
use outgrow::rehearsal::cloud::{DatabaseHost, DatabaseOrder, HostError};
use outgrow::rehearsal::state::DatabaseInstance;

use super::{Here, refused};

fn instance() -> DatabaseInstance {
    DatabaseInstance {
        status: "available".into(),
        engine_version: "15.18".into(),
        class: "db.t4g.medium".into(),
        address: "172.18.0.9".into(),
        port: 5432,
        master: "master".into(),
        database: Some("shop".into()),
        multi_az: false,
        parameters: BTreeMap::from([
            ("rds.logical_replication".into(), "1".into()),
            ("rds.force_ssl".into(), "1".into()),
        ]),
    }
}

/// A host that hands out the same address at once.
struct Host;

#[async_trait]
impl DatabaseHost for Host {
    async fn create(&self, order: &DatabaseOrder) -> Result<DatabaseInstance, HostError> {
        match order.id.as_str() {
            "broken" => Err(HostError("no room".into())),
            _ => Ok(DatabaseInstance { master: order.master.clone(), ..instance() }),
        }
    }
    async fn reboot(
        &self,
        _: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, HostError> {
        Ok(parameters.clone())
    }
    async fn delete(&self, _: &str) -> Result<(), HostError> {
        Ok(())
    }
}

#[tokio::test]
async fn an_instance_is_described_with_endpoint_parameters_and_tags() {
    let here = Here::new().await;
    here.cloud.seed_database("shop-db", instance());
    let rds = here.rds();
    let told = rds.describe_db_instances().db_instance_identifier("shop-db").send().await.unwrap();
    let told = &told.db_instances()[0];
    assert_eq!(told.endpoint().unwrap().address(), Some("172.18.0.9"));
    assert_eq!(told.db_instance_status(), Some("available"));
    let group = told.db_parameter_groups()[0].db_parameter_group_name().unwrap();
    assert_eq!(group, "default.postgres15");
    let parameters = rds.describe_db_parameters().db_parameter_group_name(group).send().await.unwrap();
    let logical =
        parameters.parameters().iter().find(|p| p.parameter_name() == Some("rds.logical_replication")).unwrap();
    assert_eq!((logical.parameter_value(), logical.apply_type()), (Some("1"), Some("static")));
    let arn = told.db_instance_arn().unwrap();
    rds.add_tags_to_resource()
        .resource_name(arn)
        .tags(Tag::builder().key("run").value("r-1").build())
        .send()
        .await
        .unwrap();
    let tags = rds.list_tags_for_resource().resource_name(arn).send().await.unwrap();
    assert_eq!(tags.tag_list()[0].value(), Some("r-1"));
    refused!(rds.describe_db_instances().db_instance_identifier("nobody").send().await, "DBInstanceNotFound", "nobody");
    refused!(rds.describe_db_parameters().db_parameter_group_name("nobody").send().await, "DBParameterGroupNotFound");
    let versions = rds.describe_db_engine_versions().engine("postgres").engine_version("15").send().await.unwrap();
    assert_eq!(versions.db_engine_versions().len(), 2);
}

#[tokio::test]
async fn a_host_makes_reboots_and_deletes_the_server() {
    let here = Here::new().await;
    let rds = here.rds();
    let create = |id: &str| {
        let call =
            rds.create_db_instance().db_instance_identifier(id).engine("postgres").db_instance_class("db.t4g.micro");
        call.master_username("shop").master_user_password("correct horse".replace(' ', "-")).send()
    };
    refused!(create("new-db").await, "InsufficientDBInstanceCapacity");
    here.cloud.set_database_host(Arc::new(Host));
    let mut changes = here.cloud.shared().watch();
    let made = create("new-db").await.unwrap();
    assert_eq!(made.db_instance().unwrap().db_instance_status(), Some("creating"));
    let shared = here.cloud.shared().clone();
    let mut until = async |id: &str, status: Option<&str>| {
        let now = || shared.lock().databases.get(id).map(|d| d.status.clone());
        while now().as_deref() != status {
            changes.changed().await.unwrap();
        }
    };
    until("new-db", Some("available")).await;
    refused!(create("new-db").await, "DBInstanceAlreadyExists");
    rds.reboot_db_instance().db_instance_identifier("new-db").send().await.unwrap();
    until("new-db", Some("available")).await;
    refused!(rds.delete_db_instance().db_instance_identifier("new-db").send().await, "InvalidParameterCombination");
    rds.delete_db_instance().db_instance_identifier("new-db").skip_final_snapshot(true).send().await.unwrap();
    until("new-db", None).await;
    create("broken").await.unwrap();
    until("broken", Some("failed")).await;
    refused!(create("-bad-").await, "InvalidParameterValue");
}
