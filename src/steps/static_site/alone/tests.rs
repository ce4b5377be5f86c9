//! Uploads into the bucket in memory: what is sent, in which order, and what a second run finds.

use std::path::Path;

use super::*;
use crate::clients::fake::{Stage, When};
use crate::clients::objects::{Headers, ObjectsRead};

const BUCKET: &str = "shop-pages";

struct Scene {
    stage: Stage,
    order: Order,
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let (stage, dir) = (Stage::new(), tempfile::tempdir().unwrap());
        stage.objects.meddle(BUCKET, "theirs.txt", "theirs", Headers::default());
        let order = Order {
            root: dir.path().join("site"),
            bucket: BUCKET.to_owned(),
            prefix: String::new(),
            state: dir.path().join("state"),
            choices: Choices::default(),
            dry: false,
        };
        let scene = Self { stage, order, dir };
        for (path, text) in [
            ("index.html", "<script src=/assets/app.3f2a9c1b.js></script>"),
            ("docs/index.html", "<!doctype html>"),
            ("assets/app.3f2a9c1b.js", "1"),
            ("assets/zebra.css", "a{}"),
            ("sw.js", "0"),
            ("사진/제품 1+2%.txt", "목록"),
            ("empty", ""),
            (".env", "SECRET=1"),
            ("notes", "-----BEGIN RSA PRIVATE KEY-----"),
        ] {
            scene.write(path, text);
        }
        scene
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.order.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn upload(&self) -> StepResult<Report> {
        upload(&self.order, Arc::new(self.stage.objects.clone()), &Sink::nowhere()).await
    }

    async fn text(&self, key: &str) -> Option<String> {
        let body = self.stage.objects.get(BUCKET, key).await.unwrap();
        body.map(|body| String::from_utf8(body.to_vec()).unwrap())
    }

    async fn compared(&self) -> verify::Comparison {
        let place = (BUCKET, self.order.prefix.as_str());
        let objects = &self.stage.objects;
        verify::with_directory(&self.order.root, Choices::default(), place, objects, &Sink::nowhere()).await.unwrap()
    }
}

#[tokio::test]
async fn all_but_leaks_is_sent_and_a_second_run_sends_and_asks_nothing() {
    let scene = Scene::new();
    let report = scene.upload().await.unwrap();
    assert_eq!((report.sent, report.same, report.asked), (7, 0, 0));
    assert_eq!(report.others, (1, vec!["theirs.txt".to_owned()]));
    let left: Vec<&str> = report.left_out.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(left, [".env", "notes"], "one by its name, one by what is in it");
    assert_eq!(scene.text("사진/제품 1+2%.txt").await.as_deref(), Some("목록"));
    assert_eq!(scene.text("notes").await, None);
    let calls = scene.stage.fuse.calls();
    let report = scene.upload().await.unwrap();
    assert_eq!((report.sent, report.same, report.asked), (0, 7, 0));
    assert_eq!(scene.stage.fuse.calls(), calls, "nothing was changed");
}

#[tokio::test]
async fn a_change_of_the_same_size_and_age_is_sent() {
    let scene = Scene::new();
    scene.upload().await.unwrap();
    let page = scene.order.root.join("docs/index.html");
    let before = std::fs::metadata(&page).unwrap().modified().unwrap();
    scene.write("docs/index.html", "<!DOCTYPE html>");
    std::fs::File::options().write(true).open(&page).unwrap().set_modified(before).unwrap();
    let report = scene.upload().await.unwrap();
    assert_eq!((report.sent, report.same), (1, 6));
    assert_eq!(scene.text("docs/index.html").await.as_deref(), Some("<!DOCTYPE html>"));
}

#[tokio::test]
async fn without_what_former_runs_left_s3_is_asked_and_nothing_is_sent() {
    let scene = Scene::new();
    scene.upload().await.unwrap();
    std::fs::remove_dir_all(&scene.order.state).unwrap();
    let report = scene.upload().await.unwrap();
    assert_eq!((report.sent, report.same, report.asked), (0, 7, 7));
    assert_eq!(scene.upload().await.unwrap().asked, 0, "once");
}

