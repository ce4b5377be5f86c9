//! What must not go out with a static site: files that lie in the document root but were never meant for a visitor.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// What the operator chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Send source maps: they hold the whole source, comments and all.
    pub source_maps: bool,
}

/// Whether a file goes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Send,
    /// It stays, and this is why.
    Leave {
        /// For people.
        why: &'static str,
    },
}

/// Judges a file by its path under the document root and its first bytes (4 KiB are plenty).
pub fn judge(path: &str, first_bytes: &[u8], choices: Choices) -> Verdict {
    match reason(path, first_bytes, choices) {
        Some(why) => Verdict::Leave { why },
        None => Verdict::Send,
    }
}

fn reason(path: &str, first_bytes: &[u8], choices: Choices) -> Option<&'static str> {
    let lower = path.to_lowercase();
    let parts: Vec<&str> = lower.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let name = parts.last().copied().unwrap_or("");
    let folders = &parts[..parts.len().saturating_sub(1)];
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);

    let holds = |names: &[&str]| parts.iter().any(|p| names.contains(p));
    if holds(&[".git", ".svn", ".hg", ".bzr", "cvs"]) || name.starts_with(".git") {
        return Some("version control: the whole history of the source");
    }
    if holds(&[".ssh", ".aws", ".docker", ".kube", ".gnupg"]) {
        return Some("a folder of credentials");
    }
    if name == ".env" || name.starts_with(".env.") || name.starts_with(".env-") || extension == "env" {
        return Some("environment file: passwords as a rule");
    }
    if matches!(name, ".htpasswd" | ".htaccess" | ".htgroup" | ".npmrc" | ".pypirc" | ".netrc" | ".pgpass" | ".my.cnf")
    {
        return Some("server or client configuration with credentials");
    }
    let key_name = name.starts_with("id_") && matches!(name, "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519");
    if key_name || matches!(extension, "pem" | "key" | "p12" | "pfx" | "jks" | "keystore" | "ppk" | "kdbx") {
        return Some("key or certificate store");
    }
    if is_private_key(first_bytes) {
        return Some("a private key is in it");
    }
    let state = matches!(extension, "tfstate" | "tfvars" | "ovpn" | "rdp" | "mobileprovision");
    let secrets = ["secrets", "credentials"].contains(&name.split('.').next().unwrap_or_default())
        && matches!(
            extension,
            "" | "credentials" | "secrets" | "json" | "yml" | "yaml" | "toml" | "ini" | "csv" | "xml"
        );
    let configured = matches!(name, "wp-config.php" | "config.inc.php" | "settings.py" | "database.yml");
    if state || secrets || configured || has_cloud_keys(first_bytes) {
        return Some("credentials, or where they are");
    }
    // a dump stays a dump when it is packed
    let unpacked = [".gz", ".bz2", ".xz", ".zst", ".zip"].iter().find_map(|e| name.strip_suffix(e)).unwrap_or(name);
    let inner = unpacked.rsplit_once('.').map_or("", |(_, e)| e);
    if matches!(inner, "sql" | "dump" | "pgdump" | "sqlite" | "sqlite3" | "db" | "mdb") || is_dump(first_bytes) {
        return Some("database or dump of one");
    }
    let archive = ["zip", "tar", "tgz", "gz", "bz2", "xz", "zst", "7z", "rar"].contains(&extension);
    if archive && ["backup", "dump", "bak-", "db-", "database"].iter().any(|head| name.starts_with(head)) {
        return Some("archive of a backup");
    }
    let editor = ["swp", "swo", "swn", "swm", "bak", "orig", "rej", "old", "save", "tmp", "dist~", "bkp"];
    let marked = name.starts_with(".#") || name.len() > 1 && name.starts_with('#') && name.ends_with('#');
    if name.ends_with('~') || marked || editor.contains(&extension) || editor.contains(&inner) {
        return Some("backup copy of an editor or an operator");
    }
    if matches!(name, ".ds_store" | "thumbs.db" | "desktop.ini") || holds(&["__macosx", ".idea", ".vscode"]) {
        return Some("desktop litter: names of other files are in it");
    }
    if matches!(extension, "php" | "phtml" | "php5" | "jsp" | "jspx" | "asp" | "aspx" | "ashx" | "cgi" | "erb" | "cfm")
    {
        return Some("server-side program: the bucket would show its source");
    }
    if is_nginx(name, first_bytes) || matches!(name, "web.config" | "httpd.conf" | "apache2.conf" | "caddyfile") {
        return Some("configuration of a web server");
    }
    let docker = name == "dockerfile" || name.starts_with("dockerfile.") || extension == "dockerfile";
    let compose = name.starts_with("docker-compose") || matches!(name, "compose.yml" | "compose.yaml");
    if docker || compose || matches!(name, "jenkinsfile" | "vagrantfile" | "procfile" | "makefile") {
        return Some("recipe of how the site is built and run");
    }
    if extension == "log" || inner == "log" || name == "nohup.out" {
        return Some("log: addresses of visitors, and more");
    }
    if matches!(extension, "hprof" | "heapsnapshot" | "dmp" | "pcap" | "pcapng") || is_core(name, first_bytes) {
        return Some("memory of a program, or traffic");
    }
    if extension == "map" && !choices.source_maps {
        return Some("source map: the whole source is in it, and it was not asked for");
    }
    if folders.first() == Some(&".well-known") {
        return None;
    }
    if parts.iter().any(|p| p.starts_with('.') && *p != ".well-known") {
        return Some("hidden file");
    }
    None
}

