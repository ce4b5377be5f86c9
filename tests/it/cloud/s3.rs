//! S3: buckets, objects, conditions, listings.

use aws_config::Region;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration,
    Delete, MetadataDirective, ObjectIdentifier, PublicAccessBlockConfiguration, Tag, Tagging, VersioningConfiguration,
};
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::state::Shared;

use super::{Here, REGION, refused};

pub async fn bucket(here: &Here, name: &str) {
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
    here.s3().create_bucket().bucket(name).create_bucket_configuration(place).send().await.unwrap();
}

#[tokio::test]
async fn an_object_keeps_its_headers_and_its_checksum() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let keys = ["plain.html", "상점/첫 페이지.html", "a+b %25/c&d=e?f#g.txt", "v1//x"];
    for key in keys {
        let put = s3.put_object().bucket("shop").key(key).body(ByteStream::from(key.as_bytes().to_vec()));
        let put = put.content_type("text/html").cache_control("no-cache").content_disposition("inline");
        let put = put.metadata("digest", "abc").checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        assert!(put.checksum_sha256().is_some());
        let head = s3.head_object().bucket("shop").key(key).checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(head.checksum_sha256(), put.checksum_sha256());
        assert_eq!((head.content_type(), head.cache_control()), (Some("text/html"), Some("no-cache")));
        assert_eq!(head.content_disposition(), Some("inline"));
        assert_eq!(head.metadata().unwrap()["digest"], "abc");
        let got = s3.get_object().bucket("shop").key(key).send().await.unwrap();
        assert_eq!(got.content_encoding(), None);
        assert_eq!(got.body.collect().await.unwrap().to_vec(), key.as_bytes());
    }
    let listed = s3.list_objects_v2().bucket("shop").send().await.unwrap();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(listed.contents().iter().filter_map(|o| o.key()).collect::<Vec<_>>(), sorted);
    let (meta, file) = here.cloud.objects().open("shop", keys[1]).await.unwrap();
    assert_eq!(meta.size, file.metadata().await.unwrap().len());
    assert_eq!(meta.headers.content_type.as_deref(), Some("text/html"));
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_leaves_nothing() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let put = || here.s3().put_object().bucket("shop").key("k").body(ByteStream::from_static(b"hello"));
    refused!(put().checksum_crc64_nvme("AAAAAAAAAAA=").send().await, "BadDigest");
    refused!(put().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await, "BadDigest");
    assert!(here.cloud.objects().open("shop", "k").await.is_none());
    assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop/tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn without_a_checksum_crc64nvme_is_kept() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let config = aws_sdk_s3::config::Builder::from(&here.config)
        .force_path_style(true)
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired)
        .build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    s3.put_object().bucket("shop").key("k").body(ByteStream::from_static(b"123456789")).send().await.unwrap();
    let head = s3.head_object().bucket("shop").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    // The check value of CRC-64/NVME, ae8b14860a799888.
    assert_eq!(head.checksum_crc64_nvme(), Some("rosUhgp5mIg="));
}

