//! The second reading: the changed text must say what was intended and nothing else, by our own scanner and, where the
//! old text could be read by it, by an independent parser.

use std::collections::BTreeMap;

use serde_json::Value;

use super::slot::{Slot, line_of};
use super::{Format, RewriteError, scan};

/// Checks an edit: same places, same values but for the chosen ones.
pub(super) fn edited(
    old: &str,
    new: &str,
    format: Format,
    before: &[Slot],
    chosen: &[(usize, &str)],
) -> Result<(), RewriteError> {
    let intended: BTreeMap<usize, &str> = chosen.iter().copied().collect();
    let after = scan(new, format).map_err(|_| damaged(old, before, chosen[0].0))?;
    for (at, slot) in before.iter().enumerate() {
        let want = intended.get(&at).copied().unwrap_or(&slot.value);
        if after.get(at).is_none_or(|a| a.path != slot.path || a.value != want) {
            return Err(damaged(old, before, at));
        }
    }
    if after.len() != before.len() {
        return Err(damaged(old, before, chosen[0].0));
    }
    let (Some(was), Some(is)) = (leaves(old, format), leaves(new, format)) else {
        return if leaves(old, format).is_none() { Ok(()) } else { Err(damaged(old, before, chosen[0].0)) };
    };
    let pairs: Vec<(&str, &str)> = chosen.iter().map(|(at, new)| (before[*at].value.as_str(), *new)).collect();
    let agrees = |(a, b): (&Value, &Value)| {
        a == b
            || std::mem::discriminant(a) == std::mem::discriminant(b)
                && pairs.iter().any(|(old, new)| same(a, old) && same(b, new))
    };
    if was.len() == is.len() && was.iter().zip(&is).all(agrees) {
        Ok(())
    } else {
        Err(damaged(old, before, chosen[0].0))
    }
}

/// Checks an insertion: the old values in their order, and one more that says `item`.
pub(super) fn appended(new: &str, format: Format, before: &[Slot], list: &str, item: &str) -> Result<(), RewriteError> {
    let failed = || RewriteError::Damaged { key: list.to_owned(), line: 1 };
    let after = scan(new, format).map_err(|_| failed())?;
    let mut old = before.iter().filter(|s| !(s.style.is_list() && s.path == list)).peekable();
    let mut added = 0;
    for slot in &after {
        if old.peek().is_some_and(|o| o.path == slot.path && o.value == slot.value) {
            old.next();
        } else if slot.value == item && slot.path.strip_prefix(list).is_some_and(|rest| rest.starts_with('[')) {
            added += 1;
        } else {
            return Err(failed());
        }
    }
    if old.peek().is_none() && added == 1 { Ok(()) } else { Err(failed()) }
}

fn damaged(text: &str, slots: &[Slot], at: usize) -> RewriteError {
    RewriteError::Damaged { key: slots[at].path.clone(), line: line_of(text, slots[at].span.start) }
}

fn same(value: &Value, text: &str) -> bool {
    match value {
        Value::String(s) => s == text,
        Value::Number(n) => n.to_string() == text || text.parse::<f64>().ok() == n.as_f64(),
        Value::Bool(b) => text.eq_ignore_ascii_case(if *b { "true" } else { "false" }) || text.len() < 4,
        _ => false,
    }
}

/// The scalars as an independent parser reads them, or `None` where it does not read this text.
fn leaves(text: &str, format: Format) -> Option<Vec<Value>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents: Vec<Value> = match format {
        Format::Json => vec![serde_json::from_str(body).ok()?],
        Format::Yaml => serde_saphyr::from_multiple(body).ok()?,
        _ => return None,
    };
    let mut out = Vec::new();
    for document in documents {
        flatten(document, &mut out);
    }
    Some(out)
}

fn flatten(value: Value, out: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.into_iter().for_each(|item| flatten(item, out)),
        Value::Object(map) => map.into_iter().for_each(|(_, item)| flatten(item, out)),
        scalar => out.push(scalar),
    }
}
