//! S3: conditions of reads and writes, copies, checksums, and what a failing disk leaves.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ObjectAttributes, TaggingDirective};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::s3::bucket;
use super::{Here, refused};

#[tokio::test]
async fn reads_are_held_to_tags_and_dates() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let put = s3.put_object().bucket("shop").key("k").body(ByteStream::from_static(b"hello")).send().await.unwrap();
    let tag = put.e_tag().unwrap();
    let get = || s3.get_object().bucket("shop").key("k");
    let written = *get().send().await.unwrap().last_modified().unwrap();
    let before = DateTime::from_secs(written.secs() - 60);
    let status =
        async |call: aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder| match call.send().await {
            Ok(_) => 200,
            Err(error) => error.raw_response().unwrap().status().as_u16(),
        };
    for (call, expected) in [
        (get().if_match(tag), 200),
        (get().if_match("\"x\""), 412),
        (get().if_none_match(tag), 304),
        (get().if_none_match("\"x\""), 200),
        (get().if_modified_since(written), 304),
        (get().if_modified_since(before), 200),
        (get().if_unmodified_since(before), 412),
        (get().if_unmodified_since(written), 200),
        // The tag counts for more than the date.
        (get().if_match(tag).if_unmodified_since(before), 200),
        (get().if_none_match(tag).if_modified_since(before), 304),
    ] {
        assert_eq!(status(call.clone()).await, expected, "{call:?}");
    }
    let copy = || s3.copy_object().bucket("shop").key("copy").copy_source("shop/k");
    refused!(copy().copy_source_if_match("\"x\"").send().await, "PreconditionFailed");
    refused!(copy().copy_source_if_none_match(tag).send().await, "PreconditionFailed");
    refused!(copy().copy_source_if_unmodified_since(before).send().await, "PreconditionFailed");
    let copied = copy().tagging_directive(TaggingDirective::Replace).tagging("a=1").send().await.unwrap();
    assert_eq!(copied.copy_object_result().unwrap().e_tag(), Some(tag));
    assert_eq!(s3.get_object_tagging().bucket("shop").key("copy").send().await.unwrap().tag_set().len(), 1);
}

#[tokio::test]
async fn c7_a_deletion_under_way_of_a_conditional_write_is_a_conflict() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let presigning = aws_sdk_s3::presigning::PresigningConfig::expires_in(std::time::Duration::from_mins(1)).unwrap();
    let put = s3.put_object().bucket("shop").key("lock").if_none_match("*").presigned(presigning).await.unwrap();
    let (authority, path) = put.uri().trim_start_matches("http://").split_once('/').unwrap();
    let mut head = format!("PUT /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 2\r\nConnection: close\r\n");
    for (name, value) in put.headers() {
        head.extend([name, ": ", value, "\r\n"]);
    }
    let mut writing = tokio::net::TcpStream::connect(authority).await.unwrap();
    writing.write_all(format!("{head}\r\na").as_bytes()).await.unwrap();
    // Once its file is there the write has begun.
    let begun = here.dir.path().join("s3/shop/tmp");
    while std::fs::read_dir(&begun).unwrap().next().is_none() {
        tokio::task::yield_now().await;
    }
    s3.delete_object().bucket("shop").key("lock").send().await.unwrap();
    writing.write_all(b"b").await.unwrap();
    let mut answer = String::new();
    writing.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 409") && answer.contains("ConditionalRequestConflict"), "{answer}");
    assert_eq!(std::fs::read_dir(begun).unwrap().count(), 0);
    refused!(s3.put_object().bucket("shop").key("lock").if_none_match("\"x\"").send().await, "NotImplemented");
}

#[tokio::test]
async fn every_checksum_is_told_and_held() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] {
        let algorithm = ChecksumAlgorithm::from(algorithm);
        let put = s3.put_object().bucket("shop").key("k").checksum_algorithm(algorithm.clone());
        let put = put.body(ByteStream::from_static(b"123456789")).send().await.unwrap();
        let head = s3.head_object().bucket("shop").key("k").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        let of = [head.checksum_crc32(), head.checksum_crc32_c(), head.checksum_crc64_nvme()];
        let of = [of.as_slice(), &[head.checksum_sha1(), head.checksum_sha256()]].concat();
        assert_eq!(of.iter().flatten().count(), 1, "{algorithm}");
        assert_eq!(head.checksum_sha256(), put.checksum_sha256());
        let attributes = s3.get_object_attributes().bucket("shop").key("k");
        let attributes =
            attributes.object_attributes(ObjectAttributes::Checksum).object_attributes(ObjectAttributes::ObjectSize);
        let attributes = attributes.send().await.unwrap();
        assert_eq!((attributes.object_size(), attributes.checksum().is_some()), (Some(9), true));
    }
    let put = || s3.put_object().bucket("shop").key("x").body(ByteStream::from_static(b"123456789"));
    refused!(put().checksum_sha1("AAAA").send().await, "InvalidRequest", "x-amz-checksum-sha1");
    refused!(put().content_md5("AAAA").send().await, "InvalidDigest");
    refused!(s3.get_object().bucket("shop").key("x").send().await, "NoSuchKey");
}

#[tokio::test]
async fn what_the_disk_refuses_is_not_there() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let put = |key: &str| s3.put_object().bucket("shop").key(key).body(ByteStream::from_static(b"x")).send();
    put("before").await.unwrap();
    // Where meta files cannot be written the bytes have come in already; they have to go again.
    let (meta, aside) = (here.dir.path().join("s3/shop/meta"), here.dir.path().join("aside"));
    std::fs::rename(&meta, &aside).unwrap();
    refused!(put("k").await, "InternalError");
    std::fs::rename(&aside, &meta).unwrap();
    refused!(s3.get_object().bucket("shop").key("k").send().await, "NoSuchKey");
    assert_eq!(s3.list_objects_v2().bucket("shop").send().await.unwrap().contents().len(), 1);
    for (dir, expected) in [("data", 1), ("tmp", 0)] {
        assert_eq!(std::fs::read_dir(here.dir.path().join("s3/shop").join(dir)).unwrap().count(), expected, "{dir}");
    }
    put("k").await.unwrap();
}
