//! Sites in the shapes that bundlers give them, with invented content. Each must be whole before, and whole after the
//! rewriting: no reference that dangles, no digest that is wrong, no word of the old address.

use bytes::Bytes;
use serde_json::json;

use super::checker::{Files, md5, sha1, sri, wrong};
use super::packed::Packing;
use super::rewrite_site;
use crate::rewrite::origin::Bases;

const API: &str = "https://box.shop.test/api";

/// A site in the making.
#[derive(Default)]
struct Build(Files);

impl Build {
    fn put(&mut self, path: &str, content: &str) -> String {
        self.0.insert(path.to_owned(), Bytes::from(content.to_owned()));
        path.to_owned()
    }

    /// A file with a hash in the pattern's place of `#`, in letters of this kind.
    fn hashed(&mut self, pattern: &str, content: &str, kind: fn(&str) -> String) -> String {
        self.put(&pattern.replace('#', &kind(content)), content)
    }

    fn packed(&mut self, path: &str) {
        for (ending, packing) in [("gz", Packing::Gzip), ("br", Packing::Brotli)] {
            let packed = packing.pack(&self.0[path]).unwrap();
            self.0.insert(format!("{path}.{ending}"), packed.into());
        }
    }

    fn sri(&self, path: &str) -> String {
        sri("sha384", &self.0[path])
    }
}

fn hex8(content: &str) -> String {
    sha1(content.as_bytes())[..8].to_owned()
}

/// Vite's alphabet has both cases, digits, dash and underscore.
fn mixed8(content: &str) -> String {
    sri("sha256", content.as_bytes())[7..15].replace('+', "-").replace('/', "_")
}

/// esbuild's alphabet is base32.
fn base32(content: &str) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = hex::decode(sha1(content.as_bytes())).unwrap();
    hash.iter().take(8).map(|byte| char::from(letters[usize::from(*byte) % 32])).collect()
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn vite() -> Files {
    let mut b = Build::default();
    let font = b.hashed("assets/inter-#.woff2", "wOF2 invented", mixed8);
    let css = b.hashed("assets/index-#.css", &format!("@font-face{{src:url(/{font})}}a{{color:red}}"), mixed8);
    let view = b.hashed(
        "assets/About-#.js",
        &format!("const a=\"{API}/about\";export default()=>fetch(a);\n//# sourceMappingURL=none.map"),
        mixed8,
    );
    let entry = format!(
        "const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=[\"{view}\",\"{css}\"])))=>i.map(i=>d[i]);\
         fetch(`{API}/items?page=${{p}}`);new WebSocket(\"wss://box.shop.test/api/live\");\
         const about=()=>import(\"./{}\");",
        name(&view)
    );
    let entry = b.hashed("assets/index-#.js", &entry, mixed8);
    b.packed(&entry);
    b.packed(&css);
    b.put(
        ".vite/manifest.json",
        &json!({"index.html": {"file": entry, "css": [css], "dynamicImports": ["src/About.vue"]}}).to_string(),
    );
    let page = format!(
        "<!doctype html><head><script type=\"module\" crossorigin src=\"/{entry}\" integrity=\"{}\"></script>\
         <link rel=\"modulepreload\" crossorigin href=\"/{view}\" integrity=\"{}\"><link rel=\"stylesheet\" href=\"/{css}\">\
         <link rel=\"preconnect\" href=\"https://box.shop.test\"></head><div id=app></div>",
        b.sri(&entry),
        b.sri(&view)
    );
    b.put("index.html", &page);
    b.packed("index.html");
    b.0
}

