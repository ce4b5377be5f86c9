//! ACM.

use std::time::Duration;

use outgrow::clients::Kind;
use outgrow::clients::certificates::{Certificate, Status};
use outgrow::clients::dns::{Answer, Batch, RecordSet};

use super::Moto::{Differs, Same};
use super::ground::{Ground, Here, tags};
use super::table::rows;

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

async fn asked(on: &Ground, of: &[&str], token: &str) -> String {
    on.clouds.certificates.request(&names(of), token, &tags()).await.unwrap()
}

async fn seen(on: &Ground, arn: &str) -> Certificate {
    on.clouds.certificates.certificate(arn).await.unwrap().unwrap()
}

rows! {
    certificate_asked "a certificate is asked for in us-east-1, waits, and tells a record for each name", Same, |on| {
        let arn = asked(on, &["asked.shop.test", "*.asked.shop.test", "www.asked.shop.test"], "asked1").await;
        assert!(arn.starts_with("arn:aws:acm:us-east-1:"), "{arn}");
        let found = seen(on, &arn).await;
        assert_eq!(found.listed.status, Status::Pending);
        let mut held = found.listed.names.clone();
        held.sort();
        assert_eq!(held, ["*.asked.shop.test", "asked.shop.test", "www.asked.shop.test"]);
        assert_eq!((found.proofs.len(), found.users.len()), (3, 0));
        let record = |of: &str| found.proofs.iter().find(|p| p.name == of).map(|p| p.record.clone()).unwrap();
        assert_eq!(record("*.asked.shop.test"), record("asked.shop.test"), "a wildcard and its base share one");
        for proof in &found.proofs {
            let base = proof.name.trim_start_matches("*.");
            assert!(proof.record.starts_with('_') && proof.record.ends_with(&format!(".{base}")), "{proof:?}");
            assert!(proof.value.ends_with(".acm-validations.aws") && !proof.found, "{proof:?}");
        }
        assert_eq!(seen(on, &arn).await.listed.status, Status::Pending);
    }

    certificate_tags "it has its tags", Same, |on| {
        let arn = asked(on, &["tags.shop.test"], "tags1").await;
        let found = on.clouds.certificates.tags(&arn).await.unwrap();
        assert!(tags().iter().all(|tag| found.contains(tag)), "{found:?}");
    }

    certificate_listed "it is listed with its names", Differs {
        how: "a listing shows the first name alone",
        why: "ACM API: CertificateSummary (SubjectAlternativeNameSummaries)",
    }, |on| {
        let arn = asked(on, &["listed.shop.test", "www.listed.shop.test"], "listed1").await;
        let all = on.clouds.certificates.all().await.unwrap();
        let found = all.into_iter().find(|one| one.arn == arn).unwrap();
        assert!(found.covers_all(&names(&["listed.shop.test", "www.listed.shop.test"])));
    }

    certificate_token "the same token is the same request", Same, |on| {
        let first = asked(on, &["token.shop.test"], "token1").await;
        assert_eq!(asked(on, &["token.shop.test"], "token1").await, first);
        assert_ne!(asked(on, &["token.shop.test"], "token2").await, first);
    }

    certificate_gone "one that is deleted is gone, twice", Same, |on| {
        let arn = asked(on, &["gone-cert.shop.test"], "gone1").await;
        on.clouds.certificates.delete(&arn).await.unwrap();
        on.clouds.certificates.delete(&arn).await.unwrap();
        assert_eq!(on.clouds.certificates.certificate(&arn).await.unwrap(), None);
    }
}

/// What only a cloud with a clock and a zone can show.
#[tokio::test]
async fn c1_a_certificate_is_issued_once_its_record_is_in_the_zone() {
    let here = Here::new().await;
    let on = &here.ground;
    let arn = asked(on, &["issued.shop.test"], "issued1").await;
    here.cloud.shared().clock.advance(Duration::from_hours(1));
    assert_eq!(seen(on, &arn).await.listed.status, Status::Pending);
    let proof = seen(on, &arn).await.proofs.remove(0);
    let record = RecordSet {
        name: proof.record,
        kind: "CNAME".into(),
        ttl: Some(300),
        answer: Answer::Values(vec![proof.value]),
        weighted: None,
        health_check: None,
    };
    let batch = Batch { create: vec![record], ..Batch::default() };
    on.clouds.dns.change(on.zone(), &batch).await.unwrap();
    assert!(seen(on, &arn).await.proofs[0].found);
    here.cloud.shared().clock.advance(Duration::from_mins(1));
    assert_eq!(seen(on, &arn).await.listed.status, Status::Issued);
}

#[tokio::test]
async fn a_certificate_in_use_is_a_conflict() {
    let here = Here::new().await;
    let domain = here.cloud.seed_distribution("pages", "", &["used.shop.test"], "127.80.0.9".parse().unwrap());
    let all = here.ground.clouds.certificates.all().await.unwrap();
    let arn = all.into_iter().find(|one| one.covers_all(&names(&["used.shop.test"]))).unwrap().arn;
    assert_eq!(seen(&here.ground, &arn).await.users.len(), 1, "{domain} uses it");
    let error = here.ground.clouds.certificates.delete(&arn).await.unwrap_err();
    assert_eq!(error.kind, Kind::Conflict, "{error}");
}
