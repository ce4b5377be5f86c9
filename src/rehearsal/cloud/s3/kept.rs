//! Parts of a bucket's configuration that are checked, kept as XML and given back: lifecycle, CORS, website, encryption,
//! logging.

use std::collections::BTreeSet;

use s3s::dto::{
    BucketLifecycleConfiguration, BucketLoggingStatus, CORSConfiguration, LifecycleRule, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, WebsiteConfiguration,
};
use s3s::xml::{Deserialize, Deserializer, Serialize, Serializer};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::broken;
use super::bucket::BucketConfig;

/// A configuration that is kept under a name of its own.
pub(super) trait Kept: Serialize + for<'a> Deserialize<'a> {
    /// The name.
    const NAME: &'static str;

    /// What AWS answers where there is none.
    fn missing() -> S3Error;

    /// Refuses what AWS refuses.
    fn check(&self) -> S3Result<()> {
        Ok(())
    }
}

fn missing(code: S3ErrorCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(http::StatusCode::NOT_FOUND);
    error
}

fn malformed() -> S3Error {
    s3_error!(MalformedXML, "The XML you provided was not well-formed or did not validate against our published schema")
}

impl BucketConfig {
    /// Keeps a configuration.
    pub(super) fn keep<T: Kept>(&mut self, given: &T) -> S3Result<()> {
        given.check()?;
        let mut xml = Vec::new();
        given.serialize(&mut Serializer::new(&mut xml)).map_err(broken)?;
        self.kept.insert(T::NAME.to_owned(), String::from_utf8(xml).map_err(broken)?);
        Ok(())
    }

    /// The configuration of this kind, if there is one.
    pub(super) fn kept<T: Kept>(&self) -> Option<T> {
        T::deserialize(&mut Deserializer::new(self.kept.get(T::NAME)?.as_bytes())).ok()
    }

    /// The configuration of this kind, or what AWS answers where there is none.
    pub(super) fn need<T: Kept>(&self) -> S3Result<T> {
        self.kept().ok_or_else(T::missing)
    }

    /// Drops the configuration of this kind.
    pub(super) fn forget<T: Kept>(&mut self) {
        self.kept.remove(T::NAME);
    }
}

impl Kept for BucketLifecycleConfiguration {
    const NAME: &'static str = "lifecycle";

    fn missing() -> S3Error {
        missing(S3ErrorCode::NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist")
    }

    fn check(&self) -> S3Result<()> {
        let mut ids = BTreeSet::new();
        if self.rules.is_empty() || self.rules.len() > 1000 {
            return Err(malformed());
        }
        for rule in &self.rules {
            if rule.id.as_ref().is_some_and(|id| !ids.insert(id)) {
                return Err(s3_error!(InvalidArgument, "Rule ID must be unique. Found same ID for more than one rule"));
            }
            check_rule(rule)?;
        }
        Ok(())
    }
}

/// Source: S3 API, `LifecycleRule`; S3 guide, "Lifecycle configuration elements".
fn check_rule(rule: &LifecycleRule) -> S3Result<()> {
    let acts = rule.expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.transitions.as_ref().is_some_and(|t| !t.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|t| !t.is_empty());
    if !acts {
        return Err(s3_error!(InvalidRequest, "At least one action needs to be specified in a rule"));
    }
    if rule.id.as_ref().is_some_and(|id| id.len() > 255) {
        return Err(s3_error!(InvalidArgument, "ID length should not exceed allowed limit of 255"));
    }
    if !matches!(rule.status.as_str(), "Enabled" | "Disabled") || rule.filter.is_some() == rule.prefix.is_some() {
        return Err(malformed());
    }
    if let Some(abort) = &rule.abort_incomplete_multipart_upload {
        if abort.days_after_initiation.is_none_or(|days| days < 1) {
            return Err(s3_error!(
                InvalidArgument,
                "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer"
            ));
        }
        let tagged = |f: &s3s::dto::LifecycleRuleFilter| {
            f.tag.is_some() || f.and.as_ref().is_some_and(|a| a.tags.as_ref().is_some_and(|t| !t.is_empty()))
        };
        if rule.filter.as_ref().is_some_and(tagged) {
            return Err(s3_error!(InvalidRequest, "AbortIncompleteMultipartUpload cannot be specified with Tags"));
        }
    }
    let expires = rule.expiration.as_ref();
    if expires.and_then(|e| e.days).is_some_and(|days| days < 1) {
        return Err(s3_error!(InvalidArgument, "'Days' for Expiration action must be a positive integer"));
    }
    Ok(())
}

impl Kept for CORSConfiguration {
    const NAME: &'static str = "cors";

