//! The roles of an RDS instance. Its master user is no superuser: it makes roles and databases, and is a member of
//! `rds_superuser`. Source: RDS user guide, "Understanding PostgreSQL roles and permissions" and "Viewing roles and their
//! privileges".

use secrecy::{ExposeSecret, SecretString};

use crate::clients::postgres::{Error, Session};

/// What `rds_superuser` is a member of, where the server has it.
const MEMBER_OF: [&str; 4] = ["pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_use_reserved_connections"];

/// Makes the master user and the roles RDS has.
pub async fn make(session: &Session, master: &str, password: &SecretString) -> Result<(), Error> {
    let known = session.rows("SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)", &[&&MEMBER_OF[..]]).await?;
    let version: i32 = session.value("SELECT current_setting('server_version_num')::int", &[]).await?;
    let name = identifier(master);
    let secret = literal(password);
    let mut sql = vec![
        "CREATE ROLE rds_superuser; CREATE ROLE rds_replication; CREATE ROLE rds_iam; CREATE ROLE rds_password; \
         CREATE ROLE rds_ad; CREATE ROLE rds_extension NOINHERIT; CREATE ROLE rds_reserved NOINHERIT"
            .into(),
        "GRANT rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION".into(),
        // On RDS `rds_replication` is what lets a role replicate; PostgreSQL knows that as an attribute, which no role
        // inherits. The rules of access let it take logical replication only.
        format!("CREATE ROLE {name} LOGIN CREATEROLE CREATEDB REPLICATION PASSWORD {secret} VALID UNTIL 'infinity'"),
        // From version 16 on, nobody grants a role without being its administrator; on RDS the master user still does.
        format!("GRANT rds_superuser TO {name}{}", if version >= 160_000 { " WITH ADMIN OPTION" } else { "" }),
        // From version 15 on nobody but its owner makes anything in `public`; the first database is the master user's.
        format!("ALTER DATABASE postgres OWNER TO {name}"),
    ];
    sql.extend(
        known.iter().map(|role| format!("GRANT {} TO rds_superuser WITH ADMIN OPTION", role.get::<_, String>(0))),
    );
    if version >= 150_000 {
        // `rds.superuser_variables`.
        sql.push("GRANT SET ON PARAMETER session_replication_role TO rds_superuser".into());
    }
    session.run_as("make the roles of a database instance", &sql.join(";\n")).await
}

/// Makes the master user's database.
pub async fn make_database(session: &Session, database: &str, master: &str) -> Result<(), Error> {
    let sql = format!("CREATE DATABASE {} OWNER {}", identifier(database), identifier(master));
    session.run_as("make the first database of a database instance", &sql).await
}

/// Gives the master user another password.
pub async fn set_password(session: &Session, master: &str, password: &SecretString) -> Result<(), Error> {
    let sql = format!("ALTER ROLE {} PASSWORD {}", identifier(master), literal(password));
    session.run_as("set the password of the master user", &sql).await
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(password: &SecretString) -> String {
    let secret = password.expose_secret().replace('\'', "''");
    let escape = if secret.contains('\\') { "E" } else { "" };
    format!("{escape}'{}'", secret.replace('\\', "\\\\"))
}
