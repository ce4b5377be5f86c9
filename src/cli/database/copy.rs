//! `outgrow database copy`.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::args::Copy;
use super::show::Show;
use super::{failed, url};
use crate::cli::args::Global;
use crate::cli::failure::{Code, Failure, Outcome};
use crate::cli::out;
use crate::event::{Event, Sink};
use crate::postgres::copy::{self, Bounds, Options, Report};
use crate::postgres::observe::Finding;
use crate::postgres::tools::LocalTools;
use crate::postgres::{Endpoint, Error, marker};
use crate::ui::paint::Paint;
use crate::ui::prompt::{self, Question};
use crate::ui::{Mode, Ui};

/// Copies.
pub async fn copy(args: &Copy, global: &Global) -> Outcome {
    let (source, target) = url::endpoints(&args.pair)?;
    let options = options(args, &source);
    let findings = copy::preflight(&source, &target)
        .await
        .map_err(|error| failed(Code::BadInput, "the databases could not be looked at; nothing was copied", &error))?;
    agree(&findings, args.yes)?;
    may_write(&target, &options.run, args.replace).await?;

    // Standard output is for the one object at the end.
    let mode = if global.json { Mode::Plain } else { Mode::fitting(false) };
    let (sink, ui) = Ui::start(mode, Paint::fitting(global.no_color));
    let (begun, step) = (Instant::now(), || "copy".to_owned());
    sink.send(Event::StepStarted { step: step(), title: format!("{source} to {target}"), number: 1, of: 1 });
    let copied = run(&source, &target, &options, &sink).await;
    let seconds = begun.elapsed().as_secs_f64();
    match &copied {
        Ok(_) => sink.send(Event::StepDone { step: step(), state: "applied".to_owned(), seconds }),
        Err(error) => sink.send(Event::StepFailed { step: step(), why: error.to_string() }),
    }
    ui.finish();
    let report = copied.map_err(|error| not_copied(&error))?;
    if global.json {
        out::data(&as_json(&report, seconds))?;
    } else {
        out::say(&as_text(&report, seconds));
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(source: &Endpoint, target: &Endpoint, options: &Options, sink: &Sink) -> Result<Report, Error> {
    let show = Show::new(sink.clone());
    // Boxed: it is a big future.
    Box::pin(copy::copy_database(source, target, &LocalTools, options, &show)).await
}

fn options(args: &Copy, source: &Endpoint) -> Options {
    let mega = 1_000_000;
    Options {
        jobs: usize::from(args.pair.jobs),
        max_rate: args.max_rate.map(|rate| rate.saturating_mul(mega)),
        max_connections: args.max_connections.map(usize::from),
        bounds: Bounds {
            active: args.max_active,
            lag_bytes: args.max_lag.map(|lag| i64::from(lag) * 1_000_000),
            load: args.max_load,
        },
        resume: args.resume,
        // The same for a repeat, so that it finds what is its own.
        ..Options::new(format!("database copy of {}", source.database))
    }
}

/// Tells what will not come along; asks whether to go on all the same.
fn agree(findings: &[Finding], yes: bool) -> Result<(), Failure> {
    let told = |finding: &Finding| format!("{} ({}): {}", finding.what, finding.at, finding.advice);
    let blockers: Vec<_> = findings.iter().filter(|finding| finding.blocks).collect();
    if let Some(first) = blockers.first() {
        let mut failure = Failure::bad_input("something stands in the way; nothing was copied");
        for finding in &blockers {
            failure = failure.because(format!("{} ({})", finding.what, finding.at));
        }
        return Err(failure.hint(&first.advice));
    }
    if findings.is_empty() {
        return Ok(());
    }
    out::say("not everything will arrive as it is:");
    for finding in findings {
        out::say(&format!("- {}", told(finding)));
    }
    let question = Question { text: "Copy all the same?", flag: "--yes", default: false };
    if prompt::fitting(yes).confirm(question)? {
        return Ok(());
    }
    Err(Failure::bad_input("not agreed to; nothing was copied").hint("settle these first, or agree with --yes"))
}

/// A finished copy may have been written to since: it is replaced on purpose only.
async fn may_write(target: &Endpoint, run: &str, replace: bool) -> Result<(), Failure> {
    let what = "the target could not be looked at; nothing was copied";
    let looked = async { marker::read(&target.connect().await?).await };
    let Some(mark) = looked.await.map_err(|error| failed(Code::BadInput, what, &error))? else { return Ok(()) };
    let failure = Failure::bad_input(format!("{target} already holds a copy; nothing was changed"));
    if mark.run != run {
        let hint = "end that run first (outgrow rollback RUN), or name an empty database";
        return Err(failure.because(format!("it is that of another run: {}", mark.run)).hint(hint));
    }
    if mark.state == marker::State::Copying || replace {
        return Ok(());
    }
    let why = "it is whole, and may have been written to since";
    Err(failure.because(why).hint("--replace removes it, with all that was written to it, and copies afresh"))
}

fn not_copied(error: &Error) -> Failure {
    match error {
        Error::NotEmpty { .. } | Error::Serving { .. } | Error::Busy { .. } | Error::NoTools { .. } => {
            failed(Code::BadInput, "nothing was copied", error)
        }
        _ => failed(Code::NeedsAPerson, "the copy ended half-way; the source is as it was", error)
            .hint("type it again: with --resume what is there is kept as far as it is still true, without it removed"),
    }
}

fn as_json(report: &Report, seconds: f64) -> String {
    let table = |(name, rows): &(crate::postgres::TableName, u64)| json!({ "table": name.to_string(), "rows": rows });
    let role = |role: &copy::CopiedRole| json!({ "role": role.name, "login": role.login, "created": role.created });
    json!({
        "outcome": "copied",
        "seconds": seconds,
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "rows": report.tables.iter().map(|(_, rows)| rows).sum::<u64>(),
        "bytes": report.bytes,
        "kept": report.kept,
        "large-objects": report.large_objects,
        "sequences": report.sequences,
        "roles": report.roles.iter().map(role).collect::<Vec<_>>(),
        "skipped": report.skipped,
    })
    .to_string()
}

fn as_text(report: &Report, seconds: f64) -> String {
    let rows: u64 = report.tables.iter().map(|(_, rows)| rows).sum();
    let mut text = format!(
        "copied {} tables with {rows} rows, {} MB, in {seconds:.1} s; {} large objects, {} sequences",
        report.tables.len(),
        report.bytes / 1_000_000,
        report.large_objects,
        report.sequences
    );
    if !report.skipped.is_empty() {
        text.push_str("\nleft out, or not as it was:");
    }
    for skipped in &report.skipped {
        let _ = write!(text, "\n- {}: {}", skipped.what, skipped.why);
    }
    let closed: Vec<_> =
        report.roles.iter().filter(|role| role.login && role.created).map(|r| r.name.as_str()).collect();
    if !closed.is_empty() {
        let _ =
            write!(text, "\nthese roles cannot log in there yet (ALTER ROLE … LOGIN opens it): {}", closed.join(", "));
    }
    text + "\nnext: outgrow database verify, with the same two URLs, while nobody writes"
}
