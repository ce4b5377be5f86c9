//! The roles of an RDS instance. Its master user is no superuser: it makes roles and databases, and is a member of
//! `rds_superuser`. Source: RDS user guide, "Understanding PostgreSQL roles and permissions".

use secrecy::{ExposeSecret, SecretString};

use crate::clients::postgres::{Error, Session};

/// What `rds_superuser` is a member of, where the server has it.
const MEMBER_OF: [&str; 4] = ["pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_use_reserved_connections"];

/// Makes the master user and the roles RDS has.
pub async fn make(session: &Session, master: &str, password: &SecretString) -> Result<(), Error> {
    let known = session.rows("SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1)", &[&&MEMBER_OF[..]]).await?;
    let name = identifier(master);
    let secret = password.expose_secret().replace('\'', "''");
    let escape = if secret.contains('\\') { "E" } else { "" };
    let secret = secret.replace('\\', "\\\\");
    let mut sql = vec![
        "CREATE ROLE rds_superuser; CREATE ROLE rds_replication; CREATE ROLE rds_iam; CREATE ROLE rds_password".into(),
        "GRANT rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION".into(),
        format!("CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD {escape}'{secret}'"),
        format!("GRANT rds_superuser, rds_replication TO {name} WITH ADMIN OPTION"),
        // From version 15 on nobody but its owner makes anything in `public`; the first database is the master user's.
        format!("ALTER DATABASE postgres OWNER TO {name}"),
    ];
    sql.extend(
        known.iter().map(|role| format!("GRANT {} TO rds_superuser WITH ADMIN OPTION", role.get::<_, String>(0))),
    );
    session.run_as("make the roles of a database instance", &sql.join(";\n")).await
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
