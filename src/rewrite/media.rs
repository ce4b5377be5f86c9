//! With which headers a file goes out: its content type by name and first bytes, and how long it may be cached.
//!
//! The cache policy (law C5: CloudFront keeps a day what says nothing):
//! - a name that carries a content hash: `public, max-age=31536000, immutable`, it never changes under that name;
//! - pages, JSON, manifests, service workers, run-time configuration: `no-cache`, kept but asked for each time, because
//!   they name the other files;
//! - all else (images, fonts, scripts under a fixed name): `public, max-age=300`, five minutes of staleness at most.

/// What S3 is told of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `Content-Type`, with a charset where it is text.
    pub content_type: String,
    /// `Cache-Control`.
    pub cache_control: &'static str,
}

/// Cache policy of a file whose name carries its content's hash.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// Cache policy of a file that names others.
pub const NO_CACHE: &str = "no-cache";
/// Cache policy of everything else.
pub const SHORT: &str = "public, max-age=300";

/// The headers for a file, by its path and its first bytes (512 are plenty).
pub fn media(path: &str, first_bytes: &[u8]) -> Media {
    Media { content_type: content_type(path, first_bytes), cache_control: cache_control(path) }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default()
}

/// The content type. The name decides; the bytes do where the name says nothing, and tell UTF-8 from older charsets.
pub fn content_type(path: &str, first_bytes: &[u8]) -> String {
    let name = base_name(path);
    let by_name = match extension(name).as_str() {
        "js" | "mjs" | "cjs" => "text/javascript",
        "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "ts" => "video/mp2t",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        _ if name == "apple-app-site-association" => "application/json",
        _ => mime_guess::from_path(name).first_raw().unwrap_or_else(|| sniff(first_bytes)),
    };
    let textual = by_name.starts_with("text/")
        || matches!(by_name, "application/json" | "application/manifest+json" | "application/xml" | "image/svg+xml")
        || by_name.ends_with("+xml");
    if textual && is_utf8_head(first_bytes) { format!("{by_name}; charset=utf-8") } else { by_name.to_owned() }
}

fn sniff(bytes: &[u8]) -> &'static str {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_ascii_lowercase();
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        [b'w', b'O', b'F', b'2', ..] => "font/woff2",
        [0, b'a', b's', b'm', ..] => "application/wasm",
        [0x1f, 0x8b, ..] => "application/gzip",
        [b'P', b'K', 3, 4, ..] => "application/zip",
        _ if head.starts_with("<!doctype html") || head.starts_with("<html") => "text/html",
        _ if head.starts_with("<svg") => "image/svg+xml",
        _ if head.starts_with("<?xml") => "application/xml",
        _ if !bytes.is_empty() && is_utf8_head(bytes) && !bytes.contains(&0) => "text/plain",
        _ => "application/octet-stream",
    }
}

/// Whether the bytes are the head of a UTF-8 text: a character cut off at the end does not count against it.
fn is_utf8_head(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(e) => e.error_len().is_none(),
    }
}

/// How long the file may be cached, by its name.
pub fn cache_control(path: &str) -> &'static str {
    let name = base_name(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or(&name);
    let extension = extension(&name);
    let kinds = ["html", "htm", "xhtml", "json", "webmanifest", "appcache", "xml", "txt", ""];
    let settings = matches!(stem, "config" | "env" | "runtime-config" | "settings") && extension == "js";
    if keeps_its_name(path) {
        NO_CACHE
    } else if is_hashed_name(path) {
        IMMUTABLE
    } else if kinds.contains(&extension.as_str()) || settings {
        NO_CACHE
    } else {
        SHORT
    }
}

/// Whether visitors and browsers know the file by its name, whatever that looks like: pages and service workers.
pub fn keeps_its_name(path: &str) -> bool {
    matches!(extension(base_name(path)).as_str(), "html" | "htm" | "xhtml") || is_service_worker(path)
}

/// Whether the name is one under which service workers are registered: it stays as it is for ever.
pub fn is_service_worker(path: &str) -> bool {
    let name = base_name(path).to_ascii_lowercase();
    let stem = name.strip_suffix(".js").or_else(|| name.strip_suffix(".mjs")).unwrap_or("");
    matches!(
        stem,
        "sw" | "service-worker"
            | "serviceworker"
            | "service_worker"
            | "ngsw-worker"
            | "safety-worker"
            | "firebase-messaging-sw"
    )
}

/// Whether the name carries a hash of the content (`app.3f2a9c1b.js`, `index-DkX3a9_b.css`).
pub fn is_hashed_name(path: &str) -> bool {
    hash_part(path).is_some()
}

