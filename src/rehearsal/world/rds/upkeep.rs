//! What RDS's own PostgreSQL does by itself and the box's does not, done from outside as its superuser.

use std::net::Ipv4Addr;
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::task::AbortOnDropHandle;

use super::session;

/// How often it is looked after, also where it does not answer.
const EVERY: Duration = Duration::from_millis(500);

/// On RDS a member of `rds_replication` may replicate (RDS user guide, "Performing logical replication for Amazon RDS for
/// PostgreSQL"); PostgreSQL knows that as an attribute of each role alone.
const REPLICATION: &str = "DO $$ DECLARE one name; BEGIN \
    FOR one IN SELECT m.rolname FROM pg_catalog.pg_roles m WHERE NOT m.rolreplication AND m.rolcanlogin \
      AND pg_catalog.pg_has_role(m.oid, 'rds_replication', 'MEMBER') AND NOT m.rolsuper LOOP \
      EXECUTE pg_catalog.format('ALTER ROLE %I REPLICATION', one); END LOOP; END $$";

/// Looks after a server for as long as the value lives, through every restart.
pub fn look_after(address: Ipv4Addr, port: u16, superuser: SecretString) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            if let Ok(session) = session(address, port, &superuser).await {
                while session.run(REPLICATION).await.is_ok() {
                    tokio::time::sleep(EVERY).await;
                }
            }
            tokio::time::sleep(EVERY).await;
        }
    }))
}
