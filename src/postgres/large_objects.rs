//! Large objects: their identifiers are values in the application's rows, so they keep them. Read and written in pieces.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use crate::clients::postgres::Session;

use super::Result;
use super::name::{ident, literal};

/// Bytes of a piece.
const PIECE: i32 = 256 * 1024;
/// How many objects travel together.
const TOGETHER: usize = 16;

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
    SELECT sum(bytes)::bigint AS bytes, md5(string_agg(digest, '' ORDER BY number)) AS digest FROM piece) d \
    WHERE $1::oid[] IS NULL OR m.oid = ANY ($1) ORDER BY 1";

/// All large objects with their digests; the server reads one piece at a time.
pub async fn read(session: &Session) -> Result<BTreeMap<u32, LargeObject>> {
    read_some(session, None).await
}

async fn read_some(session: &Session, oids: Option<&[u32]>) -> Result<BTreeMap<u32, LargeObject>> {
    let rows = session.rows(READ, &[&oids]).await?;
    Ok(rows.iter().map(|row| (row.get(0), LargeObject { bytes: row.get(1), digest: row.get(2) })).collect())
}

async fn list(session: &Session) -> Result<BTreeSet<u32>> {
    let rows = session.rows("SELECT oid FROM pg_catalog.pg_largeobject_metadata", &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
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
    let (wanted, present) = tokio::try_join!(list(source), list(target))?;
    let on_both: Vec<u32> = wanted.intersection(&present).copied().collect();
    // Only what is on both sides has to be read to know whether it is the same.
    let (ours, theirs) = if on_both.is_empty() {
        (BTreeMap::new(), BTreeMap::new())
    } else {
        tokio::try_join!(read_some(source, Some(&on_both)), read_some(target, Some(&on_both)))?
    };
    let same = |oid: &u32| ours.contains_key(oid) && ours.get(oid) == theirs.get(oid);
    let gone: Vec<u32> = present.iter().copied().filter(|oid| !same(oid)).collect();
    if !gone.is_empty() {
        target.rows("SELECT pg_catalog.lo_unlink(o) FROM unnest($1::oid[]) o", &[&gone]).await?;
    }
    let missing: Vec<u32> = wanted.iter().copied().filter(|oid| !same(oid)).collect();
    let removed = present.difference(&wanted).count();
    let mut brought = Brought { written: missing.len(), removed, bytes: 0 };
    let mut heirs = Heirs::default();
    for oids in missing.chunks(TOGETHER) {
        brought.bytes += send(source, target, oids).await?;
        heirs.bequeath(source, target, oids).await?;
    }
    Ok(brought)
}

/// Writes objects that are not there: the first piece of each together, then the rest of the long ones.
async fn send(source: &Session, target: &Session, oids: &[u32]) -> Result<i64> {
    let first = "SELECT o, pg_catalog.lo_get(o, 0, $2) FROM unnest($1::oid[]) o";
    let rows = source.rows(first, &[&oids, &PIECE]).await?;
    let (numbers, pieces): (Vec<u32>, Vec<&[u8]>) =
        rows.iter().map(|row| (row.get::<_, u32>(0), row.get::<_, &[u8]>(1))).unzip();
    let make = "SELECT pg_catalog.lo_from_bytea(o, b) FROM unnest($1::oid[], $2::bytea[]) AS x(o, b)";
    target.rows(make, &[&numbers, &pieces]).await?;
    let mut bytes = 0;
    for (oid, piece) in numbers.iter().zip(pieces) {
        let (mut offset, mut last) = (0_i64, piece.len());
        loop {
            offset += i64::try_from(last).unwrap_or_default();
            if i32::try_from(last) != Ok(PIECE) {
                break;
            }
            let piece: Vec<u8> = source.value("SELECT pg_catalog.lo_get($1, $2, $3)", &[oid, &offset, &PIECE]).await?;
            target.rows("SELECT pg_catalog.lo_put($1, $2, $3)", &[oid, &offset, &piece]).await?;
            last = piece.len();
        }
        bytes += offset;
    }
    Ok(bytes)
}

/// Owner, grants and comment of objects, as far as the receiver knows the roles and lets us.
#[derive(Default)]
struct Heirs {
    may: HashMap<String, bool>,
}

const ESTATE: &str = "SELECT m.oid, pg_catalog.pg_get_userbyid(lomowner)::text, \
    ARRAY(SELECT (CASE WHEN a.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END) \
      || ' ' || a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END \
      FROM pg_catalog.aclexplode(lomacl) a WHERE a.grantee <> lomowner), \
    pg_catalog.obj_description(m.oid, 'pg_largeobject') \
    FROM pg_catalog.pg_largeobject_metadata m WHERE m.oid = ANY ($1) ORDER BY 1";

impl Heirs {
    async fn bequeath(&mut self, source: &Session, target: &Session, oids: &[u32]) -> Result<()> {
        let mut statements = String::new();
        for row in source.rows(ESTATE, &[&oids]).await? {
            let (oid, owner): (u32, String) = (row.get(0), row.get(1));
            if let Some(comment) = row.get::<_, Option<&str>>(3) {
                let _ = write!(statements, "COMMENT ON LARGE OBJECT {oid} IS {}; ", literal(comment));
            }
            for grant in row.get::<_, Vec<String>>(2) {
                let Some((role, privilege)) = grant.rsplit_once(' ') else { continue };
                let role_sql = if role.is_empty() { "PUBLIC".to_owned() } else { ident(role) };
                if role.is_empty() || self.may_become(target, role).await? {
                    let (privilege, option) = match privilege.strip_suffix('*') {
                        Some(privilege) => (privilege, " WITH GRANT OPTION"),
                        None => (privilege, ""),
                    };
                    let _ = write!(statements, "GRANT {privilege} ON LARGE OBJECT {oid} TO {role_sql}{option}; ");
                }
            }
            if owner != target.endpoint().user && self.may_become(target, &owner).await? {
                let _ = write!(statements, "ALTER LARGE OBJECT {oid} OWNER TO {}; ", ident(&owner));
            }
        }
        Ok(target.run(&statements).await?)
    }

    async fn may_become(&mut self, session: &Session, role: &str) -> Result<bool> {
        if let Some(known) = self.may.get(role) {
            return Ok(*known);
        }
        let may = may_become(session, role).await?;
        self.may.insert(role.to_owned(), may);
        Ok(may)
    }
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
