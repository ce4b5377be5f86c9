//! S3.

use std::collections::BTreeMap;

use bytes::Bytes;
use outgrow::clients::objects::{Body, Crc64, Headers};
use outgrow::clients::{Kind, aws::Clouds};

use super::Moto::{self, Differs, Same};
use super::ground::{connect, tags};
use super::table::rows;

/// moto's answer to a PUT.
const NO_CRC64: Moto = Differs {
    how: "a PUT with a CRC-64/NVME is answered without it, and nothing is kept of it",
    why: "S3 API: PutObject (x-amz-checksum-crc64nvme), S3 guide: checking-object-integrity",
};

fn headers() -> Headers {
    Headers {
        content_type: "text/html; charset=utf-8".into(),
        cache_control: "no-cache".into(),
        metadata: BTreeMap::from([("outgrow-run".into(), "shop-1".into())]),
    }
}

async fn bucket(clouds: &Clouds, name: &'static str) -> &'static str {
    clouds.objects.create_private_bucket(name, &tags()).await.unwrap();
    name
}

async fn put(clouds: &Clouds, bucket: &str, key: &str, body: &'static [u8]) {
    clouds.objects.put(bucket, key, Body::Bytes(Bytes::from_static(body)), &headers()).await.unwrap();
}

fn policy(bucket: &str, principal: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*"{condition}}}]}}"#
    )
}

