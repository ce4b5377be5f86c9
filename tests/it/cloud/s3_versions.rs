//! S3: versions, delete markers, and what is left of them after a restart.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, Delete, ObjectIdentifier, Tag, Tagging, VersioningConfiguration};
use outgrow::rehearsal::clock::Clock;
use outgrow::rehearsal::cloud::{Cloud, Settings};
use outgrow::rehearsal::state::Shared;

use super::s3::bucket;
use super::{Here, refused};

async fn versioning(s3: &Client, status: BucketVersioningStatus) {
    let configuration = VersioningConfiguration::builder().status(status).build();
    s3.put_bucket_versioning().bucket("shop").versioning_configuration(configuration).send().await.unwrap();
}

async fn put(s3: &Client, body: &'static str) -> Option<String> {
    let body = ByteStream::from_static(body.as_bytes());
    s3.put_object().bucket("shop").key("k").body(body).send().await.unwrap().version_id
}

async fn get(s3: &Client, version: Option<&str>) -> String {
    let got = s3.get_object().bucket("shop").key("k").set_version_id(version.map(str::to_owned)).send().await.unwrap();
    String::from_utf8(got.body.collect().await.unwrap().to_vec()).unwrap()
}

/// Version ids of `k` from the newest on, and those of its delete markers.
async fn listed(s3: &Client) -> (Vec<String>, Vec<String>) {
    let all = s3.list_object_versions().bucket("shop").prefix("k").send().await.unwrap();
    let versions = all.versions().iter().filter_map(|v| v.version_id()).map(str::to_owned);
    let markers = all.delete_markers().iter().filter_map(|v| v.version_id()).map(str::to_owned);
    (versions.collect(), markers.collect())
}

#[tokio::test]
async fn versions_come_are_hidden_and_come_back() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    assert_eq!(put(&s3, "before").await, None);
    versioning(&s3, BucketVersioningStatus::Enabled).await;
    let (first, second) = (put(&s3, "first").await.unwrap(), put(&s3, "second").await.unwrap());
    assert_eq!(get(&s3, None).await, "second");
    assert_eq!(get(&s3, Some(&first)).await, "first");
    assert_eq!(get(&s3, Some("null")).await, "before");
    let deleted = s3.delete_object().bucket("shop").key("k").send().await.unwrap();
    assert_eq!(deleted.delete_marker(), Some(true));
    let marker = deleted.version_id().unwrap();
    refused!(s3.get_object().bucket("shop").key("k").send().await, "NoSuchKey");
    refused!(s3.get_object().bucket("shop").key("k").version_id(marker).send().await, "MethodNotAllowed");
    assert!(s3.list_objects_v2().bucket("shop").send().await.unwrap().contents().is_empty());
    let all = vec![second.clone(), first.clone(), "null".to_owned()];
    assert_eq!(listed(&s3).await, (all, vec![marker.to_owned()]));
    refused!(s3.delete_bucket().bucket("shop").send().await, "BucketNotEmpty", "all versions");

    // A process that starts anew finds all of it.
    let again = Cloud::new(Shared::new(Clock::default()), here.dir.path().join("s3"), Settings::default()).unwrap();
    let s3 = super::s3_client(&super::config(&super::serve(&again).await, "outgrow", "rehearsal"));
    assert_eq!(get(&s3, Some(&first)).await, "first");
    refused!(s3.get_object().bucket("shop").key("k").send().await, "NoSuchKey");
    let delete = |id: &str| s3.delete_object().bucket("shop").key("k").version_id(id).send();
    assert_eq!(delete(marker).await.unwrap().delete_marker(), Some(true));
    assert_eq!(get(&s3, None).await, "second");
    delete(&second).await.unwrap();
    assert_eq!(get(&s3, None).await, "first");
    delete(&second).await.unwrap();
    refused!(s3.get_object().bucket("shop").key("k").version_id(&second).send().await, "NoSuchVersion");
    refused!(s3.get_object().bucket("shop").key("k").version_id("../../x").send().await, "InvalidArgument");
    let ids = [first.as_str(), "null"].map(|v| ObjectIdentifier::builder().key("k").version_id(v).build().unwrap());
    let both = Delete::builder().set_objects(Some(ids.to_vec())).build().unwrap();
    assert_eq!(s3.delete_objects().bucket("shop").delete(both).send().await.unwrap().deleted().len(), 2);
    assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop/data")).unwrap().count(), 0, "no bytes are left");
    s3.delete_bucket().bucket("shop").send().await.unwrap();
}

