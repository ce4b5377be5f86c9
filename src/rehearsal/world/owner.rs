//! Whose a container, network or volume is: the labels that say so, and whether their owner still lives.

use crate::clients::docker::lab::{Found, Lab, Labels};

use super::Result;

/// The label with the rehearsal's id.
pub const LABEL: &str = "outgrow.rehearsal";
/// The label with the process that answers for it: machine, process id and start time.
pub const OWNER: &str = "outgrow.rehearsal.owner";

/// The labels of everything of the rehearsal `id`, owned by this process.
pub fn labels(id: &str) -> Labels {
    let owner = format!("{}/{}", machine(), identity(std::process::id()).unwrap_or_default());
    Labels::from([(LABEL.to_owned(), id.to_owned()), (OWNER.to_owned(), owner)])
}

/// Removes what rehearsals left behind whose process is gone: killed, or lost with the machine's last start.
/// Gives the ids. What another machine owns on the same engine is left alone.
pub async fn clean(lab: &Lab) -> Result<Vec<String>> {
    let found = lab.labelled(LABEL).await?;
    let dead = |labels: &Labels| labels.get(OWNER).is_some_and(|owner| is_dead(owner));
    let only = |all: Vec<(String, Labels)>| all.into_iter().filter(|(_, labels)| dead(labels)).collect();
    let left =
        Found { containers: only(found.containers), networks: only(found.networks), volumes: only(found.volumes) };
    let mut ids: Vec<String> = left.labels().filter_map(|labels| labels.get(LABEL).cloned()).collect();
    ids.sort();
    ids.dedup();
    lab.remove_all(&left).await?;
    Ok(ids)
}

/// Removes all of one rehearsal, what is still being made included.
pub async fn remove(lab: &Lab, id: &str) -> Result<()> {
    lab.settled().await;
    let found = lab.labelled(&format!("{LABEL}={id}")).await?;
    Ok(lab.remove_all(&found).await?)
}

/// Whether the owner was a process of this machine, and is no more.
fn is_dead(owner: &str) -> bool {
    let Some((on, process)) = owner.split_once('/') else { return false };
    let Some(pid) = process.split_once('@').and_then(|(pid, _)| pid.parse().ok()) else { return false };
    on == machine() && identity(pid).as_deref() != Some(process)
}

/// This machine, and its process table: a container of the same name has one of its own.
fn machine() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let table = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let table: String = table.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("{name}-{table}")
}

/// `PID@START`, while the process lives. A process id is given out again, with another start time.
fn identity(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the state is the first field after it, the start time the 20th.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (state, started) = (fields.first()?, fields.get(19)?);
    // A zombie does nothing any more.
    (*state != "Z").then(|| format!("{pid}@{started}-{}", boot()))
}

/// Start times count from the machine's own start.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_told_from_the_living_and_from_other_machines() {
        let mine = labels("a")[OWNER].clone();
        assert!(!is_dead(&mine), "{mine}");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (machine, _) = mine.split_once('/').unwrap();
        let its = format!("{machine}/{}@1-x", child.id());
        child.wait().unwrap();
        assert!(is_dead(&its));
        assert!(is_dead(&format!("{machine}/{}@1-x", std::process::id())), "another one had this number before");
        assert!(!is_dead("elsewhere-1/1@1-x"), "of another machine nothing is known");
        assert!(!is_dead("rubbish"));
    }
}
