//! Real servers behind RDS: containers of the demo box's own PostgreSQL, driven by the API alone. The demo box must be up
//! (`scripts/demo-box up`).

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_rds::types::{ApplyMethod, DbInstance, Parameter};
use outgrow::clients::docker::lab::Lab;
use outgrow::clients::postgres::{Endpoint, Error, Session, Tls, Transport};
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::edge::Authority;
use outgrow::rehearsal::state::Shared;
use outgrow::rehearsal::world::{LOCAL_ENGINE, Spec, owner, rds};
use serde_json::json;
use tokio::net::TcpListener;

const PASSWORD: &str = "correct-horse";

/// A cloud whose servers are real. Whatever is left on the engine goes with it.
struct Here {
    id: String,
    cloud: Cloud,
    rds: Client,
    dir: tempfile::TempDir,
    major: String,
}

impl Drop for Here {
    fn drop(&mut self) {
        let filter = format!("label={}={}", owner::LABEL, self.id);
        for (list, remove) in [
            (vec!["ps", "-aq"], vec!["rm", "-fv"]),
            (vec!["volume", "ls", "-q"], vec!["volume", "rm", "-f"]),
            (vec!["network", "ls", "-q"], vec!["network", "rm"]),
        ] {
            let found = docker(&[&list[..], &["--filter", &filter]].concat());
            for name in String::from_utf8_lossy(&found.stdout).lines() {
                docker(&[&remove[..], &[name]].concat());
            }
        }
    }
}

fn docker(arguments: &[&str]) -> Output {
    Command::new("docker").args(arguments).output().unwrap()
}

fn spec(id: &str, dir: &Path) -> Spec {
    let database = json!({"container": "demo-db", "name": "shop", "admin": {"user": "postgres", "password": "env:P"}});
    let site = json!({
        "site": "shop",
        "box": {
            "engine": format!("unix://{LOCAL_ENGINE}"), "address": "10.0.0.1", "proxy": "demo-proxy",
            "web": {"container": "demo-web", "root": "/html"}, "app": {"container": "demo-was", "port": 80},
            "database": database
        },
        "names": {
            "zone": "shop.test", "pages": ["www.shop.test"], "api": ["api.shop.test"],
            "api-base": {"old": "https://box.shop.test/api", "new": "https://api.shop.test/api"}
        },
        "app": {"hosts": [{"name": "app-1", "engine": "ssh://a", "address": "10.0.0.2"}], "health": "/healthz"},
        "aws": {
            "region": "ap-northeast-2", "bucket": "b", "balancer": "shop", "distribution": "d",
            "database": {"instance": "shop-db", "name": "shop", "master": {"user": "m", "password": "env:M"}}
        }
    });
    let spec =
        json!({"id": id, "dir": dir, "site": site, "host-image": "host", "rds-master-password-file": dir.join("p")});
    serde_json::from_value(spec).unwrap()
}

impl Here {
    async fn new() -> Self {
        let (id, dir) = (format!("it-rds-{:06x}", std::process::id()), tempfile::tempdir().unwrap());
        let spec = spec(&id, dir.path());
        let cloud = Cloud::new(Shared::new(Clock::default()), dir.path().join("s3"), Settings::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("ap-northeast-2"))
            .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "outgrow",
                "rehearsal",
                None,
                None,
                "t",
            )))
            .build();
        let serving = cloud.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        // From here on there may be things to remove.
        let mut here = Self { id, cloud, rds: Client::new(&config), dir, major: String::new() };
        let lab = Lab::connect(&spec.site.old.engine).await.unwrap();
        let labels = owner::labels(&spec.id);
        lab.make_network(&spec.box_network(), &labels, true).await.unwrap();
        let vpc = lab.make_network(&spec.vpc_network(), &labels, true).await.unwrap();
        let authority = Authority::open(&here.dir.path().join("tls")).unwrap();
        let like = lab.host().container("demo-db").await.unwrap().expect("the demo box is up");
        let host = rds::Host::new(&spec, &lab, &lab, &authority, vpc, &like).await.unwrap();
        host.servers_version().split('.').next().unwrap().clone_into(&mut here.major);
        here.cloud.set_database_host(Arc::new(host));
        here
    }

    /// Waits until an instance is in a state, or gone; the rehearsal's clock does not wait.
    async fn until(&self, id: &str, wanted: Option<&str>) {
        let shared = self.cloud.shared();
        let mut changes = shared.watch();
        let now = || shared.lock().databases.get(id).map(|d| d.status.clone());
        let reached = async {
            while now().as_deref() != wanted {
                assert_ne!(now().as_deref(), Some("failed"), "{id}");
                shared.clock.advance(Duration::from_secs(5));
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(2), reached).await.expect("the instance gets there");
    }

    async fn instance(&self, id: &str) -> DbInstance {
        let told = self.rds.describe_db_instances().db_instance_identifier(id).send().await.unwrap();
        told.db_instances()[0].clone()
    }

    async fn connect(&self, id: &str, tls: Tls) -> Result<Session, Error> {
        let ip = self.cloud.shared().lock().databases[id].ip.unwrap();
        let endpoint = Endpoint {
            transport: Transport::tcp(ip.to_string(), 5432),
            user: "shop".into(),
            password: PASSWORD.into(),
            database: "shop".into(),
            tls,
        };
        endpoint.connect().await
    }

    async fn set(&self, name: &str, value: &str, method: ApplyMethod) {
        let parameter = Parameter::builder().parameter_name(name).parameter_value(value).apply_method(method).build();
        let modify = self.rds.modify_db_parameter_group().db_parameter_group_name("own").parameters(parameter);
        modify.send().await.unwrap();
        let shared = self.cloud.shared();
        let mut changes = shared.watch();
        while shared.lock().databases.values().any(|d| d.applying) {
            changes.changed().await.unwrap();
        }
    }
}

