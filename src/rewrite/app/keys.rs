//! Names of settings: which key is a database's host, its port, its name, its TLS mode, or a CORS allow-list.

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A host; `true` if the key itself says that it is a database's.
    Host(bool),
    Port,
    Name,
    SslMode,
}

/// The words of a key: `DB_HOST`, `db.host`, `dbHost` and `PGHOST` all come out as words.
pub(super) fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    let mut small = false;
    for c in key.chars() {
        if !c.is_alphanumeric() {
            fresh = true;
            continue;
        }
        if fresh || c.is_uppercase() && small {
            words.push(String::new());
        }
        fresh = false;
        small = c.is_lowercase();
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.into_iter().flat_map(libpq).collect()
}

/// `PGHOST` and its kin are written as one word.
fn libpq(word: String) -> Vec<String> {
    match word.as_str() {
        "pghost" | "pgport" | "pgdatabase" | "pgsslmode" | "dbhost" | "dbport" | "dbname" if word != "dbname" => {
            let (head, tail) = word.split_at(2);
            vec![head.to_owned(), tail.to_owned()]
        }
        "hostname" | "servername" => vec!["host".to_owned()],
        _ => vec![word],
    }
}

const DATABASE: [&str; 14] = [
    "db",
    "database",
    "pg",
    "postgres",
    "postgresql",
    "psql",
    "pgsql",
    "datasource",
    "rds",
    "sql",
    "jdbc",
    "databases",
    "typeorm",
    "sequelize",
];

/// The group of a key (the words before its role) and its role.
pub(super) fn role(key: &str) -> Option<(Vec<String>, Role)> {
    let mut words = words(key);
    let last = words.pop()?;
    let owned = words.iter().any(|w| DATABASE.contains(&w.as_str()));
    let role = match last.as_str() {
        "host" | "server" | "address" | "addr" => Role::Host(owned),
        "port" => Role::Port,
        "name" | "database" | "dbname" | "db" => Role::Name,
        "sslmode" => Role::SslMode,
        "mode" if words.last().is_some_and(|w| w == "ssl") => {
            words.pop();
            Role::SslMode
        }
        _ => return None,
    };
    Some((words, role))
}

/// Whether the key names a list of origins that may call the API.
pub(super) fn is_cors(key: &str) -> bool {
    let words = words(key);
    let has = |wanted: &[&str]| words.iter().any(|w| wanted.contains(&w.as_str()));
    let origin = has(&["origin", "origins"]);
    let cors = has(&["cors"]);
    origin && (cors || has(&["allowed", "allow"]))
        || cors && has(&["whitelist", "allowlist"]) && !has(&["regex"])
        || words.len() == 1
            && matches!(words[0].as_str(), "alloworigin" | "allowedorigins" | "corsorigins" | "corsorigin")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_by_their_words() {
        for key in
            ["DB_HOST", "DATABASE_HOST", "PGHOST", "POSTGRES_HOST", "spring.datasource.host", "dbHost", "DB_HOSTNAME"]
        {
            assert!(matches!(role(key), Some((_, Role::Host(true)))), "{key}");
        }
        for key in ["REDIS_HOST", "cache.host", "host"] {
            assert!(matches!(role(key), Some((_, Role::Host(false)))), "{key}");
        }
        assert_eq!(role("PGSSLMODE"), Some((vec!["pg".into()], Role::SslMode)));
        assert_eq!(role("DB_SSL_MODE"), Some((vec!["db".into()], Role::SslMode)));
        assert_eq!(role("POSTGRES_DB"), Some((vec!["postgres".into()], Role::Name)));
        assert_eq!(role("DB_PASSWORD"), None);
        for key in [
            "CORS_ORIGINS",
            "ALLOWED_ORIGINS",
            "cors.allowed-origins",
            "app.cors.allowedOrigins",
            "CORS_ORIGIN_WHITELIST",
        ] {
            assert!(is_cors(key), "{key}");
        }
        for key in ["ORIGIN", "CORS_MAX_AGE", "CORS_ALLOWED_METHODS", "ORIGINAL"] {
            assert!(!is_cors(key), "{key}");
        }
    }
}
