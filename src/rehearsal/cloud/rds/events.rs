//! What happened: recorded as it happens, described for fourteen days. Source: RDS API, `DescribeEvents`.

use std::time::{Duration, SystemTime};

use super::super::super::state::{DatabaseEvent, State};
use super::super::Cloud;
use super::super::wire::operation::Output;
use super::super::wire::{ApiError, Node};
use super::names::arn;
use super::page::{Filters, combination, invalid, page};

/// More than a rehearsal makes.
const KEPT: usize = 1000;

/// Records something.
pub fn note(state: &mut State, at: SystemTime, kind: &'static str, of: &str, category: &'static str, message: &str) {
    if state.database_events.len() >= KEPT {
        state.database_events.remove(0);
    }
    let (of, message) = (of.to_owned(), message.to_owned());
    state.database_events.push(DatabaseEvent { at, kind, of, category, message });
}

fn moment(input: &Node, name: &str) -> Result<Option<SystemTime>, ApiError> {
    let Some(text) = input.get(name) else { return Ok(None) };
    let read = text.parse::<jiff::Timestamp>().map_err(|_| invalid(format!("Invalid {name}: {text}")))?;
    Ok(Some(SystemTime::from(read)))
}

pub(super) fn describe(cloud: &Cloud, input: &Node) -> Result<Output, ApiError> {
    Filters::read(input, &[])?;
    let (source, kind) = (input.get("SourceIdentifier"), input.get("SourceType"));
    if source.is_some() && kind.is_none() {
        return Err(combination("SourceType is required when SourceIdentifier is specified."));
    }
    let now = cloud.shared().clock.now();
    let minutes = input.number::<u64>("Duration")?.unwrap_or(60);
    if minutes > 20160 {
        return Err(invalid(format!("Duration {minutes} is longer than the 20160 minutes that events are kept.")));
    }
    let until = moment(input, "EndTime")?.unwrap_or(now);
    let from = moment(input, "StartTime")?.unwrap_or(until - Duration::from_secs(60 * minutes));
    let categories = input.texts("EventCategories");
    let state = cloud.shared().lock();
    let found = state.database_events.iter().enumerate().filter(|(_, event)| {
        (from..=until).contains(&event.at)
            && source.is_none_or(|s| s == event.of)
            && kind.is_none_or(|k| k == event.kind)
            && (categories.is_empty() || categories.iter().any(|c| c == event.category))
    });
    let found = found.map(|(n, event)| {
        let arn_kind = match event.kind {
            "db-snapshot" => "snapshot",
            "db-parameter-group" => "pg",
            _ => "db",
        };
        let node = Node::default()
            .put("SourceIdentifier", &event.of)
            .put("SourceType", event.kind)
            .put("Message", &event.message)
            .texts_list("EventCategories", "EventCategory", [event.category])
            .put("Date", event.at)
            .put("SourceArn", arn(cloud, arn_kind, &event.of));
        (format!("{n:08}"), node)
    });
    page(input, "Events", "Event", found.collect())
}
