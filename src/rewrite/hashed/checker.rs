//! Walks a whole site as a browser and a service worker would, and says what is wrong with it. It knows nothing of how the
//! rewriting finds things: its patterns and its digests are its own.

use std::collections::BTreeMap;
use std::io::Read as _;

use aws_lc_rs::digest;
use base64::Engine as _;
use bytes::Bytes;
use md5::Digest as _;
use regex::Regex;

/// A site by path.
pub(super) type Files = BTreeMap<String, Bytes>;

/// All that is wrong: dangling references, wrong digests, twins that say something else.
pub(super) fn wrong(files: &Files) -> Vec<String> {
    let mut walk = Walk { files, wrong: Vec::new(), followed: 0 };
    for (name, bytes) in files {
        if let Some(text) = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".br")) {
            walk.twin(name, text, bytes);
            continue;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        match name.rsplit_once('.').map_or("", |(_, e)| e) {
            "html" => walk.page(name, text),
            "js" | "mjs" => walk.script(name, text),
            "css" => walk.references(name, text, r#"url\(["']?([^"')]+)["']?\)"#),
            "json" | "webmanifest" => walk.data(name, text),
            _ => {}
        }
    }
    assert!(walk.followed > 4, "only {} references were followed", walk.followed);
    walk.wrong
}

/// `sha384-…` and its like.
pub(super) fn sri(kind: &str, bytes: &[u8]) -> String {
    let algorithm = match kind {
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        _ => &digest::SHA512,
    };
    format!("{kind}-{}", base64::engine::general_purpose::STANDARD.encode(digest::digest(algorithm, bytes)))
}

pub(super) fn sha1(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes))
}

pub(super) fn md5(bytes: &[u8]) -> String {
    hex::encode(md5::Md5::digest(bytes))
}

/// An attribute's value, quoted or not.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}="))?.1;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let (value, ends): (&str, &[char]) = match &quote {
        Some('"') => (&rest[1..], &['"']),
        Some(_) => (&rest[1..], &['\'']),
        None => (rest, &[' ', '>']),
    };
    Some(value[..value.find(ends).unwrap_or(value.len())].to_owned())
}

struct Walk<'f> {
    files: &'f Files,
    wrong: Vec<String>,
    followed: usize,
}

