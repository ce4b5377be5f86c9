//! `outgrow static verify`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use super::args::Verify;
use super::{LINES, clouds, target};
use crate::cli::args::Global;
use crate::cli::failure::{Code, Failure, Outcome};
use crate::cli::{load, out};
use crate::clients::docker;
use crate::event::Sink;
use crate::rewrite::leak::Choices;
use crate::step::Fault;
use crate::steps::static_site::alone::verify::{Comparison, with_box, with_directory};

/// Compares.
pub async fn verify(args: &Verify, global: &Global) -> Outcome {
    let compared = if args.what.is_dir() {
        let Some(bucket) = &args.target else {
            return Err(Failure::bad_input("a directory is compared with a bucket, and none is named")
                .hint(format!("outgrow static verify {} s3://BUCKET", args.what.display())));
        };
        let (target, clouds) = (target(bucket)?, clouds(args.region.as_deref()).await);
        let choices = Choices { source_maps: args.source_maps };
        let place = (target.bucket.as_str(), target.prefix.as_str());
        Box::pin(with_directory(&args.what, choices, place, clouds.objects.as_ref(), &Sink::nowhere())).await
    } else {
        if args.target.is_some() {
            return Err(Failure::bad_input("a site file names its bucket itself").hint("leave the second word out"));
        }
        let site = load::site(&args.what)?;
        let clouds = clouds(Some(&site.aws.region)).await;
        let engine = docker::connect(&site.old.engine).await;
        let engine = engine.map_err(|e| Failure::of(Code::BadInput, "the box's engine could not be reached", &e))?;
        Box::pin(with_box(&site, engine.as_ref(), clouds.objects.as_ref(), &Sink::nowhere())).await
    };
    let compared = compared.map_err(not_compared)?;
    out::data(&if global.json { as_json(&compared) } else { as_text(&compared) })?;
    if compared.is_same() { Ok(ExitCode::SUCCESS) } else { Err(Failure::told(Code::Differs)) }
}

fn not_compared(fault: Fault) -> Failure {
    let failure = Failure::bad_input("they could not be compared").because(fault.to_string());
    match fault {
        Fault::Failed { hint: Some(hint), .. } => failure.hint(hint),
        _ => failure,
    }
}

fn as_json(compared: &Comparison) -> String {
    json!({
        "same": compared.is_same(),
        "objects": compared.objects,
        "bytes": compared.bytes,
        "differences": compared.differences.iter().map(|d| json!({ "key": d.key, "what": d.what })).collect::<Vec<_>>(),
        "others": compared.others.0,
        "left-out": compared.left_out.iter().map(|(path, why)| json!({ "path": path, "why": why })).collect::<Vec<_>>(),
    })
    .to_string()
}

fn as_text(compared: &Comparison) -> String {
    let mut text = String::new();
    for one in compared.differences.iter().take(LINES) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", one.key, one.what);
    }
    if compared.differences.len() > LINES {
        let _ = writeln!(text, "… and {} more", compared.differences.len() - LINES);
    }
    if compared.is_same() {
        let _ = writeln!(text, "the same: {} objects, {} MB", compared.objects, compared.bytes / 1_000_000);
    } else {
        let _ = writeln!(text, "{} of {} objects differ", compared.differences.len(), compared.objects);
    }
    if compared.others.0 > 0 {
        let _ =
            writeln!(text, "{} other objects are there, such as {}", compared.others.0, compared.others.1.join(", "));
    }
    text
}
