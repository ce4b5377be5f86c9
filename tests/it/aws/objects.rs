//! S3.

use std::collections::BTreeMap;

use bytes::Bytes;
use outgrow::clients::Kind;
use outgrow::clients::objects::{Body, Crc64, Headers};

use super::{Here, tags};

const BUCKET: &str = "shop-pages";

fn headers() -> Headers {
    Headers {
        content_type: "text/html; charset=utf-8".into(),
        cache_control: "no-cache".into(),
        metadata: BTreeMap::from([("outgrow-run".into(), "shop-1".into())]),
    }
}

async fn ready() -> Here {
    let here = Here::new().await;
    here.clouds.objects.create_private_bucket(BUCKET, &tags()).await.unwrap();
    here
}

#[tokio::test]
async fn a_bucket_is_private_tagged_and_made_once() {
    let here = Here::new().await;
    let s3 = &here.clouds.objects;
    assert!(s3.bucket(BUCKET).await.unwrap().is_none());
    s3.create_private_bucket(BUCKET, &tags()).await.unwrap();
    s3.create_private_bucket(BUCKET, &tags()).await.unwrap();
    let state = s3.bucket(BUCKET).await.unwrap().unwrap();
    assert!(state.blocks_public && state.policy.is_none(), "{state:?}");
    let mut found = state.tags;
    found.sort();
    assert_eq!(found, tags());
    let others = [("outgrow:run".to_owned(), "other".to_owned())];
    assert_eq!(s3.create_private_bucket(BUCKET, &others).await.unwrap_err().kind, Kind::Conflict);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudfront.amazonaws.com"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::shop-pages/*","Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::000000000000:distribution/E1"}}}]}"#;
    s3.set_policy(BUCKET, Some(policy)).await.unwrap();
    assert!(s3.bucket(BUCKET).await.unwrap().unwrap().policy.unwrap().contains("cloudfront"));
    s3.set_policy(BUCKET, None).await.unwrap();
    s3.set_policy(BUCKET, None).await.unwrap();
    s3.put(BUCKET, "a", Body::Bytes(Bytes::from_static(b"a")), &headers()).await.unwrap();
    assert_eq!(s3.delete_bucket(BUCKET).await.unwrap_err().kind, Kind::Conflict);
    s3.delete(BUCKET, &["a".into(), "gone".into()]).await.unwrap();
    s3.delete_bucket(BUCKET).await.unwrap();
    s3.delete_bucket(BUCKET).await.unwrap();
}

#[tokio::test]
async fn keys_of_every_kind_come_back_as_they_went() {
    let here = ready().await;
    let s3 = &here.clouds.objects;
    let keys = ["a b/c+d%20e.html", "사진/제품 목록.txt", "&amp;<>'\"?#=.js", "a//b", "é~!@$^*(),;.css"];
    for key in keys {
        let body = Bytes::from(format!("content of {key}"));
        let crc = s3.put(BUCKET, key, Body::Bytes(body.clone()), &headers()).await.unwrap();
        assert_eq!(crc, Crc64::of(&body));
        let stored = s3.head(BUCKET, key).await.unwrap().unwrap();
        assert_eq!((stored.size, stored.crc64, stored.headers), (body.len() as u64, Some(crc), headers()), "{key}");
        assert_eq!(s3.get(BUCKET, key).await.unwrap().unwrap(), body);
        s3.copy(BUCKET, key, &format!("copy/{key}"), None).await.unwrap();
    }
    let mut found = Vec::new();
    s3.list(BUCKET, "", &mut |object| found.push(object.key)).await.unwrap();
    let mut wanted: Vec<String> = keys.iter().flat_map(|k| [(*k).to_owned(), format!("copy/{k}")]).collect();
    wanted.sort();
    found.sort();
    assert_eq!(found, wanted);
    let copy = s3.head(BUCKET, "copy/a//b").await.unwrap().unwrap();
    assert_eq!(copy.headers, headers(), "a copy keeps what it was stored with");
    let other = Headers { cache_control: "max-age=1".into(), ..Headers::default() };
    s3.copy(BUCKET, "a//b", "a//b", Some(&other)).await.unwrap();
    assert_eq!(s3.head(BUCKET, "a//b").await.unwrap().unwrap().headers.cache_control, "max-age=1");
    s3.delete(BUCKET, &found).await.unwrap();
    assert!(s3.head(BUCKET, keys[0]).await.unwrap().is_none() && s3.get(BUCKET, keys[0]).await.unwrap().is_none());
    assert_eq!(s3.copy(BUCKET, keys[0], "x", None).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn a_listing_of_several_pages_is_whole() {
    let here = ready().await;
    let s3 = &here.clouds.objects;
    let puts = (0..1100).map(|n| async move {
        s3.put(BUCKET, &format!("items/{n:04}"), Body::Bytes(Bytes::new()), &Headers::default()).await
    });
    let done: Vec<_> =
        futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(puts), 32)).await;
    assert!(done.iter().all(Result::is_ok));
    let mut found = Vec::new();
    s3.list(BUCKET, "items/", &mut |object| found.push(object.key)).await.unwrap();
    assert_eq!((found.len(), found[0].as_str(), found[1099].as_str()), (1100, "items/0000", "items/1099"));
    s3.delete(BUCKET, &found).await.unwrap();
}

#[tokio::test]
async fn a_stream_goes_up_in_parts_under_one_checksum() {
    let here = ready().await;
    let s3 = &here.clouds.objects;
    let body: Vec<u8> = (0..20_u32 << 20).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for size in [0, 1, 16 << 20, body.len()] {
        let mut source = &body[..size];
        let stream = Body::Stream(size as u64, &mut source);
        let crc = s3.put(BUCKET, "film.bin", stream, &headers()).await.unwrap();
        assert_eq!(crc, Crc64::of(&body[..size]), "{size}");
        let stored = s3.head(BUCKET, "film.bin").await.unwrap().unwrap();
        assert_eq!((stored.size, stored.crc64, stored.headers), (size as u64, Some(crc), headers()), "{size}");
    }
    assert!(s3.get(BUCKET, "film.bin").await.unwrap().unwrap() == body);
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_neither_object_nor_parts() {
    let here = ready().await;
    let s3 = &here.clouds.objects;
    let body = vec![7_u8; 18 << 20];
    let mut source = body.as_slice();
    let error = s3.put(BUCKET, "half.bin", Body::Stream(30 << 20, &mut source), &headers()).await.unwrap_err();
    assert!(error.why.contains("broke off"), "{error}");
    assert!(s3.head(BUCKET, "half.bin").await.unwrap().is_none());
    assert_eq!(s3.abort_uploads(BUCKET, "").await.unwrap(), 0);
}