/// Create React App: webpack with a table of chunk names and one of digests in the runtime, and a Workbox list.
fn webpack() -> Files {
    let mut b = Build::default();
    let chunk = format!(
        "\"use strict\";(self.webpackChunk=self.webpackChunk||[]).push([[179],{{4:()=>{{fetch(\"{API}/orders\")}}}}]);"
    );
    let chunk = b.hashed("static/js/179.#.chunk.js", &chunk, hex8);
    let still = b.hashed(
        "static/js/422.#.chunk.js",
        "(self.webpackChunk=self.webpackChunk||[]).push([[422],{5:()=>{}}]);",
        hex8,
    );
    let hash = |path: &str| name(path).split('.').nth(1).unwrap().to_owned();
    let runtime = format!(
        "r.u=e=>\"static/js/\"+e+\".\"+{{179:\"{}\",422:\"{}\"}}[e]+\".chunk.js\",\
         r.sriHashes={{\"179\":\"{}\",\"422\":\"{}\"}},r.p=\"/\";var s=document.createElement(\"script\");s.integrity=r.sriHashes[e];",
        hash(&chunk),
        hash(&still),
        b.sri(&chunk).replace('/', "\\/"),
        b.sri(&still)
    );
    let runtime = b.hashed("static/js/runtime-main.#.js", &runtime, hex8);
    let main = b.hashed("static/js/main.#.js", "document.title=\"shop\";\n//# sourceMappingURL=none", hex8);
    let css = b.hashed("static/css/main.#.css", "b{background:url(../media/logo.png)}", hex8);
    b.put("static/media/logo.png", "not really");
    let files = json!({"files": {"main.js": format!("/{main}"), "runtime-main.js": format!("/{runtime}"), "chunk.js": format!("/{chunk}")}});
    b.put("asset-manifest.json", &files.to_string());
    b.put("manifest.json", "{\"icons\":[{\"src\":\"static/media/logo.png\"}]}");
    let page = format!(
        "<html><link href=\"/{css}\" rel=\"stylesheet\" integrity=\"{}\" crossorigin=\"anonymous\"><script src=\"/{runtime}\" \
         integrity=\"{} {}\" crossorigin=\"anonymous\"></script><script defer=\"defer\" src='/{main}' integrity='{}'></script>",
        b.sri(&css),
        sri("sha256", &b.0[&runtime]),
        b.sri(&runtime),
        b.sri(&main)
    );
    b.put("index.html", &page);
    b.0
}

fn angular() -> Files {
    let mut b = Build::default();
    let lazy = b.hashed("chunk-#.js", &format!("var e={{apiUrl:\"{API}\"}};export{{e as a}};"), base32);
    let main = format!(
        "import{{a}}from\"./{lazy}\";const l=()=>import(\"./{lazy}\");navigator.serviceWorker.register(\"ngsw-worker.js\");"
    );
    let main = b.hashed("main-#.js", &main, base32);
    let css = b.hashed("styles-#.css", "body{margin:0}", base32);
    b.put("assets/환경 설정.json", &json!({"api": API.replace('/', "\\/")}).to_string().replace("\\\\", "\\"));
    b.put("ngsw-worker.js", "importScripts('./safety-worker.js');");
    b.put("safety-worker.js", "self.skipWaiting();");
    let page = format!(
        "<!doctype html><base href=/><link rel=\"stylesheet\" href=\"{css}\" integrity=\"{}\"><link rel=\"modulepreload\" \
         href=\"{lazy}\" integrity=\"{}\"><script src=\"{main}\" type=\"module\" crossorigin integrity=\"{}\"></script>",
        b.sri(&css),
        b.sri(&lazy),
        b.sri(&main)
    );
    b.put("index.html", &page.replace("<base href=/>", ""));
    let listed = ["index.html", lazy.as_str(), main.as_str(), css.as_str(), "assets/환경 설정.json"];
    let url = |path: &str| format!("/{}", path.replace(' ', "%20"));
    let table: serde_json::Map<String, serde_json::Value> =
        listed.iter().map(|path| (url(path), json!(sha1(&b.0[*path])))).collect();
    let urls: Vec<String> = listed.iter().map(|path| url(path)).collect();
    let worker = json!({
        "configVersion": 1, "timestamp": 1_700_000_000_000_u64, "index": "/index.html",
        "assetGroups": [{"name": "app", "urls": urls}],
        "dataGroups": [{"name": "api", "patterns": ["https:\\/\\/box\\.shop\\.test\\/other"]}], "hashTable": table
    });
    b.put("ngsw.json", &serde_json::to_string_pretty(&worker).unwrap());
    b.0
}

