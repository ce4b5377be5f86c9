//! What must not go out with a static site: files that lie in the document root but were never meant for a visitor.

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
    // a dump stays a dump when it is packed
    let unpacked = [".gz", ".bz2", ".xz", ".zst", ".zip"].iter().find_map(|e| name.strip_suffix(e)).unwrap_or(name);
    let inner = unpacked.rsplit_once('.').map_or("", |(_, e)| e);
    if matches!(inner, "sql" | "dump" | "pgdump" | "sqlite" | "sqlite3" | "db" | "mdb") || is_dump(first_bytes) {
        return Some("database or dump of one");
    }
    let editor = ["swp", "swo", "bak", "orig", "rej", "old", "save", "tmp"];
    if name.ends_with('~') || name.starts_with(".#") || editor.contains(&extension) || editor.contains(&inner) {
        return Some("backup copy of an editor or an operator");
    }
    if matches!(name, ".ds_store" | "thumbs.db" | "desktop.ini") || holds(&["__macosx", ".idea", ".vscode"]) {
        return Some("desktop litter: names of other files are in it");
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
    let marks: [&[u8]; 2] = [b"PRIVATE KEY-----", b"PuTTY-User-Key-File-"];
    let scripted = bytes.starts_with(b"<") || bytes.starts_with(b"/*") || bytes.starts_with(b"//");
    !scripted && marks.iter().any(|mark| bytes.windows(mark.len()).any(|w| w == *mark))
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
        ] {
            assert!(matches!(judge(path, b"", Choices::default()), Verdict::Leave { .. }), "{path} would go out");
        }
        let key = b"x\n-----BEGIN OPENSSH PRIVATE KEY-----\n";
        assert!(matches!(judge("notes.txt", key, Choices::default()), Verdict::Leave { .. }));
        assert!(matches!(judge("download", b"PGDMP\x01", Choices::default()), Verdict::Leave { .. }));
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
        ] {
            assert_eq!(judge(path, b"<html>", Choices::default()), Verdict::Send, "{path}");
        }
        assert_eq!(judge("app.js.map", b"{}", Choices { source_maps: true }), Verdict::Send);
        assert!(matches!(judge(".well-known/.env", b"", Choices::default()), Verdict::Leave { .. }));
    }
}