fn is_private_key(bytes: &[u8]) -> bool {
    static MARKS: LazyLock<Regex> = LazyLock::new(|| pattern("PRIVATE KEY-----|PuTTY-User-Key-File-"));
    let scripted = bytes.starts_with(b"<") || bytes.starts_with(b"/*") || bytes.starts_with(b"//");
    !scripted && MARKS.is_match(bytes)
}

/// A secret key of AWS by its customary name, with something behind it that may be one.
fn has_cloud_keys(bytes: &[u8]) -> bool {
    static MARKS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?i-u)aws_secret_access_key[ \t=:"']*[a-z0-9+/]{40}(?:[^a-z0-9+/]|$)"#));
    MARKS.is_match(bytes)
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

fn is_nginx(name: &str, bytes: &[u8]) -> bool {
    let is_server = || {
        let text = String::from_utf8_lossy(bytes);
        text.contains("server {") && text.contains("listen ") && text.contains(';')
    };
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let named = name == "nginx.conf" || name.starts_with("nginx.conf.") || extension == "nginx";
    named || extension == "conf" && is_server()
}

fn is_core(name: &str, bytes: &[u8]) -> bool {
    let named = name == "core" || name.strip_prefix("core.").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    // An ELF file of the type of core dumps, in either order of bytes.
    let elf = bytes.starts_with(b"\x7fELF") && matches!(bytes.get(16..18), Some([4, 0] | [0, 4]));
    elf || named && bytes.starts_with(b"\x7fELF")
}

fn is_dump(bytes: &[u8]) -> bool {
    let heads: [&[u8]; 5] =
        [b"PGDMP", b"SQLite format 3\0", b"-- PostgreSQL database", b"-- MySQL dump", b"--\n-- PostgreSQL database"];
    heads.iter().any(|head| bytes.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays() {
        for path in [
            ".env",
            "app/.env.production",
            "prod.env",
            ".git/config",
            "a/.git/HEAD",
            ".gitignore",
            ".svn/entries",
            ".htpasswd",
            "id_rsa",
            "keys/server.key",
            "cert.PEM",
            "db.sql",
            "backup.sql.gz",
            "x.dump",
            "index.html.bak",
            "index.html~",
            ".index.html.swp",
            ".DS_Store",
            "a/Thumbs.db",
            "app.js.map",
            ".aws/credentials",
            ".hidden",
            ".cache/x",
            "site.tar.old.gz",
            "#index.html#",
            "backup-2025.zip",
            "wp-config.php",
            "api/index.php",
            "terraform.tfstate",
            "secrets.yaml",
            "credentials",
            "nginx.conf",
            "docker-compose.prod.yml",
            "Dockerfile",
            "access.log",
            "access.log.gz",
            "nohup.out",
            "app.hprof",
        ] {
            assert!(matches!(judge(path, b"", Choices::default()), Verdict::Leave { .. }), "{path} would go out");
        }
        let key = b"x\n-----BEGIN OPENSSH PRIVATE KEY-----\n";
        assert!(matches!(judge("notes.txt", key, Choices::default()), Verdict::Leave { .. }));
        for (path, bytes) in [
            ("download", &b"PGDMP\x01"[..]),
            ("site.conf", b"server {\n  listen 80;\n}"),
            ("x", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0"),
            ("a.txt", b"[default]\nAWS_SECRET_ACCESS_KEY = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYzz"),
            ("sa.json", b"{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII\"}"),
        ] {
            assert!(matches!(judge(path, bytes, Choices::default()), Verdict::Leave { .. }), "{path}");
        }
    }

    #[test]
    fn what_goes() {
        for path in [
            "index.html",
            ".well-known/security.txt",
            ".well-known/acme-challenge/x",
            "assets/app.3f2a9c1b.js",
            "a b/한글.png",
            "keyboard.js",
            "environment.js",
            "sqlite.html",
            "monkey.jpg",
            "./robots.txt",
            "install.sh",
            "secrets-of-good-bread.html",
            "catalog.json",
            "blog/index.html",
            "core.js",
            "backup-plans.html",
            "downloads/app-1.2.zip",
            "docs/docker.html",
            "logo.svg",
        ] {
            assert_eq!(judge(path, b"<html>", Choices::default()), Verdict::Send, "{path}");
        }
        assert_eq!(judge("app.js.map", b"{}", Choices { source_maps: true }), Verdict::Send);
        assert!(matches!(judge(".well-known/.env", b"", Choices::default()), Verdict::Leave { .. }));
    }
}
