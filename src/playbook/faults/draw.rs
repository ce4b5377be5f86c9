//! Faults drawn from a seed: the same seed, steps and hosts give the same faults.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::super::Period;
use super::{Call, Cut, Fault, Restart, Side, Target};

/// Operations that a run of ours calls, and whether they only look. What it does not call cannot be struck.
const CALLS: [(&str, bool); 23] = [
    ("route53:ListResourceRecordSets", true),
    ("route53:GetHostedZone", true),
    ("route53:ListHostedZonesByName", true),
    ("route53:ChangeResourceRecordSets", false),
    ("route53:GetChange", true),
    ("elasticloadbalancing:DescribeLoadBalancers", true),
    ("elasticloadbalancing:DescribeListeners", true),
    ("elasticloadbalancing:DescribeRules", true),
    ("elasticloadbalancing:DescribeTargetGroups", true),
    ("elasticloadbalancing:DescribeTargetHealth", true),
    ("elasticloadbalancing:CreateTargetGroup", false),
    ("elasticloadbalancing:ModifyTargetGroupAttributes", false),
    ("elasticloadbalancing:RegisterTargets", false),
    ("elasticloadbalancing:CreateRule", false),
    ("elasticloadbalancing:ModifyRule", false),
    ("elasticloadbalancing:DeleteRule", false),
    ("elasticloadbalancing:DeleteTargetGroup", false),
    ("s3:PutObject", false),
    ("s3:HeadObject", true),
    ("s3:ListObjectsV2", true),
    ("s3:GetObject", true),
    ("s3:DeleteObjects", false),
    ("s3:PutBucketTagging", false),
];

/// Draws some three to six faults for a plan with these steps (by id) and new hosts (by name).
pub fn draw(seed: u64, steps: &[&str], hosts: &[&str]) -> Vec<Fault> {
    let mut dice = StdRng::seed_from_u64(seed);
    let count = dice.random_range(3..=6);
    (0..count).map(|_| one(&mut dice, steps, hosts)).collect()
}

fn one(dice: &mut StdRng, steps: &[&str], hosts: &[&str]) -> Fault {
    let at = steps.choose(dice).copied().unwrap_or_default().to_owned();
    // Three of four strike the APIs, the fourth what carries the site.
    if dice.random_ratio(3, 4) {
        return call(dice, at);
    }
    let host = hosts.choose(dice).copied().unwrap_or("box").to_owned();
    match dice.random_range(0..4) {
        0 => Fault::TargetDies(Target { host: either(dice, &host, "box"), at, length: seconds(dice, 2..=12) }),
        1 => {
            let side = if dice.random() { Side::Old } else { Side::New };
            Fault::DatabaseRestarts(Restart { side, at })
        }
        2 => {
            let between = match dice.random_range(0..3) {
                0 => ["outside".to_owned(), host],
                1 => [host, "rds".to_owned()],
                _ => ["outside".to_owned(), "rds".to_owned()],
            };
            Fault::NetworkCut(Cut { between, at, length: seconds(dice, 1..=10) })
        }
        _ => Fault::DiskFull(Target { host, at, length: seconds(dice, 5..=20) }),
    }
}

fn call(dice: &mut StdRng, at: String) -> Fault {
    let (of, reads) = *CALLS.choose(dice).unwrap_or(&CALLS[0]);
    let mut call = Call { of: of.to_owned(), nth: None, every: None, percent: None, length: None, at: None };
    match dice.random_range(0..5) {
        0 => call.percent = Some(dice.random_range(2..=10)),
        1 => call.at = Some(at),
        2 => call.every = Some(dice.random_range(5..=20)),
        _ => call.nth = Some(dice.random_range(1..=4)),
    }
    let stale_possible = reads && !of.starts_with("s3:");
    match dice.random_range(0..if stale_possible { 8 } else { 7 }) {
        // A call that is never allowed is no fault but a wrong permission: this one is refused once.
        0 => {
            (call.percent, call.every) = (None, None);
            call.nth = call.nth.or(Some(1));
            Fault::Refused(call)
        }
        1 => {
            call.length = Some(seconds(dice, 1..=3));
            Fault::Throttled(call)
        }
        2 => Fault::FailedBefore(call),
        3 => Fault::LostAnswer(call),
        4 => {
            call.length = Some(seconds(dice, 1..=8));
            Fault::HeldAnswer(call)
        }
        5 => {
            call.length = Some(seconds(dice, 1..=4));
            Fault::Slow(call)
        }
        6 => Fault::Reset(call),
        _ => {
            call.length = Some(seconds(dice, 1..=5));
            Fault::StaleRead(call)
        }
    }
}

fn either(dice: &mut StdRng, one: &str, other: &str) -> String {
    if dice.random() { one } else { other }.to_owned()
}

fn seconds(dice: &mut StdRng, among: std::ops::RangeInclusive<u64>) -> Period {
    format!("{}s", dice.random_range(among)).parse().expect("a whole number of seconds is a period")
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 3] = ["static-site", "database-copy", "targets"];

    #[test]
    fn a_seed_is_all_it_takes() {
        assert_eq!(draw(7, &STEPS, &["app-1"]), draw(7, &STEPS, &["app-1"]));
        assert_ne!(draw(7, &STEPS, &["app-1"]), draw(8, &STEPS, &["app-1"]));
    }

    #[test]
    fn every_kind_is_drawn_and_each_reads_back_as_it_is_printed() {
        let all: Vec<Fault> = (0..300).flat_map(|seed| draw(seed, &STEPS, &["app-1", "app-2"])).collect();
        let kinds: std::collections::BTreeSet<_> = all.iter().map(Fault::kind).collect();
        assert_eq!(kinds.len(), 12, "{kinds:?}");
        for fault in &all {
            assert!(fault.at().is_none_or(|at| STEPS.contains(&at)));
            assert!(!fault.needs_length() || fault.call().unwrap().length.is_some(), "{fault}");
        }
        let lines = all.iter().map(|fault| format!("  - {fault}\n")).collect::<Vec<_>>().concat();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("playbook: x\nfaults:\n{lines}steps:\n  - static-site: {{}}\n")).unwrap();
        assert_eq!(crate::playbook::load::load_playbook(file.path()).unwrap().0.faults, all);
    }
}