fn noise(size: u32) -> Vec<u8> {
    (0..size).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

rows! {
    bucket_once "a bucket is private, tagged, and made once", Same, |on| {
        let s3 = &on.clouds.objects;
        assert!(s3.bucket("bucket-once").await.unwrap().is_none());
        let name = bucket(&on.clouds, "bucket-once").await;
        bucket(&on.clouds, name).await;
        let state = s3.bucket(name).await.unwrap().unwrap();
        assert!(state.blocks_public && state.policy.is_none(), "{state:?}");
        let mut found = state.tags;
        found.sort();
        assert_eq!(found, tags());
    }

    bucket_of_others "a bucket with the tags of another run is a conflict", Same, |on| {
        let name = bucket(&on.clouds, "bucket-of-others").await;
        let others = [("outgrow:run".to_owned(), "other".to_owned())];
        assert_eq!(on.clouds.objects.create_private_bucket(name, &others).await.unwrap_err().kind, Kind::Conflict);
    }

    policy_for_one "a policy for one distribution is taken, and taken away twice", Same, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "policy-for-one").await);
        let source = r#","Condition":{"StringEquals":{"AWS:SourceArn":"arn:aws:cloudfront::000000000000:distribution/E1"}}"#;
        let wanted = policy(name, r#"{"Service":"cloudfront.amazonaws.com"}"#, source);
        s3.set_policy(name, Some(&wanted)).await.unwrap();
        assert!(s3.bucket(name).await.unwrap().unwrap().policy.unwrap().contains("cloudfront"));
        s3.set_policy(name, None).await.unwrap();
        s3.set_policy(name, None).await.unwrap();
        assert!(s3.bucket(name).await.unwrap().unwrap().policy.is_none());
    }

    policy_for_all "a policy for everybody is refused under Block Public Access", Differs {
        how: "it stores the public policy",
        why: "law C2; S3 guide: access-control-block-public-access (BlockPublicPolicy rejects PutBucketPolicy)",
    }, |on| {
        let name = bucket(&on.clouds, "policy-for-all").await;
        let refused = on.clouds.objects.set_policy(name, Some(&policy(name, "\"*\"", ""))).await.unwrap_err();
        assert!(matches!(refused.kind, Kind::Denied | Kind::Refused), "{refused}");
    }

    bucket_not_empty "a bucket with objects in it is a conflict to delete; an empty one goes, twice", NO_CRC64, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "bucket-not-empty").await);
        put(&on.clouds, name, "a", b"a").await;
        assert_eq!(s3.delete_bucket(name).await.unwrap_err().kind, Kind::Conflict);
        s3.delete(name, &["a".into(), "gone".into()]).await.unwrap();
        s3.delete_bucket(name).await.unwrap();
        s3.delete_bucket(name).await.unwrap();
    }

    keys_of_every_kind "keys of every kind come back as they went, with headers and checksum", NO_CRC64, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "keys-of-every-kind").await);
        let keys = ["a b/c+d%20e.html", "사진/제품 목록.txt", "&amp;<>'\"?#=.js", "a//b", "é~!@$^*(),;.css"];
        for key in keys {
            let body = Bytes::from(format!("content of {key}"));
            let crc = s3.put(name, key, Body::Bytes(body.clone()), &headers()).await.unwrap().crc64;
            assert_eq!(crc, Crc64::of(&body));
            let stored = s3.head(name, key).await.unwrap().unwrap();
            assert_eq!((stored.size, stored.crc64, stored.headers), (body.len() as u64, Some(crc), headers()), "{key}");
            assert_eq!(s3.get(name, key).await.unwrap().unwrap(), body);
            s3.copy(name, key, &format!("copy/{key}"), None).await.unwrap();
        }
        let mut found = Vec::new();
        s3.list(name, "", &mut |object| found.push(object.key)).await.unwrap();
        let mut wanted: Vec<String> = keys.iter().flat_map(|k| [(*k).to_owned(), format!("copy/{k}")]).collect();
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted);
        s3.delete(name, &found).await.unwrap();
        assert!(s3.head(name, keys[0]).await.unwrap().is_none() && s3.get(name, keys[0]).await.unwrap().is_none());
    }

    copies "a copy keeps its headers unless it is given others; of nothing there is none", NO_CRC64, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "copies-of-objects").await);
        put(&on.clouds, name, "a//b", b"a").await;
        s3.copy(name, "a//b", "copy", None).await.unwrap();
        assert_eq!(s3.head(name, "copy").await.unwrap().unwrap().headers, headers());
        let other = Headers { cache_control: "max-age=1".into(), ..Headers::default() };
        s3.copy(name, "a//b", "a//b", Some(&other)).await.unwrap();
        assert_eq!(s3.head(name, "a//b").await.unwrap().unwrap().headers.cache_control, "max-age=1");
        assert_eq!(s3.copy(name, "gone", "x", None).await.unwrap_err().kind, Kind::NotFound);
    }

    pages_of_keys "a listing of several pages is whole", NO_CRC64, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "pages-of-keys").await);
        let puts = (0..1100).map(|n| async move {
            s3.put(name, &format!("items/{n:04}"), Body::Bytes(Bytes::new()), &Headers::default()).await
        });
        let done: Vec<_> =
            futures::StreamExt::collect(futures::StreamExt::buffer_unordered(futures::stream::iter(puts), 32)).await;
        assert!(done.iter().all(Result::is_ok));
        let mut found = Vec::new();
        s3.list(name, "items/", &mut |object| found.push(object.key)).await.unwrap();
        assert_eq!((found.len(), found[0].as_str(), found[1099].as_str()), (1100, "items/0000", "items/1099"));
        s3.delete(name, &found).await.unwrap();
    }

    streams_in_parts "a stream goes up in parts under one checksum of the whole", NO_CRC64, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "streams-in-parts").await);
        let body = noise(20 << 20);
        for size in [0, 1, 16 << 20, body.len()] {
            let mut source = &body[..size];
            let stream = Body::Stream(size as u64, &mut source);
            let crc = s3.put(name, "film.bin", stream, &headers()).await.unwrap().crc64;
            assert_eq!(crc, Crc64::of(&body[..size]), "{size}");
            let stored = s3.head(name, "film.bin").await.unwrap().unwrap();
            assert_eq!((stored.size, stored.crc64, stored.headers), (size as u64, Some(crc), headers()), "{size}");
        }
        assert!(s3.get(name, "film.bin").await.unwrap().unwrap() == body);
    }

    streams_that_break "a stream that breaks off leaves neither object nor parts", Same, |on| {
        let (s3, name) = (&on.clouds.objects, bucket(&on.clouds, "streams-that-break").await);
        let body = vec![7_u8; 18 << 20];
        let mut source = body.as_slice();
        let error = s3.put(name, "half.bin", Body::Stream(30 << 20, &mut source), &headers()).await.unwrap_err();
        assert!(error.why.contains("broke off"), "{error}");
        assert!(s3.head(name, "half.bin").await.unwrap().is_none());
        assert_eq!(s3.abort_uploads(name, "").await.unwrap(), 0);
    }

    wrong_secret "a wrong secret is denied", Differs {
        how: "it answers, whatever the signature is",
        why: "S3 API: ErrorResponses (SignatureDoesNotMatch)",
    }, |on| {
        let wrong = connect(&on.endpoint, "wrong").await;
        assert_eq!(wrong.objects.bucket("wrong-secret").await.unwrap_err().kind, Kind::Denied);
    }
}
