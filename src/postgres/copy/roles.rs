//! Roles: those that own something here, are named in a grant, or can log in. On the receiving side a missing one is
//! made without `LOGIN` (the handover opens it) and with its password's hash where that can be read.

use serde::{Deserialize, Serialize};

use super::Skipped;
use crate::clients::postgres::Session;
use crate::postgres::follow::STREAM_ROLE;
use crate::postgres::large_objects::may_become;
use crate::postgres::name::{ident, literal};
use crate::postgres::{Result, fence, marker};

/// A role of the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedRole {
    /// Its name.
    pub name: String,
    /// Whether it can log in on the source.
    pub login: bool,
    /// Whether the copy made it (else it was there).
    pub created: bool,
    /// Whether it has the source's password.
    pub password: bool,
}

struct Role {
    name: String,
    login: bool,
    inherit: bool,
    superuser: bool,
    limit: i32,
    members_of: Vec<String>,
    settings: Vec<String>,
}

const ROLES: &str = "SELECT r.rolname::text, r.rolcanlogin, r.rolinherit, r.rolsuper, r.rolconnlimit, \
    ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid \
      WHERE m.member = r.oid AND g.rolname NOT LIKE 'pg\\_%' ORDER BY 1), \
    coalesce((SELECT s.setconfig FROM pg_catalog.pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') \
    FROM pg_catalog.pg_roles r WHERE r.rolname NOT LIKE 'pg\\_%' AND r.rolname NOT LIKE 'rds%' \
    AND r.rolname NOT IN ('postgres', $1, $2) ORDER BY r.oid";

/// Brings the missing ones over and makes our role a member of each, so that it can give them their objects.
/// What is made carries the run's name, so that [`crate::postgres::wipe`] finds it again.
pub(super) async fn bring(
    source: &Session,
    target: &Session,
    run: &str,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<CopiedRole>> {
    let may_read_hashes: bool =
        source.value("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')", &[]).await?;
    let rows = source.rows(ROLES, &[&fence::ADMIN, &STREAM_ROLE]).await?;
    let roles: Vec<Role> = rows
        .iter()
        .map(|row| Role {
            name: row.get(0),
            login: row.get(1),
            inherit: row.get(2),
            superuser: row.get(3),
            limit: row.get(4),
            members_of: row.get(5),
            settings: row.get(6),
        })
        .collect();
    let mut copied = Vec::new();
    for role in &roles {
        let there: bool =
            target.value("SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1)", &[&role.name]).await?;
        let mut password = false;
        if !there {
            let hash: Option<String> = if may_read_hashes {
                source.value("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1", &[&role.name]).await?
            } else {
                None
            };
            password = create(target, role, hash, skipped).await?;
            let sql = format!("COMMENT ON ROLE {} IS {}", ident(&role.name), literal(&marker::made_by(run)));
            target.run(&sql).await?;
        }
        if role.superuser {
            let why = "the role is made without SUPERUSER, which no managed server grants".to_owned();
            skipped.push(Skipped { what: format!("superuser attribute of role {}", role.name), why });
        }
        if !may_become(target, &role.name).await? {
            let doing = format!("GRANT {} TO CURRENT_USER", ident(&role.name));
            attempt(target, &doing, &doing, &format!("objects of role {}", role.name), skipped).await?;
        }
        copied.push(CopiedRole { name: role.name.clone(), login: role.login, created: !there, password });
    }
    for (role, copied) in roles.iter().zip(&copied).filter(|(_, copied)| copied.created) {
        let name = ident(&copied.name);
        for group in &role.members_of {
            let sql = format!("GRANT {} TO {name}", ident(group));
            attempt(target, &sql, &sql, &format!("membership of {name} in {group}"), skipped).await?;
        }
        for setting in &role.settings {
            if let Some((key, value)) = setting.split_once('=') {
                let sql = format!("ALTER ROLE {name} SET {} TO {}", ident(key), setting_value(key, value));
                attempt(target, &sql, &sql, &format!("setting {key} of role {name}"), skipped).await?;
            }
        }
    }
    database_settings(source, target, skipped).await?;
    Ok(copied)
}

/// Makes a role; says whether with its password.
async fn create(target: &Session, role: &Role, hash: Option<String>, skipped: &mut Vec<Skipped>) -> Result<bool> {
    let name = ident(&role.name);
    let inherit = if role.inherit { "INHERIT" } else { "NOINHERIT" };
    let plain = format!("CREATE ROLE {name} NOLOGIN {inherit} CONNECTION LIMIT {}", role.limit);
    if let Some(hash) = hash {
        let sql = format!("{plain} PASSWORD {}", literal(&hash));
        match target.run_as(&plain, &sql).await {
            Ok(()) => return Ok(true),
            Err(error) if error.is_lost() => return Err(error.into()),
            Err(_) => {}
        }
    }
    target.run(&plain).await?;
    if role.login {
        let why = "its hash cannot be read or set; set the password before the handover".to_owned();
        skipped.push(Skipped { what: format!("password of role {}", role.name), why });
    }
    Ok(false)
}

/// `ALTER DATABASE … SET`, which the schema's dump leaves out.
async fn database_settings(source: &Session, target: &Session, skipped: &mut Vec<Skipped>) -> Result<()> {
    let sql = "SELECT coalesce(r.rolname::text, ''), s.setconfig FROM pg_catalog.pg_db_role_setting s \
        JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole \
        WHERE d.datname = current_database()";
    let database = ident(&target.endpoint().database);
    for row in source.rows(sql, &[]).await? {
        let role: String = row.get(0);
        let whom = if role.is_empty() {
            format!("DATABASE {database}")
        } else {
            format!("ROLE {} IN DATABASE {database}", ident(&role))
        };
        for setting in row.get::<_, Vec<String>>(1) {
            if let Some((key, value)) = setting.split_once('=') {
                let sql = format!("ALTER {whom} SET {} TO {}", ident(key), setting_value(key, value));
                attempt(target, &sql, &sql, &format!("setting {key} of {whom}"), skipped).await?;
            }
        }
    }
    Ok(())
}

/// A stored setting as `SET` wants it: list settings are stored quoted already.
fn setting_value(key: &str, value: &str) -> String {
    let lists =
        ["search_path", "datestyle", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"];
    if lists.contains(&key.to_ascii_lowercase().as_str()) && !value.is_empty() {
        value.to_owned()
    } else {
        literal(value)
    }
}

/// Runs what may be refused; a refusal is noted.
async fn attempt(session: &Session, doing: &str, sql: &str, what: &str, skipped: &mut Vec<Skipped>) -> Result<()> {
    match session.run_as(doing, sql).await {
        Err(error) if error.is_lost() => Err(error.into()),
        Err(error) => {
            skipped.push(Skipped { what: what.to_owned(), why: error.to_string() });
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