#[tokio::test]
async fn ranges_copies_and_deletes() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let put = s3
        .put_object()
        .bucket("shop")
        .key("첫 번째+a")
        .content_type("text/plain")
        .body(ByteStream::from_static(b"0123456789"));
    put.send().await.unwrap();
    for (range, wanted) in [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89")] {
        let got = s3.get_object().bucket("shop").key("첫 번째+a").range(range).send().await.unwrap();
        assert!(got.content_range().unwrap().ends_with("/10"));
        assert_eq!(got.body.collect().await.unwrap().to_vec(), wanted.as_bytes());
    }
    refused!(s3.get_object().bucket("shop").key("첫 번째+a").range("bytes=10-").send().await, "InvalidRange");
    let source = "shop/%EC%B2%AB%20%EB%B2%88%EC%A7%B8%2Ba";
    let copy = || s3.copy_object().bucket("shop").copy_source(source);
    copy().key("copy").send().await.unwrap();
    copy()
        .key("replaced")
        .metadata_directive(MetadataDirective::Replace)
        .content_type("text/css")
        .send()
        .await
        .unwrap();
    refused!(copy().key("첫 번째+a").send().await, "InvalidRequest");
    let kind = async |key: &str| {
        s3.head_object().bucket("shop").key(key).send().await.unwrap().content_type().map(str::to_owned)
    };
    assert_eq!(
        (kind("copy").await.as_deref(), kind("replaced").await.as_deref()),
        (Some("text/plain"), Some("text/css"))
    );
    s3.delete_object().bucket("shop").key("copy").send().await.unwrap();
    s3.delete_object().bucket("shop").key("copy").send().await.unwrap();
    refused!(s3.get_object().bucket("shop").key("copy").send().await, "NoSuchKey");
    refused!(s3.delete_bucket().bucket("shop").send().await, "BucketNotEmpty");
    let ids = ["첫 번째+a", "replaced", "never"].map(|k| ObjectIdentifier::builder().key(k).build().unwrap());
    let delete = Delete::builder().set_objects(Some(ids.to_vec())).build().unwrap();
    assert_eq!(s3.delete_objects().bucket("shop").delete(delete).send().await.unwrap().deleted().len(), 3);
    s3.delete_bucket().bucket("shop").send().await.unwrap();
    refused!(s3.get_object().bucket("shop").key("copy").send().await, "NoSuchBucket");
}

#[tokio::test]
async fn c7_conditional_writes() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let put =
        |body: &'static str| s3.put_object().bucket("shop").key("lock").body(ByteStream::from_static(body.as_bytes()));
    let first = put("a").if_none_match("*").send().await.unwrap();
    refused!(put("b").if_none_match("*").send().await, "PreconditionFailed", "[law C7]");
    let second = put("b").if_match(first.e_tag().unwrap()).send().await.unwrap();
    refused!(put("c").if_match(first.e_tag().unwrap()).send().await, "PreconditionFailed", "[law C7]");
    refused!(
        s3.put_object().bucket("shop").key("none").if_match("\"x\"").body(ByteStream::from_static(b"")).send().await,
        "NoSuchKey"
    );
    // Of many who try at once, one gets it.
    let all = (0..16).map(|_| {
        s3.put_object().bucket("shop").key("race").if_none_match("*").body(ByteStream::from_static(b"x")).send()
    });
    let won = futures::future::join_all(all).await.into_iter().flatten().count();
    assert_eq!(won, 1);
    refused!(
        s3.delete_object().bucket("shop").key("lock").if_match(first.e_tag().unwrap()).send().await,
        "PreconditionFailed"
    );
    s3.delete_object().bucket("shop").key("lock").if_match(second.e_tag().unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn c2_a_public_policy_is_refused_while_public_access_is_blocked() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let block = s3.get_public_access_block().bucket("shop").send().await.unwrap();
    assert_eq!(block.public_access_block_configuration().unwrap().block_public_policy(), Some(true), "born blocked");
    let policy = |principal: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}}]}}"#
        )
    };
    let put = |text: String| s3.put_bucket_policy().bucket("shop").policy(text).send();
    refused!(put(policy("\"*\"")).await, "AccessDenied", "BlockPublicPolicy", "[law C2]");
    refused!(put("{".into()).await, "MalformedPolicy");
    refused!(s3.get_bucket_policy().bucket("shop").send().await, "NoSuchBucketPolicy");
    let distribution = policy(r#"{"Service":"cloudfront.amazonaws.com"}"#);
    put(distribution.clone()).await.unwrap();
    assert_eq!(s3.get_bucket_policy().bucket("shop").send().await.unwrap().policy(), Some(distribution.as_str()));
    s3.delete_public_access_block().bucket("shop").send().await.unwrap();
    refused!(s3.get_public_access_block().bucket("shop").send().await, "NoSuchPublicAccessBlockConfiguration");
    put(policy("\"*\"")).await.unwrap();
    let on = PublicAccessBlockConfiguration::builder().block_public_policy(true).build();
    s3.put_public_access_block().bucket("shop").public_access_block_configuration(on).send().await.unwrap();
    refused!(put(policy("\"*\"")).await, "AccessDenied");
}

