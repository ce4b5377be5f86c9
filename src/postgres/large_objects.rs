//! Large objects: their identifiers are values in the application's rows, so they keep them. Read and written in pieces.

use std::collections::BTreeMap;

use crate::clients::postgres::Session;

use super::Result;
use super::name::{ident, literal};

/// Bytes of a piece.
const PIECE: i32 = 256 * 1024;

/// A large object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeObject {
    /// Bytes.
    pub bytes: i64,
    /// Digest of its pieces.
    pub digest: String,
}

const READ: &str = "SELECT m.oid, d.bytes, d.digest FROM pg_catalog.pg_largeobject_metadata m, LATERAL ( \
    WITH RECURSIVE piece(number, digest, bytes) AS ( \
      SELECT 0::bigint, md5(p.b), length(p.b) FROM (SELECT lo_get(m.oid, 0, 262144) AS b OFFSET 0) p UNION ALL \
      SELECT x.number + 1, md5(p.b), length(p.b) FROM piece x, \
        LATERAL (SELECT lo_get(m.oid, (x.number + 1) * 262144, 262144) AS b OFFSET 0) p WHERE x.bytes = 262144) \
    SELECT sum(bytes)::bigint AS bytes, md5(string_agg(digest, '' ORDER BY number)) AS digest FROM piece) d ORDER BY 1";

/// All large objects with their digests; the server reads one piece at a time.
pub async fn read(session: &Session) -> Result<BTreeMap<u32, LargeObject>> {
    let rows = session.rows(READ, &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), LargeObject { bytes: row.get(1), digest: row.get(2) })).collect())
}

/// What was done to make the receiver's large objects equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Objects written.
    pub written: usize,
    /// Objects removed.
    pub removed: usize,
    /// Bytes that travelled.
    pub bytes: i64,
}

/// Makes the receiver's large objects those of the source. The receiving session must be in a transaction, so that a
/// half-written object is never seen.
pub async fn bring(source: &Session, target: &Session) -> Result<Brought> {
    let (wanted, present) = tokio::try_join!(read(source), read(target))?;
    let mut brought = Brought::default();
    for oid in present.keys().filter(|oid| !wanted.contains_key(*oid)) {
        target.rows("SELECT pg_catalog.lo_unlink($1)", &[oid]).await?;
        brought.removed += 1;
    }
    for (oid, object) in &wanted {
        if present.get(oid) == Some(object) {
            continue;
        }
        if present.contains_key(oid) {
            target.rows("SELECT pg_catalog.lo_unlink($1)", &[oid]).await?;
        }
        target.rows("SELECT pg_catalog.lo_create($1)", &[oid]).await?;
        let mut offset = 0_i64;
        while offset < object.bytes {
            let piece: Vec<u8> = source.value("SELECT pg_catalog.lo_get($1, $2, $3)", &[oid, &offset, &PIECE]).await?;
            if piece.is_empty() {
                break;
            }
            target.rows("SELECT pg_catalog.lo_put($1, $2, $3)", &[oid, &offset, &piece]).await?;
            offset += i64::try_from(piece.len()).unwrap_or_default();
        }
        bequeath(source, target, *oid).await?;
        brought.written += 1;
        brought.bytes += object.bytes;
    }
    Ok(brought)
}

/// Owner and grants of one object, as far as the receiver knows the roles and lets us.
async fn bequeath(source: &Session, target: &Session, oid: u32) -> Result<()> {
    let sql = "SELECT pg_catalog.pg_get_userbyid(lomowner)::text, \
        ARRAY(SELECT (CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END) \
          || ' ' || a.privilege_type FROM pg_catalog.aclexplode(lomacl) a WHERE a.grantee <> lomowner) \
        FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1";
    let row = source.one(sql, &[&oid]).await?;
    let owner: String = row.get(0);
    let mut statements = Vec::new();
    for grant in row.get::<_, Vec<String>>(1) {
        if let Some((role, privilege)) = grant.rsplit_once(' ') {
            let role_sql = if role.is_empty() { "PUBLIC".to_owned() } else { ident(role) };
            if role.is_empty() || may_become(target, role).await? {
                statements.push(format!("GRANT {privilege} ON LARGE OBJECT {oid} TO {role_sql}"));
            }
        }
    }
    if may_become(target, &owner).await? {
        statements.push(format!("ALTER LARGE OBJECT {oid} OWNER TO {}", ident(&owner)));
    }
    for statement in statements {
        target.run(&statement).await?;
    }
    Ok(())
}

/// Whether our role on this server may act as (and give objects to) that role.
pub(super) async fn may_become(session: &Session, role: &str) -> Result<bool> {
    let privilege = if session.version() >= 16 { "SET" } else { "MEMBER" };
    let sql = format!(
        "SELECT coalesce((SELECT pg_catalog.pg_has_role(current_user, oid, '{privilege}') FROM pg_catalog.pg_roles \
         WHERE rolname = {}), false)",
        literal(role)
    );
    Ok(session.value(&sql, &[]).await?)
}
