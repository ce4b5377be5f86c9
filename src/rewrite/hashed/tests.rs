//! Small sites, and what must hold of every plan: no old name is named any more, every digest is right.

use super::*;
use crate::rewrite::origin::Bases;
use crate::rewrite::{media, origin};

fn bases() -> Bases {
    Bases::new("https://box.shop.test/api", "https://api.shop.test/api").unwrap()
}

fn site(files: &[(&str, &str)]) -> BTreeMap<String, Bytes> {
    files.iter().map(|(n, c)| ((*n).to_owned(), Bytes::from((*c).to_owned()))).collect()
}

/// The site after the plan.
fn after(old: &BTreeMap<String, Bytes>, plan: &SitePlan) -> BTreeMap<String, String> {
    assert_eq!(plan.refusals, Vec::<String>::new());
    let renamed: BTreeMap<_, _> = plan.renamed.iter().cloned().collect();
    let mut new = BTreeMap::new();
    for (name, bytes) in old {
        let name = renamed.get(name).unwrap_or(name);
        let bytes = plan.rewritten.get(name).unwrap_or(bytes);
        new.insert(name.clone(), String::from_utf8(bytes.to_vec()).unwrap());
    }
    for (old_name, new_name) in &plan.renamed {
        let token = media::hash_part(old_name).unwrap();
        assert!(media::is_hashed_name(new_name), "{new_name}");
        assert!(!new.values().any(|text| text.contains(token)), "{token} is still named");
    }
    assert_eq!(new.len(), old.len());
    new
}

#[test]
fn names_are_carried_to_a_fixpoint() {
    let old = site(&[
        ("assets/app.3f2a9c1b.js", "fetch('https://box.shop.test/api');\n//# sourceMappingURL=app.3f2a9c1b.js.map"),
        ("assets/app.3f2a9c1b.js.map", "{\"file\":\"app.3f2a9c1b.js\"}"),
        (
            "assets/main.77aa88bb.js",
            "import(\"\\u002Fassets\\u002Fapp.3f2a9c1b.js\");u=\"\\/assets\\/app.3f2a9c1b.js\"",
        ),
        ("assets/runtime.0badcafe12.js", "e+\".\"+{12:\"77aa88bb\",13:\"99887766aa\"}[e]+\".js\""),
        ("assets/other.99887766aa.js", "1"),
        ("assets/style.5e5e5e5e.css", "a{}"),
        (
            "index.html",
            "<script src=\"/assets/runtime.0badcafe12.js\"></script><link href='/assets/style.5e5e5e5e.css'> x3f2a9c1bx",
        ),
        ("manifest.json", "{\"app\":\"assets%2Fapp.3f2a9c1b.js\"}"),
        ("한글 문서.html", "no names"),
        ("product-1a2b3c4d.html", "<a href=product-1a2b3c4d.html> app.3f2a9c1b.js"),
    ]);
    let plan = rewrite_site(&old, &bases()).unwrap();
    let html = plan.rewritten["index.html"].clone();
    assert!(std::str::from_utf8(&html).unwrap().ends_with("<link href='/assets/style.5e5e5e5e.css'> x3f2a9c1bx"));
    let renamed: Vec<&str> = plan.renamed.iter().map(|(o, _)| o.as_str()).collect();
    assert_eq!(
        renamed,
        [
            "assets/app.3f2a9c1b.js",
            "assets/app.3f2a9c1b.js.map",
            "assets/main.77aa88bb.js",
            "assets/runtime.0badcafe12.js"
        ]
    );
    assert_eq!(plan.hits.keys().collect::<Vec<_>>(), ["assets/app.3f2a9c1b.js"]);
    let mut old = old;
    old.insert(
        "index.html".into(),
        Bytes::from(String::from_utf8(old["index.html"].to_vec()).unwrap().replace(" x3f2a9c1bx", "")),
    );
    let plan = rewrite_site(&old, &bases()).unwrap();
    let new = after(&old, &plan);
    let app = plan.renamed[0].1.trim_start_matches("assets/");
    assert!(new["manifest.json"].contains(app));
    assert!(new[&plan.renamed[0].1].ends_with(&format!("{app}.map")));
    assert!(new[&plan.renamed[2].1].contains(&format!("\\u002Fassets\\u002F{app}")));

    // the plan is the same each time, and the new site needs none
    assert_eq!(rewrite_site(&old, &bases()).unwrap(), plan);
    let settled: BTreeMap<String, Bytes> = new.into_iter().map(|(n, t)| (n, Bytes::from(t))).collect();
    assert_eq!(rewrite_site(&settled, &bases()).unwrap(), SitePlan::default());
}

