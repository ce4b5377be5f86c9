//! Which names can be keys, and in which order keys go up.

use aws_lc_rs::digest;

use crate::rewrite::media;

/// Bytes a key may have. Source: S3 user guide, object key names.
const LONGEST: usize = 1024;

/// Why a name cannot be a key; `None` if it can.
pub(super) fn obstacle(key: &str) -> Option<&'static str> {
    if key.len() > LONGEST {
        return Some("its path is longer than the 1,024 bytes S3 allows: shorten it");
    }
    if key.starts_with("outgrow/") {
        return Some("paths below outgrow/ are outgrow's own: rename the folder");
    }
    if key.chars().any(char::is_control) {
        return Some("there is a control character in its name: rename it");
    }
    None
}

/// What must be there before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// What pages load, and nothing names anything but its like.
    Asset,
    /// Manifests, service workers, feeds, data.
    Other,
    /// Pages.
    Page,
    /// The first page.
    Index,
}

/// Where in the order a key stands.
pub(super) fn class(key: &str) -> Class {
    let extension = key.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, e)| e);
    match extension.to_ascii_lowercase().as_str() {
        _ if key == "index.html" => Class::Index,
        "html" | "htm" | "xhtml" => Class::Page,
        _ if media::is_service_worker(key) => Class::Other,
        "json" | "webmanifest" | "xml" | "txt" | "map" | "appcache" | "rss" | "atom" if !media::is_hashed_name(key) => {
            Class::Other
        }
        _ => Class::Asset,
    }
}

/// Where the former version of a key is kept while the run can still be taken back.
pub(super) fn kept(run: &str, key: &str) -> String {
    let plain = format!("{}{key}", crate::steps::before_prefix(run));
    if plain.len() <= LONGEST {
        return plain;
    }
    format!("{}{}", crate::steps::before_prefix(run), hex::encode(digest::digest(&digest::SHA256, key.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_go_before_what_names_them() {
        let mut keys =
            ["index.html", "a/index.html", "sw.js", "manifest.json", "app.js", "사진.png", "data.3f2a9c1b.json"];
        keys.sort_by_key(|key| class(key));
        assert_eq!(
            keys,
            ["app.js", "사진.png", "data.3f2a9c1b.json", "sw.js", "manifest.json", "a/index.html", "index.html"]
        );
    }

    #[test]
    fn keys_that_s3_or_the_tool_cannot_take_are_told() {
        assert!(obstacle(&"한".repeat(342)).is_some() && obstacle(&"한".repeat(341)).is_none());
        assert!(obstacle("outgrow/x").is_some() && obstacle("outgrow.html").is_none());
        assert!(obstacle("a\nb").is_some() && obstacle("a b%+.txt").is_none());
    }

    #[test]
    fn a_kept_version_has_a_key_of_its_own_that_fits() {
        assert_eq!(kept("shop-1", "a b.html"), "outgrow/before/shop-1/a b.html");
        let (one, other) = (kept("shop-1", &"x".repeat(1024)), kept("shop-1", &"y".repeat(1024)));
        assert!(one.len() < 1024 && one != other);
    }
}
