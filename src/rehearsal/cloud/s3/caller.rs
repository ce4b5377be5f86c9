//! Who sent a request, and whether bucket policy, ACLs and Block Public Access let them do a thing.
//!
//! Source: S3 guide, "How Amazon S3 authorizes a request".

use std::net::SocketAddr;

use http::HeaderMap;
use s3s::{S3ErrorCode, S3Result, s3_error};

use super::super::super::policy::{Asked, Context, Principal, Verdict};
use super::super::super::state::ACCOUNT;
use super::super::law::Law;
use super::bucket::BucketConfig;
use super::{Objects, by};

/// Who asks, and what is known of the request.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    /// The ARN of who signed; nobody did for an anonymous request.
    arn: Option<String>,
    context: Context,
}

/// The head of a request, as far as conditions speak of it.
pub(super) struct Head<'a> {
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    pub from: Option<SocketAddr>,
    /// Whether it stands for a request over TLS.
    pub secure: bool,
}

impl Caller {
    /// Who signed as `key`, or nobody.
    pub(super) fn new(key: Option<&str>, head: &Head<'_>) -> Self {
        let arn = key.map(|key| format!("arn:aws:iam::{ACCOUNT}:user/{key}"));
        let mut context = Context::default();
        context.set("aws:SecureTransport", head.secure.to_string());
        if head.secure {
            context.set("s3:TlsVersion", "1.2");
        }
        if let Some(from) = head.from {
            context.set("aws:SourceIp", from.ip().to_string());
        }
        if let (Some(arn), Some(key)) = (&arn, key) {
            context.set("aws:PrincipalArn", arn.clone());
            context.set("aws:PrincipalAccount", ACCOUNT);
            context.set("aws:PrincipalType", "User");
            context.set("aws:userid", key);
            context.set("aws:username", key);
        } else {
            context.set("aws:PrincipalType", "Anonymous");
            context.set("aws:userid", "anonymous");
        }
        context.set("s3:ResourceAccount", ACCOUNT);
        for (header, key) in [
            ("user-agent", "aws:UserAgent"),
            ("referer", "aws:Referer"),
            ("x-amz-acl", "s3:x-amz-acl"),
            ("x-amz-copy-source", "s3:x-amz-copy-source"),
            ("x-amz-metadata-directive", "s3:x-amz-metadata-directive"),
            ("x-amz-server-side-encryption", "s3:x-amz-server-side-encryption"),
            ("x-amz-storage-class", "s3:x-amz-storage-class"),
            ("x-amz-content-sha256", "s3:x-amz-content-sha256"),
            ("if-none-match", "s3:if-none-match"),
            ("if-match", "s3:if-match"),
        ] {
            if let Some(Ok(value)) = head.headers.get(header).map(|v| v.to_str()) {
                context.set(key, value);
            }
        }
        for (name, value) in form_urlencoded::parse(head.query.unwrap_or_default().as_bytes()) {
            match &*name {
                "prefix" | "delimiter" | "max-keys" | "versionId" => context.set(&format!("s3:{name}"), value),
                _ => {}
            }
        }
        Self { arn, context }
    }

    pub(super) fn is_anonymous(&self) -> bool {
        self.arn.is_none()
    }

    /// The ARN of who signed, for messages.
    pub(super) fn name(&self) -> &str {
        self.arn.as_deref().unwrap_or("anonymous")
    }

    /// The same caller with one more thing known.
    pub(super) fn knowing(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.set(key, value);
        self
    }

    /// Refuses what the caller may not do. Of a bucket that is not there nothing is said here.
    pub(super) fn may(&self, objects: &Objects, action: &str, bucket: &str, key: Option<&str>) -> S3Result<()> {
        let Ok(config) = objects.config(bucket) else { return Ok(()) };
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        let verdict = self.verdict(&config, action, &resource);
        if let Some(arn) = &self.arn {
            // Its own identity lets the account's user do everything; only a policy can take that away.
            return match verdict {
                Verdict::Denied => Err(s3s::S3Error::with_message(
                    S3ErrorCode::AccessDenied,
                    format!(
                        "User: {arn} is not authorized to perform: {action} on resource: \"{resource}\" with an explicit \
                         deny in a resource-based policy"
                    ),
                )),
                _ => Ok(()),
            };
        }
        let by_acl = || match (action, key) {
            ("s3:PutObject" | "s3:DeleteObject", _) | (_, None) => config.acl.lets_anybody(action, false),
            (_, Some(key)) => {
                let version = self.context.known.get("s3:versionid").and_then(|v| v.first());
                let acl =
                    objects.need(bucket, key, version.map(String::as_str)).ok().map(|m| m.acl.unwrap_or_default());
                // Who may list learns that a key is missing; that is read as if it were there.
                acl.map_or_else(
                    || config.acl.lets_anybody("s3:ListBucket", false),
                    |acl| acl.lets_anybody(action, true),
                )
            }
        };
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Silent if config.heeds_public_acls() && by_acl() => Ok(()),
            _ => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }

    /// What the bucket policy says; a public one says nothing to strangers while the bucket is restricted.
    fn verdict(&self, config: &BucketConfig, action: &str, resource: &str) -> Verdict {
        let Some(policy) = config.policy() else { return Verdict::Silent };
        let principal = self.arn.as_deref().map_or(Principal::Anonymous, Principal::Identity);
        let verdict = policy.judge(Asked { principal, action, resource }, &self.context);
        let restricted = self.is_anonymous() && config.block.is_some_and(|b| b.restrict) && policy.is_public();
        if verdict == Verdict::Allowed && restricted { Verdict::Silent } else { verdict }
    }

    /// Says "missing" only to who may list the bucket (law C3).
    pub(super) fn told(&self, objects: &Objects, bucket: &str, error: s3s::S3Error) -> s3s::S3Error {
        let missing = matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::NoSuchVersion);
        if missing && self.may(objects, "s3:ListBucket", bucket, None).is_err() {
            return by(Law::C3, S3ErrorCode::AccessDenied, "Access Denied");
        }
        error
    }
}
