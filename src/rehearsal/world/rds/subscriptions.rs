//! Subscriptions without a superuser: on RDS a member of `rds_superuser` makes them (RDS user guide, "Performing logical
//! replication for Amazon RDS for PostgreSQL"); PostgreSQL itself asks for a superuser, from version 16 on for
//! `pg_create_subscription`.
//!
//! An event trigger makes the member a superuser as `CREATE SUBSCRIPTION` begins, and takes it back as it ends: both are
//! part of the statement's own transaction, so nobody ever sees it.

use crate::clients::postgres::{Endpoint, Error, Session};

/// Databases are made from `template0`, where a database has its own encoding, or from `template1`.
const TEMPLATES: [&str; 3] = ["template0", "template1", "postgres"];

const TRIGGERS: &str = "CREATE FUNCTION pg_catalog.rds_subscription() RETURNS event_trigger LANGUAGE plpgsql \
    SECURITY DEFINER SET search_path = pg_catalog AS $$ BEGIN \
      IF pg_has_role(session_user, 'rds_superuser', 'MEMBER') THEN \
        EXECUTE format('ALTER ROLE %I %s', session_user, \
          CASE TG_EVENT WHEN 'ddl_command_start' THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END); \
      END IF; END $$; \
    CREATE EVENT TRIGGER rds_subscription_start ON ddl_command_start WHEN TAG IN ('CREATE SUBSCRIPTION') \
      EXECUTE FUNCTION pg_catalog.rds_subscription(); \
    CREATE EVENT TRIGGER rds_subscription_end ON ddl_command_end WHEN TAG IN ('CREATE SUBSCRIPTION') \
      EXECUTE FUNCTION pg_catalog.rds_subscription()";

/// Lets members of `rds_superuser` make subscriptions, in every database that is made from now on.
pub async fn allow(session: &Session, as_superuser: &Endpoint) -> Result<(), Error> {
    connectable(session, true).await?;
    for database in TEMPLATES {
        let there = as_superuser.with_database(database).connect().await?;
        there.run_as("let rds_superuser make subscriptions", TRIGGERS).await?;
        there.close();
    }
    connectable(session, false).await
}

async fn connectable(session: &Session, yes: bool) -> Result<(), Error> {
    session.run(&format!("ALTER DATABASE template0 ALLOW_CONNECTIONS {yes}")).await
}