/// An exported Next.js site: lists of chunks in a folder named by the build, and the build's name in every page.
fn next() -> Files {
    const BUILD: &str = "q7Xw_dK2pLm9RtVz4hBnE";
    let mut b = Build::default();
    let page = format!(
        "(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[405],{{1:function(){{fetch(\"{API}/home\")}}}}]);"
    );
    let page =
        b.hashed("_next/static/chunks/pages/index-#.js", &page, |c| format!("{}{}", hex8(c), &sha1(c.as_bytes())[..8]));
    let frame =
        b.hashed("_next/static/chunks/framework-#.js", "1", |c| format!("{}{}", hex8(c), &sha1(c.as_bytes())[..8]));
    let chunk = |path: &str| path.trim_start_matches("_next/").to_owned();
    let list = format!(
        "self.__BUILD_MANIFEST={{\"/\":[\"{}\"],sortedPages:[\"/\",\"/_app\"]}},self.__BUILD_MANIFEST_CB&&self.__BUILD_MANIFEST_CB();",
        chunk(&page)
    );
    b.put(&format!("_next/static/{BUILD}/_buildManifest.js"), &list);
    b.put(&format!("_next/static/{BUILD}/_ssgManifest.js"), "self.__SSG_MANIFEST=new Set([\"\\u002F\"]);");
    b.put(&format!("_next/data/{BUILD}/index.json"), &json!({"pageProps": {"api": API}}).to_string());
    for path in ["index.html", "docs/a b.html"] {
        let html = format!(
            "<script src=\"/{frame}\" defer=\"\"></script><script src=\"/{page}\" defer=\"\"></script>\
             <script src=\"/_next/static/{BUILD}/_buildManifest.js\" defer=\"\"></script>\
             <script src=\"/_next/static/{BUILD}/_ssgManifest.js\" defer=\"\"></script>\
             <script id=\"__NEXT_DATA__\" type=\"application/json\">{{\"props\":{{}},\"page\":\"/\",\"buildId\":\"{BUILD}\"}}</script>\
             <a href=\"/docs/a%20b.html\">a b</a>"
        );
        b.put(path, &html);
    }
    b.0
}

/// Workbox: a list in the service worker with MD5 revisions, and a policy with the digest of an inline script.
fn workbox() -> Files {
    let mut b = Build::default();
    let app = b.hashed("js/app.#.js", &format!("export const api='{API}';"), hex8);
    let box_ = b.hashed("workbox-#.js", "define(['exports'],function(e){})", hex8);
    let inline = format!("window.config={{api:\"{API}\"}}");
    let page = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'self' '{}'; connect-src 'self' https://box.shop.test\">\
         <script>{inline}</script><script type=\"importmap\">{{\"imports\":{{\"app\":\"/{app}\"}},\"integrity\":{{\"/{app}\":\"{}\"}}}}</script>",
        sri("sha256", inline.as_bytes()),
        b.sri(&app)
    );
    b.put("index.html", &page);
    b.put("offline.html", &format!("<link rel=modulepreload href=/{app}>"));
    b.put("about.html", "<a href=/>home</a>");
    let revision = |b: &Build, path: &str| md5(&b.0[path]);
    let list = format!(
        "importScripts(\"{box_}\");precacheAndRoute([{{url:\"index.html\",revision:\"{}\"}},{{url:\"offline.html\",revision:\"{}\"}},\
         {{url:\"about.html\",revision:\"{}\"}},{{\"url\":\"{app}\",\"revision\":null}}],{{}});",
        revision(&b, "index.html"),
        revision(&b, "offline.html"),
        revision(&b, "about.html")
    );
    b.put("sw.js", &list);
    b.0
}

