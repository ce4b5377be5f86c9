//! RDS: what is told of instances, groups and snapshots, what is refused, and that a host makes the servers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ApplyMethod, DbInstance, Filter, Parameter, Tag};
use outgrow::rehearsal::cloud::{DatabaseHost, DatabaseOrder, DatabaseServer, HostError};
use outgrow::rehearsal::state::DatabaseInstance;
use secrecy::SecretString;

use super::{Here, refused};

type Settings = BTreeMap<String, String>;

/// A host that makes every server at once, and notes what it was asked.
#[derive(Default)]
struct Host {
    asked: Mutex<Vec<String>>,
    settings: Mutex<Settings>,
}

impl Host {
    fn note(&self, what: String, settings: Option<&Settings>) {
        self.asked.lock().unwrap().push(what);
        if let Some(settings) = settings {
            self.settings.lock().unwrap().clone_from(settings);
        }
    }

    fn setting(&self, name: &str) -> String {
        self.settings.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    fn was_asked(&self, what: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked == what)
    }

    fn server(id: &str) -> DatabaseServer {
        DatabaseServer {
            address: format!("{id}.rds.amazonaws.com"),
            ip: IpAddr::V4(Ipv4Addr::new(172, 18, 0, 9)),
            engine_version: "15.18".into(),
        }
    }
}

#[async_trait]
impl DatabaseHost for Host {
    fn version(&self) -> Option<String> {
        Some("15.18".into())
    }
    async fn create(&self, order: &DatabaseOrder) -> Result<DatabaseServer, HostError> {
        let from = order.snapshot.as_ref().map(|s| format!(" from {s}")).unwrap_or_default();
        self.note(format!("create {}{from}", order.id), Some(&order.settings));
        if order.id == "broken" { Err(HostError("no room".into())) } else { Ok(Self::server(&order.id)) }
    }
    async fn apply(&self, id: &str, settings: &Settings) -> Result<(), HostError> {
        self.note(format!("apply {id}"), Some(settings));
        Ok(())
    }
    async fn set_password(&self, id: &str, _: &SecretString) -> Result<(), HostError> {
        self.note(format!("password {id}"), None);
        Ok(())
    }
    async fn reboot(&self, id: &str, port: u16, settings: &Settings) -> Result<DatabaseServer, HostError> {
        self.note(format!("reboot {id} on {port}"), Some(settings));
        Ok(Self::server(id))
    }
    async fn stop(&self, id: &str) -> Result<(), HostError> {
        self.note(format!("stop {id}"), None);
        Ok(())
    }
    async fn delete(&self, id: &str) -> Result<(), HostError> {
        self.note(format!("delete {id}"), None);
        Ok(())
    }
    async fn take_snapshot(&self, id: &str, snapshot: &str) -> Result<(), HostError> {
        self.note(format!("snapshot {id} as {snapshot}"), None);
        Ok(())
    }
    async fn drop_snapshot(&self, snapshot: &str) -> Result<(), HostError> {
        self.note(format!("drop {snapshot}"), None);
        Ok(())
    }
}

/// A cloud with a host.
async fn hosted() -> (Here, Client, Arc<Host>) {
    let (here, host) = (Here::new().await, Arc::new(Host::default()));
    here.cloud.set_database_host(host.clone());
    let rds = here.rds();
    (here, rds, host)
}

