//! ACM in memory: a certificate is issued once its records are in the zone, and stays while a distribution shows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::Fuse;
use super::distributions::FakeDistributions;
use super::dns::FakeDns;
use crate::clients::certificates::{Certificate, CertificatesRead, CertificatesWrite, Listed, Proof, Status};
use crate::clients::dns::Answer;
use crate::clients::{ClientError, ClientResult, Kind};

/// Every certificate of the account.
#[derive(Clone)]
pub struct FakeCertificates {
    fuse: Fuse,
    dns: FakeDns,
    distributions: FakeDistributions,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    all: Vec<Kept>,
    made: usize,
}

#[derive(Clone)]
struct Kept {
    arn: String,
    names: Vec<String>,
    token: String,
    tags: Vec<(String, String)>,
    /// What it is whatever the zone says.
    fixed: Option<Status>,
}

impl FakeCertificates {
    /// Without any certificate. They are proven in `dns` and used by `distributions`.
    pub fn new(fuse: Fuse, dns: FakeDns, distributions: FakeDistributions) -> Self {
        Self { fuse, dns, distributions, state: Arc::default() }
    }

    /// What somebody else does: a certificate for these names, in this state. Gives its ARN.
    pub fn meddle(&self, names: &[&str], status: Status) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self::add(&mut self.lock(), names, "", &[], Some(status))
    }

    /// Takes every certificate away.
    pub fn clear(&self) {
        self.lock().all.clear();
    }

    /// Every certificate that is there is of this status from now on.
    pub fn all_become(&self, status: &Status) {
        self.lock().all.iter_mut().for_each(|kept| kept.fixed = Some(status.clone()));
    }

    /// Everything, comparable.
    pub fn snapshot(&self) -> Value {
        let all = self.lock().all.clone();
        json!(all.iter().map(|kept| json!([kept.arn, kept.names, kept.tags])).collect::<Vec<_>>())
    }

    fn add(
        state: &mut State,
        names: Vec<String>,
        token: &str,
        tags: &[(String, String)],
        fixed: Option<Status>,
    ) -> String {
        state.made += 1;
        let arn = format!("arn:aws:acm:us-east-1:0:certificate/{}", state.made);
        state.all.push(Kept { arn: arn.clone(), names, token: token.to_owned(), tags: tags.to_vec(), fixed });
        arn
    }

    fn proofs(&self, kept: &Kept) -> Vec<Proof> {
        let records = self.dns.all();
        let proof = |name: &String| {
            let base = name.strip_prefix("*.").unwrap_or(name);
            let (record, value) = (format!("_acm.{base}"), format!("_proof.{base}.acm-validations.aws"));
            let holds = |answer: &Answer| matches!(answer, Answer::Values(v) if v.iter().any(|v| v.trim_end_matches('.') == value));
            let found = records.iter().any(|r| r.name == record && r.kind == "CNAME" && holds(&r.answer));
            Proof { name: name.clone(), record, value, found }
        };
        kept.names.iter().map(proof).collect()
    }

    fn listed(&self, kept: &Kept) -> Listed {
        let by_zone =
            || if self.proofs(kept).iter().all(|proof| proof.found) { Status::Issued } else { Status::Pending };
        let status = kept.fixed.clone().unwrap_or_else(by_zone);
        Listed { arn: kept.arn.clone(), names: kept.names.clone(), status }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CertificatesRead for FakeCertificates {
    async fn all(&self) -> ClientResult<Vec<Listed>> {
        let all = self.lock().all.clone();
        Ok(all.iter().map(|kept| self.listed(kept)).collect())
    }

    async fn certificate(&self, arn: &str) -> ClientResult<Option<Certificate>> {
        let found = self.lock().all.iter().find(|kept| kept.arn == arn).cloned();
        Ok(found.map(|kept| Certificate {
            listed: self.listed(&kept),
            proofs: self.proofs(&kept),
            users: self.distributions.users(arn),
        }))
    }

    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>> {
        Ok(self.lock().all.iter().find(|kept| kept.arn == arn).map(|kept| kept.tags.clone()).unwrap_or_default())
    }
}

#[async_trait]
impl CertificatesWrite for FakeCertificates {
    async fn request(&self, names: &[String], token: &str, tags: &[(String, String)]) -> ClientResult<String> {
        self.fuse
            .act("request certificate", || {
                let mut state = self.lock();
                let same = state.all.iter().find(|kept| kept.token == token && kept.names == names);
                if let Some(same) = same {
                    return Ok(same.arn.clone());
                }
                Ok(Self::add(&mut state, names.to_vec(), token, tags, None))
            })
            .await
    }

    async fn delete(&self, arn: &str) -> ClientResult<()> {
        self.fuse
            .act("delete certificate", || {
                if !self.distributions.users(arn).is_empty() {
                    return Err(ClientError::new(Kind::Conflict, "delete certificate", "it is in use"));
                }
                self.lock().all.retain(|kept| kept.arn != arn);
                Ok(())
            })
            .await
    }
}
