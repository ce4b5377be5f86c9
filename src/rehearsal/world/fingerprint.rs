//! What "as before" means: everything a rollback must bring back, as JSON that is equal when it is.

mod aws;
mod database;
mod engine;
mod rows;

use serde_json::{Value, json};

pub use rows::Rows;

use super::{Result, World};

/// Takes it. A `later` one is to be held against the first: rows that visitors wrote in the meantime are no difference.
pub async fn take(world: &World, later: bool) -> Result<Value> {
    let (copy, old, new) = tokio::try_join!(engine::of(world), database::old(world, later), database::new(world),)?;
    Ok(json!({
        "box": copy,
        "records": aws::records(world),
        "balancer": aws::balancer(world),
        "bucket": aws::bucket(world),
        "cdn": aws::cdn(world),
        "old_database": old.content,
        "new_database": new,
        "moment": {"sequences": old.sequences},
    }))
}

/// Where two fingerprints differ, each place with what was there and what is. The moment is no difference.
pub fn differences(before: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, now, &mut found);
    found.retain(|place| !place.starts_with("moment"));
    found
}

fn compare(at: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before == now {
        return;
    }
    if let (Value::Object(was), Value::Object(is)) = (before, now) {
        for key in was.keys().chain(is.keys().filter(|key| !was.contains_key(*key))) {
            let at = if at.is_empty() { key.clone() } else { format!("{at} › {key}") };
            compare(&at, &before[key], &now[key], found);
        }
        return;
    }
    found.push(format!("{at}: was {}, is {}", brief(before), brief(now)));
}

/// Enough of a value to recognise it.
fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 200 { text } else { text.chars().take(200).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_told_by_their_place() {
        let before = json!({"box": {"was": {"running": true}}, "records": ["a"], "moment": {"sequences": 1}});
        let now =
            json!({"box": {"was": {"running": false}, "was-2": {}}, "records": ["a"], "moment": {"sequences": 2}});
        let told = differences(&before, &now);
        assert_eq!(told, ["box › was › running: was true, is false", "box › was-2: was null, is {}"]);
        assert_eq!(differences(&before, &before), Vec::<String>::new());
    }
}
