//! ACM, in the region that CloudFront takes its certificates from.

use async_trait::async_trait;
use aws_sdk_acm::Client;
use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateSummary, DomainStatus, DomainValidation, Filters, KeyAlgorithm,
    Tag, ValidationMethod,
};

use super::error::{explain, unless_missing};
use crate::clients::certificates::{Certificate, CertificatesRead, CertificatesWrite, Listed, Proof, Status};
use crate::clients::{ClientError, ClientResult, Kind};

/// The region of the certificates that distributions can show (law C1).
pub(super) const REGION: &str = "us-east-1";

/// Keys of every kind: a listing leaves out all but the small RSA ones unless they are asked for (ACM API: Filters).
const KEYS: [KeyAlgorithm; 7] = [
    KeyAlgorithm::Rsa1024,
    KeyAlgorithm::Rsa2048,
    KeyAlgorithm::Rsa3072,
    KeyAlgorithm::Rsa4096,
    KeyAlgorithm::EcPrime256v1,
    KeyAlgorithm::EcSecp384r1,
    KeyAlgorithm::EcSecp521r1,
];

/// The certificates.
pub(super) struct Acm {
    client: Client,
}

impl Acm {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl CertificatesRead for Acm {
    async fn all(&self) -> ClientResult<Vec<Listed>> {
        let keys = Filters::builder().set_key_types(Some(KEYS.to_vec())).build();
        let mut pages = self.client.list_certificates().includes(keys).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|e| explain(format!("list the certificates of {REGION}"), "acm:ListCertificates", e))?;
            found.extend(page.certificate_summary_list().iter().map(summary));
        }
        Ok(found)
    }

    async fn certificate(&self, arn: &str) -> ClientResult<Option<Certificate>> {
        let answer = self
            .client
            .describe_certificate()
            .certificate_arn(arn)
            .send()
            .await
            .map_err(|e| explain(format!("look up the certificate {arn}"), "acm:DescribeCertificate", e));
        Ok(unless_missing(answer)?.and_then(|answer| answer.certificate).map(|detail| read(arn, &detail)))
    }

    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>> {
        let answer = self
            .client
            .list_tags_for_certificate()
            .certificate_arn(arn)
            .send()
            .await
            .map_err(|e| explain(format!("read the tags of {arn}"), "acm:ListTagsForCertificate", e))?;
        let tags = answer.tags().iter();
        Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned())).collect())
    }
}

#[async_trait]
impl CertificatesWrite for Acm {
    async fn request(&self, names: &[String], token: &str, tags: &[(String, String)]) -> ClientResult<String> {
        let what = || format!("ask for a certificate for {}", names.join(", "));
        let wrong = |why: String| ClientError::new(Kind::Refused, what(), why);
        let (first, others) = names.split_first().ok_or_else(|| wrong("there is no name".into()))?;
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags.collect::<Result<Vec<_>, _>>().map_err(|e| wrong(e.to_string()))?;
        let answer = self
            .client
            .request_certificate()
            .domain_name(first)
            .set_subject_alternative_names((!others.is_empty()).then(|| others.to_vec()))
            .validation_method(ValidationMethod::Dns)
            .idempotency_token(token)
            .set_tags(Some(tags))
            .send()
            .await
            .map_err(|e| explain(what(), "acm:RequestCertificate", e))?;
        answer
            .certificate_arn
            .ok_or_else(|| ClientError::new(Kind::Unanswered, what(), "the answer names no certificate"))
    }

    async fn delete(&self, arn: &str) -> ClientResult<()> {
        let answer = self
            .client
            .delete_certificate()
            .certificate_arn(arn)
            .send()
            .await
            .map_err(|e| explain(format!("delete the certificate {arn}"), "acm:DeleteCertificate", e));
        unless_missing(answer).map(drop)
    }
}

fn names(first: Option<&str>, others: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in first.into_iter().chain(others.iter().map(String::as_str)) {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn status(status: Option<&CertificateStatus>, reason: Option<&str>) -> Status {
    match status {
        Some(CertificateStatus::Issued) => Status::Issued,
        Some(CertificateStatus::PendingValidation) | None => Status::Pending,
        Some(other) => Status::Lost(match reason {
            Some(reason) => format!("{}: {reason}", other.as_str()),
            None => other.as_str().to_owned(),
        }),
    }
}

fn summary(of: &CertificateSummary) -> Listed {
    Listed {
        arn: of.certificate_arn().unwrap_or_default().to_owned(),
        names: names(of.domain_name(), of.subject_alternative_name_summaries()),
        status: status(of.status(), None),
    }
}

fn read(arn: &str, of: &CertificateDetail) -> Certificate {
    let reason = of.failure_reason().map(aws_sdk_acm::types::FailureReason::as_str);
    Certificate {
        listed: Listed {
            arn: arn.to_owned(),
            names: names(of.domain_name(), of.subject_alternative_names()),
            status: status(of.status(), reason),
        },
        proofs: of.domain_validation_options().iter().filter_map(proof).collect(),
        users: of.in_use_by().to_vec(),
    }
}

fn proof(of: &DomainValidation) -> Option<Proof> {
    let record = of.resource_record()?;
    let plain = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    Some(Proof {
        name: of.domain_name().to_ascii_lowercase(),
        record: plain(record.name()),
        value: record.value().trim_end_matches('.').to_owned(),
        found: of.validation_status() == Some(&DomainStatus::Success),
    })
}
