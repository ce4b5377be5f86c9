//! A server's two files: its settings, and who may come in.

use std::collections::BTreeMap;

/// Settings by name, as the parameter group and RDS's defaults make them.
pub type Settings = BTreeMap<String, String>;

/// Where the files lie inside.
pub const FOLDER: &str = "outgrow";
/// Libraries that PostgreSQL itself brings. RDS has more, which the box's image need not have.
const LIBRARIES: [&str; 3] = ["auto_explain", "pg_prewarm", "pg_stat_statements"];

fn is_on(settings: &Settings, name: &str) -> bool {
    settings.get(name).is_some_and(|value| value == "1")
}

/// `postgresql.conf`. What RDS derives from its own parameters is derived here too: `rds.logical_replication` is what
/// makes `wal_level` logical (law D3).
pub fn server(settings: &Settings, data: &str, port: u16) -> String {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in settings {
        let shown = match (name.as_str(), value.as_str()) {
            // Switches of RDS's own are `on` and `off` in the server.
            (name, "0" | "1") if name.starts_with("rds.") && !name.ends_with("connections") => {
                if value == "1" {
                    "on".to_owned()
                } else {
                    "off".to_owned()
                }
            }
            ("shared_preload_libraries", libraries) => preloaded(libraries),
            (_, value) => value.to_owned(),
        };
        all.insert(name, shown);
    }
    let logical = is_on(settings, "rds.logical_replication");
    all.insert("wal_level", if logical { "logical" } else { "replica" }.into());
    all.insert("port", port.to_string());
    all.insert("listen_addresses", "*".into());
    all.insert("hba_file", format!("/{FOLDER}/pg_hba.conf"));
    all.insert("ssl", "on".into());
    all.insert("ssl_cert_file", format!("/{FOLDER}/server.crt"));
    all.insert("ssl_key_file", format!("/{FOLDER}/server.key"));
    let mut text = format!("include_if_exists = {}\n", quoted(&format!("{data}/postgresql.conf")));
    for (name, value) in all {
        text.extend([name, " = ", &quoted(&value), "\n"]);
    }
    text
}

fn preloaded(libraries: &str) -> String {
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        libraries.split(',').map(str::trim).filter(|l| !l.is_empty()).partition(|l| LIBRARIES.contains(l));
    if !unknown.is_empty() {
        tracing::warn!(?unknown, "the rehearsal's servers do not have these libraries: they are not loaded");
    }
    known.join(",")
}

/// `pg_hba.conf`: from outside by password only, and by TLS only if `rds.force_ssl` says so (law D2). The socket is for
/// the image's own start, and for the world.
pub fn access(settings: &Settings) -> String {
    let kind = if is_on(settings, "rds.force_ssl") { "hostssl" } else { "host" };
    // The method `md5` takes both kinds of stored passwords.
    let scram = settings.get("rds.accepted_password_auth_method").is_some_and(|m| m == "scram");
    let method = if scram { "scram-sha-256" } else { "md5" };
    format!("local all all trust\nlocal replication {} trust\n{kind} all all all {method}\n", super::SUPERUSER)
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tls_is_forced_only_where_the_group_says_so() {
        assert!(access(&with(&[("rds.force_ssl", "1")])).contains("\nhostssl all all all md5\n"));
        assert!(access(&with(&[("rds.force_ssl", "0")])).contains("\nhost all all all md5\n"));
        let scram = with(&[("rds.force_ssl", "1"), ("rds.accepted_password_auth_method", "scram")]);
        assert!(access(&scram).contains("hostssl all all all scram-sha-256"));
    }

    #[test]
    fn rdss_own_switches_make_the_servers_settings() {
        let text = server(&with(&[("rds.logical_replication", "1"), ("x.y", "it's")]), "/data", 5433);
        for line in ["wal_level = 'logical'", "rds.logical_replication = 'on'", "port = '5433'", "x.y = 'it''s'"] {
            assert!(text.lines().any(|l| l == line), "{line}: {text}");
        }
        assert!(server(&Settings::new(), "/data", 5432).contains("wal_level = 'replica'"));
        assert_eq!(preloaded("pg_stat_statements, pg_cron"), "pg_stat_statements");
    }
}
