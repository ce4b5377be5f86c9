//! What the names answer today, and what of that can be moved.

use crate::clients::Kind;
use crate::clients::dns::{Answer, RecordSet, Zone};
use crate::step::{Finding, Look, Severity, StepResult};

use super::Which;
use super::records::{live, say};

/// The old side's set identifier.
pub(super) const OLD: &str = "outgrow-old";
/// The new side's.
pub(super) const NEW: &str = "outgrow-new";
/// More names than this do not fit into one batch of 1,000 elements with a pair each way (law R8).
const NAMES: usize = 200;

/// A name that can be moved.
#[derive(Debug, Clone)]
pub(super) struct Movable {
    /// The name.
    pub name: String,
    /// Its record sets.
    pub records: Vec<RecordSet>,
}

/// What was found.
pub(super) struct Seen {
    /// The zone, if there is one.
    pub zone: Option<Zone>,
    /// The names that can be moved.
    pub movable: Vec<Movable>,
    /// What stands in the way, and what is good to know.
    pub findings: Vec<Finding>,
}

/// What stands in the way of moving these names.
pub async fn preflight(look: &Look, which: Which) -> StepResult<Vec<Finding>> {
    Ok(see(look, which).await?.findings)
}

pub(super) fn names(look: &Look, which: Which) -> &[String] {
    match which {
        Which::Api => &look.site.names.api,
        Which::Pages => &look.site.names.pages,
    }
}

pub(super) async fn see(look: &Look, which: Which) -> StepResult<Seen> {
    let wanted = &look.site.names.zone;
    let zone = match look.dns.zone(wanted).await {
        Ok(zone) => zone,
        Err(error) if matches!(error.kind, Kind::NotFound | Kind::Conflict) => {
            let todo = error.hint.clone().unwrap_or_else(|| "correct `names.zone` in the site file".to_owned());
            let finding = Finding::new(Severity::Blocker, error.to_string(), todo).law("R9");
            return Ok(Seen { zone: None, movable: Vec::new(), findings: vec![finding] });
        }
        Err(error) => return Err(error.into()),
    };
    let mut findings = delegation(look, &zone).await?;
    let mut movable = Vec::new();
    let names = names(look, which);
    if names.len() > NAMES {
        let what = format!("{} names do not fit into one batch", names.len());
        findings
            .push(Finding::new(Severity::Blocker, what, "move them in groups of 200, as sites of their own").law("R8"));
    }
    for name in names {
        let records = live(look, &zone.id, name).await?;
        findings.extend(judge(name, &records));
        movable.push(Movable { name: name.clone(), records });
    }
    Ok(Seen { zone: Some(zone), movable, findings })
}

/// Law R9, as far as the zone itself tells: a zone whose own NS records are not the servers it has is delegated
/// elsewhere, or was copied from elsewhere.
async fn delegation(look: &Look, zone: &Zone) -> StepResult<Vec<Finding>> {
    let records = look.dns.records(&zone.id, &zone.name).await?;
    let ns = records.iter().find(|record| record.kind == "NS");
    let Some(Answer::Values(values)) = ns.map(|record| &record.answer) else { return Ok(Vec::new()) };
    let plain = |value: &String| value.trim_end_matches('.').to_ascii_lowercase();
    let mut named: Vec<String> = values.iter().map(plain).collect();
    let mut own = zone.name_servers.clone();
    named.sort();
    own.sort();
    if named == own || own.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Finding::new(
            Severity::Warning,
            format!("the zone {} names the servers {}, and has {}", zone.name, named.join(", "), own.join(", ")),
            "see that the registrar delegates to this zone's own servers: another one answers nobody",
        )
        .law("R9"),
    ])
}

/// Whether the records of a name can be moved.
fn judge(name: &str, records: &[RecordSet]) -> Vec<Finding> {
    let block = |law: &str, what: String, todo: &str| Finding::new(Severity::Blocker, what, todo).law(law);
    let mut found = Vec::new();
    if records.is_empty() {
        let todo = "create the record with the box's address, or take the name out of the site file";
        found.push(block("R2", format!("{name} has no A or CNAME record"), todo));
        return found;
    }
    if let Some(record) = records.iter().find(|record| matches!(record.answer, Answer::Other(_))) {
        let todo = "replace it with a simple record first; outgrow moves simple and its own weighted records";
        found.push(block("R1", format!("{} cannot be turned into a weighted pair", say(record)), todo));
    }
    if records.iter().any(|record| record.kind == "AAAA") {
        let todo = "remove the AAAA record and wait out its TTL, so that every visitor comes by the A record";
        found.push(block("R1", format!("{name} has an AAAA record: its visitors would not move"), todo));
    }
    let weighted = records.iter().any(|record| record.weighted.is_some());
    if weighted && !is_our_pair(records) {
        let todo = "turn it into one simple record, or finish what made it; weights of others are never changed";
        found.push(block("R3", format!("{name} is weighted already, and not by outgrow"), todo));
    }
    if let Some(record) = records.iter().find(|record| record.health_check.is_some()) {
        let todo = "take the health check off first: with it, a weight of 0 is served when the other side is ill";
        found.push(block("R3", format!("{} has a health check", say(record)), todo));
    }
    if !weighted && matches!(records[0].answer, Answer::Alias { .. }) {
        found.push(
            Finding::new(
                Severity::Warning,
                format!("{} has the TTL of what it points to, which cannot be lowered here", say(&records[0])),
                "lower that TTL by hand a day before, and wait it out",
            )
            .law("R6"),
        );
    }
    found
}

/// Whether these are a pair that outgrow made: then the chain begins at its present weights.
pub(super) fn is_our_pair(records: &[RecordSet]) -> bool {
    let ids: Vec<&str> = records.iter().filter_map(|r| r.weighted.as_ref()).map(|w| w.id.as_str()).collect();
    // In the records' own order, by set identifier.
    ids == [NEW, OLD] && records.len() == 2
}
