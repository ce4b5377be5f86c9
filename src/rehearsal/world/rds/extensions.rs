//! Which extensions there are: those of `rds.extensions`, and no others (law D4).
//!
//! On RDS a member of `rds_superuser` makes every one of them, though no superuser. PostgreSQL has a way to say that of an
//! extension: its control file says `trusted`. So the allowed ones are made trusted, and the others' control files go.

use crate::clients::docker::lab::{Command, Lab};
use crate::clients::postgres::Session;
use crate::rehearsal::world::Result;

const SCRIPT: &str = r#"
cd "$1" || exit 1
for file in *.control; do
    name=${file%.control}
    [ "$name" = plpgsql ] && continue
    case " $2 " in
        *" $name "*) sed -i '/^trusted/d' "$file" && printf '\ntrusted = true\n' >>"$file" || exit 1 ;;
        *) rm -f "$file" || exit 1 ;;
    esac
done
"#;

/// Leaves only these extensions in a server's container.
pub async fn limit(lab: &Lab, container: &str, session: &Session, allowed: &str) -> Result<()> {
    let share: String = session.value("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'", &[]).await?;
    let names = allowed.replace(',', " ");
    let line = ["sh", "-c", SCRIPT, "sh", &format!("{share}/extension"), &names].map(str::to_owned);
    lab.output(container, &Command { line: line.into(), user: Some("root".into()), env: Vec::new() }).await?;
    Ok(())
}
