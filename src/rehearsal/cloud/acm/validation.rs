//! How a name is proven: the CNAME that ACM asks for, and when a certificate is issued because of it.
//!
//! Source: ACM guide, "DNS validation" (the record depends on account and name alone and serves every region; a wildcard
//! and its base share it), "Troubleshoot DNS validation" (72 hours), "CAA records".

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};

use super::super::super::answering::public_zone;
use super::super::super::state::{ACCOUNT, Answer, Certificate, State};

/// How long a certificate waits for its names to be proven.
const PATIENCE: Duration = Duration::from_hours(72);
/// Who a CAA record has to name so that Amazon may issue.
const AMAZON: &[&str] = &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

/// The record that proves `name`, and its value, as ACM writes them.
pub(super) fn proof(name: &str) -> (String, String) {
    let base = name.strip_prefix("*.").unwrap_or(name);
    let record = digest(&SHA256, format!("acm record {ACCOUNT} {base}").as_bytes());
    let value = digest(&SHA256, format!("acm value {ACCOUNT} {base}").as_bytes());
    let (record, value) = (record.as_ref(), value.as_ref());
    let letters: String = value[16..26].iter().map(|b| char::from(b'a' + b % 26)).collect();
    let record = format!("_{}.{base}.", hex::encode(&record[..16]));
    (record, format!("_{}.{letters}.acm-validations.aws.", hex::encode(&value[..16])))
}

/// Whether `name` is `domain` or lies below it.
pub(super) fn lies_in(name: &str, domain: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(&domain.to_ascii_lowercase()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The values of one kind of record, where the zone that answers for the name has any.
fn values<'a>(state: &'a State, name: &str, kind: &str) -> Vec<&'a str> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let records = public_zone(state, &name).into_iter().flat_map(|zone| &zone.records);
    let found = records.filter(|record| record.kind == kind && record.name == name);
    let texts = found.filter_map(|record| match &record.answer {
        Answer::Values(values) => Some(values),
        Answer::Alias { .. } => None,
    });
    texts.flatten().map(String::as_str).collect()
}

/// Whether the zone holds the record that proves a name.
pub(super) fn proven(state: &State, (_, record, value): &(String, String, String)) -> bool {
    let bare = |text: &str| text.trim_end_matches('.').to_ascii_lowercase();
    values(state, record, "CNAME").iter().any(|held| bare(held) == bare(value))
}

/// Whether a CAA record keeps Amazon from issuing for a name: the nearest set above counts (RFC 8659).
fn forbidden(state: &State, name: &str) -> bool {
    let (tags, name): (&[&str], _) = match name.strip_prefix("*.") {
        Some(base) => (&["issuewild", "issue"], base),
        None => (&["issue"], name),
    };
    let above = std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above));
    let set = above.map(|name| values(state, name, "CAA")).find(|set| !set.is_empty()).unwrap_or_default();
    let of = |wanted: &str| -> Vec<String> {
        let parts = set.iter().map(|value| value.split_whitespace().collect::<Vec<_>>());
        let tagged = parts.filter(|p| p.get(1).is_some_and(|tag| tag.eq_ignore_ascii_case(wanted)));
        let named = tagged
            .filter_map(|p| p.get(2).map(|v| v.trim_matches('"').split(';').next().unwrap_or_default().to_owned()));
        named.collect()
    };
    let issuers = tags.iter().map(|tag| of(tag)).find(|issuers| !issuers.is_empty()).unwrap_or_default();
    !issuers.is_empty() && !issuers.iter().any(|issuer| AMAZON.contains(&issuer.trim()))
}

/// Brings every certificate to where it is `now`, `after` being the time from proof to issue; says whether any changed.
///
/// A proof counts from when the Route 53 changes under way are INSYNC: before, a resolver might not see it.
pub(in super::super) fn settle(state: &mut State, now: SystemTime, after: Duration) -> bool {
    let waiting: Vec<_> = state
        .certificates
        .iter()
        .filter(|(_, c)| c.status == "PENDING_VALIDATION")
        .map(|(arn, _)| arn.clone())
        .collect();
    let in_sync = state.changes.values().copied().fold(now, SystemTime::max);
    let mut changed = false;
    for arn in waiting {
        let Some(certificate) = state.certificates.get(&arn) else { continue };
        let next = step(state, certificate, now, in_sync + after);
        let failure = (next.0 == "FAILED").then(|| "CAA_ERROR".to_owned());
        if let Some(failure) = failure {
            state.facts.entry(arn.clone()).or_default().insert("failure".into(), failure);
        }
        if let Some(certificate) = state.certificates.get_mut(&arn) {
            changed |= certificate.status != next.0;
            (certificate.status, certificate.issued) = (next.0.to_owned(), next.1);
        }
    }
    changed
}

