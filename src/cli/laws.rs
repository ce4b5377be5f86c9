//! `outgrow laws`: what AWS does that a move meets, where AWS says so, who holds it in a rehearsal, and whether
//! preflight looks for it.

mod looked_for;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{Global, Laws};
use super::failure::Failure;
use super::out;
use crate::rehearsal::cloud::holders;
use crate::rehearsal::cloud::law::{Enforced, Law};
use crate::text::nearest;
use crate::ui::table::Table;
use looked_for::looked_for;

/// Lists every law, or tells the named ones in full.
pub fn run(args: &Laws, global: &Global) -> Result<(), Failure> {
    let named = args.ids.iter().map(|id| find(id)).collect::<Result<Vec<_>, _>>()?;
    let wanted = if named.is_empty() { Law::ALL } else { &named };
    if global.json {
        return out::data(&json!({ "laws": wanted.iter().map(|law| told(*law)).collect::<Vec<_>>() }).to_string());
    }
    out::data(&if named.is_empty() {
        table()
    } else {
        named.iter().map(|law| whole(*law)).collect::<Vec<_>>().join("\n\n")
    })
}

fn find(id: &str) -> Result<Law, Failure> {
    let wanted = id.to_ascii_uppercase();
    Law::ALL.iter().copied().find(|law| law.id() == wanted).ok_or_else(|| {
        let near = nearest(&wanted, Law::ALL.iter().map(|law| law.id()));
        let hint = near.map_or_else(|| "outgrow laws lists them all".to_owned(), |near| format!("outgrow laws {near}"));
        Failure::bad_input(format!("there is no law `{id}`")).hint(hint)
    })
}

fn table() -> String {
    let mut table = Table::new(&["law", "held by", "preflight", "what it says"]);
    for law in Law::ALL {
        let preflight = if looked_for(*law).is_some() { "looks" } else { "-" };
        table.row([law.id(), short(law.enforced()), preflight, law.title()]);
    }
    format!("{}\n\n{LEGEND}", table.render())
}

const LEGEND: &str = "\
held by: api: a call of the rehearsal's cloud that breaks it is refused as AWS refuses it; edge: the rehearsal's
balancer, name server, CDN or database behaves so; -: only AWS can tell.
preflight: whether `outgrow preflight`, `plan` or `lint` looks for it before anything moves. In full: outgrow laws R2";

fn short(enforced: Enforced) -> &'static str {
    match enforced {
        Enforced::Api => "api",
        Enforced::Data => "edge",
        Enforced::No => "-",
    }
}

/// Who holds it, in words.
fn held(law: Law) -> String {
    match law.enforced() {
        Enforced::Api => {
            let calls = holders(law);
            let by = if calls.is_empty() { "its storage".to_owned() } else { calls.join(", ") };
            format!("the rehearsal's cloud refuses what breaks it: {by}")
        }
        Enforced::Data => "the rehearsal's balancer, name server, CDN or database behaves so".to_owned(),
        Enforced::No => "nobody in a rehearsal: only AWS can tell".to_owned(),
    }
}

fn whole(law: Law) -> String {
    let mut text = format!("{}  {}\n", law.id(), law.title());
    let _ = writeln!(text, "AWS says so in:  {}", law.source());
    let _ = writeln!(text, "held by:         {}", held(law));
    let _ = write!(text, "looked for by:   {}", looked_for(law).unwrap_or("nothing before a run"));
    text
}

fn told(law: Law) -> Value {
    json!({
        "id": law.id(),
        "title": law.title(),
        "source": law.source(),
        "held": short(law.enforced()),
        "operations": holders(law),
        "preflight": looked_for(law),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_law_is_listed_and_can_be_told() {
        let table = table();
        for law in Law::ALL {
            assert!(table.lines().any(|line| line.starts_with(law.id()) && line.ends_with(law.title())), "{law}");
            assert!(whole(*law).contains(law.source()), "{law}");
            assert_eq!(told(*law)["id"], law.id());
        }
        assert!(held(Law::R2).contains("route53 ChangeResourceRecordSets"), "{}", held(Law::R2));
    }

    #[test]
    fn a_law_that_is_none_is_bad_input() {
        assert_eq!(find("r2").unwrap(), Law::R2);
        assert!(find("R22").unwrap_err().render().contains("outgrow laws R2"));
        assert!(find("tax").unwrap_err().render().contains("there is no law `tax`"));
    }
}
