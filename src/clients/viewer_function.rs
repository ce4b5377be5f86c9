//! The CloudFront function outgrow writes: the index of a directory, moved pages, one host for all.
//!
//! What it does stands as JSON in its first line, and the rest follows from that, so what a function does can be told
//! without running it. One whose text is not exactly what [`Rules::render`] writes is not recognised: nobody is told
//! that a function somebody has changed does what its first line says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the first line of such a function begins with; the number counts versions of the text.
const MARK: &str = "// outgrow viewer-request 2 ";

/// What a viewer-request function does, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The one host the site is shown under; requests for others are redirected to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Pages that moved: path to path or URL, answered with 301.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, String>,
    /// The file a path that ends with `/` stands for (law C3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The page of a single-page application, with a slash in front: it is shown for every path whose last part has no
    /// dot in it and does not end with `/`. Only where error pages cannot do it, for they take the place of an API's
    /// own errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It goes on, for this path.
    Pass(String),
    /// It is answered with 301 to this location.
    Moved(String),
}

impl Rules {
    /// The function's text, for the runtime `cloudfront-js-2.0`.
    pub fn render(&self) -> String {
        // plain data: it cannot fail
        let rules = serde_json::to_string(self).unwrap_or_default();
        format!("{MARK}{rules}\n{BODY_BEFORE}{rules}{BODY_AFTER}")
    }

    /// The rules of a function outgrow has written; nothing for any other text.
    pub fn read(code: &str) -> Option<Self> {
        let (first, _) = code.split_once('\n')?;
        let rules: Self = serde_json::from_str(first.strip_prefix(MARK)?).ok()?;
        (rules.render() == code).then_some(rules)
    }

    /// What the function does with a request.
    pub fn act(&self, host: &str, path: &str, query: Option<&str>) -> Act {
        let query = query.filter(|q| !q.is_empty()).map(|q| format!("?{q}")).unwrap_or_default();
        if let Some(own) = self.host.as_deref().filter(|own| *own != host) {
            return Act::Moved(format!("https://{own}{path}{query}"));
        }
        if let Some(to) = self.moved.get(path) {
            return Act::Moved(format!("{to}{query}"));
        }
        match &self.index {
            Some(index) if path.ends_with('/') => return Act::Pass(format!("{path}{index}")),
            _ => {}
        }
        let last = path.rsplit('/').next().unwrap_or_default();
        match &self.fallback {
            Some(page) if !last.is_empty() && !last.contains('.') => Act::Pass(page.clone()),
            _ => Act::Pass(path.to_owned()),
        }
    }
}

const BODY_BEFORE: &str = "\
// Written by outgrow. What it does is in the line above and in `rules`; change the site file, not this text.
const rules = ";

const BODY_AFTER: &str = ";

function asked(query) {
    const parts = [];
    for (const name in query) {
        const values = query[name].multiValue || [query[name]];
        for (const one of values) {
            parts.push(one.value === '' ? name : name + '=' + one.value);
        }
    }
    return parts.length ? '?' + parts.join('&') : '';
}

function moved(location) {
    return { statusCode: 301, statusDescription: 'Moved Permanently', headers: { location: { value: location } } };
}

function handler(event) {
    const request = event.request;
    if (rules.host && request.headers.host && request.headers.host.value !== rules.host) {
        return moved('https://' + rules.host + request.uri + asked(request.querystring));
    }
    if (rules.moved && Object.keys(rules.moved).indexOf(request.uri) >= 0) {
        return moved(rules.moved[request.uri] + asked(request.querystring));
    }
    if (rules.index && request.uri.endsWith('/')) {
        request.uri += rules.index;
        return request;
    }
    const last = request.uri.slice(request.uri.lastIndexOf('/') + 1);
    if (rules.fallback && last !== '' && last.indexOf('.') < 0) {
        request.uri = rules.fallback;
    }
    return request;
}
";

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            host: Some("www.shop.test".into()),
            moved: BTreeMap::from([("/old".into(), "/new".into())]),
            index: Some("index.html".into()),
            fallback: None,
        }
    }

    #[test]
    fn what_is_written_is_recognised_and_nothing_else() {
        let code = rules().render();
        assert_eq!(Rules::read(&code), Some(rules()));
        assert_eq!(Rules::read(&code.replace("301", "302")), None, "somebody has changed it");
        assert_eq!(Rules::read(&code.replacen("/new", "/newer", 1)), None, "the first line and the rules differ");
        assert_eq!(Rules::read("function handler(event) { return event.request; }"), None);
        assert!(code.len() < 10_240, "CloudFront takes 10 KB");
    }

    #[test]
    fn requests_pass_or_are_moved() {
        let rules = rules();
        assert_eq!(rules.act("www.shop.test", "/docs/", None), Act::Pass("/docs/index.html".into()));
        assert_eq!(rules.act("www.shop.test", "/docs", None), Act::Pass("/docs".into()));
        assert_eq!(rules.act("www.shop.test", "/old", Some("a=1")), Act::Moved("/new?a=1".into()));
        assert_eq!(rules.act("shop.test", "/x", Some("")), Act::Moved("https://www.shop.test/x".into()));
        let app = Rules { fallback: Some("/index.html".into()), ..rules };
        let passed = |path: &str| app.act("www.shop.test", path, None);
        assert_eq!(passed("/v1.2/account"), Act::Pass("/index.html".into()), "only the last part is looked at");
        assert_eq!(passed("/assets/app.js"), Act::Pass("/assets/app.js".into()));
        assert_eq!(passed("/docs/"), Act::Pass("/docs/index.html".into()));
    }
}