async fn show(session: &Session, name: &str) -> String {
    session.value::<String>(&format!("SHOW {name}"), &[]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn d2_d3_d4_a_server_obeys_its_parameter_group_and_its_snapshot_holds_the_data() {
    let here = Here::new().await;
    let family = format!("postgres{}", here.major);
    let group = here.rds.create_db_parameter_group().db_parameter_group_name("own").description("d");
    group.db_parameter_group_family(family).send().await.unwrap();
    let create = here.rds.create_db_instance().db_instance_identifier("one").engine("postgres").allocated_storage(20);
    let create = create.db_instance_class("db.t4g.micro").master_username("shop").master_user_password(PASSWORD);
    create.db_name("shop").db_parameter_group_name("own").send().await.unwrap();
    here.until("one", Some("available")).await;

    // D2: by TLS only, with a certificate of the endpoint's name.
    let plain = here.connect("one", Tls::Disable).await;
    assert!(matches!(plain, Err(Error::Connect { code: Some(code), .. }) if code == "28000"));
    let session = here.connect("one", Tls::Require).await.unwrap();
    assert_eq!(
        (show(&session, "rds.force_ssl").await, show(&session, "wal_level").await),
        ("on".into(), "replica".into())
    );
    assert_eq!(show(&session, "max_connections").await, "112");
    let container = format!("outgrow-{}-rds-one", here.id);
    let name = here.instance("one").await.endpoint().unwrap().address().unwrap().to_owned();
    docker(&["cp", here.dir.path().join("tls/ca.pem").to_str().unwrap(), &format!("{container}:/tmp/ca.pem")]);
    let verified = format!("host={name} user=shop dbname=shop sslmode=verify-full sslrootcert=/tmp/ca.pem");
    let asked = ["exec", "-e", &format!("PGPASSWORD={PASSWORD}"), &container, "psql", "-Atc", "SELECT 1", &verified];
    let answer = docker(&asked);
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "1", "{}", String::from_utf8_lossy(&answer.stderr));

    // D4: what RDS ships, though the master is no superuser; nothing else.
    session
        .run("CREATE EXTENSION pg_stat_statements SCHEMA public; CREATE EXTENSION hstore SCHEMA public")
        .await
        .unwrap();
    assert!(session.run("CREATE EXTENSION file_fdw SCHEMA public").await.is_err());
    let others = "SELECT count(*) FROM pg_available_extensions WHERE name IN ('file_fdw', 'adminpack')";
    assert_eq!(session.value::<i64>(others, &[]).await.unwrap(), 0);
    for refused in ["ALTER SYSTEM SET work_mem = '8MB'", "COPY (SELECT 1) TO PROGRAM 'cat'", "SET ssl = off"] {
        assert!(session.run(refused).await.is_err(), "{refused}");
    }
    session.run("CREATE TABLE public.kept (n int); INSERT INTO public.kept VALUES (42)").await.unwrap();

    // D3: a dynamic parameter at once, a static one at the reboot.
    here.set("rds.logical_replication", "1", ApplyMethod::PendingReboot).await;
    here.set("rds.force_ssl", "0", ApplyMethod::Immediate).await;
    let plain = here.connect("one", Tls::Disable).await.expect("TLS is not forced any more");
    assert_eq!(
        (show(&plain, "rds.force_ssl").await, show(&plain, "wal_level").await),
        ("off".into(), "replica".into())
    );
    here.rds.reboot_db_instance().db_instance_identifier("one").send().await.unwrap();
    here.until("one", Some("available")).await;
    assert!(session.run("SELECT 1").await.is_err(), "a reboot drops connections");
    let session = here.connect("one", Tls::Require).await.unwrap();
    assert_eq!(show(&session, "wal_level").await, "logical");
    session.run("SELECT pg_create_logical_replication_slot('s', 'pgoutput')").await.unwrap();
    session.run("SELECT pg_drop_replication_slot('s')").await.unwrap();
    session.close();
    assert_eq!(here.instance("one").await.db_parameter_groups()[0].parameter_apply_status(), Some("in-sync"));

    let snapshot = here.rds.create_db_snapshot().db_snapshot_identifier("first").db_instance_identifier("one");
    snapshot.send().await.unwrap();
    here.until("one", Some("available")).await;
    let restore = here.rds.restore_db_instance_from_db_snapshot().db_instance_identifier("two");
    restore.db_snapshot_identifier("first").send().await.unwrap();
    here.until("two", Some("available")).await;
    // It has the default group, which forces TLS again.
    assert!(here.connect("two", Tls::Disable).await.is_err());
    let session = here.connect("two", Tls::Require).await.unwrap();
    assert_eq!(session.value::<i32>("SELECT n FROM public.kept", &[]).await.unwrap(), 42);
    session.close();
    for id in ["one", "two"] {
        here.rds.delete_db_instance().db_instance_identifier(id).skip_final_snapshot(true).send().await.unwrap();
        here.until(id, None).await;
    }
    let left = docker(&["ps", "-aq", "--filter", &format!("label={}={}", owner::LABEL, here.id)]);
    assert!(left.stdout.is_empty(), "a deleted instance leaves no container");
}
