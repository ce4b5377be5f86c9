//! Every spelling, and everything that only looks like one.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn bases() -> Bases {
    static BASES: LazyLock<Bases> =
        LazyLock::new(|| Bases::new("https://box.shop.test/api", "https://api.shop.test/api").unwrap());
    BASES.clone()
}

fn turned(text: &str, bases: &Bases) -> String {
    // In a script a host alone would be refused.
    match rewrite_asset("a.txt", &Bytes::copy_from_slice(text.as_bytes()), bases) {
        Outcome::Rewritten { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
        Outcome::Unchanged { .. } => text.to_owned(),
        Outcome::Refused { why } => panic!("{why}"),
    }
}

#[test]
fn every_spelling_is_turned() {
    for (old, new) in [
        ("fetch(\"https://box.shop.test/api\")", "fetch(\"https://api.shop.test/api\")"),
        ("'https://box.shop.test/api/products?page='", "'https://api.shop.test/api/products?page='"),
        ("`HTTPS://Box.Shop.Test/api${p}`", "`https://api.shop.test/api${p}`"),
        ("https://box.shop.test:443/api/x", "https://api.shop.test/api/x"),
        (r#""https:\/\/box.shop.test\/api\/x""#, r#""https:\/\/api.shop.test\/api\/x""#),
        (
            r#""https:\u002F\u002Fbox.shop.test\u002Fapi\u002Fx""#,
            r#""https:\u002F\u002Fapi.shop.test\u002Fapi\u002Fx""#,
        ),
        (r"'https:\x2f\x2fbox.shop.test\x2fapi'", r"'https:\x2f\x2fapi.shop.test\x2fapi'"),
        ("?u=https%3A%2F%2Fbox.shop.test%2Fapi%2Fx", "?u=https%3A%2F%2Fapi.shop.test%2Fapi%2Fx"),
        ("?u=https%3A%2F%2Fbox.shop.test%3A443%2Fapi&b", "?u=https%3A%2F%2Fapi.shop.test%2Fapi&b"),
        ("%22https%3a%2f%2fbox.shop.test%2fapi%22", "%22https%3a%2f%2fapi.shop.test%2fapi%22"),
        ("src=//box.shop.test/api", "src=//api.shop.test/api"),
        (
            "'wss://box.shop.test/api/live' 'ws://box.shop.test/api'",
            "'wss://api.shop.test/api/live' 'wss://api.shop.test/api'",
        ),
        ("connect-src https://box.shop.test/api; img-src x", "connect-src https://api.shop.test/api; img-src x"),
        ("https://box.shop.test/api.", "https://api.shop.test/api."),
        (r#"\"https:\\/\\/box.shop.test\\/api\""#, r#"\"https:\\/\\/api.shop.test\\/api\""#),
    ] {
        assert_eq!(turned(old, &bases()), new);
        assert_eq!(turned(new, &bases()), new, "second pass");
    }
    let moved = Bases::new("http://box.shop.test:8080", "https://api.shop.test:8443/v1").unwrap();
    assert_eq!(turned(r#"u="http:\/\/box.shop.test:8080\/x";"#, &moved), r#"u="https:\/\/api.shop.test:8443\/v1\/x";"#);
    assert_eq!(turned("http%3A%2F%2Fbox.shop.test%3A8080", &moved), "https%3A%2F%2Fapi.shop.test%3A8443%2Fv1");
    assert_eq!(turned("ws://box.shop.test:8080", &moved), "wss://api.shop.test:8443/v1");
}

#[test]
fn what_only_looks_like_it_is_left() {
    for text in [
        "https://box.shop.test.example.org/api",
        "https://notbox.shop.test/api",
        "https://a.box.shop.test/api",
        "https://box.shop.testing/api",
        "https://box.shop.test/apix",
        "https://box.shop.test/api-v2",
        "https://box.shop.test/api.json",
        "https://box.shop.test/API",
        "https://box.shop.test:8443/api",
        "https://box.shop.test@evil.test/api",
        "https://u@box.shop.test/api",
        "ftp://box.shop.test/api",
        "xhttps://box.shop.test/api",
        "box.shop.test/api",
        "a//box.shop.test/api",
        "https://box.shop.test%2Eevil/api",
        "http://box.shop.test/api",
        "https://box.shop.test",
        "mail@box.shop.test",
    ] {
        assert_eq!(turned(text, &bases()), text);
    }
}

#[test]
fn places_and_leftovers_are_told() {
    let text =
        "// box.shop.test is old\nlet a = 'https://box.shop.test/api/x';\n<img src=http://box.shop.test/i.png>\n";
    let Outcome::Rewritten { hits, leftovers, .. } = rewrite_asset("a.js", &Bytes::from(text), &bases()) else {
        panic!("no hit")
    };
    assert_eq!((hits.len(), hits[0].line, hits[0].column), (1, 2, 10));
    assert!(hits[0].after.contains("let a = 'https://api.shop.test/api/x'"), "{}", hits[0].after);
    assert!(hits[0].before.contains("let a = 'https://box.shop.test/api/x'"));
    let told: Vec<_> = leftovers.iter().map(|l| (l.line, l.why)).collect();
    assert_eq!(told, [(1, "not part of an absolute address"), (3, "http: where the site is https (mixed content)")]);
}

#[test]
fn only_text_is_touched() {
    let hit = "https://box.shop.test/api";
    let unchanged = Outcome::Unchanged { leftovers: vec![] };
    assert_eq!(rewrite_asset("a.png", &Bytes::from(hit), &bases()), unchanged);
    assert_eq!(rewrite_asset("a.js", &Bytes::from_static(b"\xff\xfe other"), &bases()), unchanged);
    let latin = Bytes::from([b"\xe9 ".as_slice(), hit.as_bytes()].concat());
    let utf16: Vec<u8> = hit.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [latin, Bytes::from(utf16), Bytes::from(format!("{hit}{}", " ".repeat(LARGEST_TEXT)))] {
        let Outcome::Refused { why } = rewrite_asset("old.html", &bytes, &bases()) else { panic!("not refused") };
        assert!(why.contains("old.html"), "{why}");
    }
    assert_eq!(rewrite_asset("big.js", &Bytes::from(vec![b' '; LARGEST_TEXT + 1]), &bases()), unchanged);
}

#[test]
fn bases_are_checked() {
    for bad in ["box.shop.test", "ftp://a", "https://", "https://u@a", "https://a?b", "https://a:x", "https://a b"] {
        assert!(matches!(Bases::new(bad, "https://b"), Err(BaseError::NotABase(_))), "{bad}");
    }
    assert!(matches!(Bases::new("https://a.test", "https://a.test/v1"), Err(BaseError::Overlap { .. })));
    assert!(Bases::new("https://a.test/api", "https://a.test/v1").is_ok());
}

proptest! {
    #[test]
    fn text_without_the_host_is_never_touched(text in "([a-z:/.\\\\%\"' ]|https://|//|/api|shop\\.test|box\\.){0,40}") {
        let text = text.replace("box.shop.test", "box.shop,test");
        let outcome = rewrite_asset("a.js", &Bytes::from(text), &bases());
        prop_assert_eq!(outcome, Outcome::Unchanged { leftovers: vec![] });
    }

    #[test]
    fn a_second_pass_finds_nothing_and_the_rest_stays(
        parts in prop::collection::vec("[a-z가 ./:\"'%\\\\]{0,6}|https://box\\.shop\\.test/api|//box\\.shop\\.test|https:\\\\/\\\\/box\\.shop\\.test\\\\/api|box\\.shop\\.test", 0..12)
    ) {
        let text = parts.concat();
        let bases = bases();
        let once = turned(&text, &bases);
        prop_assert_eq!(&turned(&once, &bases), &once);
        // with both hosts and escapes blanked out, nothing else has changed
        prop_assert_eq!(once.replace("api.shop.test", "box.shop.test").to_lowercase(), text.to_lowercase());
    }
}
