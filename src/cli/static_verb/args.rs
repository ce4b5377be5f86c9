//! What can be typed after `outgrow static`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The pages alone.
#[derive(Debug, Clone, Args)]
pub struct Static {
    /// What to do
    #[command(subcommand)]
    pub verb: StaticVerb,
}

/// A bucket, and what stands before every key in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The bucket.
    pub bucket: String,
    /// Empty, or ended by a slash.
    pub prefix: String,
}

const CREDENTIALS: &str = "\
Credentials and endpoint are found as the AWS CLI finds them: AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL …";

/// What to do with them.
#[derive(Debug, Clone, Subcommand)]
pub enum StaticVerb {
    /// Send a directory into a bucket: what is missing or different, assets before pages; nothing is taken away
    #[command(after_help = format!("Examples:\n  \
        outgrow static upload ./dist s3://shop-pages\n  \
        outgrow static upload ./dist s3://shop-pages/docs --dry-run\n\n{CREDENTIALS}\n\n\
        Exit codes: 0 all is there · 2 bad input, or a bucket that cannot be read · 4 ended half-way: type it again, and \
        it goes on where it was"))]
    Upload(Upload),
    /// Compare a bucket with the site it should hold: every object's checksum and headers
    #[command(after_help = format!("Examples:\n  \
        outgrow static verify shop.yaml                      with the box, rewritten as `static-site` does\n  \
        outgrow static verify ./dist s3://shop-pages\n\n{CREDENTIALS}\n\n\
        Exit codes: 0 it holds what it should · 1 something differs · 2 bad input, or something cannot be read"))]
    Verify(Verify),
}

/// An upload.
#[derive(Debug, Clone, Args)]
pub struct Upload {
    /// The directory
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Where to: `s3://BUCKET` or `s3://BUCKET/PREFIX`
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// The bucket's region [default: the profile's, or us-east-1]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Send source maps too: the whole source is in them
    #[arg(long)]
    pub source_maps: bool,
    /// Say what would be sent, and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A comparison.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// A site file, or a directory
    #[arg(value_name = "SITE|DIR")]
    pub what: PathBuf,
    /// The bucket to compare a directory with: `s3://BUCKET` or `s3://BUCKET/PREFIX`
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The bucket's region, with a directory [default: the profile's, or us-east-1]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Source maps were sent too
    #[arg(long)]
    pub source_maps: bool,
}