fn after(old: &Files) -> Files {
    let bases = Bases::new(API, "https://api.shop.test/v2").unwrap();
    let plan = rewrite_site(old, &bases).unwrap();
    assert_eq!(plan.refusals, Vec::<String>::new());
    assert!(!plan.hits.is_empty() && !plan.renamed.is_empty());
    let renamed: std::collections::BTreeMap<_, _> = plan.renamed.iter().cloned().collect();
    let mut new = Files::new();
    for (name, bytes) in old {
        let name = renamed.get(name).unwrap_or(name);
        new.insert(name.clone(), plan.rewritten.get(name).unwrap_or(bytes).clone());
    }
    assert_eq!(new.len(), old.len());
    // What was changed under a name that may be kept for a year has another name now.
    for (name, bytes) in &new {
        if old.get(name).is_some_and(|before| before != bytes) {
            assert!(!crate::rewrite::media::is_hashed_name(name), "{name} was changed and keeps its name");
        }
    }
    let again = rewrite_site(&new, &bases).unwrap();
    assert!(
        again.rewritten.is_empty() && again.renamed.is_empty(),
        "a second run changes {:?}",
        again.rewritten.keys()
    );
    new
}

#[test]
fn sites_of_every_bundler_stay_whole() {
    for (bundler, old) in
        [("vite", vite()), ("webpack", webpack()), ("angular", angular()), ("next", next()), ("workbox", workbox())]
    {
        assert_eq!(wrong(&old), Vec::<String>::new(), "{bundler}: the fixture itself");
        let new = after(&old);
        assert_eq!(wrong(&new), Vec::<String>::new(), "{bundler}");
        for (name, bytes) in &new {
            let text = String::from_utf8_lossy(bytes).replace("\\/", "/");
            assert!(!text.contains("box.shop.test/api"), "{bundler}: {name} still names the old address");
        }
        let told = |needle: &str| new.values().any(|bytes| String::from_utf8_lossy(bytes).contains(needle));
        assert!(told("api.shop.test"), "{bundler}");
        assert!(!told("preconnect\" href=\"https://box") && !told("connect-src 'self' https://box"), "{bundler}");
    }
}

/// The demo's own site: 451 files with integrity digests, a service worker, twins, look-alikes of the address.
#[test]
fn the_demos_site_stays_whole() {
    fn take(root: &std::path::Path, below: &std::path::Path, files: &mut Files) {
        for entry in std::fs::read_dir(below).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                take(root, &entry.path(), files);
            } else {
                let name = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(entry.path()).unwrap().into());
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/web/pages/make.py");
    assert!(std::process::Command::new("python3").arg(script).arg(dir.path()).status().unwrap().success());
    let mut old = Files::new();
    take(dir.path(), dir.path(), &mut old);
    assert_eq!(wrong(&old), Vec::<String>::new(), "the site itself");
    let new = after(&old);
    assert_eq!(wrong(&new), Vec::<String>::new());
    for (name, bytes) in new {
        let text = String::from_utf8_lossy(&bytes).replace("\\/", "/").replace("notbox", "");
        assert!(!text.contains("box.shop.test/api"), "{name}");
    }
}

#[test]
fn the_folder_of_a_next_build_gets_a_new_name_and_service_workers_keep_theirs() {
    let new = after(&next());
    assert!(!new.keys().any(|name| name.contains("q7Xw_dK2pLm9RtVz4hBnE")));
    let folders: std::collections::BTreeSet<_> =
        new.keys().filter(|n| n.ends_with("Manifest.js")).map(|n| n.split('/').nth(2).unwrap()).collect();
    assert_eq!(folders.len(), 1);
    let data = format!("_next/data/{}/index.json", folders.iter().next().unwrap());
    assert!(new.contains_key(&data), "{:?}", new.keys());
    assert!(after(&workbox()).contains_key("sw.js") && after(&angular()).contains_key("ngsw-worker.js"));
}

