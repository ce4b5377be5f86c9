//! `outgrow database verify`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::args::Verify;
use super::{failed, url};
use crate::cli::args::Global;
use crate::cli::failure::{Code, Failure, Outcome};
use crate::cli::out;
use crate::postgres::pinned::Pinned;
use crate::postgres::verify::{Comparison, Difference, comparison};
use crate::postgres::{Endpoint, Error, Result};

/// Compares.
pub async fn verify(args: &Verify, global: &Global) -> Outcome {
    let (source, target) = url::endpoints(&args.pair)?;
    let compared = match Box::pin(compare(&source, &target, usize::from(args.pair.jobs))).await {
        Err(error @ Error::Schema { .. }) => {
            return Err(Failure::new(Code::Differs, error.to_string()).hint("copy it again: outgrow database copy"));
        }
        other => other.map_err(|error| failed(Code::BadInput, "the databases could not be compared", &error))?,
    };
    out::data(&if global.json { as_json(&compared) } else { as_text(&compared) })?;
    if compared.differences.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Failure::told(Code::Differs)) }
}

async fn compare(source: &Endpoint, target: &Endpoint, jobs: usize) -> Result<Comparison> {
    let (source, target) = tokio::try_join!(Pinned::open(source), Pinned::open(target))?;
    let compared = comparison(&source, &target, jobs).await?;
    source.close();
    target.close();
    Ok(compared)
}

fn as_json(compared: &Comparison) -> String {
    let difference = |found: &Difference| {
        json!({
            "table": found.table.to_string(), "what": found.what, "first-keys": found.first_keys,
            "key-range": found.key_range,
        })
    };
    json!({
        "same": compared.differences.is_empty(),
        "tables": compared.tables,
        "rows": compared.rows,
        "differences": compared.differences.iter().map(difference).collect::<Vec<_>>(),
    })
    .to_string()
}

fn as_text(compared: &Comparison) -> String {
    if compared.differences.is_empty() {
        return format!("the same: {} tables with {} rows, and every sequence", compared.tables, compared.rows);
    }
    let mut text = String::new();
    for found in &compared.differences {
        let _ = write!(text, "{}: {}", found.table, found.what);
        if let Some((low, high)) = found.key_range {
            let _ = write!(text, "; keys between {low} and {high}");
        }
        if !found.first_keys.is_empty() {
            let _ = write!(text, "; first keys {}", found.first_keys.join(", "));
        }
        text.push('\n');
    }
    text
}
