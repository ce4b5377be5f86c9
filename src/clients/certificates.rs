//! The port to the certificates of distributions (ACM, always in us-east-1: law C1).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// How far a certificate is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its names are not all proven yet.
    Pending,
    /// It can be used.
    Issued,
    /// It never will be: what ACM says of it, such as `VALIDATION_TIMED_OUT` or `FAILED: CAA_ERROR`.
    Lost(String),
}

/// A certificate as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its ARN.
    pub arn: String,
    /// The names it holds for, in lower case, at most 100 of them; a leading `*.` stands for one label.
    pub names: Vec<String>,
    /// How far it is.
    pub status: Status,
}

/// The record that proves a name. All certificates of an account for one name ask for the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The name it proves.
    pub name: String,
    /// The name of the CNAME record, lower case, without the final dot.
    pub record: String,
    /// What it has to hold, without the final dot.
    pub value: String,
    /// Whether ACM has found it.
    pub found: bool,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// As a listing shows it, with all of its names.
    pub listed: Listed,
    /// One for each name; empty in the first seconds after a request, and for one that was imported.
    pub proofs: Vec<Proof>,
    /// The ARNs of what uses it. It may lag behind by minutes.
    pub users: Vec<String>,
}

/// Whether a certificate's name holds for a host: a leading `*.` stands for one label.
pub fn covers(name: &str, host: &str) -> bool {
    let parent = name.strip_prefix("*.");
    name.eq_ignore_ascii_case(host)
        || parent.is_some_and(|parent| host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)))
}

impl Listed {
    /// Whether it holds for every one of these hosts.
    pub fn covers_all(&self, hosts: &[String]) -> bool {
        hosts.iter().all(|host| self.names.iter().any(|name| covers(name, host)))
    }
}

/// What can be looked up.
#[async_trait]
pub trait CertificatesRead: Send + Sync {
    /// Every certificate of us-east-1, whatever its key.
    async fn all(&self) -> ClientResult<Vec<Listed>>;

    /// One of them; `None` if there is none.
    async fn certificate(&self, arn: &str) -> ClientResult<Option<Certificate>>;

    /// The tags of one.
    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>>;
}

/// What can be changed.
#[async_trait]
pub trait CertificatesWrite: CertificatesRead {
    /// Asks for a certificate that is validated by DNS, the first name its own, and returns its ARN. The same token with
    /// the same names within an hour is the same request (at most 32 letters and digits).
    async fn request(&self, names: &[String], token: &str, tags: &[(String, String)]) -> ClientResult<String>;

    /// Deletes one; one that is gone already is no error, one in use is [`super::Kind::Conflict`].
    async fn delete(&self, arn: &str) -> ClientResult<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let listed = |names: &[&str]| Listed {
            arn: "arn".into(),
            names: names.iter().map(|n| (*n).to_owned()).collect(),
            status: Status::Issued,
        };
        let hosts = ["www.shop.test".to_owned(), "shop.test".to_owned()];
        assert!(listed(&["shop.test", "*.shop.test"]).covers_all(&hosts));
        assert!(!listed(&["*.shop.test"]).covers_all(&hosts));
        assert!(!covers("*.shop.test", "a.b.shop.test") && covers("WWW.shop.test", "www.shop.test"));
    }
}
