//! The step against the demo's document root; the generic promises are in [`crate::steps::contract`].

use futures::FutureExt;

use super::manifest::Put;
use super::*;
use crate::clients::fake::Stage;
use crate::clients::fake::hosts::Node;
use crate::clients::objects::{Headers, ObjectsRead};
use crate::step::{Change, Fault, Severity};
use crate::steps::contract::{Boxed, Case};

const ROOT: &str = "/usr/share/nginx/html";

/// A bucket somebody filled before: one page that will be overwritten, one file that is none of ours.
pub(crate) fn filled() -> Stage {
    let stage = Stage::new();
    let headers = Headers { content_type: "text/html".into(), ..Headers::default() };
    stage.objects.meddle("shop-pages", "index.html", "<p>before", headers.clone());
    stage.objects.meddle("shop-pages", "about/index.html", "<!doctype html><p>about", headers);
    stage.objects.meddle("shop-pages", "robots.txt", "theirs", Headers::default());
    stage
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "static-site into a new bucket",
            set: || async { (Stage::new(), Box::new(StaticSite {}) as Boxed) }.boxed(),
        },
        Case {
            name: "static-site into a filled bucket",
            set: || async { (filled(), Box::new(StaticSite {}) as Boxed) }.boxed(),
        },
    ]
}

async fn planned(stage: &Stage) -> SiteChange {
    match (StaticSite {}).plan(&stage.look()).await.unwrap() {
        Planned::Change(change) => change,
        Planned::AlreadySo => panic!("nothing to do"),
    }
}

async fn applied(stage: &Stage) -> SiteChange {
    let change = planned(stage).await;
    StaticSite {}.apply(&stage.act(), &change).await.unwrap();
    change
}

async fn text(stage: &Stage, key: &str) -> String {
    let body = stage.objects.get("shop-pages", key).await.unwrap();
    String::from_utf8(body.unwrap_or_else(|| panic!("no {key}")).to_vec()).unwrap()
}

#[tokio::test]
async fn texts_are_rewritten_and_hashed_names_follow_their_content() {
    let stage = Stage::new();
    let change = applied(&stage).await;
    let (old, new) = &change.renamed[0];
    assert_eq!(old, "assets/app-0a1b2c3d.js");
    assert_eq!(text(&stage, new).await, "fetch(\"https://api.shop.test/api/products\")");
    assert!(text(&stage, "index.html").await.contains(&format!("/{new}")), "{}", text(&stage, "index.html").await);
    assert_eq!(text(&stage, "사진/제품 목록 100%+.txt").await, "목록");
    assert!(stage.objects.head("shop-pages", old).await.unwrap().is_none());
    let lines = change.lines().join("\n");
    assert!(lines.contains("+ private bucket shop-pages") && lines.contains("manifest.json: 1 times"), "{lines}");
    let page = stage.objects.head("shop-pages", "index.html").await.unwrap().unwrap();
    assert_eq!(page.headers.content_type, "text/html; charset=utf-8");
    assert_eq!(page.headers.cache_control, "no-cache");
    let asset = stage.objects.head("shop-pages", new).await.unwrap().unwrap();
    assert!(asset.headers.cache_control.contains("immutable"));
}

#[tokio::test]
async fn what_is_there_already_is_not_sent_again() {
    let stage = Stage::new();
    applied(&stage).await;
    assert_eq!((StaticSite {}).plan(&stage.look()).await.unwrap(), Planned::AlreadySo);
    stage.old.text("demo-web", &format!("{ROOT}/about/index.html"), "<!doctype html><p>other");
    let puts: Vec<String> = planned(&stage).await.puts.into_iter().map(|put| put.key).collect();
    assert_eq!(puts, ["about/index.html"], "a change of equal length is seen too");
}

#[tokio::test]
async fn links_bring_the_content_they_lead_to_and_what_cannot_go_up_is_told() {
    let stage = Stage::new();
    let put = |path: &str, node: Node| stage.old.put("demo-web", format!("{ROOT}/{path}"), node);
    put("home.html", Node::Symlink("about/index.html".into()));
    put("css", Node::Symlink("assets".into()));
    put("twin.txt", Node::Hardlink(format!("{ROOT}/사진/제품 목록 100%+.txt")));
    put("away", Node::Symlink("../../../etc/passwd".into()));
    put("round", Node::Symlink("round".into()));
    put("nowhere", Node::Symlink("gone".into()));
    put("null", Node::Device);
    put(".env", Node::File("SECRET=1".into()));
    put("outgrow/x.txt", Node::File("x".into()));
    stage.old.put("demo-web", [ROOT.as_bytes(), b"/caf\xe9.txt"].concat(), Node::File("x".into()));
    let change = applied(&stage).await;
    assert_eq!(text(&stage, "home.html").await, "<!doctype html><p>about");
    assert_eq!(text(&stage, "css/style-4e5f6a7b.css").await, "body{color:#222}");
    assert_eq!(text(&stage, "twin.txt").await, "목록");
    let mut left: Vec<&str> = change.left_out.iter().map(|(path, _)| path.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, [".env", "away", "caf\u{fffd}.txt", "nowhere", "null", "outgrow/x.txt", "round"]);
}

