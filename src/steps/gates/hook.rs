//! The operator's own command, which has a veto.

use std::collections::BTreeMap;

use super::compare::Held;
use crate::clients::hooks::{Question, Said};
use crate::event::{Finding, Judgement};
use crate::step::Look;

const GATE: &str = "hook";

/// Asks the command. Zero passes, anything else is a veto.
pub async fn ask(look: &Look, command: &str, so_far: &Judgement) -> Held {
    let mut facts = BTreeMap::from([
        ("OUTGROW_RUN".to_owned(), look.run.clone()),
        ("OUTGROW_SITE".to_owned(), look.site.site.clone()),
        ("OUTGROW_WEIGHT".to_owned(), so_far.weight.to_string()),
        ("OUTGROW_SAMPLES_OLD".to_owned(), so_far.samples[0].to_string()),
        ("OUTGROW_SAMPLES_NEW".to_owned(), so_far.samples[1].to_string()),
    ]);
    if let Some(share) = so_far.measured_share {
        facts.insert("OUTGROW_MEASURED_SHARE".to_owned(), format!("{share:.2}"));
    }
    let json = serde_json::to_string(so_far).unwrap_or_default();
    match look.hooks.ask(&Question { command: command.to_owned(), facts, json }).await {
        Ok(Said { code: Some(0), words }) => Held::of(GATE, Finding::Passed, words),
        Ok(Said { code: Some(code), words }) => {
            Held::of(GATE, Finding::Failed, format!("`{command}` says no (exit code {code}): {words}"))
        }
        Ok(Said { code: None, .. }) => Held::of(GATE, Finding::Error, format!("`{command}` was ended by a signal")),
        Err(error) => Held::unread(GATE, &error),
    }
}