    fn missing() -> S3Error {
        missing(S3ErrorCode::NoSuchCORSConfiguration, "The CORS configuration does not exist")
    }

    fn check(&self) -> S3Result<()> {
        if self.cors_rules.is_empty() || self.cors_rules.len() > 100 {
            return Err(malformed());
        }
        for rule in &self.cors_rules {
            if let Some(method) =
                rule.allowed_methods.iter().find(|m| !["GET", "PUT", "HEAD", "POST", "DELETE"].contains(&m.as_str()))
            {
                let message = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
                return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
            }
            if let Some(origin) = rule.allowed_origins.iter().find(|o| o.matches('*').count() > 1) {
                let message = format!("AllowedOrigin \"{origin}\" can not have more than one wildcard.");
                return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message));
            }
        }
        Ok(())
    }
}

impl Kept for WebsiteConfiguration {
    const NAME: &'static str = "website";

    fn missing() -> S3Error {
        missing(S3ErrorCode::NoSuchWebsiteConfiguration, "The specified bucket does not have a website configuration")
    }

    fn check(&self) -> S3Result<()> {
        let others = self.index_document.is_some() || self.error_document.is_some() || self.routing_rules.is_some();
        match (&self.redirect_all_requests_to, &self.index_document) {
            (Some(_), _) if others => Err(s3_error!(
                InvalidRequest,
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            )),
            (None, None) => Err(s3_error!(
                InvalidArgument,
                "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
            )),
            (None, Some(index)) if index.suffix.is_empty() || index.suffix.contains('/') => {
                Err(s3_error!(InvalidArgument, "The IndexDocument Suffix is not well formed"))
            }
            _ if self.routing_rules.as_ref().is_some_and(|rules| rules.len() > 50) => Err(s3_error!(
                InvalidRequest,
                "{} routing rules provided, the number of routing rules in a website configuration is limited to 50.",
                self.routing_rules.as_ref().map_or(0, Vec::len)
            )),
            _ => Ok(()),
        }
    }
}

impl Kept for BucketLoggingStatus {
    const NAME: &'static str = "logging";

    /// Never told: a bucket without logging says so in an empty answer.
    fn missing() -> S3Error {
        s3_error!(InternalError)
    }
}

impl Kept for ServerSideEncryptionConfiguration {
    const NAME: &'static str = "encryption";

    /// Never told: every bucket encrypts by default.
    fn missing() -> S3Error {
        s3_error!(InternalError)
    }

    fn check(&self) -> S3Result<()> {
        let [rule] = self.rules.as_slice() else { return Err(malformed()) };
        let by = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed)?;
        match by.sse_algorithm.as_str() {
            "AES256" if by.kms_master_key_id.is_some() => Err(s3_error!(
                InvalidArgument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            )),
            "AES256" => Ok(()),
            "aws:kms" | "aws:kms:dsse" => {
                Err(s3_error!(NotImplemented, "the rehearsal cloud has no KMS: encrypt with AES256 (SSE-S3)"))
            }
            _ => Err(malformed()),
        }
    }
}

/// What `GetBucketEncryption` answers of a bucket nobody configured: SSE-S3, since January 2023.
pub(super) fn default_encryption() -> ServerSideEncryptionConfiguration {
    let by = ServerSideEncryptionByDefault {
        kms_master_key_id: None,
        sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
    };
    let rule =
        ServerSideEncryptionRule { apply_server_side_encryption_by_default: Some(by), bucket_key_enabled: Some(false) };
    ServerSideEncryptionConfiguration { rules: vec![rule] }
}
