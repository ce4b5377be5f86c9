//! What a visitor reads out of a page: the files it references, and the API its bundle calls.

use std::sync::LazyLock;

use regex::Regex;

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern written here and tested below")
}

static SCRIPT: LazyLock<Regex> = LazyLock::new(|| regex(r#"(?is)<script\b[^>]*?\bsrc\s*=\s*["']([^"']+)["']"#));
static LINK: LazyLock<Regex> = LazyLock::new(|| regex(r"(?is)<link\b[^>]*>"));
static REL: LazyLock<Regex> = LazyLock::new(|| regex(r#"(?i)\brel\s*=\s*["']?(stylesheet|modulepreload)\b"#));
static HREF: LazyLock<Regex> = LazyLock::new(|| regex(r#"(?i)\bhref\s*=\s*["']([^"']+)["']"#));
static API: LazyLock<Regex> = LazyLock::new(|| regex(r#"(https://[^"'\s\x60<>\\]+?/api)(?:["'/?\x60\s\\]|$)"#));

/// The paths of the scripts and styles a page references on its own host, in order.
pub fn assets(html: &str, host: &str) -> Vec<String> {
    let scripts = SCRIPT.captures_iter(html).map(|c| c[1].to_owned());
    let styles = LINK
        .find_iter(html)
        .filter(|tag| REL.is_match(tag.as_str()))
        .filter_map(|tag| HREF.captures(tag.as_str()).map(|c| c[1].to_owned()));
    styles.chain(scripts).filter_map(|url| on_host(&url, host)).collect()
}

/// The path of `url` on `host`, seen from the page at `/`; `None` for another host's.
fn on_host(url: &str, host: &str) -> Option<String> {
    let url = url.replace("&amp;", "&");
    for absolute in [format!("https://{host}/"), format!("//{host}/")] {
        if let Some(path) = url.strip_prefix(&absolute) {
            return Some(format!("/{path}"));
        }
    }
    if url.contains("//") || url.contains(':') {
        return None;
    }
    Some(format!("/{}", url.trim_start_matches("./").trim_start_matches('/')))
}

/// The base of the API a script calls, such as `https://box.shop.test/api`.
pub fn api_base(script: &str) -> Option<String> {
    let plain = script.replace("\\/", "/");
    API.captures(&plain).map(|c| c[1].to_owned())
}

/// The ids of the products in a list, wherever in the JSON they are.
pub fn product_ids(list: &[u8]) -> Option<Vec<u64>> {
    fn gather(value: &serde_json::Value, ids: &mut Vec<u64>) {
        match value {
            serde_json::Value::Array(many) => many.iter().for_each(|v| gather(v, ids)),
            serde_json::Value::Object(fields) => {
                ids.extend(fields.get("id").and_then(serde_json::Value::as_u64));
                fields.values().for_each(|v| gather(v, ids));
            }
            _ => {}
        }
    }
    let mut ids = Vec::new();
    gather(&serde_json::from_slice(list).ok()?, &mut ids);
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_page_are_found_and_those_of_others_left() {
        let html = r#"<link rel="stylesheet" href="/assets/a.1f.css"><link rel=icon href="/i.png">
            <link href='./b.css?x=1&amp;y=2' rel='stylesheet'>
            <script src="https://cdn.other.test/x.js"></script><script type="module" src="/assets/app.9c.js"></script>
            <script src="https://www.shop.test/late.js"></script><script>inline()</script>"#;
        let expected = ["/assets/a.1f.css", "/b.css?x=1&y=2", "/assets/app.9c.js", "/late.js"];
        assert_eq!(assets(html, "www.shop.test"), expected);
    }

    #[test]
    fn the_api_is_read_out_of_the_bundle() {
        for (script, expected) in [
            (r#"const a="https://box.shop.test/api";"#, Some("https://box.shop.test/api")),
            (r"fetch('https:\/\/box.shop.test\/api\/products')", Some("https://box.shop.test/api")),
            ("`https://api.shop.test/api/orders/${id}`", Some("https://api.shop.test/api")),
            (
                r#""https://docs.shop.test/apidocs","https://api.shop.test/v1/api""#,
                Some("https://api.shop.test/v1/api"),
            ),
            (r#""https://www.shop.test/""#, None),
        ] {
            assert_eq!(api_base(script).as_deref(), expected, "{script}");
        }
    }

    #[test]
    fn product_ids_are_found_in_any_shape() {
        assert_eq!(product_ids(br#"[{"id":1},{"id":2}]"#), Some(vec![1, 2]));
        assert_eq!(product_ids(br#"{"page":1,"items":[{"id":7,"name":"x"}]}"#), Some(vec![7]));
        assert_eq!(product_ids(b"<html>"), None);
    }
}
