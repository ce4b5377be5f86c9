//! `database-copy`: the whole database to RDS while the box goes on serving, so that what is left to move under the
//! fence is only what changed since.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::timing;
use crate::postgres::port::Facts;
use crate::step::{Act, Change, Finding, Look, Planned, Reversal, Severity, Step, StepResult, Verdict};
use crate::world::{Side, World};

/// How long the new database may be behind once the copy is whole.
const CATCHES_UP_WITHIN: Duration = Duration::from_hours(1);

/// The step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseCopy {
    /// Whether the copy follows the old database from then on.
    #[serde(default)]
    pub follow: bool,
}

/// A copy put on the new database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Copied {
    run: String,
    database: String,
    instance: String,
    from_version: String,
    to_version: String,
    tables: usize,
    rows: u64,
    bytes: u64,
    large_objects: u64,
    #[serde(default)]
    follow: bool,
}

impl Change for Copied {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "+ {} on {} (PostgreSQL {} → {}): {} tables, about {} rows, {} MB",
            self.database,
            self.instance,
            self.from_version,
            self.to_version,
            self.tables,
            self.rows,
            self.bytes / 1_000_000
        )];
        if self.large_objects > 0 {
            lines.push(format!("+ {} large objects", self.large_objects));
        }
        if self.follow {
            lines.push(
                "+ a stream of every change from then on (publication, slot and role outgrow_stream on the old \
                        database, subscription on the new one)"
                    .to_owned(),
            );
        }
        lines.push("  the application's roles come along, but cannot log in there before the handover".to_owned());
        lines
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}

impl Step for DatabaseCopy {
    const KIND: &'static str = "database-copy";
    type Change = Copied;

    fn title(&self) -> String {
        if self.follow { "copy the database to RDS and follow it" } else { "copy the database to RDS" }.to_owned()
    }

    fn explain(&self) -> String {
        "Copies schema and rows from one snapshot while the site goes on reading and writing the old database. \
         Nobody uses the copy yet; its roles stay closed until the handover."
            .to_owned()
    }

    fn model(&self, world: &mut World) {
        world.copied = true;
    }

    async fn check(&self, look: &Look) -> StepResult<Vec<Finding>> {
        let old = look.databases.facts(Side::Old).await?;
        let severity = |blocks: bool| if blocks { Severity::Blocker } else { Severity::Warning };
        let mut findings: Vec<Finding> =
            old.obstacles.iter().map(|o| Finding::new(severity(o.blocks), &o.what, &o.todo)).collect();
        match look.instances.instance(&look.site.aws.database.instance).await? {
            None => {
                findings.push(Finding::new(
                    Severity::Blocker,
                    format!("there is no RDS instance {}", look.site.aws.database.instance),
                    "make it first: in the app's VPC, private, of the source's major version or newer",
                ));
                return Ok(findings);
            }
            Some(instance) if instance.status != "available" => findings.push(Finding::new(
                Severity::Blocker,
                format!("RDS instance {} is {}", look.site.aws.database.instance, instance.status),
                "wait until it is available",
            )),
            Some(instance) if instance.public => findings.push(
                Finding::new(
                    Severity::Warning,
                    format!("RDS instance {} is reachable from the internet", look.site.aws.database.instance),
                    "make it private and let only the app's security group in on its port",
                )
                .law("D1"),
            ),
            Some(_) => {}
        }
        if look.site.aws.database.certificates.is_none() {
            findings.push(Finding::new(
                Severity::Note,
                "RDS need not prove who it is: `aws.database.certificates` is not set",
                "download AWS's bundle (global-bundle.pem) and name it there",
            ));
        }
        if self.follow {
            let found = look.databases.follow_obstacles(&look.run).await?;
            findings.extend(found.iter().map(|o| Finding::new(severity(o.blocks), &o.what, &o.todo)));
        }
        findings.extend(target_findings(&old, &look.databases.facts(Side::New).await?, &look.run));
        Ok(findings)
    }