/// The hash in a name: a whole part between dots, or the tail of one after `-` or `_`. Words and dates are none.
pub fn hash_part(path: &str) -> Option<&str> {
    let name = base_name(path);
    let parts: Vec<&str> = name.split('.').collect();
    let stems = &parts[..parts.len().saturating_sub(1)];
    for (index, part) in stems.iter().enumerate().rev() {
        if index > 0 && looks_hashed(part) {
            return Some(part);
        }
        // webpack, Next, esbuild: the tail after the last dash
        if let Some(tail) = part.rsplit(['-', '_']).next().filter(|t| t.len() < part.len() && looks_hashed(t)) {
            return Some(tail);
        }
        // Vite: eight characters, a dash or underscore among them
        if let Some(cut) = part.len().checked_sub(8).filter(|c| *c > 0 && part.is_char_boundary(*c))
            && part[..cut].ends_with(['-', '_'])
            && part[cut..].contains(['-', '_'])
            && looks_hashed(&part[cut..])
        {
            return Some(&part[cut..]);
        }
        if index == 0 && part.len() >= 16 && looks_hashed(part) {
            return Some(part);
        }
    }
    None
}

/// Eight or more letters and digits in a mix that no word has.
pub fn looks_hashed(part: &str) -> bool {
    if !(8..=64).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return false;
    }
    let count = |is: fn(&u8) -> bool| part.as_bytes().iter().filter(|b| is(b)).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    if part.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()) {
        return digits > 0 && lower > 0;
    }
    // a word with a number behind it (`chapter12`) is no hash; digits in the middle or mixed case are
    let tail = part.bytes().rev().take_while(u8::is_ascii_digit).count();
    let mixed = upper >= 2 && lower >= 1 && (digits > 0 || upper >= 3);
    let base32 = lower == 0 && upper > 0 && digits > tail && part.len() == 8;
    let base36 = upper == 0 && lower > 0 && digits >= 2 && digits > tail && !part.contains(['-', '_']);
    mixed && !(digits > 0 && digits == tail && upper < 3) || base32 || base36
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_from_words() {
        for (name, hash) in [
            ("js/app.3f2a9c1b.js", "3f2a9c1b"),
            ("main.3f2a9c1b.chunk.css", "3f2a9c1b"),
            ("assets/index-DkX3a9_b.js", "DkX3a9_b"),
            ("index-BxKqZtWm.css", "BxKqZtWm"),
            ("chunk-3K5TQ2ZC.js", "3K5TQ2ZC"),
            ("framework-2c79e2a64abdb08b.js", "2c79e2a64abdb08b"),
            ("3f2a9c1b3f2a9c1b3f2a.js", "3f2a9c1b3f2a9c1b3f2a"),
            ("app.3f2a9c1b.js.map", "3f2a9c1b"),
            ("logo-D_k-3xYz.svg", "D_k-3xYz"),
        ] {
            assert_eq!(hash_part(name), Some(hash), "{name}");
        }
        for name in [
            "index.html",
            "jquery-MyPlugin.js",
            "index-settings.js",
            "photo-20240101.jpg",
            "jquery.validate.min.js",
            "v1.2.3/app.js",
            "bootstrap.bundle.min.js",
            "한글-파일이름.js",
            "chapter12345.js",
            "a.chapter12.js",
            "deadbeef.js",
            "report-december.pdf",
        ] {
            assert_eq!(hash_part(name), None, "{name}");
        }
    }

    #[test]
    fn headers() {
        for (path, bytes, kind, cache) in [
            ("index.html", &b"<!doctype html>"[..], "text/html; charset=utf-8", NO_CACHE),
            ("assets/app.3f2a9c1b.js", b"x", "text/javascript; charset=utf-8", IMMUTABLE),
            ("sw.js", b"x", "text/javascript; charset=utf-8", NO_CACHE),
            ("site.webmanifest", b"{}", "application/manifest+json; charset=utf-8", NO_CACHE),
            ("logo.svg", b"<svg", "image/svg+xml; charset=utf-8", SHORT),
            ("font.woff2", b"wOF2", "font/woff2", SHORT),
            ("old.html", b"\xbe\xc8\xb3\xe7 euc-kr", "text/html", NO_CACHE),
            ("\u{c0ac}\u{c9c4} 1.png", b"\x89PNG", "image/png", SHORT),
            ("noname", b"<html>", "text/html; charset=utf-8", NO_CACHE),
            ("blob", b"\x00\x01\xff", "application/octet-stream", NO_CACHE),
            ("config.js", b"x", "text/javascript; charset=utf-8", NO_CACHE),
            ("data.3f2a9c1b.json", b"{}", "application/json; charset=utf-8", IMMUTABLE),
            ("product-1a2b3c4d.html", b"<html>", "text/html; charset=utf-8", NO_CACHE),
            (".well-known/apple-app-site-association", b"{}", "application/json; charset=utf-8", NO_CACHE),
        ] {
            assert_eq!(media(path, bytes), Media { content_type: kind.into(), cache_control: cache }, "{path}");
        }
    }
}
