//! Uploads over the wire: under every fault, killed half-way, and typed as `outgrow static`.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use outgrow::clients::objects::{Body, Headers};
use outgrow::rehearsal::cloud::fault::{Kind as Fault, When};
use serde_json::Value;

use super::ground::Here;

const BUCKET: &str = "shop-pages";

async fn here() -> Here {
    let here = Here::new().await;
    here.ground.clouds.objects.create_private_bucket(BUCKET, &[]).await.unwrap();
    here
}

async fn keys(here: &Here) -> Vec<String> {
    let mut keys = Vec::new();
    here.ground.clouds.objects.list(BUCKET, "", &mut |object| keys.push(object.key)).await.unwrap();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn small_uploads_end_well_under_every_fault() {
    let here = here().await;
    let kinds = [Fault::Throttled(Some(0)), Fault::FailedBefore, Fault::Reset, Fault::LostAnswer];
    for (kind, every) in kinds.into_iter().zip([5, 7, 11, 13]) {
        here.cloud.faults().add("s3", "PutObject", When::Every(every), kind);
    }
    let objects = &here.ground.clouds.objects;
    let puts = (0..150).map(|n| async move {
        let body = Body::Bytes(Bytes::from(format!("body {n}")));
        objects.put(BUCKET, &format!("a {n:03}+한"), body, &Headers::default()).await
    });
    let done: Vec<_> = futures::stream::iter(puts).buffer_unordered(32).collect().await;
    assert!(here.cloud.faults().struck().len() > 40);
    for one in done {
        one.unwrap();
    }
    here.cloud.faults().clear();
    assert_eq!(keys(&here).await.len(), 150);
    assert_eq!(objects.get(BUCKET, "a 149+한").await.unwrap().unwrap(), "body 149");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_end_well_under_every_fault_and_leave_none_behind() {
    let here = here().await;
    for (kind, every) in [(Fault::Throttled(None), 2), (Fault::Reset, 3), (Fault::LostAnswer, 5)] {
        here.cloud.faults().add("s3", "UploadPart", When::Every(every), kind);
    }
    let body: Vec<u8> = (0..10_u32 << 20).flat_map(u32::to_le_bytes).collect();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("film.bin"), &body).unwrap();
    let file = std::sync::Arc::new(std::fs::File::open(dir.path().join("film.bin")).unwrap());
    let objects = &here.ground.clouds.objects;
    objects.put(BUCKET, "film.bin", Body::File(body.len() as u64, file), &Headers::default()).await.unwrap();
    assert!(here.cloud.faults().struck().len() > 2);
    here.cloud.faults().clear();
    assert!(objects.get(BUCKET, "film.bin").await.unwrap().unwrap() == body);
    assert_eq!(objects.abort_uploads(BUCKET, "").await.unwrap(), 0);
}

/// A site with a large file that sorts behind its small ones.
fn site(dir: &Path) {
    for n in 0..20 {
        std::fs::create_dir_all(dir.join("assets")).unwrap();
        std::fs::write(dir.join(format!("assets/a{n:02}.css")), format!("a{{top:{n}px}}")).unwrap();
    }
    std::fs::write(dir.join("index.html"), "<!doctype html><link rel=stylesheet href=/assets/a00.css>").unwrap();
    std::fs::write(dir.join(".env"), "SECRET=1").unwrap();
    std::fs::write(dir.join("zoo.bin"), vec![7_u8; 40 << 20]).unwrap();
}

fn outgrow(here: &Here, home: &Path, args: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_outgrow"));
    command.arg("static").args(args).arg("--json").env("OUTGROW_HOME", home).env("HOME", home).stdin(Stdio::null());
    command.env("AWS_ENDPOINT_URL", &here.ground.endpoint).env("AWS_REGION", super::ground::REGION).kill_on_drop(true);
    command.env("AWS_ACCESS_KEY_ID", "outgrow").env("AWS_SECRET_ACCESS_KEY", "rehearsal");
    command
}

fn told(output: &Output) -> Value {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{out}\n{err}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_upload_goes_on_where_it_was_and_leaves_no_parts() {
    let (here, dir) = (here().await, tempfile::tempdir().unwrap());
    let (root, home) = (dir.path().join("site"), dir.path().join("home"));
    std::fs::create_dir_all(&root).unwrap();
    site(&root);
    let args = ["upload", root.to_str().unwrap(), "s3://shop-pages"];
    let mut counted = Vec::new();
    for again in [false, true] {
        here.cloud.faults().add("s3", "UploadPart", When::Every(1), Fault::Held(Duration::from_mins(5)));
        let mut killed = outgrow(&here, &home, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while here.cloud.faults().struck().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(killed.try_wait().unwrap().is_none(), "it ended before it was killed");
        }
        killed.kill().await.unwrap();
        here.cloud.faults().clear();
        assert!(!keys(&here).await.contains(&"index.html".to_owned()), "the page waits for the assets");
        if again {
            let done = outgrow(&here, &home, &args).output().await.unwrap();
            assert_eq!(done.status.code(), Some(0), "{done:?}");
            counted.push(told(&done)["same"].as_u64().unwrap());
        }
        counted.push(here.ground.clouds.objects.abort_uploads(BUCKET, "").await.unwrap() as u64);
        here.cloud.faults().add("s3", "UploadPart", When::Nth(u64::MAX), Fault::Reset);
    }
    assert_eq!(
        counted,
        [1, 20, 0],
        "killed, one upload is left; typed again, 20 objects are there already, and none is left"
    );
    assert_eq!(keys(&here).await.len(), 22);
    let done = outgrow(&here, &home, &args).output().await.unwrap();
    let told = told(&done);
    assert_eq!((&told["sent"], &told["same"], &told["asked"]), (&Value::from(0), &Value::from(22), &Value::from(0)));
    assert_eq!(told["left-out"][0]["path"], ".env");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verbs_end_with_the_codes_they_promise() {
    let (here, dir) = (here().await, tempfile::tempdir().unwrap());
    let (root, home) = (dir.path().join("site"), dir.path().join("home"));
    std::fs::create_dir_all(root.join("사진")).unwrap();
    std::fs::write(root.join("사진/제품 1+2%.txt"), "목록").unwrap();
    std::fs::write(root.join("index.html"), "<!doctype html>").unwrap();
    let place = root.to_str().unwrap();
    let code = async |args: &[&str]| {
        let output = outgrow(&here, &home, args).output().await.unwrap();
        (output.status.code().unwrap(), output)
    };
    assert_eq!(code(&["upload", place, "s3://no-such-bucket"]).await.0, 4);
    assert_eq!(code(&["upload", "/nowhere", "s3://shop-pages"]).await.0, 2);
    assert_eq!(code(&["upload", place, "shop-pages"]).await.0, 2);
    assert_eq!(code(&["verify", place]).await.0, 2);
    let (differs, output) = code(&["verify", place, "s3://shop-pages/v2"]).await;
    assert_eq!((differs, told(&output)["differences"].as_array().unwrap().len()), (1, 2));
    assert_eq!(code(&["upload", place, "s3://shop-pages/v2"]).await.0, 0);
    let (same, output) = code(&["verify", place, "s3://shop-pages/v2"]).await;
    assert_eq!((same, &told(&output)["same"]), (0, &Value::from(true)), "{output:?}");
    // As large as before, and meant to be seen.
    let objects = &here.ground.clouds.objects;
    let body = Body::Bytes(Bytes::from_static(b"<!DOCTYPE html>"));
    objects.put(BUCKET, "v2/index.html", body, &Headers::default()).await.unwrap();
    let (differs, output) = code(&["verify", place, "s3://shop-pages/v2"]).await;
    let told = told(&output);
    assert_eq!((differs, told["differences"][0]["key"].as_str()), (1, Some("index.html")));
    let what = told["differences"][0]["what"].as_str().unwrap();
    assert!(what.contains("other content of the same size") && what.contains("Cache-Control"), "{what}");
}