    async fn plan(&self, look: &Look) -> StepResult<Planned<Copied>> {
        let old = look.databases.facts(Side::Old).await?;
        let new = look.databases.facts(Side::New).await?;
        Ok(Planned::Change(Copied {
            run: look.run.clone(),
            database: look.site.aws.database.name.clone(),
            instance: look.site.aws.database.instance.clone(),
            from_version: old.version,
            to_version: new.version,
            tables: old.tables.len(),
            rows: round(old.tables.iter().map(|t| t.rows).sum()),
            bytes: round(old.bytes),
            large_objects: old.large_objects.0,
            follow: self.follow,
        }))
    }

    async fn apply(&self, act: &Act, change: &Copied) -> StepResult<()> {
        let tell = |table: &str, done, total| act.progress(&format!("copy {table}"), done, total, true);
        let databases = &act.reach.databases;
        let moved = if change.follow {
            databases.follow(&change.run, &tell).await?
        } else {
            databases.copy(&change.run, &tell).await?
        };
        act.note(format!("copied {} rows of {} tables, {} MB", moved.rows, moved.tables, moved.bytes / 1_000_000));
        Ok(())
    }

    async fn verify(&self, look: &Look, change: &Copied) -> StepResult<Verdict> {
        let new = look.databases.facts(Side::New).await?;
        Ok(match new.copied_by {
            Some(by) if by == change.run && change.follow => {
                match look.databases.stream_trouble(&change.run, Side::Old).await? {
                    None => Verdict::Holds,
                    Some(why) => {
                        timing::grace(look, CATCHES_UP_WITHIN, format!("the new database does not follow yet: {why}"))
                    }
                }
            }
            Some(by) if by == change.run => Verdict::Holds,
            Some(by) => Verdict::Drifted(format!("the new database holds the copy of run {by}, not of this one")),
            None => Verdict::Broken("the copy is not on the new database".to_owned()),
        })
    }

    async fn undo(&self, act: &Act, change: &Copied) -> StepResult<()> {
        if change.follow {
            act.reach.databases.unfollow(&change.run).await?;
        }
        match act.reach.databases.wipe(&change.run).await {
            Err(error) if act.may_lose_writes => {
                act.note(format!("the copy stays on the new database: {error}"));
                Ok(())
            }
            wiped => Ok(wiped?),
        }
    }
}

fn target_findings(old: &Facts, new: &Facts, run: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if major(&new.version) < major(&old.version) {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("RDS runs PostgreSQL {}, the box {}", new.version, old.version),
            "make the instance of the same major version or a newer one",
        ));
    }
    if new.foreign_objects {
        findings.push(Finding::new(
            Severity::Blocker,
            "the database on RDS holds objects that outgrow did not put there",
            "name an empty database in the site file, or remove them yourself",
        ));
    }
    if let Some(by) = new.copied_by.as_ref().filter(|by| *by != run) {
        findings.push(Finding::new(
            Severity::Blocker,
            format!("the database on RDS holds the copy of run {by}"),
            format!("end that run first: outgrow rollback {by}"),
        ));
    }
    findings
}

/// Row estimates and sizes move with every write; a plan keeps two digits of them, so that it is not refused for it.
fn round(n: u64) -> u64 {
    let unit = 10_u64.pow(n.checked_ilog10().unwrap_or(0).saturating_sub(1));
    n / unit * unit
}

fn major(version: &str) -> u32 {
    version.split(['.', ' ']).next().and_then(|m| m.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_server_is_no_target() {
        let facts = |version: &str| Facts {
            version: version.into(),
            bytes: 0,
            tables: Vec::new(),
            large_objects: (0, 0),
            app_roles: Vec::new(),
            obstacles: Vec::new(),
            copied_by: None,
            foreign_objects: false,
        };
        let found = target_findings(&facts("15.18"), &facts("14.2"), "r");
        assert_eq!(found[0].severity, Severity::Blocker);
        assert!(target_findings(&facts("15.18"), &facts("16.1"), "r").is_empty());
    }

    #[test]
    fn estimates_keep_two_digits() {
        assert_eq!((round(0), round(7), round(12_345), round(999)), (0, 7, 12_000, 990));
    }
}