#[tokio::test]
async fn what_others_changed_in_the_bucket_is_put_right() {
    let scene = Scene::new();
    scene.upload().await.unwrap();
    scene.stage.objects.meddle(BUCKET, "sw.js", "9", Headers::default());
    scene.stage.objects.meddle(BUCKET, "docs/index.html", "longer than before", Headers::default());
    let compared = scene.compared().await;
    let differing: Vec<&str> = compared.differences.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(differing, ["docs/index.html", "sw.js"]);
    assert!(compared.differences[1].what.contains("same size"), "{:?}", compared.differences);
    assert_eq!(scene.upload().await.unwrap().sent, 2);
    let compared = scene.compared().await;
    assert!(compared.is_same() && compared.objects == 7, "{compared:?}");
    assert_eq!((compared.others.0, compared.left_out.len()), (1, 2));
}

#[tokio::test]
async fn headers_that_others_changed_are_a_difference() {
    let scene = Scene::new();
    scene.upload().await.unwrap();
    let headers = Headers { content_type: "text/plain".into(), ..Headers::default() };
    scene.stage.objects.meddle(BUCKET, "assets/zebra.css", "a{}", headers);
    let what = &scene.compared().await.differences[0].what;
    assert!(what.contains("Content-Type `text/plain` instead of `text/css; charset=utf-8`"), "{what}");
}

#[tokio::test]
async fn nothing_is_sent_when_only_asked_what_would_be() {
    let scene = Scene::new();
    let order = Order { dry: true, ..scene.order.clone() };
    let before = scene.stage.snapshot();
    let report = upload(&order, Arc::new(scene.stage.objects.clone()), &Sink::nowhere()).await.unwrap();
    assert_eq!(report.sent, 8, "what is in a file is seen when it is sent");
    assert_eq!(scene.stage.snapshot(), before);
}

#[tokio::test]
async fn a_prefix_keeps_to_itself() {
    let mut scene = Scene::new();
    scene.order.prefix = "v2/".into();
    let report = scene.upload().await.unwrap();
    assert_eq!((report.sent, report.others.0), (7, 0));
    assert!(scene.text("v2/index.html").await.is_some() && scene.text("index.html").await.is_none());
    assert!(scene.compared().await.is_same());
    assert_eq!(scene.upload().await.unwrap().same, 7);
}

/// Dies at every call, and is typed again.
#[tokio::test]
async fn killed_anywhere_it_goes_on_where_it_was_and_no_page_is_there_before_its_assets() {
    for at in 0..7 {
        for when in [When::Before, When::After] {
            let scene = Scene::new();
            scene.stage.fuse.die_at(at, when);
            tokio::select! {
                biased;
                () = scene.stage.fuse.died() => {}
                _ = scene.upload() => panic!("it did not die at {at}"),
            }
            scene.stage.fuse.revive();
            let there = |key: &'static str| scene.text(key);
            if there("index.html").await.is_some() || there("docs/index.html").await.is_some() {
                assert!(there("assets/app.3f2a9c1b.js").await.is_some() && there("assets/zebra.css").await.is_some());
            }
            if there("index.html").await.is_some() {
                assert!(there("docs/index.html").await.is_some() && there("sw.js").await.is_some());
            }
            let report = scene.upload().await.unwrap();
            assert_eq!(report.sent + report.same, 7, "{at} {when:?}");
            assert!(report.same >= at as u64, "{at} {when:?}: {report:?}");
            assert!(scene.compared().await.is_same(), "{at} {when:?}");
        }
    }
}

#[tokio::test]
async fn two_at_a_time_into_the_same_place_is_refused() {
    let scene = Scene::new();
    let held = kept::lock(&scene.order.state).unwrap();
    assert!(matches!(scene.upload().await, Err(Fault::Failed { what, .. }) if what.contains("another outgrow")));
    drop(held);
    assert!(scene.upload().await.is_ok());
}

#[tokio::test]
async fn a_large_file_is_read_while_it_is_sent() {
    let scene = Scene::new();
    let body: Vec<u8> = (0..20_u32 << 18).flat_map(u32::to_le_bytes).collect();
    std::fs::write(scene.order.root.join("film.bin"), &body).unwrap();
    scene.upload().await.unwrap();
    assert!(scene.stage.objects.get(BUCKET, "film.bin").await.unwrap().unwrap() == body);
    assert!(!Path::new(&scene.order.state).join("begun").exists(), "nothing is left to be aborted");
    assert_eq!(scene.upload().await.unwrap().sent, 0);
    assert!(scene.dir.path().exists());
}
