//! What stands in a copy's way or will not come along, looked for on both sides before anything is changed.

use crate::clients::postgres::{Endpoint, Session};
use crate::postgres::observe::{self, Finding};
use crate::postgres::{Result, fence};

/// What matters to a whole move, but not to a copy alone.
const BESIDE: [&str; 4] =
    ["table without primary key", "long transaction", "other database on this server", "prepared transaction"];
/// What a superuser brings along all the same.
const FOR_SUPERUSERS: [&str; 3] = ["event trigger", "untrusted language", "function in C"];

/// Looks at both sides.
pub async fn preflight(source: &Endpoint, target: &Endpoint) -> Result<Vec<Finding>> {
    let mut findings = observe::observe(source).await?;
    let receiver = target.connect().await?;
    let superuser = fence::is_superuser(&receiver).await?;
    let mut found: Vec<Finding> = std::mem::take(&mut findings.findings);
    found.retain(|finding| {
        let what = finding.what.as_str();
        let brought = superuser && FOR_SUPERUSERS.contains(&what);
        !(brought || BESIDE.contains(&what))
    });
    if receiver.version() < findings.version {
        found.push(Finding {
            what: "older server".to_owned(),
            at: format!("PostgreSQL {} against the source's {}", receiver.version(), findings.version),
            advice: "make the target of the source's version or newer".to_owned(),
            blocks: true,
        });
    }
    found.extend(extensions(&receiver, &findings.extensions).await?);
    found.extend(encoding(&receiver, &findings.encoding).await?);
    receiver.close();
    // What blocks comes first.
    found.sort_by_key(|finding| !finding.blocks);
    Ok(found)
}

async fn extensions(receiver: &Session, wanted: &[(String, String)]) -> Result<Vec<Finding>> {
    let rows = receiver.rows("SELECT name::text FROM pg_catalog.pg_available_extensions", &[]).await?;
    let there: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let missing = wanted.iter().filter(|(name, _)| !there.contains(name));
    let finding = |(name, _): &(String, String)| Finding {
        what: "extension that the target does not have".to_owned(),
        at: name.clone(),
        advice: "install it there, or drop it on the source with what needs it".to_owned(),
        blocks: true,
    };
    Ok(missing.map(finding).collect())
}

async fn encoding(receiver: &Session, wanted: &str) -> Result<Option<Finding>> {
    let own: String = receiver
        .value(
            "SELECT pg_encoding_to_char(encoding)::text FROM pg_catalog.pg_database WHERE datname = current_database()",
            &[],
        )
        .await?;
    Ok((own != wanted && own != "UTF8").then(|| Finding {
        what: "character encoding".to_owned(),
        at: format!("{own} on the target, {wanted} on the source"),
        advice: "make the target database with ENCODING 'UTF8' or the source's".to_owned(),
        blocks: true,
    }))
}