/// The status a waiting certificate has now, and when it is or was issued.
fn step(
    state: &State,
    certificate: &Certificate,
    now: SystemTime,
    soonest: SystemTime,
) -> (&'static str, Option<SystemTime>) {
    let deadline = certificate.created + PATIENCE;
    let proven = certificate.validation.iter().all(|proof| proven(state, proof));
    let due = certificate.issued.filter(|due| *due <= now || proven).or(proven.then_some(soonest));
    match due {
        Some(due) if due <= now.min(deadline) => {
            if certificate.names.iter().any(|name| forbidden(state, name)) {
                return ("FAILED", None);
            }
            ("ISSUED", Some(due))
        }
        _ if now >= deadline => ("VALIDATION_TIMED_OUT", None),
        due => ("PENDING_VALIDATION", due),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rig, ask};
    use super::*;

    fn status(rig: &Rig, arn: &str) -> String {
        rig.describe(arn).get("Status").unwrap().to_owned()
    }

    #[test]
    fn a_proof_is_the_same_for_a_wildcard_and_its_base_and_for_nobody_else() {
        let (record, value) = proof("*.shop.test");
        assert_eq!((record.clone(), value.clone()), proof("shop.test"));
        assert_ne!(record, proof("www.shop.test").0);
        assert!(record.starts_with('_') && record.ends_with(".shop.test.") && record.len() == 34 + "shop.test.".len());
        assert!(value.ends_with(".acm-validations.aws.") && value.len() == 34 + 10 + ".acm-validations.aws.".len());
    }

    #[test]
    fn a_certificate_is_issued_some_time_after_its_record_stands_and_not_before() {
        let rig = Rig::new();
        let zone = rig.zone("shop.test");
        let arn = rig.request("shop.test");
        rig.clock.advance(Duration::from_hours(1));
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.prove(&zone, "shop.test");
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.clock.advance(rig.issued_after());
        let described = rig.describe(&arn);
        assert_eq!(described.get("Status"), Some("ISSUED"));
        // once issued, the record may go
        rig.cloud.shared().lock().zones.clear();
        assert_eq!(status(&rig, &arn), "ISSUED");
    }

    #[test]
    fn the_record_must_be_insync_first() {
        let rig = Rig::new();
        let zone = rig.zone("shop.test");
        let arn = rig.request("shop.test");
        let insync = rig.clock.now() + Duration::from_secs(30);
        rig.cloud.shared().lock().changes.insert("C1".into(), insync);
        rig.prove(&zone, "shop.test");
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.clock.advance(rig.issued_after());
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.clock.advance(Duration::from_secs(30));
        assert_eq!(status(&rig, &arn), "ISSUED");
    }

    #[test]
    fn every_name_needs_its_record_in_the_zone_that_answers_for_it() {
        let rig = Rig::new();
        let (parent, child) = (rig.zone("shop.test"), rig.zone("api.shop.test"));
        let names = ["*.shop.test", "www.shop.test", "v1.api.shop.test"];
        let arn = rig.asked(&ask("shop.test").texts_list("SubjectAlternativeNames", "member", names));
        rig.prove(&parent, "shop.test");
        rig.prove(&parent, "www.shop.test");
        // in the wrong zone: the one below answers for the name
        rig.prove(&parent, "v1.api.shop.test");
        rig.clock.advance(Duration::from_hours(1));
        let described = rig.describe(&arn);
        let options: Vec<_> = described.items("DomainValidationOptions").collect();
        let states: Vec<_> = options.iter().map(|o| o.get("ValidationStatus").unwrap()).collect();
        assert_eq!(states, ["SUCCESS", "SUCCESS", "SUCCESS", "PENDING_VALIDATION"]);
        assert_eq!(described.get("Status"), Some("PENDING_VALIDATION"));
        rig.prove(&child, "v1.api.shop.test");
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.clock.advance(rig.issued_after());
        assert_eq!(status(&rig, &arn), "ISSUED");
    }

    #[test]
    fn a_record_that_goes_before_the_issue_starts_the_wait_anew() {
        let rig = Rig::new();
        let zone = rig.zone("shop.test");
        let arn = rig.request("shop.test");
        rig.prove(&zone, "shop.test");
        status(&rig, &arn);
        let records = rig.cloud.shared().lock().zones.get_mut(&zone).unwrap().records.pop();
        assert!(records.is_some_and(|r| r.kind == "CNAME"));
        status(&rig, &arn);
        rig.clock.advance(rig.issued_after());
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
    }

    #[test]
    fn after_72_hours_it_is_too_late() {
        let rig = Rig::new();
        let zone = rig.zone("shop.test");
        let arn = rig.request("shop.test");
        rig.clock.advance(PATIENCE.checked_sub(Duration::from_mins(1)).unwrap());
        assert_eq!(status(&rig, &arn), "PENDING_VALIDATION");
        rig.clock.advance(Duration::from_mins(1));
        assert_eq!(status(&rig, &arn), "VALIDATION_TIMED_OUT");
        rig.prove(&zone, "shop.test");
        rig.clock.advance(Duration::from_hours(1));
        assert_eq!(status(&rig, &arn), "VALIDATION_TIMED_OUT");
    }

    #[test]
    fn a_caa_record_that_names_another_authority_makes_it_fail() {
        let rig = Rig::new();
        let zone = rig.zone("shop.test");
        rig.record(&zone, "shop.test", "CAA", &["0 issue \"letsencrypt.org\"", "0 issuewild \"amazon.com\""]);
        let (plain, wild) = (rig.request("www.shop.test"), rig.request("*.shop.test"));
        rig.prove(&zone, "www.shop.test");
        rig.prove(&zone, "shop.test");
        for arn in [&plain, &wild] {
            status(&rig, arn);
        }
        rig.clock.advance(rig.issued_after());
        let failed = rig.describe(&plain);
        assert_eq!((failed.get("Status"), failed.get("FailureReason")), (Some("FAILED"), Some("CAA_ERROR")));
        assert_eq!(status(&rig, &wild), "ISSUED");
    }
}
