//! What PgBouncer reads: `pgbouncer.ini` and `userlist.txt`.

use std::fmt::Write as _;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// When a server's session is given to the next client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// After each transaction: clients can be made to wait without noticing.
    Transaction,
    /// When the client goes: everything that a session keeps works, but at the handover each client loses its connection
    /// once and waits with the new one.
    Session,
}

/// Where clients are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Host name or address, as the pooler reaches it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The database there.
    pub database: String,
    /// `disable`, `prefer`, `require`, `verify-full`.
    pub sslmode: String,
    /// A file with the authorities' certificates, where the pooler runs.
    pub root_certificate: Option<String>,
}

/// The part of the configuration that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ini {
    /// The database's name for the clients.
    pub database: String,
    /// The address to listen on, `*` for all.
    pub listen: String,
    /// The port to listen on.
    pub port: u16,
    /// When sessions are given on.
    pub mode: Mode,
    /// Where `userlist.txt` is, where the pooler runs.
    pub userlist: String,
    /// Who may use the console.
    pub admins: Vec<String>,
    /// Sessions that it opens to the server for each role.
    pub pool_size: u32,
    /// Clients that it takes.
    pub clients_at_most: u32,
    /// Prepared statements of each session that it keeps apart for the clients; 0 leaves the setting out, which PgBouncer
    /// before 1.21 does not know.
    #[serde(default)]
    pub prepared_statements: u32,
    /// Where its log goes; none for its standard error.
    pub log: Option<String>,
}

/// Somebody who logs in at the pooler.
#[derive(Clone, Debug)]
pub struct User {
    /// The role.
    pub name: String,
    /// What the server keeps of the password (`pg_authid.rolpassword`), or the password itself. A SCRAM verifier lets the
    /// pooler log in at a server that keeps the very same one: the copy takes it over to the new server.
    pub secret: SecretString,
}

impl Ini {
    /// The whole file, sending clients to `target`.
    pub fn text(&self, target: &Target) -> String {
        let mut text = String::from("; written by outgrow; it is overwritten at the handover\n[databases]\n");
        let name = &self.database;
        let _ = writeln!(
            text,
            "{name} = host={} port={} dbname={}",
            value(&target.host),
            target.port,
            value(&target.database)
        );
        let mode = match self.mode {
            Mode::Transaction => "transaction",
            Mode::Session => "session",
        };
        let _ = write!(
            text,
            "\n[pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\npool_mode = {mode}\n\
             ; verifiers of either kind, and passwords: what the role has decides\nauth_type = md5\nauth_file = {}\n\
             admin_users = {}\ndefault_pool_size = {}\nmax_client_conn = {}\nserver_tls_sslmode = {}\n",
            self.listen,
            self.port,
            self.userlist,
            self.admins.join(", "),
            self.pool_size,
            self.clients_at_most,
            target.sslmode,
        );
        if let Some(file) = &target.root_certificate {
            let _ = writeln!(text, "server_tls_ca_file = {file}");
        }
        if let Some(file) = &self.log {
            let _ = writeln!(text, "logfile = {file}");
        }
        if self.prepared_statements > 0 {
            let _ = writeln!(text, "max_prepared_statements = {}", self.prepared_statements);
        }
        // A login that fails once is tried again soon, not after 15 s. What drivers send at the start and a pooler cannot
        // keep is passed over instead of refused.
        text.push_str(
            "server_login_retry = 1\nserver_connect_timeout = 5\nquery_wait_timeout = 120\nserver_reset_query = DISCARD ALL\n\
             ignore_startup_parameters = extra_float_digits, search_path, options, statement_timeout, lock_timeout\n",
        );
        text
    }
}

/// A value of a connection string in the `[databases]` section.
fn value(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The file that says who may log in. It holds secrets: for the pooler's user alone.
pub fn userlist_text(users: &[User]) -> SecretString {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |user: &User| format!("{} {}\n", quoted(&user.name), quoted(user.secret.expose_secret()));
    users.iter().map(line).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_sends_clients_to_one_side_and_keeps_the_rest() {
        let ini = Ini {
            database: "shop".into(),
            listen: "*".into(),
            port: 5432,
            mode: Mode::Transaction,
            userlist: "/etc/pgbouncer/userlist.txt".into(),
            admins: vec!["outgrow_console".into()],
            pool_size: 20,
            clients_at_most: 200,
            prepared_statements: 0,
            log: None,
        };
        let old = Target {
            host: "db-old".into(),
            port: 5432,
            database: "it's".into(),
            sslmode: "prefer".into(),
            root_certificate: None,
        };
        let new = Target {
            host: "shop.abc.rds.amazonaws.com".into(),
            sslmode: "verify-full".into(),
            root_certificate: Some("/etc/rds.pem".into()),
            ..old.clone()
        };
        let (one, other) = (ini.text(&old), ini.text(&new));
        assert!(one.contains("shop = host='db-old' port=5432 dbname='it''s'\n"), "{one}");
        let differing: Vec<_> = other.lines().filter(|line| !one.contains(line)).collect();
        assert_eq!(
            differing,
            [
                "shop = host='shop.abc.rds.amazonaws.com' port=5432 dbname='it''s'",
                "server_tls_sslmode = verify-full",
                "server_tls_ca_file = /etc/rds.pem"
            ]
        );
        // Versions before 1.21 refuse a file that names it.
        assert!(!one.contains("max_prepared_statements"), "{one}");
        let keeping = Ini { prepared_statements: 200, ..ini }.text(&old);
        assert!(keeping.contains("max_prepared_statements = 200\n"), "{keeping}");
    }

    #[test]
    fn a_name_cannot_break_out_of_the_list() {
        let user = User { name: "a\"b".into(), secret: "SCRAM-SHA-256$4096:x$y:z".into() };
        assert_eq!(userlist_text(&[user]).expose_secret(), "\"a\"\"b\" \"SCRAM-SHA-256$4096:x$y:z\"\n");
    }
}
