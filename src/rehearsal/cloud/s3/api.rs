//! The operations of S3 that this cloud answers, each handed to the file that does it.

use std::time::{Duration, UNIX_EPOCH};

use s3s::dto::{
    Bucket, BucketLifecycleConfiguration, BucketLocationConstraint, BucketLoggingStatus, BucketVersioningStatus,
    CORSConfiguration, OwnershipControls, OwnershipControlsRule, Payer, PolicyStatus,
    ServerSideEncryptionConfiguration, WebsiteConfiguration,
};
use s3s::{S3, S3Request, S3Response, S3Result, dto, s3_error};

use super::super::super::clock::Clock;
use super::acl::{Given, given_acl, owner};
use super::bucket::{BucketConfig, custom};
use super::caller::Caller;
use super::kept::default_encryption;
use super::meta::millis;
use super::tags::{OF_BUCKET, OF_OBJECT, tags_in, tags_out};
use super::{Objects, attributes, copy, list, list_versions, multipart, multipart_list, read, write};

/// S3 over our objects.
pub(super) struct Api {
    pub(super) objects: Objects,
    pub(super) clock: Clock,
}

/// Who sent a request; the gate has put it there.
fn caller<T>(request: &S3Request<T>) -> Caller {
    request.extensions.get::<Caller>().cloned().unwrap_or_default()
}

fn arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// Writes the methods of the trait: `method Input -> Output |me, request| body`, the types those of `s3s::dto`.
macro_rules! operations {
    ($($name:ident $input:ident -> $output:ident |$me:ident, $request:ident| $body:expr;)*) => {
        #[async_trait::async_trait]
        impl S3 for Api {
            $(
                async fn $name(&self, $request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                    #[allow(unused_imports)]
                    use dto::$output;
                    #[allow(unused_mut)]
                    let mut $request = $request;
                    let $me = self;
                    let output: dto::$output = $body;
                    Ok(S3Response::new(output))
                }
            )*
        }
    };
}