#[test]
fn chunks_in_a_circle_are_settled_together() {
    let old = site(&[
        ("index-DkX3a9_b.js", "import('./About-Q2w3E4r5.js')"),
        ("About-Q2w3E4r5.js", "import './index-DkX3a9_b.js';fetch('https://box.shop.test/api/x')"),
        ("index.html", "<script src=index-DkX3a9_b.js>"),
    ]);
    let plan = rewrite_site(&old, &bases()).unwrap();
    assert_eq!(plan.renamed.len(), 2);
    after(&old, &plan);
}

#[test]
fn integrity_follows_the_content() {
    let lib = "u='https://box.shop.test/api'";
    let digest = |text: &str| scan::integrity(text.as_bytes());
    let [_, sha384, sha512] = digest(lib);
    let page = format!("<script src=lib.js integrity=\"{sha384} {sha512}\"></script>");
    let table = format!("{{\"a\":\"{}\"}}", sha512.replace('/', "\\/"));
    let old =
        site(&[("lib.js", lib), ("index.html", &page), ("sri.1a2b3c4d.js", &table), ("x.html", "sri.1a2b3c4d.js")]);
    let plan = rewrite_site(&old, &bases()).unwrap();
    let new = after(&old, &plan);
    let [_, new384, new512] = digest(&new["lib.js"]);
    assert_eq!(new["index.html"], page.replace(&sha384, &new384).replace(&sha512, &new512));
    assert_eq!(new[&plan.renamed[0].1], format!("{{\"a\":\"{}\"}}", new512.replace('/', "\\/")));
    assert!(new["x.html"].contains(&plan.renamed[0].1));
}

#[test]
fn what_cannot_be_carried_is_refused_by_name() {
    let api = "https://box.shop.test/api";
    for twin in ["a.js.gz", "a.js.zst"] {
        let old = site(&[("a.js", api), (twin, "x")]);
        assert!(rewrite_site(&old, &bases()).unwrap().refusals[0].starts_with(twin));
    }

    let inner = format!("{api} page.1a2b3c4d.js");
    let page = format!("'{}'", scan::digests(inner.as_bytes())[0]);
    let old = site(&[("lib.js", &inner), ("page.1a2b3c4d.js", &page)]);
    let refusals = rewrite_site(&old, &bases()).unwrap().refusals;
    assert!(
        refusals.iter().any(|r| r.starts_with("page.1a2b3c4d.js holds an integrity digest of lib.js")),
        "{refusals:?}"
    );

    let mut old = site(&[("b.html", "x")]);
    old.insert("b.html".into(), Bytes::from([b"\xe9".as_slice(), api.as_bytes()].concat()));
    assert!(rewrite_site(&old, &bases()).unwrap().refusals[0].starts_with("b.html "));
}

#[test]
fn a_site_without_the_base_is_left_and_only_text_is_read() {
    struct Picky;
    impl TextFiles for Picky {
        fn names(&self) -> Vec<String> {
            ["a.3f2a9c1b.png", "app.77aa88bb.js", "sw.js"].map(str::to_owned).to_vec()
        }
        fn read(&self, name: &str) -> Result<Bytes, ReadError> {
            assert!(origin::has_text_name(name), "{name} was read");
            Ok(Bytes::from_static(b"// http://box.shop.test a.3f2a9c1b.png"))
        }
    }
    let plan = rewrite_site(&Picky, &bases()).unwrap();
    assert_eq!((plan.renamed.len(), plan.rewritten.len(), plan.leftovers.len()), (0, 0, 2));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    struct Broken;
    impl TextFiles for Broken {
        fn names(&self) -> Vec<String> {
            vec!["a.js".to_owned()]
        }
        fn read(&self, _: &str) -> Result<Bytes, ReadError> {
            Err("disk".into())
        }
    }
    assert_eq!(rewrite_site(&Broken, &bases()).unwrap_err().to_string(), "cannot read a.js of the site");
}
