//! Everything that PostgreSQL can declare arrives, or is reported as left out: held against `pg_dump` of both sides.

use std::collections::BTreeMap;

use outgrow::clients::postgres::{Endpoint, Transport};
use outgrow::postgres::copy::Skipped;
use secrecy::ExposeSecret as _;

use super::{copy, differences};
use crate::pg::Cluster;

/// What a role without superuser cannot declare, and what hangs on it.
const SUPERUSERS: [&str; 12] = [
    "event trigger watch_ddl",
    "extension postgres_fdw",
    "comment extension postgres_fdw",
    "server elsewhere",
    "user mapping user mapping torturer server elsewhere",
    "foreign table far",
    "operator family abs_ops",
    "operator class backwards",
    "text search template templated",
    "publication everything",
    "comment extension hstore",
    "acl foreign server elsewhere",
];

async fn torture(cluster: &Cluster) -> Endpoint {
    let session = cluster.session("postgres").await;
    session.run("CREATE ROLE torturer LOGIN PASSWORD 'x'; CREATE ROLE tortured NOLOGIN").await.unwrap();
    session.run("CREATE DATABASE torture OWNER torturer").await.unwrap();
    let session = cluster.session("torture").await;
    session.run("SET search_path = public").await.unwrap();
    session.run(include_str!("torture.sql")).await.unwrap();
    cluster.superuser("torture")
}

/// The whole dump, cut at its entries: `kind name (schema)` and what stands below.
async fn dump(endpoint: &Endpoint) -> BTreeMap<String, String> {
    let Transport::Tcp { host, port, .. } = &endpoint.transport else { panic!("by TCP") };
    let output = tokio::process::Command::new("pg_dump")
        .args(["--no-tablespaces", "--exclude-schema=outgrow", "--blobs", "-h", host, "-p", &port.to_string()])
        .args(["-U", &endpoint.user, "-d", &endpoint.database])
        .env("PGPASSWORD", endpoint.password.expose_secret())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    let mut name = "head".to_owned();
    let beside = |line: &str| line.starts_with("SET default_table") || line.is_empty() || line == "--";
    let told = |line: &str| (!line.starts_with('\\') || line == "\\.") && !beside(line);
    for line in text.lines().filter(|line| told(line)) {
        if let Some(header) = line.strip_prefix("-- Name: ").or_else(|| line.strip_prefix("-- Data for Name: "))
            && header.contains("; Owner: ")
        {
            header.clone_into(&mut name);
        }
        let entry = entries.entry(name.clone()).or_default();
        entry.push_str(line);
        entry.push('\n');
    }
    entries
}

/// `far; Type: FOREIGN TABLE; Schema: plain; Owner: x` → `foreign table far`.
fn label(header: &str) -> String {
    let (rest, _) = header.rsplit_once("; Schema: ").unwrap_or((header, ""));
    let (name, kind) = rest.rsplit_once("; Type: ").unwrap_or((rest, ""));
    format!("{} {}", kind.to_lowercase(), name.to_lowercase())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_can_be_declared_arrives_or_is_reported() {
    let (old, new) = Cluster::pair().await;
    let (source, target) = (torture(&old).await, new.managed("torture").await);
    let report = copy(&source, &target).await.unwrap();
    let (ours, theirs) = (dump(&source).await, dump(&new.superuser("torture")).await);
    let declared = ours.keys().filter(|header| {
        !["; Type: COMMENT;", "; Type: ACL;", "; Type: TABLE DATA;", "; Type: SEQUENCE SET;"]
            .iter()
            .any(|kind| header.contains(kind))
    });
    assert!(declared.clone().count() >= 150, "only {} objects", declared.count());

    let reported = |label: &str| report.skipped.iter().any(|Skipped { what, .. }| what.to_lowercase() == *label);
    let mut wrong = Vec::new();
    for (header, text) in &ours {
        let label = label(header);
        match theirs.get(header) {
            Some(other) if other == text => {}
            _ if SUPERUSERS.contains(&label.as_str()) && reported(&label) => {}
            Some(other) => {
                wrong.push(format!("differs: {header}\n{}", similar::TextDiff::from_lines(text, other).unified_diff()));
            }
            None => wrong.push(format!("missing: {header}")),
        }
    }
    wrong
        .extend(theirs.keys().filter(|header| !ours.contains_key(*header)).map(|header| format!("too much: {header}")));
    assert!(wrong.is_empty(), "{}\nskipped: {:#?}", wrong.join("\n"), report.skipped);
    for skipped in &report.skipped {
        assert!(SUPERUSERS.contains(&skipped.what.to_lowercase().as_str()), "{skipped:?}");
    }
    // As a superuser: forced row security keeps the rows from everybody else.
    assert_eq!(differences(&source, &new.superuser("torture")).await, Vec::<String>::new());
}