operations! {
    create_bucket CreateBucketInput -> CreateBucketOutput |me, r| {
        let region = r.region.as_ref().map_or("us-east-1", |region| region.as_str()).to_owned();
        let config = BucketConfig::born(&mut r.input, &region, millis(me.clock.now()))?;
        let location = Some(format!("/{}", r.input.bucket));
        // In us-east-1 alone making one's own bucket again is no error, as it always was.
        let again = region == "us-east-1" && me.objects.config(&r.input.bucket).is_ok_and(|c| c.region == region);
        if !again {
            me.objects.make_bucket(&r.input.bucket, config)?;
        }
        CreateBucketOutput { location }
    };
    head_bucket HeadBucketInput -> HeadBucketOutput |me, r| {
        let region = me.objects.config(&r.input.bucket)?.region.clone();
        HeadBucketOutput { bucket_region: Some(region), access_point_alias: Some(false), ..Default::default() }
    };
    delete_bucket DeleteBucketInput -> DeleteBucketOutput |me, r| {
        me.objects.drop_bucket(&r.input.bucket)?;
        DeleteBucketOutput {}
    };
    list_buckets ListBucketsInput -> ListBucketsOutput |me, r| {
        let prefix = r.input.prefix.clone().unwrap_or_default();
        let most = usize::try_from(r.input.max_buckets.unwrap_or(10_000)).unwrap_or_default();
        if !(1..=10_000).contains(&most) {
            return Err(s3_error!(InvalidArgument, "Argument max-buckets must be an integer between 1 and 10000"));
        }
        let after = r.input.continuation_token.clone().unwrap_or_default();
        let all = me.objects.lock();
        let region = r.input.bucket_region.as_deref();
        let mut behind = all.iter().filter(|(name, held)| {
            name.starts_with(&prefix) && **name > after && region.is_none_or(|region| held.config.region == region)
        });
        let buckets: Vec<_> = behind.by_ref().take(most).map(|(name, held)| Bucket {
            name: Some(name.clone()),
            bucket_region: Some(held.config.region.clone()),
            creation_date: Some((UNIX_EPOCH + Duration::from_millis(held.config.created_ms)).into()),
        }).collect();
        let token = behind.next().and_then(|_| buckets.last()).and_then(|b| b.name.clone());
        ListBucketsOutput { buckets: Some(buckets), owner: Some(owner()), continuation_token: token, prefix: r.input.prefix }
    };
    get_bucket_location GetBucketLocationInput -> GetBucketLocationOutput |me, r| {
        let region = me.objects.config(&r.input.bucket)?.region.clone();
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
        let caller = caller(&r);
        let text = r.input.policy.clone();
        me.objects.configure(&r.input.bucket, |c| c.set_policy(&r.input.bucket, caller.name(), text))?;
        PutBucketPolicyOutput {}
    };
    get_bucket_policy GetBucketPolicyInput -> GetBucketPolicyOutput |me, r| {
        let policy = me.objects.config(&r.input.bucket)?.policy.clone();
        let missing = || s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist");
        GetBucketPolicyOutput { policy: Some(policy.ok_or_else(missing)?) }
    };
    get_bucket_policy_status GetBucketPolicyStatusInput -> GetBucketPolicyStatusOutput |me, r| {
        let policy = me.objects.config(&r.input.bucket)?.policy();
        let policy = policy.ok_or_else(|| s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))?;
        GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public: Some(policy.is_public()) }) }
    };
    delete_bucket_policy DeleteBucketPolicyInput -> DeleteBucketPolicyOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.policy = None;
            Ok(DeleteBucketPolicyOutput {})
        })?
    };
    put_bucket_ownership_controls PutBucketOwnershipControlsInput -> PutBucketOwnershipControlsOutput |me, r| {
        let controls = r.input.ownership_controls;
        me.objects.configure(&r.input.bucket, |c| c.set_ownership(&controls))?;
        PutBucketOwnershipControlsOutput {}
    };
    get_bucket_ownership_controls GetBucketOwnershipControlsInput -> GetBucketOwnershipControlsOutput |me, r| {
        let object_ownership = me.objects.config(&r.input.bucket)?.ownership()?;
        let rules = vec![OwnershipControlsRule { object_ownership }];
        GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules }) }
    };
    delete_bucket_ownership_controls DeleteBucketOwnershipControlsInput -> DeleteBucketOwnershipControlsOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.ownership = None;
            Ok(DeleteBucketOwnershipControlsOutput {})
        })?
    };
    put_bucket_acl PutBucketAclInput -> PutBucketAclOutput |me, r| {
        let (caller, bucket) = (caller(&r), r.input.bucket.clone());
        let policy = r.input.access_control_policy.take();
        let given = Given { policy, ..given_acl!(r.input, grant_write) };
        me.objects.configure(&bucket, |c| {
            let resource = format!("arn:aws:s3:::{bucket}");
            if let Some(acl) = c.admit(given, "s3:PutBucketAcl", &resource, caller.name())? {
                c.acl = acl;
            }
            Ok(PutBucketAclOutput {})
        })?
    };
    get_bucket_acl GetBucketAclInput -> GetBucketAclOutput |me, r| {
        let config = me.objects.config(&r.input.bucket)?;
        GetBucketAclOutput { grants: Some(config.acl.described()), owner: Some(owner()) }
    };
    put_object_acl PutObjectAclInput -> PutObjectAclOutput |me, r| {
        let caller = caller(&r);
        let policy = r.input.access_control_policy.take();
        let given = Given { policy, ..given_acl!(r.input, grant_write) };
        let (bucket, key, version) = (&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        let acl = me.objects.config(bucket)?.admit(given, "s3:PutObjectAcl", &arn(bucket, key), caller.name())?;
        me.objects.amend(bucket, key, version, |meta| meta.acl = acl.or(meta.acl.take()))?;
        PutObjectAclOutput::default()
    };
    get_object_acl GetObjectAclInput -> GetObjectAclOutput |me, r| {
        let (bucket, key, version) = (&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        let meta = me.objects.need(bucket, key, version).map_err(|e| caller(&r).told(&me.objects, bucket, e))?;
        let heeded = meta.acl.filter(|_| !me.objects.config(bucket).is_ok_and(|c| c.is_enforced()));
        let grants = heeded.unwrap_or_default().described();
        GetObjectAclOutput { grants: Some(grants), owner: Some(owner()), ..Default::default() }
    };
    put_bucket_tagging PutBucketTaggingInput -> PutBucketTaggingOutput |me, r| {
        let tags = tags_in(r.input.tagging.tag_set, OF_BUCKET)?;
        me.objects.configure(&r.input.bucket, |c| {
            c.tags = tags;
            Ok(PutBucketTaggingOutput {})
        })?
    };
    get_bucket_tagging GetBucketTaggingInput -> GetBucketTaggingOutput |me, r| {
        let config = me.objects.config(&r.input.bucket)?;
        if config.tags.is_empty() {
            return Err(s3_error!(NoSuchTagSet, "The TagSet does not exist"));
        }
        GetBucketTaggingOutput { tag_set: tags_out(&config.tags) }
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
        let status = me.objects.config(&r.input.bucket)?.versioning.clone().map(BucketVersioningStatus::from);
        GetBucketVersioningOutput { status, ..Default::default() }
    };
    put_bucket_lifecycle_configuration PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput |me, r| {
        let mut given = r.input.lifecycle_configuration.unwrap_or_default();
        for rule in &mut given.rules {
            // S3 names a rule that came without a name.
            rule.id.get_or_insert_with(super::super::fresh);
        }
        me.objects.configure(&r.input.bucket, |c| c.keep(&given))?;
        PutBucketLifecycleConfigurationOutput::default()
    };
    get_bucket_lifecycle_configuration GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput |me, r| {
        let kept: BucketLifecycleConfiguration = me.objects.config(&r.input.bucket)?.need()?;
        GetBucketLifecycleConfigurationOutput { rules: Some(kept.rules), ..Default::default() }
    };
    delete_bucket_lifecycle DeleteBucketLifecycleInput -> DeleteBucketLifecycleOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.forget::<BucketLifecycleConfiguration>();
            Ok(DeleteBucketLifecycleOutput {})
        })?
    };
    put_bucket_cors PutBucketCorsInput -> PutBucketCorsOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| c.keep(&r.input.cors_configuration))?;
        PutBucketCorsOutput {}
    };
    get_bucket_cors GetBucketCorsInput -> GetBucketCorsOutput |me, r| {
        let kept: CORSConfiguration = me.objects.config(&r.input.bucket)?.need()?;
        GetBucketCorsOutput { cors_rules: Some(kept.cors_rules) }
    };
    delete_bucket_cors DeleteBucketCorsInput -> DeleteBucketCorsOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.forget::<CORSConfiguration>();
            Ok(DeleteBucketCorsOutput {})
        })?
    };
    put_bucket_website PutBucketWebsiteInput -> PutBucketWebsiteOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| c.keep(&r.input.website_configuration))?;
        PutBucketWebsiteOutput {}
    };
    get_bucket_website GetBucketWebsiteInput -> GetBucketWebsiteOutput |me, r| {
        let kept: WebsiteConfiguration = me.objects.config(&r.input.bucket)?.need()?;
        GetBucketWebsiteOutput {
            error_document: kept.error_document,
            index_document: kept.index_document,
            redirect_all_requests_to: kept.redirect_all_requests_to,
            routing_rules: kept.routing_rules,
        }
    };
    delete_bucket_website DeleteBucketWebsiteInput -> DeleteBucketWebsiteOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.forget::<WebsiteConfiguration>();
            Ok(DeleteBucketWebsiteOutput {})
        })?
    };
    put_bucket_encryption PutBucketEncryptionInput -> PutBucketEncryptionOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| c.keep(&r.input.server_side_encryption_configuration))?;
        PutBucketEncryptionOutput {}
    };
    get_bucket_encryption GetBucketEncryptionInput -> GetBucketEncryptionOutput |me, r| {
        let kept = me.objects.config(&r.input.bucket)?.kept().unwrap_or_else(default_encryption);
        GetBucketEncryptionOutput { server_side_encryption_configuration: Some(kept) }
    };
    delete_bucket_encryption DeleteBucketEncryptionInput -> DeleteBucketEncryptionOutput |me, r| {
        me.objects.configure(&r.input.bucket, |c| {
            c.forget::<ServerSideEncryptionConfiguration>();
            Ok(DeleteBucketEncryptionOutput {})
        })?
    };
    put_bucket_logging PutBucketLoggingInput -> PutBucketLoggingOutput |me, r| {
        let status = &r.input.bucket_logging_status;
        if let Some(logging) = &status.logging_enabled {
            let there = me.objects.has(&logging.target_bucket);
            there.map_err(|_| s3_error!(InvalidTargetBucketForLogging, "The target bucket for logging does not exist"))?;
        }
        me.objects.configure(&r.input.bucket, |c| c.keep(status))?;
        PutBucketLoggingOutput {}
    };
    get_bucket_logging GetBucketLoggingInput -> GetBucketLoggingOutput |me, r| {
        let kept = me.objects.config(&r.input.bucket)?.kept::<BucketLoggingStatus>();
        GetBucketLoggingOutput { logging_enabled: kept.and_then(|kept| kept.logging_enabled) }
    };
    get_bucket_notification_configuration GetBucketNotificationConfigurationInput -> GetBucketNotificationConfigurationOutput |me, r| {
        me.objects.has(&r.input.bucket)?;
        GetBucketNotificationConfigurationOutput::default()
    };
    get_bucket_request_payment GetBucketRequestPaymentInput -> GetBucketRequestPaymentOutput |me, r| {
        me.objects.has(&r.input.bucket)?;
        GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) }
    };
    get_bucket_accelerate_configuration GetBucketAccelerateConfigurationInput -> GetBucketAccelerateConfigurationOutput |me, r| {
        me.objects.has(&r.input.bucket)?;
        GetBucketAccelerateConfigurationOutput::default()
    };
    get_bucket_replication GetBucketReplicationInput -> GetBucketReplicationOutput |me, r| {
        let message = "The replication configuration was not found";
        let none = || custom("ReplicationConfigurationNotFoundError", message, http::StatusCode::NOT_FOUND);
        me.objects.has(&r.input.bucket).and_then(|()| Err(none()))?
    };
    get_object_lock_configuration GetObjectLockConfigurationInput -> GetObjectLockConfigurationOutput |me, r| {
        let message = "Object Lock configuration does not exist for this bucket";
        let none = || custom("ObjectLockConfigurationNotFoundError", message, http::StatusCode::NOT_FOUND);
        me.objects.has(&r.input.bucket).and_then(|()| Err(none()))?
    };
    put_object PutObjectInput -> PutObjectOutput |me, r| {
        let caller = caller(&r);
        write::put(&me.objects, r, me.clock.now(), &caller).await?
    };
    get_object GetObjectInput -> GetObjectOutput |me, r| {
        let caller = caller(&r);
        read::get(&me.objects, r.input, &caller).await?
    };
    head_object HeadObjectInput -> HeadObjectOutput |me, r| read::head(&me.objects, &r.input, &caller(&r))?;
    get_object_attributes GetObjectAttributesInput -> GetObjectAttributesOutput |me, r| {
        attributes::attributes(&me.objects, &r.input, &caller(&r))?
    };
    copy_object CopyObjectInput -> CopyObjectOutput |me, r| {
        let caller = caller(&r);
        copy::copy(&me.objects, r.input, &r.headers, me.clock.now(), &caller).await?
    };
    delete_object DeleteObjectInput -> DeleteObjectOutput |me, r| write::delete(&me.objects, r.input, me.clock.now())?;
    delete_objects DeleteObjectsInput -> DeleteObjectsOutput |me, r| {
        let caller = caller(&r);
        write::delete_many(&me.objects, r.input, me.clock.now(), &caller)?
    };
    list_objects ListObjectsInput -> ListObjectsOutput |me, r| list::list_v1(&me.objects, r.input)?;
    list_objects_v2 ListObjectsV2Input -> ListObjectsV2Output |me, r| list::list(&me.objects, r.input)?;
    list_object_versions ListObjectVersionsInput -> ListObjectVersionsOutput |me, r| {
        list_versions::list(&me.objects, r.input)?
    };
    put_object_tagging PutObjectTaggingInput -> PutObjectTaggingOutput |me, r| {
        let tags = tags_in(r.input.tagging.tag_set, OF_OBJECT)?;
        let version = r.input.version_id.as_deref();
        let version_id = me.objects.amend(&r.input.bucket, &r.input.key, version, |meta| meta.tags = tags)?;
        PutObjectTaggingOutput { version_id }
    };
    get_object_tagging GetObjectTaggingInput -> GetObjectTaggingOutput |me, r| {
        let (bucket, key, version) = (&r.input.bucket, &r.input.key, r.input.version_id.as_deref());
        let meta = me.objects.need(bucket, key, version).map_err(|e| caller(&r).told(&me.objects, bucket, e))?;
        let version_id = me.objects.config(bucket)?.versioning.as_ref().map(|_| meta.id().to_owned());
        GetObjectTaggingOutput { tag_set: tags_out(&meta.tags), version_id }
    };
    delete_object_tagging DeleteObjectTaggingInput -> DeleteObjectTaggingOutput |me, r| {
        let version = r.input.version_id.as_deref();
        let version_id = me.objects.amend(&r.input.bucket, &r.input.key, version, |meta| meta.tags.clear())?;
        DeleteObjectTaggingOutput { version_id }
    };
    create_multipart_upload CreateMultipartUploadInput -> CreateMultipartUploadOutput |me, r| {
        let caller = caller(&r);
        multipart::create(&me.objects, r.input, me.clock.now(), &caller)?
    };
    upload_part UploadPartInput -> UploadPartOutput |me, r| {
        multipart::upload_part(&me.objects, r, me.clock.now()).await?
    };
    upload_part_copy UploadPartCopyInput -> UploadPartCopyOutput |me, r| {
        let caller = caller(&r);
        multipart::upload_part_copy(&me.objects, r.input, me.clock.now(), &caller).await?
    };
    complete_multipart_upload CompleteMultipartUploadInput -> CompleteMultipartUploadOutput |me, r| {
        multipart::complete(&me.objects, r.input, me.clock.now()).await?
    };
    abort_multipart_upload AbortMultipartUploadInput -> AbortMultipartUploadOutput |me, r| {
        multipart::abort(&me.objects, &r.input.bucket, &r.input.key, &r.input.upload_id)?;
        AbortMultipartUploadOutput::default()
    };
    list_parts ListPartsInput -> ListPartsOutput |me, r| multipart_list::list_parts(&me.objects, r.input)?;
    list_multipart_uploads ListMultipartUploadsInput -> ListMultipartUploadsOutput |me, r| {
        multipart_list::list_uploads(&me.objects, r.input)?
    };
}
