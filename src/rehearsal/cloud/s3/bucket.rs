//! A bucket's configuration.

use std::collections::BTreeMap;

use s3s::dto::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, ObjectOwnership,
    PublicAccessBlockConfiguration, Tag, VersioningConfiguration,
};
use s3s::{S3ErrorCode, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::super::super::state::Bucket;
use super::super::law::Law;
use super::{by, policy};

/// What is kept of a bucket beside its objects.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct BucketConfig {
    pub region: String,
    pub created_ms: u64,
    pub block: Option<Block>,
    pub policy: Option<String>,
    pub ownership: Option<String>,
    pub versioning: Option<String>,
    pub tags: BTreeMap<String, String>,
}

/// The four switches of Block Public Access.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // AWS has four switches
pub(super) struct Block {
    pub acls: bool,
    pub ignore_acls: bool,
    pub policy: bool,
    pub restrict: bool,
}

impl BucketConfig {
    /// A bucket as it is born: blocked to the public, its objects its owner's (S3 guide: since April 2023).
    pub(super) fn born(input: &CreateBucketInput, region: &str, now_ms: u64) -> S3Result<Self> {
        let constraint = input.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint.as_ref());
        let wanted = constraint.map_or("us-east-1", BucketLocationConstraint::as_str);
        if wanted != region {
            let wanted = if constraint.is_some() { wanted } else { "unspecified" };
            let code = S3ErrorCode::IllegalLocationConstraintException;
            let message = format!(
                "The {wanted} location constraint is incompatible for the region specific endpoint this request was sent to."
            );
            return Err(s3s::S3Error::with_message(code, message));
        }
        Ok(Self {
            region: region.to_owned(),
            created_ms: now_ms,
            block: Some(Block { acls: true, ignore_acls: true, policy: true, restrict: true }),
            ownership: Some("BucketOwnerEnforced".to_owned()),
            ..Self::default()
        })
    }

    /// As the data plane sees it.
    pub(super) fn as_state(&self) -> Bucket {
        Bucket {
            block_public: self.block.is_some_and(|b| b.acls && b.ignore_acls && b.policy && b.restrict),
            policy: self.policy.clone(),
            versioned: self.versioning.as_deref() == Some(BucketVersioningStatus::ENABLED),
            tags: self.tags.clone(),
        }
    }

    /// Sets the policy, unless it is public and that is blocked (law C2).
    pub(super) fn set_policy(&mut self, bucket: &str, text: String) -> S3Result<()> {
        let public = policy::is_public(bucket, &text)?;
        if public && self.block.is_some_and(|b| b.policy) {
            let message = format!(
                "User is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{bucket}\" because public \
                 policies are blocked by the BlockPublicPolicy block public access setting."
            );
            return Err(by(Law::C2, S3ErrorCode::AccessDenied, &message));
        }
        self.policy = Some(text);
        Ok(())
    }

    pub(super) fn block_as_dto(&self) -> S3Result<PublicAccessBlockConfiguration> {
        let missing =
            || custom("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found");
        let block = self.block.ok_or_else(missing)?;
        Ok(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.acls),
            ignore_public_acls: Some(block.ignore_acls),
            block_public_policy: Some(block.policy),
            restrict_public_buckets: Some(block.restrict),
        })
    }

    pub(super) fn set_block(&mut self, given: &PublicAccessBlockConfiguration) {
        let on = |switch: Option<bool>| switch.unwrap_or(false);
        self.block = Some(Block {
            acls: on(given.block_public_acls),
            ignore_acls: on(given.ignore_public_acls),
            policy: on(given.block_public_policy),
            restrict: on(given.restrict_public_buckets),
        });
    }

    pub(super) fn set_versioning(&mut self, given: &VersioningConfiguration) -> S3Result<()> {
        let status = given.status.as_ref().map(BucketVersioningStatus::as_str);
        match status {
            Some("Enabled" | "Suspended") => self.versioning = status.map(str::to_owned),
            _ => {
                return Err(s3_error!(
                    MalformedXML,
                    "The Status of a versioning configuration is Enabled or Suspended"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn ownership(&self) -> S3Result<ObjectOwnership> {
        let missing = || s3_error!(OwnershipControlsNotFoundError, "The bucket ownership controls were not found");
        Ok(ObjectOwnership::from(self.ownership.clone().ok_or_else(missing)?))
    }
}

/// An error code `s3s` has no name for; it is a 404.
fn custom(code: &'static str, message: &'static str) -> s3s::S3Error {
    let mut error = s3s::S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(http::StatusCode::NOT_FOUND);
    error
}

/// Tags as they are kept.
pub(super) fn tags_in(given: Vec<Tag>) -> S3Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for tag in given {
        let (Some(key), value) = (tag.key, tag.value.unwrap_or_default()) else {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        };
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

/// Tags as they are described.
pub(super) fn tags_out(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(k, v)| Tag { key: Some(k.clone()), value: Some(v.clone()) }).collect()
}