#[tokio::test]
async fn a_suspended_bucket_has_one_null_version() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    put(&s3, "before").await;
    versioning(&s3, BucketVersioningStatus::Enabled).await;
    let first = put(&s3, "first").await.unwrap();
    versioning(&s3, BucketVersioningStatus::Suspended).await;
    put(&s3, "anew").await;
    assert_eq!(listed(&s3).await.0, ["null", &first]);
    put(&s3, "again").await;
    assert_eq!(listed(&s3).await.0, ["null", &first]);
    assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop/data")).unwrap().count(), 2);
    let deleted = s3.delete_object().bucket("shop").key("k").send().await.unwrap();
    assert_eq!((deleted.delete_marker(), deleted.version_id()), (Some(true), Some("null")));
    assert_eq!(listed(&s3).await, (vec![first.clone()], vec!["null".to_owned()]));
    s3.delete_object().bucket("shop").key("k").version_id("null").send().await.unwrap();
    assert_eq!(get(&s3, None).await, "first");
}

#[tokio::test]
async fn tags_and_copies_speak_of_a_version() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    versioning(&s3, BucketVersioningStatus::Enabled).await;
    let first = put(&s3, "first").await.unwrap();
    put(&s3, "second").await;
    let tags = Tagging::builder().tag_set(Tag::builder().key("a").value("b").build().unwrap()).build().unwrap();
    s3.put_object_tagging().bucket("shop").key("k").version_id(&first).tagging(tags).send().await.unwrap();
    let tagged = async |version: Option<String>| {
        s3.get_object_tagging().bucket("shop").key("k").set_version_id(version).send().await.unwrap().tag_set().len()
    };
    assert_eq!((tagged(None).await, tagged(Some(first.clone())).await), (0, 1));
    let source = format!("shop/k?versionId={first}");
    let copied = s3.copy_object().bucket("shop").key("k").copy_source(source).send().await.unwrap();
    assert_eq!(copied.copy_source_version_id(), Some(first.as_str()));
    assert_eq!(get(&s3, None).await, "first");
}

#[tokio::test]
async fn every_version_is_listed_once_in_pages_of_any_size() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    versioning(&s3, BucketVersioningStatus::Enabled).await;
    for key in ["a", "b/1", "b/2", "c d"] {
        for _ in 0..3 {
            s3.put_object().bucket("shop").key(key).body(ByteStream::from_static(b"x")).send().await.unwrap();
        }
        s3.delete_object().bucket("shop").key(key).send().await.unwrap();
    }
    for size in [1, 2, 3, 5, 16] {
        let mut seen = Vec::new();
        let (mut key, mut id) = (None, None);
        loop {
            let page = s3.list_object_versions().bucket("shop").max_keys(size);
            let page = page.set_key_marker(key).set_version_id_marker(id).send().await.unwrap();
            seen.extend(
                page.versions().iter().map(|v| (v.key().unwrap().to_owned(), v.version_id().unwrap().to_owned())),
            );
            let markers = page.delete_markers().iter();
            seen.extend(markers.map(|v| (v.key().unwrap().to_owned(), v.version_id().unwrap().to_owned())));
            if page.is_truncated() != Some(true) {
                break;
            }
            (key, id) = (page.next_key_marker, page.next_version_id_marker);
        }
        let all: std::collections::BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!((seen.len(), all.len()), (16, 16), "pages of {size}");
    }
    let rolled = s3.list_object_versions().bucket("shop").delimiter("/").send().await.unwrap();
    assert_eq!((rolled.common_prefixes().len(), rolled.versions().len(), rolled.delete_markers().len()), (1, 6, 2));
}
