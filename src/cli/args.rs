//! What can be typed. Plain data: each verb's own file makes sense of it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Moves a web application that has outgrown its one Docker box to CloudFront, S3, an ALB and RDS, and back if need be.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "outgrow",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = AFTER)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
}

/// What holds for every verb.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Print JSON on standard output instead of text: one object, or one event a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Where runs and their journals are kept [default: ~/.local/state/outgrow]
    #[arg(long, global = true, value_name = "DIR", env = "OUTGROW_HOME", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// Print without colour (also with `NO_COLOR` set, and wherever the output is no terminal)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Log more to the run's log file; twice for every call
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

const AFTER: &str = "\
A first time, in order:
  outgrow discover ssh://admin@box > shop.yaml     draft the site file
  outgrow preflight shop.yaml                      see what stands in the way
  outgrow rehearse shop.yaml                       try it all on a copy; the box is left alone
  outgrow plan shop.yaml --out shop.plan           see every change before it is made
  outgrow run shop.plan                            make them, with a way back

Exit codes: 0 done · 2 bad input · 3 failed and rolled back · 4 failed, needs a person · 5 on hold";

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Draft a site file from the box's Docker engine and its nginx configuration
    #[command(after_help = "Example:\n  outgrow discover unix:///var/run/docker.sock > shop.yaml")]
    Discover(Discover),
    /// Say what stands in the way of a site's move; changes nothing
    Preflight(OfSite),
    /// Show every change a playbook would make to a site, and what taking it back would mean
    #[command(
        after_help = "Examples:\n  outgrow plan shop.yaml\n  outgrow plan shop.yaml --playbook canary --out shop.plan"
    )]
    Plan(Plan),
    /// Try the whole move on a copy, against a local cloud, with visitors walking the site; the box is left alone
    #[command(after_help = "Examples:\n  outgrow rehearse shop.yaml\n  \
        outgrow rehearse shop.yaml --fail-at database-handover     see the automatic rollback\n  \
        outgrow rehearse shop.yaml --roll-back                     finish, then take it all back")]
    Rehearse(Rehearse),
    /// Execute a sealed plan, or plan a site and execute that; on a terminal, guided step by step
    #[command(after_help = "Examples:\n  outgrow run shop.plan\n  outgrow run shop.yaml --playbook canary\n  \
        outgrow run shop.plan --yes --json > events.jsonl      unattended")]
    Run(Run),
    /// Go on with a run that was stopped, held or killed
    #[command(after_help = "Example:\n  outgrow resume shop-20260301-2140")]
    Resume(Resume),
    /// Take a run back, last step first
    #[command(after_help = "Example:\n  outgrow rollback shop-20260301-2140")]
    Rollback(Rollback),
    /// Say where a run is, why it waits, and what a rollback would cost now
    Status(MaybeRun),
    /// List the runs
    Runs,
    /// Stop a run in the next safe place; `resume` goes on
    Pause(OfRun),
    /// Stop a run in the next safe place and take it back
    Abort(OfRun),
    /// Copy or compare databases by themselves, without a site and a playbook
    Database(super::database::args::Database),
    /// Send the pages to a bucket, or compare them with one, without a playbook
    Static(super::static_verb::args::Static),
    /// Serve the rehearsal's cloud by itself, for an AWS CLI, boto3 or OpenTofu to talk to, until Ctrl-C
    #[command(
        after_help = "Examples:\n  outgrow cloud --listen 127.0.0.1:4600 > cloud.env       then, elsewhere: . cloud.env\n  \
        outgrow cloud --listen 127.0.0.1:4600 --dir ./cloud     find S3's objects again the next time\n  \
        outgrow cloud --json                                    one object that says where everything is"
    )]
    Cloud(Cloud),
    /// List the laws of AWS that a move meets: what each says, who holds it in a rehearsal, whether preflight looks for it
    #[command(after_help = "Examples:\n  outgrow laws\n  outgrow laws R2")]
    Laws(Laws),
    /// Check site files and playbooks, and point at what is wrong; changes nothing, asks nobody
    #[command(after_help = "Example:\n  outgrow lint shop.yaml playbooks/canary.yaml")]
    Lint(Lint),
    /// Print the JSON schema of the site file or of playbooks, for editors
    #[command(after_help = "Example:\n  outgrow schema playbook > playbook.schema.json")]
    Schema(Schema),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  outgrow completions bash > /etc/bash_completion.d/outgrow")]
    Completions(Completions),
    /// Print the man page, or write one a verb into a directory
    Man(Man),
    /// The rehearsal's world: the second process that `rehearse` starts
    #[command(hide = true)]
    World(World),
}

