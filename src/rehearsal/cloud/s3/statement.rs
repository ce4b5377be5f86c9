//! Which action of IAM an operation needs, and whether a bucket policy's statements fit the bucket.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".

use super::super::super::glob;
use super::super::super::policy::Policy;

/// The action an operation of S3 needs.
pub(super) fn action(operation: &str, of_version: bool) -> String {
    let name = match operation {
        "HeadObject" | "GetObject" | "GetObjectAttributes" if of_version => "GetObjectVersion",
        "HeadObject" | "GetObjectAttributes" => "GetObject",
        "DeleteObject" if of_version => "DeleteObjectVersion",
        "GetObjectTagging" if of_version => "GetObjectVersionTagging",
        "PutObjectTagging" if of_version => "PutObjectVersionTagging",
        "DeleteObjectTagging" if of_version => "DeleteObjectVersionTagging",
        "GetObjectAcl" if of_version => "GetObjectVersionAcl",
        "PutObjectAcl" if of_version => "PutObjectVersionAcl",
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload"
        | "CopyObject"
        | "PostObject" => "PutObject",
        "ListBuckets" => "ListAllMyBuckets",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketCors" => "GetBucketCORS",
        "PutBucketCors" | "DeleteBucketCors" => "PutBucketCORS",
        "DeleteBucketTagging" => "PutBucketTagging",
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
        other => other,
    };
    format!("s3:{name}")
}

/// Whether an action of IAM is one on an object; else it is one on a bucket.
fn on_object(action: &str) -> bool {
    let name = action.to_ascii_lowercase();
    let name = name.strip_prefix("s3:").unwrap_or(&name);
    name.contains("object") || matches!(name, "abortmultipartupload" | "listmultipartuploadparts")
}

/// Why a policy's statements do not fit this bucket.
pub(super) fn fits(policy: &Policy, bucket: &str) -> Result<(), &'static str> {
    let own = format!("arn:aws:s3:::{bucket}");
    let objects = format!("{own}/");
    for statement in &policy.statements {
        let resources = &statement.resources.patterns;
        let of_this = |r: &String| *r == "*" || *r == own || r.starts_with(&objects) || glob::matches(r, &own, false);
        if !resources.iter().all(of_this) {
            return Err("Policy has invalid resource");
        }
        let reaches_bucket = resources.iter().any(|r| glob::matches(r, &own, false));
        let reaches_objects = resources.iter().any(|r| r.starts_with(&objects) || r.ends_with('*'));
        let astray = |a: &&String| !a.contains('*') && if on_object(a) { !reaches_objects } else { !reaches_bucket };
        let actions = &statement.actions.patterns;
        if !statement.resources.but && !statement.actions.but && actions.iter().all(|a| astray(&a)) {
            return Err("Action does not apply to any resource(s) in statement");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_fits_its_bucket() {
        let policy = |action: &str, resource: &str| {
            let text = serde_json::json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}});
            fits(&Policy::parse(&text.to_string()).unwrap(), "b")
        };
        assert!(policy("s3:GetObject", "arn:aws:s3:::b/*").is_ok());
        assert!(policy("s3:ListBucket", "arn:aws:s3:::b").is_ok());
        assert!(policy("s3:*", "arn:aws:s3:::b").is_ok());
        assert!(policy("s3:GetObject", "arn:aws:s3:::other/*").unwrap_err().contains("resource"));
        assert!(policy("s3:GetObject", "arn:aws:s3:::b").unwrap_err().contains("does not apply"));
        assert!(policy("s3:ListBucket", "arn:aws:s3:::b/*").unwrap_err().contains("does not apply"));
        assert!(policy("s3:GetObject", "arn:aws:s3:::bee/*").is_err(), "another bucket that begins so");
    }
}