#[tokio::test]
async fn a_large_binary_is_streamed_and_its_links_are_copies() {
    let stage = Stage::new();
    let body: Vec<u8> = (0..5_u32 << 20).map(|n| n.to_le_bytes()[(n % 3) as usize]).collect();
    stage.old.put("demo-web", format!("{ROOT}/film.bin"), Node::File(body.clone().into()));
    stage.old.put("demo-web", format!("{ROOT}/latest.bin"), Node::Symlink("film.bin".into()));
    let change = applied(&stage).await;
    for key in ["film.bin", "latest.bin"] {
        let stored = stage.objects.get("shop-pages", key).await.unwrap().unwrap();
        assert!(stored == body, "{key}");
    }
    assert_eq!(StaticSite {}.verify(&stage.look(), &change).await.unwrap(), Verdict::Holds);
}

#[tokio::test]
async fn a_file_changed_on_the_box_since_the_plan_is_drift_and_nothing_is_sent() {
    let stage = filled();
    let change = planned(&stage).await;
    stage.old.text("demo-web", &format!("{ROOT}/index.html"), "<p>newer");
    let before = stage.snapshot();
    assert!(matches!(StaticSite {}.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn an_object_changed_by_somebody_else_is_never_overwritten_nor_removed() {
    let stage = filled();
    let change = planned(&stage).await;
    stage.objects.meddle("shop-pages", "index.html", "theirs, newer", Headers::default());
    assert!(matches!(StaticSite {}.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert!(matches!(StaticSite {}.undo(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    assert_eq!(text(&stage, "index.html").await, "theirs, newer");
}

#[tokio::test]
async fn a_bucket_made_by_somebody_else_since_the_plan_is_neither_adopted_nor_removed() {
    let stage = Stage::new();
    let change = planned(&stage).await;
    stage.objects.meddle("shop-pages", "theirs.txt", "theirs", Headers::default());
    let before = stage.snapshot();
    assert!(matches!(StaticSite {}.apply(&stage.act(), &change).await, Err(Fault::Drifted { .. })));
    StaticSite {}.undo(&stage.act(), &change).await.unwrap();
    assert_eq!(stage.snapshot(), before);
}

#[tokio::test]
async fn verify_sees_what_is_missing_and_what_was_replaced() {
    let stage = filled();
    let change = applied(&stage).await;
    assert_eq!(StaticSite {}.verify(&stage.look(), &change).await.unwrap(), Verdict::Holds);
    let page: &Put = change.puts.iter().find(|put| put.key == "about/index.html").unwrap();
    assert!(page.former.is_some(), "same text, other headers");
    stage.objects.meddle("shop-pages", "about/index.html", "<!doctype html><p>ABOUT", Headers::default());
    assert!(matches!(StaticSite {}.verify(&stage.look(), &change).await.unwrap(), Verdict::Drifted(_)));
}

#[tokio::test]
async fn c2_a_bucket_open_to_the_public_is_a_blocker_and_a_missing_policy_a_warning() {
    let findings = StaticSite {}.check(&Stage::new().look()).await.unwrap();
    let policy = findings.iter().find(|f| f.law.as_deref() == Some("C2")).unwrap();
    assert_eq!(policy.severity, Severity::Warning);
}

#[tokio::test]
async fn twins_are_packed_anew_and_a_program_that_names_the_box_is_refused() {
    let stage = Stage::new();
    let pack = |text: &str| {
        let mut packed = Vec::new();
        let mut gzip = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        Node::File(packed.into())
    };
    let text = "fetch(\"https://box.shop.test/api/products\")";
    stage.old.put("demo-web", format!("{ROOT}/assets/app-0a1b2c3d.js.gz"), pack(text));
    let change = applied(&stage).await;
    let new = &change.renamed.iter().find(|(old, _)| old == "assets/app-0a1b2c3d.js").unwrap().1;
    let twin = stage.objects.get("shop-pages", &format!("{new}.gz")).await.unwrap().unwrap();
    let mut open = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&twin[..]), &mut open).unwrap();
    assert_eq!(open, text.replace("box.", "api."));

    stage.old.put("demo-web", format!("{ROOT}/engine.wasm"), Node::File("\0asm box.shop.test".into()));
    let refused = (StaticSite {}).plan(&stage.look()).await.unwrap_err().to_string();
    assert!(refused.contains("engine.wasm"), "{refused}");
}

#[tokio::test]
async fn a_manifest_of_many_files_stays_small() {
    let stage = Stage::new();
    for n in 0..2000 {
        stage.old.text("demo-web", &format!("{ROOT}/items/{n}.svg"), &format!("<svg>{n}</svg>"));
    }
    let change = planned(&stage).await;
    let bytes = serde_json::to_string(&change).unwrap().len();
    assert!(bytes / change.puts.len() < 60, "{bytes} bytes for {} files", change.puts.len());
}