#[tokio::test]
async fn a_bucket_is_configured_and_outlives_its_process() {
    let here = Here::new().await;
    let s3 = here.s3();
    refused!(s3.create_bucket().bucket("shop").send().await, "IllegalLocationConstraintException");
    bucket(&here, "shop").await;
    assert_eq!(
        s3.get_bucket_location().bucket("shop").send().await.unwrap().location_constraint().unwrap().as_str(),
        REGION
    );
    s3.head_bucket().bucket("shop").send().await.unwrap();
    assert!(s3.head_bucket().bucket("nobody").send().await.is_err());
    let tags = Tagging::builder().tag_set(Tag::builder().key("run").value("r-1").build().unwrap()).build().unwrap();
    s3.put_bucket_tagging().bucket("shop").tagging(tags).send().await.unwrap();
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("shop").versioning_configuration(versioning).send().await.unwrap();
    let rules = s3.get_bucket_ownership_controls().bucket("shop").send().await.unwrap();
    assert_eq!(rules.ownership_controls().unwrap().rules()[0].object_ownership().as_str(), "BucketOwnerEnforced");
    s3.put_object().bucket("shop").key("글").body(ByteStream::from_static(b"x")).send().await.unwrap();
    // A process that was killed may leave bytes behind that nobody was told of.
    std::fs::write(here.dir.path().join("s3/shop/data/orphan"), b"x").unwrap();
    std::fs::write(here.dir.path().join("s3/shop/tmp/half"), b"x").unwrap();

    let again = Cloud::new(Shared::new(Clock::default()), here.dir.path().join("s3"), Settings::default()).unwrap();
    assert!(again.shared().lock().buckets["shop"].block_public);
    let s3 = super::s3_client(&super::config(&super::serve(&again).await, "outgrow", "rehearsal"));
    let listed = s3.list_objects_v2().bucket("shop").send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some("글"));
    assert_eq!(s3.get_bucket_tagging().bucket("shop").send().await.unwrap().tag_set()[0].value(), "r-1");
    assert_eq!(
        s3.get_bucket_versioning().bucket("shop").send().await.unwrap().status(),
        Some(&BucketVersioningStatus::Enabled)
    );
    assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop/data")).unwrap().count(), 1);
    assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop/tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_private_object_is_not_read_without_a_signature() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    here.s3().put_object().bucket("shop").key("k").body(ByteStream::from_static(b"x")).send().await.unwrap();
    let config = aws_sdk_s3::Config::builder().behavior_version_latest().region(Region::new(REGION));
    let config = config.endpoint_url(&here.endpoint).force_path_style(true).allow_no_auth().build();
    let anonymous = aws_sdk_s3::Client::from_conf(config);
    refused!(anonymous.get_object().bucket("shop").key("k").send().await, "AccessDenied");
}

#[tokio::test]
async fn two_thousand_five_hundred_keys_are_listed_page_by_page() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let keys: Vec<_> = (0..2500).map(|n| format!("v1/{}/파일 {n:04}+.txt", n % 5)).collect();
    for many in keys.chunks(100) {
        let puts =
            many.iter().map(|k| s3.put_object().bucket("shop").key(k).body(ByteStream::from_static(b"x")).send());
        futures::future::try_join_all(puts).await.unwrap();
    }
    let mut pages = s3.list_objects_v2().bucket("shop").into_paginator().send();
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        sizes.push(page.contents().len());
        seen.extend(page.contents().iter().filter_map(|o| o.key()).map(str::to_owned));
    }
    let mut sorted = keys;
    sorted.sort_unstable();
    assert_eq!((seen, sizes), (sorted, vec![1000, 1000, 500]));
    let rolled = s3.list_objects_v2().bucket("shop").prefix("v1/").delimiter("/").max_keys(2).send().await.unwrap();
    let prefixes: Vec<_> = rolled.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
    assert_eq!((prefixes, rolled.is_truncated()), (vec!["v1/0/", "v1/1/"], Some(true)));
}
