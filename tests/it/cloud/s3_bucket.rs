//! S3: names and regions of buckets, their configurations, the website endpoint, host names.

use aws_config::Region;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint, CorsConfiguration,
    CorsRule, CreateBucketConfiguration, ErrorDocument, ExpirationStatus, IndexDocument, LifecycleRule,
    LifecycleRuleFilter, ServerSideEncryption, Tag, Tagging, WebsiteConfiguration,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::s3::bucket;
use super::{Here, REGION, refused};

#[tokio::test]
async fn a_bucket_lies_in_its_region() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let elsewhere = here.config.to_builder().region(Region::new("us-east-1")).build();
    let us = super::s3_client(&elsewhere);
    let redirected = us.list_objects_v2().bucket("shop").send().await.unwrap_err();
    let raw = redirected.raw_response().unwrap();
    assert_eq!((raw.status().as_u16(), raw.headers().get("x-amz-bucket-region")), (301, Some(REGION)));
    us.create_bucket().bucket("shop-us").send().await.unwrap();
    us.create_bucket().bucket("shop-us").send().await.unwrap();
    refused!(
        here.s3().create_bucket().bucket("shop").create_bucket_configuration(place(REGION)).send().await,
        "BucketAlreadyOwnedByYou"
    );
    let location = us.get_bucket_location().bucket("shop-us").send().await.unwrap();
    assert!(location.location_constraint().is_none_or(|l| l.as_str().is_empty()));
    us.create_bucket().bucket("shop-eu").create_bucket_configuration(place("eu-west-1")).send().await.unwrap();
    refused!(
        us.create_bucket().bucket("shop-no").create_bucket_configuration(place("us-east-1")).send().await,
        "InvalidLocationConstraint"
    );
    for name in ["Shop_X", "192.168.1.1", "xn--shop", "a..b", "shop-s3alias", "ab"] {
        let create = here.s3().create_bucket().bucket(name).create_bucket_configuration(place(REGION));
        refused!(create.send().await, "InvalidBucketName", "not valid");
    }
    let names: Vec<_> = here.s3().list_buckets().send().await.unwrap().buckets.unwrap();
    assert_eq!(names.iter().filter_map(|b| b.name()).collect::<Vec<_>>(), ["shop", "shop-eu", "shop-us"]);
}

fn place(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
}

#[tokio::test]
async fn a_lifecycle_that_ends_uploads_is_kept() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    refused!(s3.get_bucket_lifecycle_configuration().bucket("shop").send().await, "NoSuchLifecycleConfiguration");
    let rule = |days: i32| {
        let end = AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build();
        let rule = LifecycleRule::builder().id("uploads").status(ExpirationStatus::Enabled);
        rule.filter(LifecycleRuleFilter::builder().prefix("").build()).abort_incomplete_multipart_upload(end).build()
    };
    let set = async |rules: Vec<LifecycleRule>| {
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
        s3.put_bucket_lifecycle_configuration().bucket("shop").lifecycle_configuration(all).send().await
    };
    refused!(set(vec![rule(0).unwrap()]).await, "InvalidArgument", "positive integer");
    refused!(set(vec![rule(7).unwrap(), rule(7).unwrap()]).await, "InvalidArgument", "unique");
    let idle = LifecycleRule::builder().id("x").status(ExpirationStatus::Enabled);
    let idle = idle.filter(LifecycleRuleFilter::builder().prefix("").build()).build().unwrap();
    refused!(set(vec![idle]).await, "InvalidRequest", "At least one action");
    set(vec![rule(7).unwrap()]).await.unwrap();
    let kept = s3.get_bucket_lifecycle_configuration().bucket("shop").send().await.unwrap();
    assert_eq!(kept.rules(), [rule(7).unwrap()]);
    s3.delete_bucket_lifecycle().bucket("shop").send().await.unwrap();
    refused!(s3.get_bucket_lifecycle_configuration().bucket("shop").send().await, "NoSuchLifecycleConfiguration");
}

