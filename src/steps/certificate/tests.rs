//! The certificate in memory.

use futures::FutureExt;

use super::*;
use crate::clients::dns::{Answer, RecordSet};
use crate::clients::fake::dns::simple;
use crate::clients::fake::{Stage, When};
use crate::step::Severity;
use crate::steps::contract::{Boxed, Case};
use crate::steps::testing::planned;

/// Two names, none of which has a certificate.
pub(crate) fn bare() -> Stage {
    let mut stage = Stage::new();
    let mut site = (*stage.site).clone();
    site.names.pages = vec!["www.shop.test".into(), "shop.test".into()];
    stage.site = site.into();
    stage.certificates.clear();
    stage.distributions.clear();
    stage
}

pub(crate) fn cases() -> Vec<Case> {
    fn set(there: bool) -> (Stage, Boxed) {
        let stage = bare();
        if there {
            stage.dns.meddle("_acm.www.shop.test", "CNAME", vec![proof_of_www()]);
        }
        (stage, Box::new(Certificate {}))
    }
    vec![
        Case { name: "certificate", set: || async { set(false) }.boxed() },
        Case { name: "certificate with a proof that is there", set: || async { set(true) }.boxed() },
    ]
}

fn proof_of_www() -> RecordSet {
    simple("_acm.www.shop.test", "CNAME", 60, "_proof.www.shop.test.acm-validations.aws.")
}

#[tokio::test]
async fn a_certificate_that_covers_the_names_is_taken_as_it_is() {
    let stage = bare();
    stage.certificates.meddle(&["www.shop.test"], Status::Issued);
    stage.certificates.meddle(&["shop.test", "*.shop.test"], Status::Pending);
    assert!(matches!(Certificate {}.plan(&stage.look()).await.unwrap(), Planned::Change(_)), "neither will do");
    stage.certificates.meddle(&["shop.test", "*.shop.test"], Status::Issued);
    assert_eq!(Certificate {}.plan(&stage.look()).await.unwrap(), Planned::AlreadySo);
}

#[tokio::test]
async fn it_is_asked_for_proven_and_taken_back_with_what_was_there_left_alone() {
    let stage = bare();
    stage.dns.meddle("_acm.www.shop.test", "CNAME", vec![proof_of_www()]);
    let start = stage.snapshot();
    let change = planned(&Certificate {}, &stage).await;
    assert_eq!(change.there, ["_acm.www.shop.test"]);
    Certificate {}.apply(&stage.act(), &change).await.unwrap();
    let proof = stage.dns.all().into_iter().find(|r| r.name == "_acm.shop.test").unwrap();
    assert_eq!(proof.answer, Answer::Values(vec!["_proof.shop.test.acm-validations.aws".into()]));
    assert_eq!(Certificate {}.verify(&stage.look_applied(), &change).await.unwrap(), Verdict::Holds);
    Certificate {}.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), start);
}

#[tokio::test]
async fn a_record_that_another_certificate_needs_stays() {
    let stage = bare();
    let change = planned(&Certificate {}, &stage).await;
    Certificate {}.apply(&stage.act(), &change).await.unwrap();
    stage.certificates.meddle(&["*.shop.test"], Status::Issued);
    Certificate {}.undo(&stage.act(), &change).await.unwrap();
    let left: Vec<String> = stage.dns.all().into_iter().filter(|r| r.kind == "CNAME").map(|r| r.name).collect();
    assert_eq!(left, ["_acm.shop.test"]);
}

