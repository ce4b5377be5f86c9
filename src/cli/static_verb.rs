//! `outgrow static`: the pages alone, without a playbook.

pub mod args;
mod upload;
mod verify;

use args::{Static, StaticVerb, Target};

use super::args::Global;
use super::failure::{Failure, Outcome};
use super::out;
use crate::clients::aws::{Access, Clouds};

/// Does what was typed.
pub async fn run(args: &Static, global: &Global) -> Outcome {
    match &args.verb {
        StaticVerb::Upload(args) => upload::upload(args, global).await,
        StaticVerb::Verify(args) => verify::verify(args, global).await,
    }
}

/// AWS's clients. Where no region is named, S3 itself is in `us-east-1`.
async fn clouds(region: Option<&str>) -> Clouds {
    let set = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| std::env::var(name).ok());
    let region = region.map(str::to_owned).or(set).unwrap_or_else(|| "us-east-1".to_owned());
    Clouds::connect(&Access { region, ..Access::default() }).await
}

/// `s3://BUCKET[/PREFIX]`, the prefix ended by a slash.
fn target(text: &str) -> Result<Target, Failure> {
    let rest = text.strip_prefix("s3://").unwrap_or_default();
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_matches('/');
    if bucket.is_empty() {
        return Err(
            Failure::bad_input(format!("`{text}` is no bucket")).hint("write it as s3://BUCKET or s3://BUCKET/PREFIX")
        );
    }
    if prefix == "outgrow" || prefix.starts_with("outgrow/") {
        return Err(Failure::bad_input("what lies below outgrow/ is outgrow's own").hint("choose another prefix"));
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok(Target { bucket: bucket.to_owned(), prefix })
}

/// So many lines of a kind are printed for a person.
const LINES: usize = 40;

/// Files that stay behind, for a person.
fn tell_left_out(left_out: &[(String, String)], in_all: u64) {
    for (path, why) in left_out.iter().take(LINES) {
        out::say(&format!("- {path} is left behind: {why}"));
    }
    let more = in_all.saturating_sub(left_out.len().min(LINES) as u64);
    if more > 0 {
        out::say(&format!("  … and {more} more are left behind"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_bucket_and_perhaps_a_prefix() {
        let of = |text: &str| target(text).map(|t| (t.bucket, t.prefix)).map_err(|e| e.message);
        assert_eq!(of("s3://b"), Ok(("b".into(), String::new())));
        assert_eq!(of("s3://b/a/한/"), Ok(("b".into(), "a/한/".into())));
        for wrong in ["b", "s3://", "s3:///x", "s3://b/outgrow/x"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