impl Walk<'_> {
    /// Follows one reference; what it leads to.
    fn follow(&mut self, from: &str, reference: &str) -> Option<Bytes> {
        let reference =
            reference.split(['?', '#']).next().unwrap_or_default().replace("\\u002F", "/").replace("\\/", "/");
        if reference.is_empty() || reference.contains(':') || reference.starts_with("//") {
            return None;
        }
        self.followed += 1;
        let plain = percent_encoding::percent_decode_str(&reference).decode_utf8().unwrap().into_owned();
        let mut parts: Vec<&str> = if plain.starts_with('/') { Vec::new() } else { from.split('/').collect() };
        parts.pop();
        for part in plain.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        let folder = if path.is_empty() { "index.html".to_owned() } else { format!("{path}/index.html") };
        let found =
            [path.clone(), folder, format!("{path}.html")].iter().find_map(|path| self.files.get(path)).cloned();
        if found.is_none() {
            self.wrong.push(format!("{from} names {reference}, and there is no {path}"));
        }
        found
    }

    fn references(&mut self, from: &str, text: &str, pattern: &str) {
        for found in Regex::new(pattern).unwrap().captures_iter(text) {
            self.follow(from, &found[1]);
        }
    }

    fn demand(&mut self, from: &str, what: &str, demanded: &str, content: &[u8]) {
        for one in demanded.replace("\\/", "/").split_whitespace() {
            let kind = one.split('-').next().unwrap();
            if sri(kind, content) != one {
                self.wrong.push(format!("{from} demands {what} by {one}, which it is not"));
            }
        }
    }

    fn page(&mut self, name: &str, text: &str) {
        for tag in Regex::new("<[a-z][^>]*>").unwrap().find_iter(text) {
            let tag = tag.as_str();
            for key in ["src", "href"] {
                let Some(value) = attribute(tag, key) else { continue };
                let content = self.follow(name, value.trim());
                if let (Some(content), Some(demanded)) = (content, attribute(tag, "integrity")) {
                    self.demand(name, &value, &demanded, &content);
                }
            }
        }
        let inline = Regex::new(r"(?s)<script([^>]*)>(.*?)</script>").unwrap();
        let policy = Regex::new(r#"http-equiv="Content-Security-Policy" content="([^"]*)""#).unwrap();
        let policy = policy.captures(text).map(|found| found[1].to_owned());
        for found in inline.captures_iter(text) {
            let (attributes, body) = (found[1].to_owned(), found[2].to_owned());
            if attributes.contains("importmap") {
                self.import_map(name, &body);
            } else if !body.is_empty() && !attributes.contains("application/json") {
                self.script(name, &body);
                if policy.as_ref().is_some_and(|policy| !policy.contains(&sri("sha256", body.as_bytes()))) {
                    self.wrong.push(format!("{name} has an inline script that its own policy does not allow"));
                }
            }
        }
    }

    fn import_map(&mut self, name: &str, body: &str) {
        let map: serde_json::Value = serde_json::from_str(body).unwrap();
        for to in map["imports"].as_object().unwrap().values() {
            self.follow(name, to.as_str().unwrap());
        }
        for (file, demanded) in map["integrity"].as_object().into_iter().flatten() {
            if let Some(content) = self.follow(name, file) {
                self.demand(name, file, demanded.as_str().unwrap(), &content);
            }
        }
    }

    fn script(&mut self, name: &str, text: &str) {
        self.references(name, text, r#"(?:from|import)\s*\(?\s*["']([./][^"']+)["']"#);
        // Lists of Vite and of Next.js, from the site's root and from /_next/.
        self.references("index.html", text, r#""/?(assets/[^"]+\.(?:js|css))""#);
        self.references("_next/x", text, r#""(static/(?:chunks|css|media)/[^"]+\.(?:js|css))""#);
        self.references(name, text, r#"importScripts\(["']([^"']+)["']\)"#);
        self.webpack(name, text);
        for found in Regex::new(r#""?url"?:\s*"([^"]+)",\s*"?revision"?:\s*"?([^",}]+)"#).unwrap().captures_iter(text) {
            if let Some(content) = self.follow(name, &found[1])
                && &found[2] != "null"
                && found[2] != md5(&content)
            {
                self.wrong.push(format!("{name} has revision {} of {}, which it is not", &found[2], &found[1]));
            }
        }
        let map = Regex::new(r"//# sourceMappingURL=(\S+)").unwrap();
        if self.files.keys().any(|file| file.rsplit('.').next() == Some("map")) {
            for found in map.captures_iter(text) {
                self.follow(name, &found[1]);
            }
        }
    }

    /// The runtime of webpack: how chunks are named, and the digests they must have.
    fn webpack(&mut self, name: &str, text: &str) {
        let table = |text: &str| -> BTreeMap<String, String> {
            let pair = Regex::new(r#""?([\w~-]+)"?:\s*"([^"]+)""#).unwrap();
            pair.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
        };
        let naming =
            Regex::new(r#""(static/\w+/)"\s*\+\s*\w+\s*\+\s*"\."\s*\+\s*(\{[^}]*\})\[\w+\]\s*\+\s*"([^"]+)""#).unwrap();
        let demanded = Regex::new(r"sriHashes=(\{[^}]*\})").unwrap().captures(text).map(|found| table(&found[1]));
        for found in naming.captures_iter(text) {
            for (id, hash) in table(&found[2]) {
                let file = format!("/{}{id}.{hash}{}", &found[1], &found[3]);
                let content = self.follow(name, &file);
                if let (Some(content), Some(demanded)) = (content, demanded.as_ref().and_then(|all| all.get(&id))) {
                    self.demand(name, &file, demanded, &content);
                }
            }
        }
    }

    fn data(&mut self, name: &str, text: &str) {
        let data: serde_json::Value = serde_json::from_str(text).unwrap();
        for (url, hash) in data["hashTable"].as_object().into_iter().flatten() {
            if let Some(content) = self.follow(name, url)
                && hash != &sha1(&content)
            {
                self.wrong.push(format!("{name} has another hash of {url}"));
            }
        }
        for icon in data["icons"].as_array().into_iter().flatten() {
            self.follow(name, icon["src"].as_str().unwrap());
        }
        for file in data["files"].as_object().into_iter().flat_map(|files| files.values()) {
            self.follow(name, file.as_str().unwrap());
        }
    }

    fn twin(&mut self, name: &str, text: &str, packed: &Bytes) {
        let mut open = Vec::new();
        let read = if name.rsplit('.').next() == Some("gz") {
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut open)
        } else {
            brotli::Decompressor::new(&packed[..], 4096).read_to_end(&mut open)
        };
        if read.is_err() || self.files.get(text).is_none_or(|text| *text != open) {
            self.wrong.push(format!("{name} is no packed copy of {text}"));
        }
    }
}
