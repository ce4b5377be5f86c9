//! S3: who may do what: bucket policies, Block Public Access, ACLs and ownership.

use aws_config::Region;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketCannedAcl, Delete, ObjectCannedAcl, ObjectIdentifier, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, Permission, PublicAccessBlockConfiguration,
};
use serde_json::{Value, json};

use super::s3::bucket;
use super::{Here, REGION, refused};

/// A client that signs nothing.
fn anonymous(here: &Here) -> Client {
    let config = aws_sdk_s3::Config::builder().behavior_version_latest().region(Region::new(REGION));
    Client::from_conf(config.endpoint_url(&here.endpoint).force_path_style(true).allow_no_auth().build())
}

async fn put(s3: &Client, key: &str) {
    s3.put_object().bucket("shop").key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
}

async fn policy(s3: &Client, statements: Value) {
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    s3.put_bucket_policy().bucket("shop").policy(text).send().await.unwrap();
}

/// Sets the four switches: block ACLs, ignore ACLs, block policies, restrict.
#[allow(clippy::fn_params_excessive_bools)] // AWS has four switches
async fn block(s3: &Client, acls: bool, ignore: bool, policy: bool, restrict: bool) {
    let switches = PublicAccessBlockConfiguration::builder().block_public_acls(acls).ignore_public_acls(ignore);
    let switches = switches.block_public_policy(policy).restrict_public_buckets(restrict).build();
    s3.put_public_access_block().bucket("shop").public_access_block_configuration(switches).send().await.unwrap();
}

async fn owned(s3: &Client, ownership: ObjectOwnership) {
    let rule = OwnershipControlsRule::builder().object_ownership(ownership).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    s3.put_bucket_ownership_controls().bucket("shop").ownership_controls(controls).send().await.unwrap();
}

fn read(resource: &str) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource})
}

#[tokio::test]
async fn c2_a_public_policy_lets_strangers_read_unless_the_bucket_is_restricted() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, stranger) = (here.s3(), anonymous(&here));
    put(&s3, "k").await;
    let get = |key: &str| stranger.get_object().bucket("shop").key(key).send();
    refused!(s3.get_bucket_policy_status().bucket("shop").send().await, "NoSuchBucketPolicy");
    refused!(get("k").await, "AccessDenied");
    block(&s3, true, true, false, true).await;
    policy(&s3, read("arn:aws:s3:::shop/*")).await;
    let status = s3.get_bucket_policy_status().bucket("shop").send().await.unwrap();
    assert_eq!(status.policy_status().unwrap().is_public(), Some(true));
    refused!(get("k").await, "AccessDenied");
    block(&s3, true, true, false, false).await;
    assert_eq!(get("k").await.unwrap().body.collect().await.unwrap().to_vec(), b"x");
    refused!(get("missing").await, "AccessDenied", "[law C3]");
    refused!(stranger.list_objects_v2().bucket("shop").send().await, "AccessDenied");
    refused!(stranger.put_object().bucket("shop").key("k").send().await, "AccessDenied");
    refused!(stranger.list_buckets().send().await, "AccessDenied");
    refused!(stranger.get_object().bucket("shop").key("k").response_content_type("a/b").send().await, "InvalidRequest");
    let list = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shop"});
    policy(&s3, json!([read("arn:aws:s3:::shop/*"), list])).await;
    refused!(get("missing").await, "NoSuchKey");
    refused!(stranger.get_object().bucket("nobody").key("k").send().await, "NoSuchBucket");
}

#[tokio::test]
async fn a_denial_holds_for_the_owner_too() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let deny = |action: &str, resource: &str, condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource, "Condition": condition});
    put(&s3, "keep/1").await;
    put(&s3, "other").await;
    policy(&s3, deny("s3:DeleteObject", "arn:aws:s3:::shop/keep/*", json!({}))).await;
    refused!(s3.delete_object().bucket("shop").key("keep/1").send().await, "AccessDenied", "explicit deny");
    let ids = ["keep/1", "other"].map(|k| ObjectIdentifier::builder().key(k).build().unwrap());
    let delete = Delete::builder().set_objects(Some(ids.to_vec())).build().unwrap();
    let many = s3.delete_objects().bucket("shop").delete(delete).send().await.unwrap();
    assert_eq!((many.deleted().len(), many.errors()[0].code()), (1, Some("AccessDenied")));
    // Writes must be conditional: the condition key is only there if the header is.
    policy(&s3, deny("s3:PutObject", "arn:aws:s3:::shop/*", json!({"Null": {"s3:if-none-match": "true"}}))).await;
    let write = || s3.put_object().bucket("shop").key("lock").body(ByteStream::from_static(b"x"));
    refused!(write().send().await, "AccessDenied");
    write().if_none_match("*").send().await.unwrap();
    // A copy reads its source as its caller.
    policy(&s3, deny("s3:GetObject", "arn:aws:s3:::shop/lock", json!({}))).await;
    refused!(s3.copy_object().bucket("shop").key("copy").copy_source("shop/lock").send().await, "AccessDenied");
    // What an SDK sends stands for a request over TLS.
    let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
    policy(&s3, deny("s3:*", "arn:aws:s3:::shop/*", insecure)).await;
    s3.get_object().bucket("shop").key("lock").send().await.unwrap();
    let malformed = |text: &str| s3.put_bucket_policy().bucket("shop").policy(text).send();
    refused!(
        malformed(&json!({"Statement": read("arn:aws:s3:::other/*")}).to_string()).await,
        "MalformedPolicy",
        "invalid resource"
    );
    refused!(
        malformed(&json!({"Statement": read("arn:aws:s3:::shop")}).to_string()).await,
        "MalformedPolicy",
        "does not apply"
    );
}