#[tokio::test]
async fn encryption_is_there_from_the_start_and_cors_is_kept() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let encryption = s3.get_bucket_encryption().bucket("shop").send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    assert_eq!(rule.apply_server_side_encryption_by_default().unwrap().sse_algorithm(), &ServerSideEncryption::Aes256);
    let put = s3.put_object().bucket("shop").key("k").send().await.unwrap();
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    refused!(
        s3.put_object().bucket("shop").key("k").server_side_encryption(ServerSideEncryption::AwsKms).send().await,
        "NotImplemented"
    );
    refused!(s3.get_bucket_cors().bucket("shop").send().await, "NoSuchCORSConfiguration");
    let rule = |method: &str| CorsRule::builder().allowed_methods(method).allowed_origins("https://shop.test").build();
    let set = async |method: &str| {
        let cors = CorsConfiguration::builder().cors_rules(rule(method).unwrap()).build().unwrap();
        s3.put_bucket_cors().bucket("shop").cors_configuration(cors).send().await
    };
    refused!(set("PATCH").await, "InvalidRequest", "PATCH");
    set("GET").await.unwrap();
    assert_eq!(s3.get_bucket_cors().bucket("shop").send().await.unwrap().cors_rules(), [rule("GET").unwrap()]);
    assert!(s3.get_bucket_logging().bucket("shop").send().await.unwrap().logging_enabled().is_none());
    refused!(s3.get_bucket_replication().bucket("shop").send().await, "ReplicationConfigurationNotFoundError");
}

#[tokio::test]
async fn tags_and_metadata_have_limits() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    s3.put_object().bucket("shop").key("k").metadata("a", "b".repeat(2047)).send().await.unwrap();
    refused!(s3.put_object().bucket("shop").key("k").metadata("a", "b".repeat(2048)).send().await, "MetadataTooLarge");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let set = async |tags: Vec<Tag>| {
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        s3.put_object_tagging().bucket("shop").key("k").tagging(tagging).send().await
    };
    let many = |n: usize| (0..n).map(|i| tag(&format!("k{i}"), "v")).collect::<Vec<_>>();
    set(many(10)).await.unwrap();
    refused!(set(many(11)).await, "BadRequest", "10");
    refused!(set(vec![tag("k", "v"), tag("k", "w")]).await, "InvalidTag", "same key");
    refused!(set(vec![tag("aws:k", "v")]).await, "InvalidTag");
    refused!(set(vec![tag(&"k".repeat(129), "v")]).await, "InvalidTag", "too long");
    refused!(s3.put_object().bucket("shop").key("k").tagging("a=1&a=2").send().await, "InvalidArgument");
    s3.delete_object_tagging().bucket("shop").key("k").send().await.unwrap();
    assert!(s3.get_object_tagging().bucket("shop").key("k").send().await.unwrap().tag_set().is_empty());
    let long = "가".repeat(341);
    s3.put_object().bucket("shop").key(&long).send().await.unwrap();
    refused!(s3.put_object().bucket("shop").key(format!("{long}ab")).send().await, "KeyTooLongError");
}

