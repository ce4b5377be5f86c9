//! `outgrow static upload`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::args::Upload;
use super::{clouds, target, tell_left_out};
use crate::cli::args::Global;
use crate::cli::failure::{Code, Failure, Outcome};
use crate::cli::out;
use crate::event::Event;
use crate::home::Home;
use crate::rewrite::leak::Choices;
use crate::step::Fault;
use crate::steps::static_site::alone::{self, Order, Report, STEP};
use crate::ui::paint::Paint;
use crate::ui::{Mode, Ui};

/// Uploads.
pub async fn upload(args: &Upload, global: &Global) -> Outcome {
    let target = target(&args.target)?;
    let home = Home::open(global.home.as_deref()).map_err(|e| Failure::bad_input(e.to_string()))?;
    let root = args.dir.canonicalize();
    let root =
        root.map_err(|e| Failure::bad_input(format!("{} cannot be read", args.dir.display())).because(e.to_string()))?;
    let order = Order {
        state: home.upload(&[&target.bucket, &target.prefix, &endpoint()]),
        root,
        bucket: target.bucket,
        prefix: target.prefix,
        choices: Choices { source_maps: args.source_maps },
        dry: args.dry_run,
    };
    let clouds = clouds(args.region.as_deref()).await;

    // Standard output is for the one object at the end.
    let mode = if global.json { Mode::Plain } else { Mode::fitting(false) };
    let (sink, ui) = Ui::start(mode, Paint::fitting(global.no_color));
    let begun = Instant::now();
    let title = format!("{} to s3://{}/{}", args.dir.display(), order.bucket, order.prefix);
    sink.send(Event::StepStarted { step: STEP.to_owned(), title, number: 1, of: 1 });
    // Boxed: it is a big future.
    let sent = Box::pin(alone::upload(&order, clouds.objects, &sink)).await;
    let seconds = begun.elapsed().as_secs_f64();
    match &sent {
        Ok(_) => sink.send(Event::StepDone { step: STEP.to_owned(), state: "applied".to_owned(), seconds }),
        Err(error) => sink.send(Event::StepFailed { step: STEP.to_owned(), why: error.to_string() }),
    }
    ui.finish();
    let report = sent.map_err(not_sent)?;
    if global.json {
        out::data(&as_json(&report, seconds, args.dry_run))?;
    } else {
        tell_left_out(&report.left_out, report.left_out_in_all);
        out::say(&as_text(&report, seconds, args.dry_run));
    }
    Ok(ExitCode::SUCCESS)
}

/// Where S3 is, if it is not AWS's own: what is known of a bucket there is known of that one alone.
fn endpoint() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_ENDPOINT_URL_S3").or_else(|| set("AWS_ENDPOINT_URL")).unwrap_or_default()
}

fn not_sent(fault: Fault) -> Failure {
    let failure = Failure::new(Code::NeedsAPerson, "the upload ended before its end").because(fault.to_string());
    match fault {
        Fault::Failed { hint: Some(hint), .. } => failure.hint(hint),
        _ => failure.hint("type it again: it goes on where it was"),
    }
}

fn as_json(report: &Report, seconds: f64, dry: bool) -> String {
    let left = |(path, why): &(String, String)| json!({ "path": path, "why": why });
    json!({
        "outcome": if dry { "compared" } else { "uploaded" },
        "seconds": seconds,
        "sent": report.sent,
        "bytes": report.bytes,
        "same": report.same,
        "asked": report.asked,
        "left-out": report.left_out.iter().map(left).collect::<Vec<_>>(),
        "left-out-in-all": report.left_out_in_all,
        "others": report.others.0,
    })
    .to_string()
}

fn as_text(report: &Report, seconds: f64, dry: bool) -> String {
    let verb = if dry { "would send" } else { "sent" };
    let megabytes = report.bytes / 1_000_000;
    let mut text = format!(
        "{verb} {} objects, {megabytes} MB, in {seconds:.1} s; {} are as they should be",
        report.sent, report.same
    );
    if report.others.0 > 0 {
        let some = report.others.1.join(", ");
        let _ = write!(text, "\n{} other objects are there and stay, such as {some}", report.others.0);
    }
    text
}