impl Here {
    /// Waits until an instance is in a state, or gone; the rehearsal's clock does not wait.
    async fn until(&self, id: &str, wanted: Option<&str>) {
        let shared = self.cloud.shared();
        let mut changes = shared.watch();
        let reached = async {
            while shared.lock().databases.get(id).map(|d| d.status.clone()).as_deref() != wanted {
                self.clock.advance(Duration::from_secs(5));
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("the instance gets there");
    }

    /// Waits until no parameter is on its way.
    async fn applied(&self, id: &str) {
        let shared = self.cloud.shared();
        let mut changes = shared.watch();
        while shared.lock().databases[id].applying {
            changes.changed().await.unwrap();
        }
    }
}

macro_rules! create {
    ($rds:expr, $id:expr) => {
        $rds.create_db_instance()
            .db_instance_identifier($id)
            .engine("postgres")
            .db_instance_class("db.t4g.medium")
            .allocated_storage(20)
            .master_username("shop")
            .master_user_password("correct-horse")
    };
}

async fn described(rds: &Client, id: &str) -> DbInstance {
    let told = rds.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
    told.db_instances()[0].clone()
}

async fn apply_status(rds: &Client, id: &str) -> String {
    described(rds, id).await.db_parameter_groups()[0].parameter_apply_status().unwrap().to_owned()
}

fn set(name: &str, value: &str, method: ApplyMethod) -> Parameter {
    Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build()
}

#[tokio::test]
async fn an_instance_is_described_with_endpoint_group_and_tags() {
    let here = Here::new().await;
    let instance = DatabaseInstance {
        status: "available".into(),
        engine_version: "15.18".into(),
        address: "shop-db.x.rds.amazonaws.com".into(),
        port: 5432,
        ..DatabaseInstance::default()
    };
    here.cloud.seed_database("shop-db", instance);
    let rds = here.rds();
    let told = described(&rds, "shop-db").await;
    assert_eq!(told.endpoint().unwrap().address(), Some("shop-db.x.rds.amazonaws.com"));
    assert_eq!(told.db_subnet_group().unwrap().subnets().len(), 2);
    let group = &told.db_parameter_groups()[0];
    assert_eq!(group.db_parameter_group_name(), Some("default.postgres15"));
    assert_eq!(group.parameter_apply_status(), Some("in-sync"));
    let arn = told.db_instance_arn().unwrap();
    let tag = Tag::builder().key("run").value("r-1").build();
    rds.add_tags_to_resource().resource_name(arn).tags(tag).send().await.unwrap();
    let tags = rds.list_tags_for_resource().resource_name(arn).send().await.unwrap();
    assert_eq!(tags.tag_list()[0].value(), Some("r-1"));
    refused!(rds.describe_db_instances().db_instance_identifier("nobody").send().await, "DBInstanceNotFound", "nobody");
    let by = |name: &str, value: &str| {
        let filter = Filter::builder().name(name).values(value).build();
        rds.describe_db_instances().filters(filter).send()
    };
    assert_eq!(by("db-instance-id", "shop-db").await.unwrap().db_instances().len(), 1);
    assert_eq!(by("engine", "mysql").await.unwrap().db_instances().len(), 0);
    refused!(by("colour", "red").await, "InvalidParameterValue", "Unrecognized filter name: colour");
    // Without a host, a server cannot be made, and the cloud says so.
    refused!(create!(rds, "new-db").send().await, "InsufficientDBInstanceCapacity", "no host");
}

#[tokio::test]
async fn a_host_makes_reboots_stops_and_deletes_the_server() {
    let (here, rds, host) = hosted().await;
    let made = create!(rds, "new-db").db_name("shop").send().await.unwrap();
    let made = made.db_instance().unwrap();
    assert_eq!((made.db_instance_status(), made.endpoint()), (Some("creating"), None));
    here.until("new-db", Some("available")).await;
    assert_eq!(host.setting("max_connections"), "450");
    refused!(create!(rds, "new-db").send().await, "DBInstanceAlreadyExists");
    rds.reboot_db_instance().db_instance_identifier("new-db").send().await.unwrap();
    here.until("new-db", Some("available")).await;
    rds.stop_db_instance().db_instance_identifier("new-db").send().await.unwrap();
    here.until("new-db", Some("stopped")).await;
    let reboot = rds.reboot_db_instance().db_instance_identifier("new-db").send().await;
    refused!(reboot, "InvalidDBInstanceState", "not in available state");
    rds.start_db_instance().db_instance_identifier("new-db").send().await.unwrap();
    here.until("new-db", Some("available")).await;
    let delete = || rds.delete_db_instance().db_instance_identifier("new-db");
    refused!(delete().send().await, "InvalidParameterCombination", "FinalDBSnapshotIdentifier is required");
    refused!(
        delete().skip_final_snapshot(true).final_db_snapshot_identifier("x").send().await,
        "InvalidParameterCombination"
    );
    let protect = |on| rds.modify_db_instance().db_instance_identifier("new-db").deletion_protection(on).send();
    protect(true).await.unwrap();
    refused!(delete().skip_final_snapshot(true).send().await, "InvalidParameterCombination", "protected");
    protect(false).await.unwrap();
    delete().final_db_snapshot_identifier("last").send().await.unwrap();
    here.until("new-db", None).await;
    assert!(host.was_asked("snapshot new-db as last") && host.was_asked("delete new-db"));
    create!(rds, "broken").send().await.unwrap();
    here.until("broken", Some("failed")).await;
    let events = rds.describe_events().duration(10000).source_type("db-instance".into()).send().await.unwrap();
    let said: Vec<_> = events.events().iter().filter_map(|e| e.message()).collect();
    assert!(said.contains(&"DB instance created") && said.contains(&"DB instance deleted"), "{said:?}");
}

#[tokio::test]
async fn an_order_that_breaks_a_rule_is_refused() {
    let (_here, rds, host) = hosted().await;
    let good = || create!(rds, "new-db");
    for id in ["1a", "a--b", "a-", "a_b"] {
        refused!(create!(rds, id).send().await, "InvalidParameterValue", "not a valid identifier");
    }
    for (password, why) in [("short", "shorter"), ("with@sign", "Only printable"), ("with space", "Only printable")] {
        refused!(good().master_user_password(password).send().await, "InvalidParameterValue", why);
    }
    refused!(good().master_username("admin").send().await, "InvalidParameterValue", "reserved word");
    refused!(good().db_name("1st").send().await, "InvalidParameterValue");
    refused!(good().engine("mysql").send().await, "InvalidParameterValue", "no engine 'mysql'");
    refused!(good().engine("dbase").send().await, "InvalidParameterValue", "Invalid DB engine");
    refused!(good().engine_version("99.1").send().await, "InvalidParameterCombination", "Cannot find version 99.1");
    refused!(good().engine_version("16.3").send().await, "InsufficientDBInstanceCapacity", "15.18 only");
    refused!(good().db_instance_class("large").send().await, "InvalidParameterValue", "Invalid DB Instance class");
    refused!(good().db_instance_class("db.z9.large").send().await, "InvalidParameterCombination");
    refused!(good().allocated_storage(10).send().await, "InvalidParameterCombination", "Invalid storage size");
    refused!(good().storage_type("tape").send().await, "InvalidParameterValue", "Invalid storage type");
    refused!(good().storage_type("gp2").iops(3000).send().await, "InvalidParameterCombination");
    refused!(good().port(80).send().await, "InvalidParameterValue");
    refused!(good().backup_retention_period(36).send().await, "InvalidParameterValue");
    refused!(good().preferred_backup_window("noon").send().await, "InvalidParameterValue", "backup window");
    refused!(good().multi_az(true).availability_zone("ap-northeast-2a").send().await, "InvalidParameterCombination");
    refused!(good().availability_zone("us-east-1a").send().await, "InvalidParameterValue");
    refused!(good().db_subnet_group_name("nowhere").send().await, "DBSubnetGroupNotFoundFault");
    refused!(good().db_parameter_group_name("nothing").send().await, "DBParameterGroupNotFound");
    refused!(
        good().db_parameter_group_name("default.postgres14").send().await,
        "InvalidParameterCombination",
        "DBParameterGroupFamily postgres15"
    );
    refused!(good().vpc_security_group_ids("web").send().await, "InvalidParameterValue");
    refused!(good().ca_certificate_identifier("rds-ca-2019").send().await, "CertificateNotFound");
    assert!(host.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_static_parameter_waits_for_the_reboot_and_a_dynamic_one_does_not() {
    let (here, rds, host) = hosted().await;
    let group = || rds.create_db_parameter_group().db_parameter_group_name("shop").description("d");
    refused!(group().db_parameter_group_family("postgres9").send().await, "InvalidParameterValue", "family");
    group().db_parameter_group_family("postgres15").send().await.unwrap();
    refused!(group().db_parameter_group_family("postgres15").send().await, "DBParameterGroupAlreadyExists");
    create!(rds, "shop-db").db_parameter_group_name("shop").send().await.unwrap();
    here.until("shop-db", Some("available")).await;
    assert_eq!((host.setting("rds.force_ssl"), apply_status(&rds, "shop-db").await), ("1".into(), "in-sync".into()));

    let modify = |parameters: Vec<Parameter>| {
        rds.modify_db_parameter_group().db_parameter_group_name("shop").set_parameters(Some(parameters)).send()
    };
    let logical = |method| set("rds.logical_replication", "1", method);
    refused!(
        modify(vec![logical(ApplyMethod::Immediate)]).await,
        "InvalidParameterCombination",
        "cannot use immediate apply method for static parameter",
        "law D3"
    );
    modify(vec![logical(ApplyMethod::PendingReboot)]).await.unwrap();
    assert_eq!(apply_status(&rds, "shop-db").await, "pending-reboot");
    assert_eq!(host.setting("rds.logical_replication"), "0");
    modify(vec![set("rds.force_ssl", "0", ApplyMethod::Immediate)]).await.unwrap();
    here.applied("shop-db").await;
    assert_eq!((host.setting("rds.force_ssl"), host.setting("rds.logical_replication")), ("0".into(), "0".into()));
    assert_eq!(apply_status(&rds, "shop-db").await, "pending-reboot");
    rds.reboot_db_instance().db_instance_identifier("shop-db").send().await.unwrap();
    here.until("shop-db", Some("available")).await;
    assert_eq!(host.setting("rds.logical_replication"), "1");
    assert_eq!(apply_status(&rds, "shop-db").await, "in-sync");

    for (name, value, why) in [
        ("max_connections", "1", "allowed values are: 6-262143"),
        ("wal_level", "logical", "cannot be modified"),
        ("no_such", "1", "Could not find parameter"),
    ] {
        refused!(modify(vec![set(name, value, ApplyMethod::PendingReboot)]).await, "InvalidParameterValue", why);
    }
    let many = (0..21).map(|_| set("work_mem", "4096", ApplyMethod::Immediate)).collect();
    refused!(modify(many).await, "InvalidParameterValue", "20");
    let default = rds.modify_db_parameter_group().db_parameter_group_name("default.postgres15");
    let default = default.parameters(set("work_mem", "4096", ApplyMethod::Immediate)).send().await;
    refused!(default, "InvalidDBParameterGroupState");
    let delete = rds.delete_db_parameter_group().db_parameter_group_name("shop").send().await;
    refused!(delete, "InvalidDBParameterGroupState", "still members");

    rds.reset_db_parameter_group().db_parameter_group_name("shop").reset_all_parameters(true).send().await.unwrap();
    here.applied("shop-db").await;
    assert_eq!((host.setting("rds.force_ssl"), host.setting("rds.logical_replication")), ("1".into(), "1".into()));
    assert_eq!(apply_status(&rds, "shop-db").await, "pending-reboot");
}

#[tokio::test]
async fn parameters_are_listed_by_source_and_page() {
    let here = Here::new().await;
    let rds = here.rds();
    let (mut all, mut marker) = (Vec::new(), None);
    loop {
        let describe = rds.describe_db_parameters().db_parameter_group_name("default.postgres15").max_records(100);
        let page = describe.set_marker(marker).send().await.unwrap();
        all.extend(page.parameters().to_vec());
        marker = page.marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert!(all.len() > 300, "{}", all.len());
    let of = |name: &str| all.iter().find(|p| p.parameter_name() == Some(name)).unwrap();
    assert_eq!((of("rds.force_ssl").parameter_value(), of("rds.force_ssl").apply_type()), (Some("1"), Some("dynamic")));
    assert_eq!(of("rds.logical_replication").apply_type(), Some("static"));
    assert!(of("rds.extensions").parameter_value().unwrap().contains("pg_stat_statements"));
    let user = rds.describe_db_parameters().db_parameter_group_name("default.postgres15").source("user");
    assert_eq!(user.send().await.unwrap().parameters().len(), 0);
    let odd = rds.describe_db_parameters().db_parameter_group_name("default.postgres15").source("me");
    refused!(odd.send().await, "InvalidParameterValue");
    refused!(rds.describe_db_parameters().db_parameter_group_name("nobody").send().await, "DBParameterGroupNotFound");
    let defaults =
        rds.describe_engine_default_parameters().db_parameter_group_family("postgres14").send().await.unwrap();
    let defaults = defaults.engine_defaults().unwrap();
    assert_eq!((defaults.parameters().len(), defaults.marker().is_some()), (100, true));
}

#[tokio::test]
async fn a_subnet_group_spans_two_zones() {
    let (here, rds, _) = hosted().await;
    let group = |subnets: &[String]| {
        rds.create_db_subnet_group()
            .db_subnet_group_name("shop")
            .db_subnet_group_description("d")
            .set_subnet_ids(Some(subnets.to_vec()))
            .send()
    };
    refused!(group(&here.subnets[..1]).await, "DBSubnetGroupDoesNotCoverEnoughAZs", "ap-northeast-2a", "law D1");
    let missing = [here.subnets[0].clone(), "subnet-0".to_owned()];
    refused!(group(&missing).await, "InvalidParameterValue", "Some input subnets in :[subnet-0] are invalid");
    let made = group(&here.subnets).await.unwrap();
    assert_eq!(made.db_subnet_group().unwrap().vpc_id(), Some(here.vpc));
    refused!(group(&here.subnets).await, "DBSubnetGroupAlreadyExists");
    create!(rds, "shop-db").db_subnet_group_name("shop").send().await.unwrap();
    here.until("shop-db", Some("available")).await;
    let delete = || rds.delete_db_subnet_group().db_subnet_group_name("shop").send();
    refused!(delete().await, "InvalidDBSubnetGroupStateFault", "shop-db is still using it");
    let fewer = rds.modify_db_subnet_group().db_subnet_group_name("shop").subnet_ids(&here.subnets[1]).send().await;
    refused!(fewer, "DBSubnetGroupDoesNotCoverEnoughAZs");
    rds.delete_db_instance().db_instance_identifier("shop-db").skip_final_snapshot(true).send().await.unwrap();
    here.until("shop-db", None).await;
    delete().await.unwrap();
    let gone = rds.describe_db_subnet_groups().db_subnet_group_name("shop").send().await;
    refused!(gone, "DBSubnetGroupNotFoundFault");
}

#[tokio::test]
async fn a_modification_waits_for_its_window_unless_told_not_to() {
    let (here, rds, host) = hosted().await;
    create!(rds, "shop-db").send().await.unwrap();
    here.until("shop-db", Some("available")).await;
    let modify = || rds.modify_db_instance().db_instance_identifier("shop-db");
    let told = modify().db_instance_class("db.r6g.large").send().await.unwrap();
    let told = told.db_instance().unwrap();
    assert_eq!(told.db_instance_class(), Some("db.t4g.medium"));
    assert_eq!(told.pending_modified_values().unwrap().db_instance_class(), Some("db.r6g.large"));
    let pending = || !here.cloud.shared().lock().databases["shop-db"].pending.is_empty();
    here.clock.advance(Duration::from_hours(24 * 7));
    let mut changes = here.cloud.shared().watch();
    while pending() {
        here.clock.advance(Duration::from_secs(5));
        let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
    }
    here.until("shop-db", Some("available")).await;
    assert_eq!(described(&rds, "shop-db").await.db_instance_class(), Some("db.r6g.large"));
    assert_eq!(host.setting("max_connections"), "1802");

    let told = modify().master_user_password("another-horse").send().await.unwrap();
    assert_eq!(told.db_instance().unwrap().db_instance_status(), Some("resetting-master-credentials"));
    here.until("shop-db", Some("available")).await;
    assert!(host.was_asked("password shop-db"));
    modify().db_port_number(5433).multi_az(true).apply_immediately(true).send().await.unwrap();
    refused!(modify().multi_az(false).send().await, "InvalidDBInstanceState", "not in available state");
    here.until("shop-db", Some("available")).await;
    assert!(host.was_asked("reboot shop-db on 5433"));
    assert_eq!(described(&rds, "shop-db").await.multi_az(), Some(true));

    refused!(modify().allocated_storage(10).send().await, "InvalidParameterCombination", "Invalid storage size");
    refused!(modify().allocated_storage(21).send().await, "InvalidParameterCombination", "Invalid storage size");
    refused!(modify().engine_version("14.12").send().await, "InvalidParameterCombination", "Cannot upgrade");
    let major = modify().engine_version("16.14").send().await;
    refused!(major, "InvalidParameterCombination", "AllowMajorVersionUpgrade");
    let major = modify().engine_version("16.14").allow_major_version_upgrade(true).send().await;
    refused!(major, "InsufficientDBInstanceCapacity", "15.18 only");
    refused!(modify().db_parameter_group_name("default.postgres14").send().await, "InvalidParameterCombination");
    refused!(rds.modify_db_instance().db_instance_identifier("nobody").send().await, "DBInstanceNotFound");
}

#[tokio::test]
async fn a_snapshot_is_taken_restored_and_deleted() {
    let (here, rds, host) = hosted().await;
    let take =
        |id: &str, of: &str| rds.create_db_snapshot().db_snapshot_identifier(id).db_instance_identifier(of).send();
    refused!(take("first", "nobody").await, "DBInstanceNotFound");
    create!(rds, "shop-db").send().await.unwrap();
    refused!(take("first", "shop-db").await, "InvalidDBInstanceState", "not currently in the available state");
    here.until("shop-db", Some("available")).await;
    let told = take("first", "shop-db").await.unwrap();
    assert_eq!(told.db_snapshot().unwrap().status(), Some("creating"));
    here.until("shop-db", Some("available")).await;
    refused!(take("first", "shop-db").await, "DBSnapshotAlreadyExists");
    let told = rds.describe_db_snapshots().db_instance_identifier("shop-db").send().await.unwrap();
    assert_eq!((told.db_snapshots().len(), told.db_snapshots()[0].status()), (1, Some("available")));
    let restore = |id: &str, from: &str| {
        rds.restore_db_instance_from_db_snapshot().db_instance_identifier(id).db_snapshot_identifier(from)
    };
    refused!(restore("other", "second").send().await, "DBSnapshotNotFound");
    refused!(restore("shop-db", "first").send().await, "DBInstanceAlreadyExists");
    refused!(restore("other", "first").db_name("x").send().await, "InvalidParameterValue");
    restore("other", "first").send().await.unwrap();
    here.until("other", Some("available")).await;
    assert!(host.was_asked("create other from first"));
    assert_eq!(described(&rds, "other").await.master_username(), Some("shop"));
    rds.delete_db_snapshot().db_snapshot_identifier("first").send().await.unwrap();
    refused!(rds.delete_db_snapshot().db_snapshot_identifier("first").send().await, "DBSnapshotNotFound");
}

#[tokio::test]
async fn versions_classes_and_authorities_are_those_of_rds() {
    let here = Here::new().await;
    let rds = here.rds();
    let versions = rds.describe_db_engine_versions().engine("postgres").engine_version("15").send().await.unwrap();
    let versions = versions.db_engine_versions();
    assert!(versions.len() > 5 && versions.iter().all(|v| v.db_parameter_group_family() == Some("postgres15")));
    let to = versions[0].valid_upgrade_target();
    assert!(to.iter().any(|t| t.is_major_version_upgrade() == Some(true)));
    let newest = rds.describe_db_engine_versions().engine("postgres").default_only(true).send().await.unwrap();
    assert_eq!(newest.db_engine_versions().len(), 1);
    let options = rds.describe_orderable_db_instance_options().engine("postgres").engine_version("15.18");
    let some = options.clone().max_records(20).send().await.unwrap();
    assert_eq!((some.orderable_db_instance_options().len(), some.marker().is_some()), (20, true));
    let one = options.db_instance_class("db.t4g.micro").send().await.unwrap();
    let one = one.orderable_db_instance_options();
    assert!(one.iter().any(|o| o.storage_type() == Some("gp3") && o.availability_zones().len() == 2));
    let authorities = rds.describe_certificates().send().await.unwrap();
    assert!(authorities.certificates().iter().any(|c| c.certificate_identifier() == Some("rds-ca-rsa2048-g1")));
    assert!(rds.describe_pending_maintenance_actions().send().await.unwrap().pending_maintenance_actions().is_empty());
    assert!(!rds.describe_account_attributes().send().await.unwrap().account_quotas().is_empty());
    refused!(rds.describe_db_instances().max_records(5).send().await, "InvalidParameterValue", "between 20 and 100");
}