/// One plain request; the answer whole, as text.
async fn ask(here: &Here, line: &str, host: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(here.endpoint.trim_start_matches("http://")).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_website_endpoint_serves_pages_to_whom_the_policy_lets() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    refused!(s3.get_bucket_website().bucket("shop").send().await, "NoSuchWebsiteConfiguration");
    let host = format!("shop.s3-website.{REGION}.amazonaws.com");
    assert!(ask(&here, "GET /", &host).await.starts_with("HTTP/1.1 404"));
    let index = |suffix: &str| IndexDocument::builder().suffix(suffix).build().unwrap();
    let set = async |suffix: &str| {
        let error = ErrorDocument::builder().key("error.html").build().unwrap();
        let website = WebsiteConfiguration::builder().index_document(index(suffix)).error_document(error).build();
        s3.put_bucket_website().bucket("shop").website_configuration(website).send().await
    };
    refused!(set("a/b").await, "InvalidArgument");
    set("index.html").await.unwrap();
    for key in ["index.html", "docs/index.html", "error.html"] {
        let put = s3.put_object().bucket("shop").key(key).content_type("text/html");
        put.body(ByteStream::from(key.as_bytes().to_vec())).send().await.unwrap();
    }
    s3.put_object().bucket("shop").key("old").website_redirect_location("/docs/").send().await.unwrap();
    assert!(ask(&here, "GET /", &host).await.starts_with("HTTP/1.1 403"), "it is private yet");
    s3.delete_public_access_block().bucket("shop").send().await.unwrap();
    let text =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::shop/*"}}"#;
    s3.put_bucket_policy().bucket("shop").policy(text).send().await.unwrap();
    for (line, status, holds) in [
        ("GET /", 200, "\r\n\r\nindex.html"),
        ("GET /docs/", 200, "\r\n\r\ndocs/index.html"),
        ("GET /docs", 302, "location: /docs/"),
        ("GET /old", 301, "location: /docs/"),
        ("GET /nothing", 403, "\r\n\r\nerror.html"),
        ("POST /", 405, "MethodNotAllowed"),
    ] {
        let answer = ask(&here, line, &host).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(holds), "{line}\n{answer}");
    }
    // The same object by the name of its bucket, which is the REST endpoint: no index documents there.
    assert!(ask(&here, "GET /docs/index.html", "shop.s3.localhost").await.contains("\r\n\r\ndocs/index.html"));
    assert!(ask(&here, "GET /docs/", "shop.s3.localhost").await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn virtual_hosts_name_the_bucket() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    here.s3().put_object().bucket("shop").key("가 나").body(ByteStream::from_static(b"x")).send().await.unwrap();
    // Names below localhost are resolved by no system alike: the SDK signs for one, and we connect ourselves.
    let config = aws_sdk_s3::config::Builder::from(&here.config).endpoint_url("http://s3.localhost").build();
    let presigning = aws_sdk_s3::presigning::PresigningConfig::expires_in(std::time::Duration::from_mins(1)).unwrap();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let get = s3.get_object().bucket("shop").key("가 나").presigned(presigning.clone()).await.unwrap();
    let uri: http::Uri = get.uri().parse().unwrap();
    assert_eq!(uri.host(), Some("shop.s3.localhost"));
    let answer = ask(&here, &format!("GET {}", uri.path_and_query().unwrap()), "shop.s3.localhost").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nx"), "{answer}");
    let answer = ask(&here, &format!("GET {}", uri.path_and_query().unwrap()), "other.s3.localhost").await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("SignatureDoesNotMatch"), "{answer}");
}

#[tokio::test]
async fn the_first_listing_goes_on_behind_a_marker() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    for key in ["a", "b/1", "b/2", "b0", "c d/1", "e"] {
        s3.put_object().bucket("shop").key(key).send().await.unwrap();
    }
    for size in 1..6 {
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let page = s3.list_objects().bucket("shop").delimiter("/").max_keys(size).set_marker(marker).send();
            let page = page.await.unwrap();
            let mut entries: Vec<_> = page.contents().iter().filter_map(|o| o.key()).map(str::to_owned).collect();
            entries.extend(page.common_prefixes().iter().filter_map(|p| p.prefix()).map(str::to_owned));
            entries.sort();
            seen.extend(entries);
            if page.is_truncated() != Some(true) {
                break;
            }
            marker = page.next_marker;
        }
        assert_eq!(seen, ["a", "b/", "b0", "c d/", "e"], "pages of {size}");
    }
    let none = s3.list_objects_v2().bucket("shop").max_keys(0).send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
    let url = s3.list_objects_v2().bucket("shop").prefix("c d").encoding_type("url".into()).send().await.unwrap();
    assert_eq!(url.contents()[0].key(), Some("c+d/1"));
    let refusal = s3.list_objects_v2().bucket("shop").max_keys(-1).send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidArgument"));
}