#[tokio::test]
async fn it_waits_and_says_for_which_name_and_then_why_it_failed() {
    let stage = bare();
    let change = planned(&Certificate {}, &stage).await;
    Certificate {}.apply(&stage.act(), &change).await.unwrap();
    stage.dns.meddle("_acm.shop.test", "CNAME", Vec::new());
    let look = stage.look_applied();
    let Verdict::Wait { why, again_in } = Certificate {}.verify(&look, &change).await.unwrap() else { panic!() };
    assert!(why.contains("1 of 2") && why.ends_with("the record of shop.test"), "{why}");
    assert_eq!(again_in, LOOK_AGAIN);
    stage.clock.advance(ISSUED_WITHIN);
    let Verdict::Broken(why) = Certificate {}.verify(&look, &change).await.unwrap() else { panic!() };
    assert!(why.contains("R9") && why.contains("within 60 min"), "{why}");
    for (told, todo) in [("FAILED: CAA_ERROR", "amazon.com"), ("VALIDATION_TIMED_OUT", "R9"), ("FAILED", "console")] {
        stage.certificates.all_become(&Status::Lost(told.into()));
        let Verdict::Broken(why) = Certificate {}.verify(&look, &change).await.unwrap() else { panic!() };
        assert!(why.contains(told) && why.contains(todo), "{why}");
    }
}

#[tokio::test]
async fn one_in_use_is_not_taken_back() {
    let stage = bare();
    let change = planned(&Certificate {}, &stage).await;
    Certificate {}.apply(&stage.act(), &change).await.unwrap();
    let arn = stage.look().certificates.all().await.unwrap().remove(0).arn;
    let shown = crate::clients::distributions::Certificate::Acm { arn, tls: "TLSv1.2_2021".into() };
    let settings = crate::clients::fake::distributions::plain("other", &["www.shop.test"], shown);
    stage.distributions.meddle("d999.cloudfront.net", settings);
    let before = stage.snapshot();
    let Err(Fault::Drifted { found, .. }) = Certificate {}.undo(&stage.act(), &change).await else { panic!() };
    assert!(found.contains("D999"), "{found}");
    assert_eq!(stage.snapshot(), before, "nothing of it is taken");
}

#[tokio::test]
async fn a_foreign_record_in_the_place_of_a_proof_is_drift() {
    let stage = bare();
    let change = planned(&Certificate {}, &stage).await;
    stage.dns.meddle("_acm.shop.test", "TXT", vec![simple("_acm.shop.test", "TXT", 60, "\"x\"")]);
    let drift = Certificate {}.apply(&stage.act(), &change).await.unwrap_err();
    assert!(matches!(drift, Fault::Drifted { .. }), "{drift}");
    Certificate {}.undo(&stage.act(), &change).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_certificate() {
    let stage = bare();
    let change = planned(&Certificate {}, &stage).await;
    stage.fuse.lose_answer_at(0, When::After);
    assert!(matches!(Certificate {}.apply(&stage.act(), &change).await, Err(Fault::InDoubt(_))));
    Certificate {}.apply(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.look().certificates.all().await.unwrap().len(), 1);
}

#[tokio::test]
async fn c1_what_keeps_amazon_from_issuing_is_told_first() {
    let stage = bare();
    assert_eq!(Certificate {}.check(&stage.look()).await.unwrap(), []);
    stage.dns.meddle("shop.test", "CAA", vec![simple("shop.test", "CAA", 60, "0 issue \"letsencrypt.org\"")]);
    let found = Certificate {}.check(&stage.look()).await.unwrap();
    let told: Vec<_> = found.iter().map(|f| (f.severity, f.law.as_deref())).collect();
    assert_eq!(told, [(Severity::Blocker, Some("C1")); 2]);
    stage.dns.meddle("www.shop.test", "CAA", vec![simple("www.shop.test", "CAA", 60, "0 issue \"amazon.com\"")]);
    assert_eq!(Certificate {}.check(&stage.look()).await.unwrap().len(), 1, "the nearest one counts");
    let mut stage = bare();
    let mut site = (*stage.site).clone();
    site.names.pages = (0..11).map(|n| format!("p{n}.shop.test")).collect();
    site.names.pages[0] = format!("{}.shop.test", "p".repeat(60));
    stage.site = site.into();
    let found = Certificate {}.check(&stage.look()).await.unwrap();
    assert_eq!(found.iter().map(|f| f.severity).collect::<Vec<_>>(), [Severity::Warning, Severity::Blocker]);
}
