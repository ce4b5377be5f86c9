//! What can be typed after `outgrow database`.

use clap::{Args, Subcommand};

/// The database alone.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// What to do
    #[command(subcommand)]
    pub verb: DatabaseVerb,
}

const URLS: &str = "\
A URL is postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=MODE[&sslrootcert=FILE]]. MODE is disable, require or
verify-full; without it, disable on this machine and require elsewhere. A socket: postgres://USER@/DATABASE?host=/DIR.
A password better stands elsewhere: --source-password env:NAME or file:/PATH, or PGPASSWORD for both.";

/// What to do with it.
#[derive(Debug, Clone, Subcommand)]
pub enum DatabaseVerb {
    /// Copy a database into an empty one, on any server, while it goes on being used
    #[command(after_help = format!("Examples:\n  \
        outgrow database copy postgres://postgres@box:5432/shop postgres://master@rds.example.com/shop\n  \
        outgrow database copy postgres://a@box/shop postgres://b@rds/shop --max-rate 20 --max-lag 64\n\n{URLS}\n\n\
        Exit codes: 0 copied · 2 bad input or something stands in the way, nothing was copied · 4 failed half-way: type \
        it again, with --resume to keep what is there"))]
    Copy(Copy),
    /// Compare two databases table by table, by row counts and checksums, while nobody writes to either
    #[command(after_help = format!("Example:\n  \
        outgrow database verify postgres://postgres@box:5432/shop postgres://master@rds.example.com/shop\n\n{URLS}\n\n\
        Exit codes: 0 they are the same · 1 they differ · 2 bad input, or a server that cannot be asked"))]
    Verify(Verify),
}

/// Two databases.
#[derive(Debug, Clone, Args)]
pub struct Pair {
    /// The database to read
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The other one
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Where the source's password is found: `env:NAME` or `file:/PATH`
    #[arg(long, value_name = "REFERENCE")]
    pub source_password: Option<String>,
    /// Where the target's password is found: `env:NAME` or `file:/PATH`
    #[arg(long, value_name = "REFERENCE")]
    pub target_password: Option<String>,
    /// How many things are done at the same time, each with a connection to both sides
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
}

/// A copy.
#[derive(Debug, Clone, Args)]
pub struct Copy {
    /// From where to where
    #[command(flatten)]
    pub pair: Pair,
    /// Read no more than so many MB a second
    #[arg(long, value_name = "MB/s", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_rate: Option<u64>,
    /// Open no more than so many connections to either side
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(3..))]
    pub max_connections: Option<u16>,
    /// Read nothing while so many others are at work on the source
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_active: Option<u32>,
    /// Read nothing while the source's load average is above this (a superuser can see it)
    #[arg(long, value_name = "LOAD")]
    pub max_load: Option<f64>,
    /// Read nothing while a standby or subscriber of the source lags behind by more than so many MB
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_lag: Option<u32>,
    /// Keep what an interrupted copy brought, as far as it is still true
    #[arg(long)]
    pub resume: bool,
    /// Replace a finished copy, with all that was written to it since
    #[arg(long)]
    pub replace: bool,
    /// Ask nothing: what cannot be brought over is left out
    #[arg(short, long)]
    pub yes: bool,
}

/// A comparison.
#[derive(Debug, Clone, Args)]
pub struct Verify {
    /// Which two
    #[command(flatten)]
    pub pair: Pair,
}
