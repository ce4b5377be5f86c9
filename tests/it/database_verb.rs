//! `outgrow database copy` and `verify`, as they are typed.

use std::process::Output;

use outgrow::clients::postgres::{Endpoint, Transport};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::pg::Cluster;

fn url(endpoint: &Endpoint) -> String {
    let Transport::Tcp { host, port, .. } = &endpoint.transport else { panic!("by TCP") };
    format!("postgres://{}@{host}:{port}/{}", endpoint.user, endpoint.database)
}

/// Types it. The passwords come from the environment.
async fn outgrow(verb: &str, source: &Endpoint, target: &Endpoint, more: &[&str]) -> Output {
    tokio::process::Command::new(env!("CARGO_BIN_EXE_outgrow"))
        .args(["database", verb, &url(source), &url(target)])
        .args(["--source-password", "env:SOURCE_PASSWORD", "--target-password", "env:TARGET_PASSWORD"])
        .args(more)
        .env("SOURCE_PASSWORD", source.password.expose_secret())
        .env("TARGET_PASSWORD", target.password.expose_secret())
        .output()
        .await
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

async fn source(cluster: &Cluster) -> Endpoint {
    let session = cluster.session("postgres").await;
    session.run("CREATE ROLE keeper LOGIN SUPERUSER PASSWORD 'x'").await.unwrap();
    session.run("CREATE DATABASE stock OWNER keeper").await.unwrap();
    let session = cluster.session("stock").await;
    session
        .run(
            "SET ROLE keeper; CREATE TABLE public.goods (id int PRIMARY KEY, name text NOT NULL UNIQUE); \
             INSERT INTO public.goods SELECT g, 'good ' || g FROM generate_series(1, 5000) g",
        )
        .await
        .unwrap();
    cluster.superuser("stock")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_copied_compared_and_differences_end_with_one() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (source(&old).await, new.managed("stock").await);

    // A role loses SUPERUSER: that is asked about, and without anybody to ask it ends before anything is done.
    let asked = outgrow("copy", &source, &target, &[]).await;
    assert_eq!(asked.status.code(), Some(2), "{}", text(&asked.stderr));
    assert!(text(&asked.stderr).contains("keeper") && text(&asked.stderr).contains("--yes"), "{}", text(&asked.stderr));

    let copied = outgrow("copy", &source, &target, &["--yes", "--json"]).await;
    assert_eq!(copied.status.code(), Some(0), "{}", text(&copied.stderr));
    let told: Value = serde_json::from_slice(&copied.stdout).unwrap();
    assert_eq!((&told["outcome"], &told["rows"]), (&Value::from("copied"), &Value::from(5000)));
    assert_eq!(told["tables"][0]["table"], "\"public\".\"goods\"");
    assert!(
        told["skipped"].as_array().unwrap().iter().any(|s| s["what"].as_str().unwrap().contains("keeper")),
        "{told}"
    );
    for secret in [source.password.expose_secret(), target.password.expose_secret()] {
        assert!(!text(&copied.stderr).contains(secret) && !text(&copied.stdout).contains(secret));
    }

    // A finished copy is not replaced by accident.
    let again = outgrow("copy", &source, &target, &["--yes"]).await;
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("--replace"), "{}", text(&again.stderr));
    let replaced = outgrow("copy", &source, &target, &["--yes", "--replace"]).await;
    assert_eq!(replaced.status.code(), Some(0), "{}", text(&replaced.stderr));
    assert!(text(&replaced.stderr).contains("copied 1 tables with 5000 rows"), "{}", text(&replaced.stderr));

    let same = outgrow("verify", &source, &target, &[]).await;
    assert_eq!(same.status.code(), Some(0), "{}", text(&same.stderr));
    assert!(text(&same.stdout).contains("the same: 1 tables with 5000 rows"), "{}", text(&same.stdout));
    new.session("stock").await.run("UPDATE public.goods SET name = 'x' || id WHERE id IN (70, 4000)").await.unwrap();
    let differs = outgrow("verify", &source, &target, &[]).await;
    assert_eq!(differs.status.code(), Some(1), "{}", text(&differs.stderr));
    let said = text(&differs.stdout);
    assert!(
        said.contains("goods") && said.contains("first keys 70, 4000") && said.contains("between 64 and 40"),
        "{said}"
    );
    let differs = outgrow("verify", &source, &target, &["--json"]).await;
    let told: Value = serde_json::from_slice(&differs.stdout).unwrap();
    assert_eq!((&told["same"], &told["differences"][0]["first-keys"][0]), (&Value::from(false), &Value::from("70")));
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_objects_and_a_wrong_password_are_refused_before_anything_is_done() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (source(&old).await, new.managed("stock").await);
    new.session("stock").await.run("CREATE TABLE public.precious (x int)").await.unwrap();
    let refused = outgrow("copy", &source, &target, &["--yes"]).await;
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("precious"), "{}", text(&refused.stderr));
    let wrong = Endpoint { password: "not-this".into(), ..source.clone() };
    let refused = outgrow("copy", &wrong, &target, &["--yes"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(!text(&refused.stderr).contains("not-this"), "{}", text(&refused.stderr));
    let refused = outgrow("verify", &wrong, &target, &[]).await;
    assert_eq!(refused.status.code(), Some(2));
}
