//! Multipart uploads.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use s3s::crypto::{Checksum as _, Crc64Nvme};

use super::s3::bucket;
use super::{Here, refused};

const MIB: usize = 1 << 20;

/// Bytes that do not repeat at part size.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u64).map(|i| (i.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

async fn upload(s3: &Client, key: &str, id: &str, parts: &[&[u8]]) -> CompletedMultipartUpload {
    let mut done = Vec::new();
    for (number, part) in (1..).zip(parts) {
        let call = s3.upload_part().bucket("shop").key(key).upload_id(id).part_number(number);
        let call = call.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(ByteStream::from(part.to_vec()));
        let answer = call.send().await.unwrap();
        assert!(answer.checksum_crc64_nvme().is_some());
        done.push(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build());
    }
    CompletedMultipartUpload::builder().set_parts(Some(done)).build()
}

async fn begin(s3: &Client, key: &str) -> String {
    let call = s3.create_multipart_upload().bucket("shop").key(key).content_type("video/mp4");
    let call = call.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
    call.send().await.unwrap().upload_id().unwrap().to_owned()
}

#[tokio::test]
async fn twenty_mib_in_parts_have_the_checksum_of_the_whole() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, key, whole) = (here.s3(), "영상 1.mp4", bytes(20 * MIB + 17));
    let id = begin(&s3, key).await;
    let parts: Vec<_> = whole.chunks(8 * MIB).collect();
    let done = upload(&s3, key, &id, &parts).await;
    let listed = s3.list_parts().bucket("shop").key(key).upload_id(&id).max_parts(2).send().await.unwrap();
    assert_eq!((listed.parts().len(), listed.is_truncated()), (2, Some(true)));
    let open = s3.list_multipart_uploads().bucket("shop").send().await.unwrap();
    assert_eq!(open.uploads()[0].key(), Some(key));
    let wrong =
        s3.complete_multipart_upload().bucket("shop").key(key).upload_id(&id).checksum_crc64_nvme("AAAAAAAAAAA=");
    refused!(wrong.multipart_upload(done.clone()).send().await, "BadDigest");
    let call = s3.complete_multipart_upload().bucket("shop").key(key).upload_id(&id).multipart_upload(done);
    let completed = call.send().await.unwrap();
    let sum = aws_smithy_types::base64::encode(Crc64Nvme::checksum(&whole));
    assert_eq!(completed.checksum_crc64_nvme(), Some(sum.as_str()));
    assert!(completed.e_tag().unwrap().ends_with("-3\""));
    let head = s3.head_object().bucket("shop").key(key).checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!((head.content_type(), head.content_length()), (Some("video/mp4"), i64::try_from(whole.len()).ok()));
    let got = s3.get_object().bucket("shop").key(key).send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == whole);
    assert!(s3.list_multipart_uploads().bucket("shop").send().await.unwrap().uploads().is_empty());
}

#[tokio::test]
async fn small_missing_and_disordered_parts_are_refused() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, key) = (here.s3(), "k");
    let id = begin(&s3, key).await;
    let done = upload(&s3, key, &id, &[b"small", b"last"]).await;
    let complete = |done: CompletedMultipartUpload| {
        s3.complete_multipart_upload().bucket("shop").key(key).upload_id(&id).multipart_upload(done).send()
    };
    refused!(complete(done.clone()).await, "EntityTooSmall");
    let mut parts = done.parts().to_vec();
    parts.reverse();
    refused!(complete(CompletedMultipartUpload::builder().set_parts(Some(parts)).build()).await, "InvalidPartOrder");
    let other = CompletedPart::builder().part_number(3).e_tag("\"0\"").build();
    refused!(complete(CompletedMultipartUpload::builder().parts(other).build()).await, "InvalidPart");
    s3.abort_multipart_upload().bucket("shop").key(key).upload_id(&id).send().await.unwrap();
    refused!(complete(done).await, "NoSuchUpload");
    refused!(s3.abort_multipart_upload().bucket("shop").key(key).upload_id("../../x").send().await, "NoSuchUpload");
}

