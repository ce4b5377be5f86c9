//! The operations of S3 that this cloud answers, each handed to the file that does it.

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, BucketLocationConstraint, BucketVersioningStatus,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput,
    CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, DeleteBucketTaggingInput, DeleteBucketTaggingOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletePublicAccessBlockInput,
    DeletePublicAccessBlockOutput, GetBucketLocationInput, GetBucketLocationOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, GetBucketPolicyInput, GetBucketPolicyOutput, GetBucketTaggingInput,
    GetBucketTaggingOutput, GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectInput, GetObjectOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, GetPublicAccessBlockInput, GetPublicAccessBlockOutput,
    HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput,
    ListPartsOutput, OwnershipControls, OwnershipControlsRule, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, PutBucketPolicyInput, PutBucketPolicyOutput, PutBucketTaggingInput,
    PutBucketTaggingOutput, PutBucketVersioningInput, PutBucketVersioningOutput, PutObjectInput, PutObjectOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
    UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::super::super::clock::Clock;
use super::bucket::{BucketConfig, tags_in, tags_out};
use super::meta::millis;
use super::store::Only;
use super::{Objects, list, multipart, read, write};

/// S3 over our objects.
pub(super) struct Api {
    pub(super) objects: Objects,
    pub(super) clock: Clock,
}

/// Writes the methods of the trait: `fn name(self, request: Operation) body`, the output wrapped.
macro_rules! operations {
    ($($name:ident $input:ident -> $output:ident |$me:ident, $request:ident| $body:expr;)*) => {
        #[async_trait::async_trait]
        impl S3 for Api {
            $(
                async fn $name(&self, $request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    let $me = self;
                    let output: $output = $body;
                    Ok(S3Response::new(output))
                }
            )*
        }
    };
}