#[test]
fn the_checker_sees_what_is_broken() {
    let broken = |change: fn(&mut Files)| {
        let mut files = workbox();
        change(&mut files);
        wrong(&files).join("\n")
    };
    assert!(broken(|f| drop(f.remove("about.html"))).contains("names about.html"));
    assert!(broken(|f| drop(f.insert("about.html".into(), "<p>".into()))).contains("has revision"));
    let mut files = vite();
    files.insert("index.html.gz".into(), Packing::Gzip.pack(b"other").unwrap().into());
    assert!(wrong(&files)[0].contains("no packed copy"));
    let mut files = webpack();
    let chunk = files.keys().find(|name| name.contains("179")).unwrap().clone();
    files.insert(chunk, "changed".into());
    assert!(wrong(&files).iter().any(|why| why.contains("demands")), "{:?}", wrong(&files));
}

#[test]
fn a_revision_that_is_no_digest_becomes_another() {
    let mut files = workbox();
    let list = String::from_utf8(files["sw.js"].to_vec()).unwrap();
    files.insert("sw.js".into(), list.replace(&md5(&files["index.html"]), "build-17").into());
    let bases = Bases::new(API, "https://api.shop.test/v2").unwrap();
    let plan = rewrite_site(&files, &bases).unwrap();
    let list = String::from_utf8(plan.rewritten["sw.js"].to_vec()).unwrap();
    assert!(!list.contains("build-17") && list.contains(&md5(&plan.rewritten["index.html"])), "{list}");
}

#[test]
fn what_cannot_be_kept_true_is_refused_with_its_file() {
    let refused = |name: &str, content: &str, mut files: Files| {
        files.insert(name.into(), Bytes::from(content.to_owned()));
        let bases = Bases::new(API, "https://api.shop.test/v2").unwrap().watching(&[], &["www.shop.test".into()]);
        let refusals = rewrite_site(&files, &bases).unwrap().refusals;
        assert!(refusals.iter().any(|why| why.starts_with(name)), "{name} {content}: {refusals:?}");
    };
    let app = vite().keys().find(|name| name.contains("About")).unwrap().clone();
    refused("pin.html", &format!("<script src=/{app} integrity=sha384-{}></script>", "A".repeat(64)), vite());
    refused("join.js", "const h='box.shop.test';fetch('https://'+h+'/api')", vite());
    refused("join.js", "const o=\"https://box.shop.test\";fetch(o+\"/api\")", vite());
    refused("page.html", "<script>fetch(`https://box.shop.test`+p)</script>", vite());
    refused("hidden.js", "fetch(atob('aHR0cHM6Ly9ib3guc2hvcC50ZXN0L2FwaQ=='))", vite());
    refused("index.html.br", "not brotli", vite());
    let mut alone = vite();
    alone.insert("only.js.gz".into(), Packing::Gzip.pack(API.as_bytes()).unwrap().into());
    let bases = Bases::new(API, "https://api.shop.test/v2").unwrap();
    assert!(rewrite_site(&alone, &bases).unwrap().refusals[0].starts_with("only.js.gz"));
    let table = angular()["ngsw.json"].clone();
    let main = sha1(&angular()["index.html"]);
    refused("ngsw.json", &String::from_utf8(table.to_vec()).unwrap().replace(&main, &"0".repeat(40)), angular());
    let named: Files = next().into_iter().map(|(n, b)| (n.replace("q7Xw_dK2pLm9RtVz4hBnE", "v12"), b)).collect();
    let refusals = rewrite_site(&named, &bases).unwrap().refusals;
    assert!(refusals.iter().any(|why| why.starts_with("_next/static/v12/")), "{refusals:?}");
}
