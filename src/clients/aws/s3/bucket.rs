//! The bucket itself: its state, and how a private one is made.

use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, ObjectOwnership, PublicAccessBlockConfiguration, Tag, Tagging,
};

use super::S3;
use crate::clients::aws::error::{explain, unless_missing};
use crate::clients::objects::BucketState;
use crate::clients::{ClientError, ClientResult, Kind};

impl S3 {
    pub(super) async fn bucket_state(&self, bucket: &str) -> ClientResult<Option<BucketState>> {
        let what = || format!("look at the bucket {bucket}");
        let head = self.client.head_bucket().bucket(bucket).send().await;
        let head = head.map_err(|e| explain(what(), "s3:ListBucket", e)).map_err(|error| {
            if error.why.contains("301") {
                return ClientError { kind: Kind::Refused, ..error }
                    .hint("the bucket lies in another region: choose another name, or correct `aws.region`");
            }
            error
        });
        if unless_missing(head)?.is_none() {
            return Ok(None);
        }
        let block = self.client.get_public_access_block().bucket(bucket).send().await;
        let block = unless_missing(block.map_err(|e| explain(what(), "s3:GetBucketPublicAccessBlock", e)))?;
        let on = |c: &PublicAccessBlockConfiguration| {
            [c.block_public_acls(), c.ignore_public_acls(), c.block_public_policy(), c.restrict_public_buckets()]
                == [Some(true); 4]
        };
        let policy = self.client.get_bucket_policy().bucket(bucket).send().await;
        let policy = unless_missing(policy.map_err(|e| explain(what(), "s3:GetBucketPolicy", e)))?;
        Ok(Some(BucketState {
            blocks_public: block.is_some_and(|b| b.public_access_block_configuration().is_some_and(on)),
            policy: policy.and_then(|p| p.policy().map(str::to_owned)),
            tags: self.tags(bucket).await?,
        }))
    }

    async fn tags(&self, bucket: &str) -> ClientResult<Vec<(String, String)>> {
        let tagging = self.client.get_bucket_tagging().bucket(bucket).send().await;
        let tagging =
            tagging.map_err(|e| explain(format!("read the tags of the bucket {bucket}"), "s3:GetBucketTagging", e));
        let tags = unless_missing(tagging)?
            .map(|answer| answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect());
        Ok(tags.unwrap_or_default())
    }

    /// Makes the bucket, or finishes one that a former try left without its tags.
    pub(super) async fn create_private(&self, bucket: &str, tags: &[(String, String)]) -> ClientResult<()> {
        let what = || format!("create the private bucket {bucket}");
        // The one region whose name S3 does not take here. Source: S3 API reference, CreateBucket.
        let place = (self.region != "us-east-1").then(|| {
            let constraint = BucketLocationConstraint::from(self.region.as_str());
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let made = self
            .client
            .create_bucket()
            .bucket(bucket)
            .object_ownership(ObjectOwnership::BucketOwnerEnforced)
            .set_create_bucket_configuration(place)
            .send()
            .await
            .map_err(|e| explain(what(), "s3:CreateBucket", e));
        match made {
            Ok(_) => {}
            Err(error) if error.why.contains("BucketAlreadyOwnedByYou") => {}
            Err(error) if error.kind == Kind::Conflict => {
                return Err(error.hint("bucket names are shared by all of AWS: choose another in the site file"));
            }
            Err(error) => return Err(error),
        }
        let present = self.tags(bucket).await?;
        if !present.is_empty() && !tags.iter().all(|tag| present.contains(tag)) {
            return Err(ClientError::new(Kind::Conflict, what(), "it is there already, with other tags"));
        }
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let sent = self.client.put_public_access_block().bucket(bucket).public_access_block_configuration(block).send();
        sent.await.map_err(|e| explain(what(), "s3:PutBucketPublicAccessBlock", e))?;
        let tagging = tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect::<Result<Vec<_>, _>>()
            .and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build())
            .map_err(|e| ClientError::new(Kind::Refused, what(), e.to_string()))?;
        let sent = self.client.put_bucket_tagging().bucket(bucket).tagging(tagging).send();
        sent.await.map_err(|e| explain(what(), "s3:PutBucketTagging", e))?;
        Ok(())
    }
}
