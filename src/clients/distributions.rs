//! The port to the content delivery network (CloudFront).
//!
//! [`Settings`] holds what outgrow sets of a distribution and nothing else: a change leaves all that it does not name
//! as it is, so a former value can be set again exactly, also on a distribution that others have made.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::ClientResult;

/// A distribution as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id (`E…`).
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its domain name (`d….cloudfront.net`).
    pub domain: String,
    /// The names it answers to, in lower case.
    pub aliases: BTreeSet<String>,
    /// What it was made for, in words.
    pub comment: String,
    /// Whether it answers at all.
    pub enabled: bool,
}

/// A distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// As a listing shows it.
    pub listed: Listed,
    /// Its version, for compare-and-swap.
    pub etag: String,
    /// Whether its last change has reached every edge (law C6).
    pub deployed: bool,
    /// What it does.
    pub settings: Settings,
}

/// What a distribution does, as far as outgrow sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether it answers at all.
    pub enabled: bool,
    /// The names it answers to, in lower case.
    pub aliases: BTreeSet<String>,
    /// What it shows to visitors.
    pub certificate: Certificate,
    /// What `/` stands for; empty for nothing.
    pub default_root: String,
    /// `http1.1`, `http2`, `http3` or `http2and3`.
    pub http: String,
    /// Where it gets things from, by id.
    pub origins: BTreeMap<String, Origin>,
    /// What it does with a path that no pattern takes.
    pub default: Behavior,
    /// Path patterns, in order; the first that matches is taken.
    pub paths: Vec<(String, Behavior)>,
    /// What becomes of an origin's errors, by status.
    pub error_pages: BTreeMap<u16, ErrorPage>,
    /// The bucket's domain name and the prefix of its access logs, if it writes any.
    pub logs: Option<(String, String)>,
}

/// The certificate visitors see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certificate {
    /// CloudFront's own, for `d….cloudfront.net` alone.
    Own,
    /// One of ACM.
    Acm {
        /// Its ARN.
        arn: String,
        /// The least TLS it takes (`TLSv1.2_2021`).
        tls: String,
    },
    /// One of IAM, which stays as it is; its id.
    Iam(String),
}

/// Where a distribution gets things from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its domain name.
    pub domain: String,
    /// Put before every path, with a slash in front and none at the end; empty for none.
    pub path: String,
    /// The id of the origin access control it is read with, if any (law C2).
    pub access: Option<String>,
    /// The origin access identity it is read with: the older kind, which excludes an access control.
    pub identity: Option<String>,
    /// Whether it is a bucket; else a server that speaks HTTPS, or, where it was there before, whatever it is.
    pub bucket: bool,
}

/// What a distribution does with the requests of a path pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behavior {
    /// The origin's id.
    pub origin: String,
    /// `allow-all`, `https-only` or `redirect-to-https`.
    pub viewers: String,
    /// Whether it compresses what the origin did not.
    pub compress: bool,
    /// The methods it passes on.
    pub methods: BTreeSet<String>,
    /// The cache policy's id; `None` for settings from before there were policies, which stay as they are.
    pub cache: Option<String>,
    /// The origin request policy's id.
    pub request: Option<String>,
    /// The response headers policy's id.
    pub headers: Option<String>,
    /// The name of the function that sees every request first.
    pub function: Option<String>,
}

/// What becomes of an origin's error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorPage {
    /// The page to show, and the status to show it with.
    pub page: Option<(String, u16)>,
    /// Seconds the error is kept at least.
    pub kept: u32,
}

/// Who holds a name already (law C4), as far as AWS tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The name that is held, which may be a wildcard.
    pub alias: String,
    /// The distribution's id, its first half hidden.
    pub distribution: String,
    /// The account's number, its first half hidden.
    pub account: String,
}

/// A function at the edges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// What it was made for, in words.
    pub comment: String,
    /// The code being worked on.
    pub draft: String,
    /// The code distributions run, if any was published.
    pub live: Option<String>,
}

/// An origin access control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it was made for, in words.
    pub description: String,
}

/// What can be looked up.
#[async_trait]
pub trait DistributionsRead: Send + Sync {
    /// Every distribution of the account.
    async fn all(&self) -> ClientResult<Vec<Listed>>;

    /// The distribution of this id; `None` if there is none.
    async fn distribution(&self, id: &str) -> ClientResult<Option<Distribution>>;

    /// The tags of the distribution of this ARN.
    async fn tags(&self, arn: &str) -> ClientResult<Vec<(String, String)>>;

    /// Who else holds the name or one that overlaps with it, in any account. AWS answers only for a distribution whose
    /// certificate covers the name.
    async fn conflicts(&self, id: &str, alias: &str) -> ClientResult<Vec<Conflict>>;

    /// The origin access control of this name.
    async fn access(&self, name: &str) -> ClientResult<Option<Access>>;

    /// The function of this name.
    async fn function(&self, name: &str) -> ClientResult<Option<Function>>;

    /// Whether every edge has dropped what an invalidation named.
    async fn invalidated(&self, id: &str, invalidation: &str) -> ClientResult<bool>;
}

/// What can be changed.
#[async_trait]
pub trait DistributionsWrite: DistributionsRead {
    /// Makes a distribution. `reference` is unique to it: a second one with it is [`super::Kind::Conflict`], and so is a
    /// name that another distribution holds (law C4).
    async fn create(
        &self,
        reference: &str,
        comment: &str,
        settings: &Settings,
        tags: &[(String, String)],
    ) -> ClientResult<Distribution>;

    /// Sets what a distribution does if it still is of this version; else [`super::Kind::Conflict`].
    async fn update(&self, id: &str, etag: &str, settings: &Settings) -> ClientResult<Distribution>;

    /// Deletes a distribution of this version, which must be disabled everywhere; until then it is
    /// [`super::Kind::Conflict`]. One that is gone already is no error.
    async fn delete(&self, id: &str, etag: &str) -> ClientResult<()>;

    /// The switch of a release: the origin's path goes from one value to another in two calls, for
    /// a compare-and-swap needs no more. A path that is neither is [`super::Kind::Conflict`]; one that is `to` already
    /// is left alone. Paths begin with a slash and do not end with one; empty for none.
    async fn switch_path(&self, id: &str, origin: &str, from: &str, to: &str) -> ClientResult<()>;

    /// Has every edge drop these paths, some with a `*` at the end, and returns the invalidation's id (law C6: 3,000
    /// paths and 15 with a `*` in flight; beyond that [`super::Kind::Throttled`]). The same reference with the same
    /// paths is the same request. Paths are as visitors ask for them, percent-encoded.
    async fn invalidate(&self, id: &str, reference: &str, paths: &[String]) -> ClientResult<String>;

    /// Makes an origin access control that always signs, for a bucket, and returns its id. A name that is taken is
    /// [`super::Kind::Conflict`].
    async fn create_access(&self, name: &str, description: &str) -> ClientResult<String>;

    /// Deletes the origin access control of this name; one that is gone already is no error, one in use is
    /// [`super::Kind::Conflict`].
    async fn delete_access(&self, name: &str) -> ClientResult<()>;

    /// Writes a function's draft, making the function if it is not there. Nobody runs a draft.
    async fn write_function(&self, name: &str, comment: &str, code: &str) -> ClientResult<()>;

    /// Makes a function's draft what distributions run.
    async fn publish_function(&self, name: &str) -> ClientResult<()>;

    /// Deletes a function; one that is gone already is no error, one in use is [`super::Kind::Conflict`].
    async fn delete_function(&self, name: &str) -> ClientResult<()>;
}
