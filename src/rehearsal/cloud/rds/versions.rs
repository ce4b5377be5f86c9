//! Engine versions as they are described.

use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::account::AUTHORITIES;
use super::catalogue::family_of;
use super::catalogue::versions::{self, Version};
use super::names::arn;
use super::page::{Filters, page};

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    let filters =
        Filters::read(input, &["db-parameter-group-family", "engine", "engine-mode", "engine-version", "status"])?;
    let newest = versions::newest(versions::MAJORS.last().copied().unwrap_or_default());
    let wanted = input.get("EngineVersion");
    // `15` asks for every 15.
    let of = |v: &Version, text: &str| v.to_string() == text || v.0.to_string() == text;
    let default_only = input.flag("DefaultOnly")? == Some(true);
    let found = known(cloud)
        .into_iter()
        .filter(|_| input.get("Engine").is_none_or(|e| e == "postgres") && filters.let_through("engine", &["postgres"]))
        .filter(|v| wanted.is_none_or(|w| of(v, w)))
        .filter(|v| filters.let_through("engine-version", &[&v.to_string(), &v.0.to_string()]))
        .filter(|_| {
            filters.let_through("engine-mode", &["provisioned"]) && filters.let_through("status", &["available"])
        })
        .filter(|v| {
            let family = family_of(&v.to_string());
            input.get("DBParameterGroupFamily").is_none_or(|f| f == family)
                && filters.let_through("db-parameter-group-family", &[&family])
        })
        .filter(|v| !default_only || is_default(*v, wanted, newest))
        .map(|v| (format!("{:02}.{:02}", v.0, v.1), node(cloud, v)));
    page(input, "DBEngineVersions", "DBEngineVersion", found.collect())
}

/// The default is the newest of all, or of the major version that was asked for.
fn is_default(version: Version, wanted: Option<&str>, newest: Option<Version>) -> bool {
    match wanted {
        Some(wanted) if wanted.contains('.') => true,
        Some(wanted) => wanted.parse().ok().and_then(versions::newest) == Some(version),
        None => newest == Some(version),
    }
}

/// The versions RDS offers, and those of the servers that are there.
pub(super) fn known(cloud: &Cloud) -> Vec<Version> {
    let mut all: Vec<_> = versions::all().collect();
    all.extend(cloud.shared().lock().databases.values().filter_map(|d| Version::read(&d.engine_version)));
    all.extend(cloud.database_host().and_then(|host| host.version()).as_deref().and_then(Version::read));
    all.sort_unstable();
    all.dedup();
    all
}

fn node(cloud: &Cloud, version: Version) -> Node {
    let newest = versions::newest(version.0);
    let targets = versions::targets(version).map(|to| {
        Node::default()
            .put("Engine", "postgres")
            .put("EngineVersion", to.to_string())
            .put("Description", format!("PostgreSQL {to}-R1"))
            .put("AutoUpgrade", Some(to) == newest)
            .put("IsMajorVersionUpgrade", to.0 != version.0)
    });
    let text = version.to_string();
    Node::default()
        .put("Engine", "postgres")
        .put("MajorEngineVersion", version.0)
        .put("EngineVersion", &text)
        .put("DBParameterGroupFamily", family_of(&text))
        .put("DBEngineDescription", "PostgreSQL")
        .put("DBEngineVersionArn", arn(cloud, "engine-version", &format!("postgres/{text}")))
        .put("DBEngineVersionDescription", format!("PostgreSQL {text}-R1"))
        .list("ValidUpgradeTarget", "UpgradeTarget", targets)
        .texts_list("ExportableLogTypes", "member", ["iam-db-auth-error", "postgresql", "upgrade"])
        .put("SupportsLogExportsToCloudwatchLogs", true)
        .put("SupportsReadReplica", true)
        .texts_list("SupportedFeatureNames", "member", ["Lambda", "s3Export", "s3Import"])
        .put("Status", "available")
        .put("SupportsParallelQuery", false)
        .put("SupportsGlobalDatabases", false)
        .put("SupportsBabelfish", false)
        .put("SupportsCertificateRotationWithoutRestart", true)
        .texts_list("SupportedCACertificateIdentifiers", "member", AUTHORITIES.iter().map(|a| a.0))
}