/// A Docker engine to look at.
#[derive(Debug, Clone, Args)]
pub struct Discover {
    /// The box's engine: `unix:///PATH`, `ssh://USER@HOST` or `tcp://HOST:PORT?certs=DIR`
    #[arg(value_name = "ENGINE")]
    pub engine: String,
}

/// A site.
#[derive(Debug, Clone, Args)]
pub struct OfSite {
    /// The site file
    #[arg(value_name = "SITE")]
    pub site: PathBuf,
}

/// A site to plan.
#[derive(Debug, Clone, Args)]
pub struct Plan {
    /// The site file
    #[arg(value_name = "SITE")]
    pub site: PathBuf,
    /// The procedure: a playbook file, or one-shot, canary or rehearsal
    #[arg(long, value_name = "PLAYBOOK", default_value = "one-shot")]
    pub playbook: PathBuf,
    /// Save the plan, sealed, for `run`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show every line of every change
    #[arg(long)]
    pub whole: bool,
}

/// A site to rehearse.
#[derive(Debug, Clone, Args)]
pub struct Rehearse {
    /// The site file
    #[arg(value_name = "SITE")]
    pub site: PathBuf,
    /// The procedure: a playbook file, or one-shot, canary or rehearsal
    #[arg(long, value_name = "PLAYBOOK", default_value = "rehearsal")]
    pub playbook: PathBuf,
    /// Make this step fail, to see the automatic rollback
    #[arg(long, value_name = "STEP")]
    pub fail_at: Option<String>,
    /// Draw faults from this number: calls that fail, answers that are lost, hosts and databases that break; the same
    /// number draws the same
    #[arg(long, value_name = "SEED")]
    pub faults: Option<u64>,
    /// Let the app on the new hosts misbehave from the canary on, to see it found and taken back. Needs an app that knows
    /// how, as the demo's does
    #[arg(long, value_name = "VARIANT", value_enum)]
    pub app: Option<AppVariant>,
    /// Take the finished run back, to see the whole way there and back
    #[arg(long, conflicts_with = "fail_at")]
    pub roll_back: bool,
    /// Leave everything up afterwards, to look at
    #[arg(long)]
    pub keep: bool,
    /// How many visitors walk the site meanwhile
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub visitors: u16,
}

/// How the app on the new hosts misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AppVariant {
    /// 2 % of the API's requests end in 500
    Errors,
    /// 4 % of them take three quarters of a second longer
    Slow,
    /// From 25 % on, its health path fails
    Sick,
    /// It allows another origin
    Cors,
    /// From 25 % on, it gets no request any more
    Silent,
    /// It redirects to itself
    Loop,
}

/// A plan to execute.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// A sealed plan, or a site file
    #[arg(value_name = "PLAN|SITE")]
    pub what: PathBuf,
    /// The procedure, with a site file: a playbook file, or one-shot, canary or rehearsal
    #[arg(long, value_name = "PLAYBOOK")]
    pub playbook: Option<PathBuf>,
    /// Ask nothing: every step of the plan is agreed to
    #[arg(short, long)]
    pub yes: bool,
    /// Show every line of every change
    #[arg(long)]
    pub whole: bool,
}

