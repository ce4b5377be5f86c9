//! A bucket's configuration.

use std::collections::BTreeMap;

use s3s::dto::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, ObjectOwnership, OwnershipControls,
    PublicAccessBlockConfiguration, VersioningConfiguration,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::super::super::policy::Policy;
use super::super::super::state::Bucket;
use super::super::law::Law;
use super::acl::{Acl, Given, given_acl};
use super::tags::Tags;
use super::{by, statement};

/// What is kept of a bucket beside its objects.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct BucketConfig {
    pub region: String,
    pub created_ms: u64,
    pub block: Option<Block>,
    pub policy: Option<String>,
    pub ownership: Option<String>,
    pub versioning: Option<String>,
    pub tags: Tags,
    #[serde(default)]
    pub acl: Acl,
    /// Configurations as XML, by name (`kept`).
    #[serde(default)]
    pub kept: BTreeMap<String, String>,
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

impl Block {
    /// As every bucket is born with since April 2023.
    pub(super) const ALL: Self = Self { acls: true, ignore_acls: true, policy: true, restrict: true };
}

/// Ownership under which ACLs are off.
const ENFORCED: &str = ObjectOwnership::BUCKET_OWNER_ENFORCED;

impl BucketConfig {
    /// A bucket as it is born: blocked to the public, its objects its owner's (S3 guide: since April 2023).
    pub(super) fn born(input: &mut CreateBucketInput, region: &str, now_ms: u64) -> S3Result<Self> {
        let ownership = input.object_ownership.as_ref().map_or(ENFORCED, ObjectOwnership::as_str).to_owned();
        known_ownership(&ownership)?;
        let acl = given_acl!(input, grant_write).read()?.unwrap_or_default();
        if !acl.is_owners() && ownership == ENFORCED {
            return Err(acl_under_enforced());
        }
        if acl.is_public() {
            return Err(custom(
                "InvalidBucketAclWithBlockPublicAccessError",
                "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
                http::StatusCode::BAD_REQUEST,
            ));
        }
        Ok(Self {
            region: place(input, region)?,
            created_ms: now_ms,
            block: Some(Block::ALL),
            ownership: Some(ownership),
            acl,
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
    pub(super) fn set_policy(&mut self, bucket: &str, caller: &str, text: String) -> S3Result<()> {
        let malformed = |why: String| S3Error::with_message(S3ErrorCode::MalformedPolicy, why);
        let policy = Policy::parse(&text).map_err(malformed)?;
        statement::fits(&policy, bucket).map_err(|why| malformed(why.to_owned()))?;
        if policy.is_public() && self.block.is_some_and(|b| b.policy) {
            let message = format!(
                "User: {caller} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::{bucket}\" \
                 because public policies are blocked by the BlockPublicPolicy block public access setting."
            );
            return Err(by(Law::C2, S3ErrorCode::AccessDenied, &message));
        }
        self.policy = Some(text);
        Ok(())
    }

    /// The policy, read. One is only set if it can be.
    pub(super) fn policy(&self) -> Option<Policy> {
        Policy::parse(self.policy.as_ref()?).ok()
    }

    /// Whether ACLs are off.
    pub(super) fn is_enforced(&self) -> bool {
        self.ownership.as_deref() == Some(ENFORCED)
    }

    /// Reads the ACL of a request and holds it to the bucket's ownership and to Block Public Access.
    pub(super) fn admit(&self, given: Given, asked: &str, resource: &str, caller: &str) -> S3Result<Option<Acl>> {
        // The one canned list that may always be said.
        let harmless = given.canned.as_deref() == Some("bucket-owner-full-control");
        let in_full = given.policy.is_some();
        let Some(acl) = given.read()? else { return Ok(None) };
        if self.is_enforced() {
            if harmless || (in_full && acl.is_owners()) {
                return Ok(None);
            }
            return Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs"));
        }
        if acl.is_public() && self.block.is_some_and(|b| b.acls) {
            let message = format!(
                "User: {caller} is not authorized to perform: {asked} on resource: \"{resource}\" because public access \
                 control lists (ACLs) are blocked by the BlockPublicAcls block public access setting."
            );
            return Err(by(Law::C2, S3ErrorCode::AccessDenied, &message));
        }
        Ok(Some(acl))
    }

    /// Whether a public ACL counts.
    pub(super) fn heeds_public_acls(&self) -> bool {
        !self.is_enforced() && !self.block.is_some_and(|b| b.ignore_acls)
    }

    pub(super) fn block_as_dto(&self) -> S3Result<PublicAccessBlockConfiguration> {
        let missing = || {
            custom(
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
                http::StatusCode::NOT_FOUND,
            )
        };
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
        let missing = || {
            let message = "The bucket ownership controls were not found";
            custom("OwnershipControlsNotFoundError", message, http::StatusCode::NOT_FOUND)
        };
        Ok(ObjectOwnership::from(self.ownership.clone().ok_or_else(missing)?))
    }

    pub(super) fn set_ownership(&mut self, given: &OwnershipControls) -> S3Result<()> {
        let [rule] = given.rules.as_slice() else {
            return Err(s3_error!(MalformedXML, "Ownership controls have one rule"));
        };
        let wanted = rule.object_ownership.as_str();
        known_ownership(wanted)?;
        if wanted == ENFORCED && !self.acl.is_owners() {
            return Err(acl_under_enforced());
        }
        self.ownership = Some(wanted.to_owned());
        Ok(())
    }
}

fn known_ownership(name: &str) -> S3Result<()> {
    match name {
        "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter" => Ok(()),
        _ => Err(s3_error!(InvalidArgument, "Invalid x-amz-object-ownership header: {}", name)),
    }
}

fn acl_under_enforced() -> S3Error {
    s3_error!(
        InvalidBucketAclWithObjectOwnership,
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
    )
}

/// The region a bucket is made in. Only the endpoint of us-east-1 makes buckets elsewhere.
fn place(input: &CreateBucketInput, region: &str) -> S3Result<String> {
    let constraint = input.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint.as_ref());
    let constraint = constraint.map(BucketLocationConstraint::as_str);
    let looks_like_one = |name: &str| name.split('-').count() >= 3 && name.ends_with(|c: char| c.is_ascii_digit());
    match constraint {
        None if region == "us-east-1" => Ok(region.to_owned()),
        Some("us-east-1") if region == "us-east-1" => {
            Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"))
        }
        Some(wanted) if !looks_like_one(wanted) && wanted != "EU" => {
            Err(s3_error!(InvalidLocationConstraint, "The specified location-constraint is not valid"))
        }
        Some("EU") if region == "us-east-1" || region == "eu-west-1" => Ok("eu-west-1".to_owned()),
        Some(wanted) if wanted == region || region == "us-east-1" => Ok(wanted.to_owned()),
        wanted => {
            let code = S3ErrorCode::IllegalLocationConstraintException;
            let message = format!(
                "The {} location constraint is incompatible for the region specific endpoint this request was sent to.",
                wanted.unwrap_or("unspecified")
            );
            Err(S3Error::with_message(code, message))
        }
    }
}

/// An error code `s3s` has no name for.
pub(super) fn custom(code: &'static str, message: &'static str, status: http::StatusCode) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}