#[tokio::test]
async fn a_composite_checksum_counts_its_parts() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let begun =
        s3.create_multipart_upload().bucket("shop").key("k").checksum_algorithm(ChecksumAlgorithm::Sha256).send();
    let id = begun.await.unwrap().upload_id().unwrap().to_owned();
    let part = s3.upload_part().bucket("shop").key("k").upload_id(&id).part_number(1);
    let part = part
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .body(ByteStream::from_static(b"hello"))
        .send()
        .await
        .unwrap();
    let done =
        CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).set_checksum_sha256(part.checksum_sha256).build();
    let done = CompletedMultipartUpload::builder().parts(done).build();
    let call = s3.complete_multipart_upload().bucket("shop").key("k").upload_id(&id).multipart_upload(done);
    let completed = call.send().await.unwrap();
    assert_eq!(completed.checksum_type(), Some(&ChecksumType::Composite));
    assert!(completed.checksum_sha256().unwrap().ends_with("-1"));
}

#[tokio::test]
async fn a_part_is_read_by_its_number_and_copied_from_an_object() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let (s3, whole) = (here.s3(), bytes(5 * MIB + 17));
    let id = begin(&s3, "k").await;
    let done = upload(&s3, "k", &id, &[&whole[..5 * MIB], &whole[5 * MIB..]]).await;
    let complete = s3.complete_multipart_upload().bucket("shop").key("k").upload_id(&id).multipart_upload(done);
    refused!(complete.clone().if_match("\"x\"").send().await, "NoSuchKey");
    complete.if_none_match("*").send().await.unwrap();
    let part = s3.get_object().bucket("shop").key("k").part_number(2).send().await.unwrap();
    assert_eq!((part.content_length(), part.parts_count()), (Some(17), Some(2)));
    assert_eq!(part.content_range(), Some("bytes 5242880-5242896/5242897"));
    assert!(part.body.collect().await.unwrap().to_vec() == whole[5 * MIB..]);
    refused!(s3.get_object().bucket("shop").key("k").part_number(3).send().await, "InvalidPartNumber");

    let id = begin(&s3, "copy").await;
    let copy = |number: i32, range: &str| {
        let call = s3.upload_part_copy().bucket("shop").key("copy").upload_id(&id).part_number(number);
        call.copy_source("shop/k").copy_source_range(range).send()
    };
    refused!(copy(1, "bytes=0-5242897").await, "InvalidArgument", "5242897");
    refused!(copy(1, "bytes=5-").await, "InvalidArgument");
    let mut done = CompletedMultipartUpload::builder();
    for (number, range) in [(1, "bytes=0-5242879"), (2, "bytes=5242880-5242896")] {
        let copied = copy(number, range).await.unwrap();
        let tag = copied.copy_part_result().unwrap().e_tag().unwrap();
        done = done.parts(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    let complete = s3.complete_multipart_upload().bucket("shop").key("copy").upload_id(&id);
    let elsewhere = s3.complete_multipart_upload().bucket("shop").key("k").upload_id(&id);
    refused!(elsewhere.multipart_upload(done.clone().build()).send().await, "NoSuchUpload");
    complete.multipart_upload(done.build()).send().await.unwrap();
    let got = s3.get_object().bucket("shop").key("copy").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.to_vec() == whole);
}

#[tokio::test]
async fn parts_come_with_the_checksum_their_upload_was_begun_with() {
    let here = Here::new().await;
    bucket(&here, "shop").await;
    let s3 = here.s3();
    let create = || s3.create_multipart_upload().bucket("shop").key("k");
    refused!(
        create().checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::Composite).send().await,
        "InvalidRequest"
    );
    refused!(
        create().checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_type(ChecksumType::FullObject).send().await,
        "InvalidRequest"
    );
    let id = create().checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap().upload_id.unwrap();
    let part = |algorithm: ChecksumAlgorithm| {
        let call = s3.upload_part().bucket("shop").key("k").upload_id(&id).part_number(1);
        call.checksum_algorithm(algorithm).body(ByteStream::from_static(b"x")).send()
    };
    refused!(part(ChecksumAlgorithm::Crc32).await, "InvalidRequest", "Checksum Type mismatch");
    let tag = part(ChecksumAlgorithm::Sha256).await.unwrap().e_tag.unwrap();
    let done = CompletedPart::builder().part_number(1).e_tag(tag).build();
    let done = CompletedMultipartUpload::builder().parts(done).build();
    refused!(
        s3.complete_multipart_upload().bucket("shop").key("k").upload_id(&id).multipart_upload(done).send().await,
        "InvalidRequest",
        "missing for part 1"
    );
}
