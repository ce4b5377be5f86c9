//! Lint of a playbook's faults: what strikes never, or cannot be.

use super::super::complaint::Complaint;
use super::super::faults::{Call, Fault};
use super::super::model::Playbook;
use super::super::source::Source;

/// A fault that lasts longer keeps a rehearsal waiting for what it will not see.
const LONG_SECONDS: u64 = 300;

/// Everything to say about the faults.
pub fn faults(playbook: &Playbook, source: &Source) -> Vec<Complaint> {
    let mut told = Vec::new();
    for (at, fault) in playbook.faults.iter().enumerate() {
        let path = format!("faults/{at}/{}", fault.kind());
        let spot = |key: &str| source.value(&format!("{path}/{key}")).or(source.key(&path));
        let mut error = |key: &str, what: String, fix: &str| told.push(Complaint::error(spot(key), what, fix));
        if let Some(step) = fault.at()
            && !playbook.steps.iter().any(|spec| step == spec.kind() || step.starts_with(&format!("{}:", spec.kind())))
        {
            error(
                "at",
                format!("there is no step `{step}` to strike at"),
                "name a step of this playbook, as in `at: targets`",
            );
        }
        let length = match fault {
            Fault::TargetDies(target) | Fault::DiskFull(target) => Some(&target.length),
            Fault::NetworkCut(cut) => Some(&cut.length),
            _ => fault.call().and_then(|call| call.length.as_ref()),
        };
        match length {
            Some(length) if length.is_zero() => {
                error("for", "it lasts no time at all".into(), "write how long, as in `for: 5s`");
            }
            Some(length) if length.duration().as_secs() > LONG_SECONDS => {
                error("for", format!("{length} is real time, and a rehearsal waits it out"), "write at most 5m");
            }
            None if fault.needs_length() => {
                error("of", format!("`{}` needs to know for how long", fault.kind()), "add `for: 2s`");
            }
            _ => {}
        }
        if let Fault::NetworkCut(cut) = fault
            && cut.between[0] == cut.between[1]
        {
            error(
                "between",
                format!("`{}` always reaches itself", cut.between[0]),
                "name two places, as in `[outside, rds]`",
            );
        }
        if let Some(call) = fault.call() {
            for (key, what, fix) in wrong(call) {
                error(key, what, fix);
            }
        }
    }
    told
}

fn wrong(call: &Call) -> Vec<(&'static str, String, &'static str)> {
    let mut told = Vec::new();
    let form = "write service and operation, as in `route53:ChangeResourceRecordSets` or `rds:*`";
    match call.of.split_once(':') {
        Some((service, operation)) if !service.is_empty() && !operation.is_empty() => {}
        _ => told.push(("of", format!("`{}` is no call", call.of), form)),
    }
    if [call.nth.is_some(), call.every.is_some(), call.percent.is_some()].into_iter().filter(|given| *given).count() > 1
    {
        told.push(("of", "more than one of `nth`, `every` and `percent` is given".into(), "keep one of them"));
    }
    if call.nth == Some(0) || call.every == Some(0) {
        let key = if call.nth == Some(0) { "nth" } else { "every" };
        told.push((key, "calls are counted from 1".into(), "write 1 for the first"));
    }
    if call.percent.is_some_and(|percent| percent == 0 || percent > 100) {
        told.push(("percent", "this is no share of a hundred".into(), "write 1 to 100"));
    }
    told
}

#[cfg(test)]
mod tests {
    use crate::playbook::load::checked_playbook;

    fn told(faults: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("playbook: x\nsteps:\n  - static-site: {{}}\nfaults:\n{faults}");
        std::fs::write(file.path(), text).unwrap();
        match checked_playbook(file.path()) {
            Ok(_) => String::new(),
            Err(error) => {
                error.complaints.iter().map(|c| format!("{} -> {}\n", c.what, c.fix)).collect::<Vec<_>>().concat()
            }
        }
    }

    #[test]
    fn what_cannot_be_is_told() {
        assert_eq!(told("  - lost-answer: { of: \"s3:PutObject\", nth: 2, at: static-site }\n"), "");
        for (faults, says) in [
            ("  - lost-answer: { of: PutObject }\n", "`PutObject` is no call"),
            ("  - reset: { of: \"s3:*\", nth: 1, every: 2 }\n", "more than one of"),
            ("  - reset: { of: \"s3:*\", nth: 0 }\n", "counted from 1"),
            ("  - reset: { of: \"s3:*\", percent: 101 }\n", "no share"),
            ("  - slow: { of: \"s3:*\" }\n", "for how long"),
            ("  - target-dies: { host: box, at: targets, for: 2s }\n", "no step `targets`"),
            ("  - disk-full: { host: app-1, at: static-site, for: 1h }\n", "real time"),
            ("  - network-cut: { between: [rds, rds], at: static-site, for: 2s }\n", "reaches itself"),
            ("  - lost-anser: { of: \"s3:*\" }\n", "did you mean `lost-answer`?"),
        ] {
            assert!(told(faults).contains(says), "{faults}{}", told(faults));
        }
    }
}