/// A run to go on with.
#[derive(Debug, Clone, Args)]
pub struct Resume {
    /// The run's id; `outgrow runs` lists them
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Ask nothing: every step that is left is agreed to
    #[arg(short, long)]
    pub yes: bool,
    /// Take over the lock of an operator whose process is gone
    #[arg(long)]
    pub take_over: bool,
}

/// A run to take back.
#[derive(Debug, Clone, Args)]
pub struct Rollback {
    /// The run's id; `outgrow runs` lists them
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Ask nothing: the rollback is agreed to, as far as it loses nothing
    #[arg(short, long)]
    pub yes: bool,
    /// Agree to lose the writes that `status` tells of
    #[arg(long)]
    pub accept_loss: bool,
    /// Take over the lock of an operator whose process is gone
    #[arg(long)]
    pub take_over: bool,
}

/// A run.
#[derive(Debug, Clone, Args)]
pub struct OfRun {
    /// The run's id; `outgrow runs` lists them
    #[arg(value_name = "RUN")]
    pub run: String,
}

/// A run, or the latest.
#[derive(Debug, Clone, Args)]
pub struct MaybeRun {
    /// The run's id [default: the latest]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
}

/// Files to check.
#[derive(Debug, Clone, Args)]
pub struct Lint {
    /// Site files and playbooks, in any order
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// A schema to print.
#[derive(Debug, Clone, Args)]
pub struct Schema {
    /// Of what
    #[arg(value_enum)]
    pub of: SchemaOf,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Site files
    Site,
    /// Playbooks
    Playbook,
}

/// Completions to print.
#[derive(Debug, Clone, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// A man page to print.
#[derive(Debug, Clone, Args)]
pub struct Man {
    /// Where to write the pages of all verbs [default: print the main one]
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The cloud by itself.
#[derive(Debug, Clone, Args)]
pub struct Cloud {
    /// Where every AWS API is served: a loopback address, and a port (0 for a free one)
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Where the name server answers, on UDP and TCP [default: a free port of the address listened at]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub dns: Option<SocketAddr>,
    /// Keep S3's objects and the certificate authority there [default: a directory that is removed at the end]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The region it is
    #[arg(long, value_name = "REGION", default_value = "ap-northeast-2")]
    pub region: String,
}

/// The laws of AWS.
#[derive(Debug, Clone, Args)]
pub struct Laws {
    /// Tell these in full, such as R2
    #[arg(value_name = "LAW")]
    pub ids: Vec<String>,
}

/// A rehearsal's world; without a directory, what killed worlds left behind is removed.
#[derive(Debug, Clone, Args)]
pub struct World {
    /// The directory with its orders, and where it writes what it is
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// End the world in this directory
    #[arg(long, requires = "dir")]
    pub stop: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_in_the_help_can_be_typed() {
        let main = Cli::command();
        let mut texts = vec![AFTER.to_owned()];
        let verbs = main.get_subcommands().flat_map(|verb| std::iter::once(verb).chain(verb.get_subcommands()));
        texts.extend(verbs.filter_map(|verb| verb.get_after_help().map(ToString::to_string)));
        let mut seen = 0;
        for line in texts.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("  outgrow ")) {
            let typed = line.trim_start().split('>').next().unwrap().split("     ").next().unwrap();
            Cli::try_parse_from(typed.split_whitespace()).unwrap_or_else(|error| panic!("{line}\n{error}"));
            seen += 1;
        }
        assert!(seen > 12, "only {seen} examples were found");
    }

    #[test]
    fn the_help_reads_well() {
        let mut main = Cli::command().term_width(100);
        main.build();
        let mut pages = vec![main.render_help().to_string()];
        for verb in ["plan", "rehearse", "run", "rollback"] {
            pages.push(main.find_subcommand_mut(verb).unwrap().clone().term_width(100).render_help().to_string());
        }
        insta::assert_snapshot!(pages.join("\n----\n"));
    }
}
