//! `TestDNSAnswer`: what the name server would answer, by the same rules.

use super::super::super::answering::{Dice, Directory, Owner, name};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::input::{invalid, need, one_of};
use super::{bare, records, within_rate, zones};

pub(super) fn test(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    within_rate(cloud)?;
    let id = bare(need(input, "hostedzoneid")?);
    let given = need(input, "recordname")?;
    let kind = one_of(need(input, "recordtype")?, "recordType", &records::kinds())?;
    let plain = name::plain(given).map_err(|fault| invalid(fault.to_string()))?;
    let state = cloud.shared().lock();
    let zone = zones::zone(&state, id)?;
    let server = zone.servers().first().map(|s| s.trim_end_matches('.').to_owned()).unwrap_or_default();
    let directory = Directory::of(&state);
    drop(state);
    let outcome = directory.look_up_in(id, &plain, kind, &mut Dice::default());
    let outcome = outcome.ok_or_else(|| invalid(format!("The record {given} cannot be asked for in zone {id}")))?;
    // what else a chain of CNAMEs leads to is the resolver's to find
    let own = outcome.answers.iter().filter(|record| matches!(record.owner, Owner::Asked));
    let node = Node::new("TestDNSAnswerResponse")
        .put("Nameserver", server)
        .put("RecordName", name::full(&plain))
        .put("RecordType", kind)
        .texts_list("RecordData", "RecordDataEntry", own.map(|record| record.value.text()))
        .put("ResponseCode", outcome.code.wire().1)
        .put("Protocol", "UDP");
    Ok(node.into())
}