#[tokio::test]
async fn a_policy_judges_addresses_and_prefixes() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, stranger) = (here.s3(), anonymous(&here));
    put(&s3, "a/1").await;
    let from = |cidr: &str| {
        let mut statement = read("arn:aws:s3:::shop/*");
        statement["Condition"] = json!({"IpAddress": {"aws:SourceIp": cidr}});
        statement
    };
    let get = || stranger.get_object().bucket("shop").key("a/1").send();
    // Limited to addresses it is not public: Block Public Access, all on, lets it stand.
    policy(&s3, from("192.0.2.0/24")).await;
    refused!(get().await, "AccessDenied");
    policy(&s3, from("127.0.0.0/8")).await;
    get().await.unwrap();
    s3.delete_public_access_block().bucket("shop").send().await.unwrap();
    let mut list = read("arn:aws:s3:::shop");
    list["Action"] = json!("s3:ListBucket");
    list["Condition"] = json!({"StringLike": {"s3:prefix": "a/*"}});
    policy(&s3, list).await;
    let ls = |prefix: &str| stranger.list_objects_v2().bucket("shop").prefix(prefix).send();
    assert_eq!(ls("a/").await.unwrap().contents().len(), 1);
    refused!(ls("b/").await, "AccessDenied");
}

#[tokio::test]
async fn acls_are_off_until_the_ownership_says_otherwise() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, stranger) = (here.s3(), anonymous(&here));
    let with = |acl: ObjectCannedAcl| s3.put_object().bucket("shop").key("k").acl(acl).send();
    let bucket_acl = |acl: BucketCannedAcl| s3.put_bucket_acl().bucket("shop").acl(acl).send();
    refused!(with(ObjectCannedAcl::PublicRead).await, "AccessControlListNotSupported");
    with(ObjectCannedAcl::BucketOwnerFullControl).await.unwrap();
    refused!(bucket_acl(BucketCannedAcl::Private).await, "AccessControlListNotSupported");
    let acl = s3.get_bucket_acl().bucket("shop").send().await.unwrap();
    assert_eq!(acl.grants().len(), 1);
    assert_eq!(acl.grants()[0].permission(), Some(&Permission::FullControl));
    assert_eq!(acl.grants()[0].grantee().unwrap().id(), acl.owner().unwrap().id());

    owned(&s3, ObjectOwnership::ObjectWriter).await;
    refused!(with(ObjectCannedAcl::PublicRead).await, "AccessDenied", "BlockPublicAcls", "[law C2]");
    block(&s3, false, true, true, true).await;
    with(ObjectCannedAcl::PublicRead).await.unwrap();
    let get = |key: &str| stranger.get_object().bucket("shop").key(key).send();
    refused!(get("k").await, "AccessDenied");
    block(&s3, false, false, true, true).await;
    get("k").await.unwrap();
    assert_eq!(s3.get_object_acl().bucket("shop").key("k").send().await.unwrap().grants().len(), 2);
    refused!(stranger.list_objects_v2().bucket("shop").send().await, "AccessDenied");
    bucket_acl(BucketCannedAcl::PublicRead).await.unwrap();
    stranger.list_objects_v2().bucket("shop").send().await.unwrap();
    refused!(get("missing").await, "NoSuchKey");
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    refused!(
        s3.put_bucket_ownership_controls().bucket("shop").ownership_controls(controls).send().await,
        "InvalidBucketAclWithObjectOwnership"
    );
    s3.delete_bucket_ownership_controls().bucket("shop").send().await.unwrap();
    refused!(s3.get_bucket_ownership_controls().bucket("shop").send().await, "OwnershipControlsNotFoundError");
}

#[tokio::test]
async fn a_bucket_is_not_born_public() {
    let here = Here::new().await;
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
    let create = || here.s3().create_bucket().bucket("shop").create_bucket_configuration(place.clone());
    let public = || create().acl(BucketCannedAcl::PublicRead);
    refused!(public().send().await, "InvalidBucketAclWithObjectOwnership");
    refused!(
        public().object_ownership(ObjectOwnership::ObjectWriter).send().await,
        "InvalidBucketAclWithBlockPublicAccessError"
    );
    create().object_ownership(ObjectOwnership::ObjectWriter).send().await.unwrap();
}

#[tokio::test]
async fn the_owner_of_a_bucket_is_who_it_is_expected_to_be() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let ask = |owner: &str| here.s3().get_bucket_location().bucket("shop").expected_bucket_owner(owner).send();
    ask("000000000000").await.unwrap();
    refused!(ask("111111111111").await, "AccessDenied");
    refused!(ask("me").await, "InvalidBucketOwnerAWSAccountID");
}