operations! {
    create_bucket CreateBucketInput -> CreateBucketOutput |me, r| {
        let region = r.region.as_ref().map_or("us-east-1", |region| region.as_str());
        let config = BucketConfig::born(&r.input, region, millis(me.clock.now()))?;
        me.objects.make_bucket(&r.input.bucket, config)?;
        CreateBucketOutput { location: Some(format!("/{}", r.input.bucket)) }
    };
    head_bucket HeadBucketInput -> HeadBucketOutput |me, r| {
        HeadBucketOutput { bucket_region: Some(me.objects.config(&r.input.bucket)?.region), ..Default::default() }
    };
    delete_bucket DeleteBucketInput -> DeleteBucketOutput |me, r| {
        me.objects.drop_bucket(&r.input.bucket)?;
        DeleteBucketOutput {}
    };
    list_buckets ListBucketsInput -> ListBucketsOutput |me, _r| {
        let buckets = me.objects.lock().iter().map(|(name, held)| Bucket {
            name: Some(name.clone()),
            bucket_region: Some(held.config.region.clone()),
            creation_date: Some((std::time::UNIX_EPOCH + std::time::Duration::from_millis(held.config.created_ms)).into()),
        }).collect();
        ListBucketsOutput { buckets: Some(buckets), ..Default::default() }
    };
    get_bucket_location GetBucketLocationInput -> GetBucketLocationOutput |me, r| {
        let region = me.objects.config(&r.input.bucket)?.region;
        // us-east-1 is an empty answer, as it always was.
        let elsewhere = Some(region).filter(|r| r != "us-east-1");
        GetBucketLocationOutput { location_constraint: elsewhere.map(BucketLocationConstraint::from) }
    };
    put_public_access_block PutPublicAccessBlockInput -> PutPublicAccessBlockOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.set_block(&r.input.public_access_block_configuration);
            Ok(PutPublicAccessBlockOutput {})
        })?
    };
    get_public_access_block GetPublicAccessBlockInput -> GetPublicAccessBlockOutput |me, r| {
        let block = me.objects.config(&r.input.bucket)?.block_as_dto()?;
        GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) }
    };
    delete_public_access_block DeletePublicAccessBlockInput -> DeletePublicAccessBlockOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.block = None;
            Ok(DeletePublicAccessBlockOutput {})
        })?
    };
    put_bucket_policy PutBucketPolicyInput -> PutBucketPolicyOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| c.set_policy(&r.input.bucket, r.input.policy.clone()))?;
        PutBucketPolicyOutput {}
    };
    get_bucket_policy GetBucketPolicyInput -> GetBucketPolicyOutput |me, r| {
        let policy = me.objects.config(&r.input.bucket)?.policy;
        let missing = || s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist");
        GetBucketPolicyOutput { policy: Some(policy.ok_or_else(missing)?) }
    };
    delete_bucket_policy DeleteBucketPolicyInput -> DeleteBucketPolicyOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.policy = None;
            Ok(DeleteBucketPolicyOutput {})
        })?
    };
    put_bucket_ownership_controls PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput |me, r| {
        let rule = r.input.ownership_controls.rules.into_iter().next();
        let rule = rule.ok_or_else(|| s3_error!(MalformedXML, "Ownership controls have one rule"))?;
        me.objects.configure(&r.input.bucket, |c| {
            c.ownership = Some(rule.object_ownership.as_str().to_owned());
            Ok(PutBucketOwnershipControlsOutput {})
        })?
    };
    get_bucket_ownership_controls GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput |me, r| {
        let object_ownership = me.objects.config(&r.input.bucket)?.ownership()?;
        let rules = vec![OwnershipControlsRule { object_ownership }];
        GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules }) }
    };
    put_bucket_tagging PutBucketTaggingInput -> PutBucketTaggingOutput |me, r| {
        let tags = tags_in(r.input.tagging.tag_set)?;
        me.objects.configure(&r.input.bucket, |c| {
            c.tags = tags;
            Ok(PutBucketTaggingOutput {})
        })?
    };
    get_bucket_tagging GetBucketTaggingInput -> GetBucketTaggingOutput |me, r| {
        let tags = me.objects.config(&r.input.bucket)?.tags;
        if tags.is_empty() {
            return Err(s3_error!(NoSuchTagSet, "The TagSet does not exist"));
        }
        GetBucketTaggingOutput { tag_set: tags_out(&tags) }
    };
    delete_bucket_tagging DeleteBucketTaggingInput -> DeleteBucketTaggingOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.tags.clear();
            Ok(DeleteBucketTaggingOutput {})
        })?
    };
    put_bucket_versioning PutBucketVersioningInput -> PutBucketVersioningOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| c.set_versioning(&r.input.versioning_configuration))?;
        PutBucketVersioningOutput {}
    };
    get_bucket_versioning GetBucketVersioningInput -> GetBucketVersioningOutput |me, r| {
        let status = me.objects.config(&r.input.bucket)?.versioning.map(BucketVersioningStatus::from);
        GetBucketVersioningOutput { status, ..Default::default() }
    };
    put_object PutObjectInput -> PutObjectOutput |me, r| write::put(&me.objects, r, me.clock.now()).await?;
    get_object GetObjectInput -> GetObjectOutput |me, r| read::get(&me.objects, r.input).await?;
    head_object HeadObjectInput -> HeadObjectOutput |me, r| read::head(&me.objects, &r.input)?;
    copy_object CopyObjectInput -> CopyObjectOutput |me, r| write::copy(&me.objects, r.input, me.clock.now()).await?;
    delete_object DeleteObjectInput -> DeleteObjectOutput |me, r| {
        let only = Only { if_match: r.input.if_match, ..Only::default() };
        me.objects.remove(&r.input.bucket, &r.input.key, &only)?;
        DeleteObjectOutput::default()
    };
    delete_objects DeleteObjectsInput -> DeleteObjectsOutput |me, r| write::delete_many(&me.objects, r.input)?;
    list_objects_v2 ListObjectsV2Input -> ListObjectsV2Output |me, r| list::list(&me.objects, r.input)?;
    put_object_tagging PutObjectTaggingInput -> PutObjectTaggingOutput |me, r| {
        let tags = tags_in(r.input.tagging.tag_set)?;
        me.objects.amend(&r.input.bucket, &r.input.key, |meta| meta.tags = tags)?;
        PutObjectTaggingOutput::default()
    };
    get_object_tagging GetObjectTaggingInput -> GetObjectTaggingOutput |me, r| {
        let tags = me.objects.need(&r.input.bucket, &r.input.key)?.tags;
        GetObjectTaggingOutput { tag_set: tags_out(&tags), ..Default::default() }
    };
    create_multipart_upload CreateMultipartUploadInput -> CreateMultipartUploadOutput |me, r| {
        multipart::create(&me.objects, r.input, me.clock.now())?
    };
    upload_part UploadPartInput -> UploadPartOutput |me, r| {
        multipart::upload_part(&me.objects, r, me.clock.now()).await?
    };
    complete_multipart_upload CompleteMultipartUploadInput -> CompleteMultipartUploadOutput |me, r| {
        multipart::complete(&me.objects, r.input, me.clock.now()).await?
    };
    abort_multipart_upload AbortMultipartUploadInput -> AbortMultipartUploadOutput |me, r| {
        multipart::abort(&me.objects, &r.input.bucket, &r.input.key, &r.input.upload_id)?;
        AbortMultipartUploadOutput::default()
    };
    list_parts ListPartsInput -> ListPartsOutput |me, r| multipart::list_parts(&me.objects, r.input)?;
    list_multipart_uploads ListMultipartUploadsInput -> ListMultipartUploadsOutput |me, r| {
        multipart::list_uploads(&me.objects, r.input)?
    };
}
