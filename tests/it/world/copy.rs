//! The box's copy, held against the box.

use outgrow::rehearsal::world::Ready;

use super::docker;

/// Same cluster, settings and roles; same environment, command and names; nothing published.
pub fn is_as_the_box(ready: &Ready) {
    for question in [
        "SELECT system_identifier FROM pg_control_system()",
        "SELECT name, setting FROM pg_settings WHERE source NOT IN ('client', 'session', 'override') ORDER BY 1",
        "SELECT a.*, (SELECT array_agg(roleid::regrole ORDER BY 1) FROM pg_auth_members WHERE member = a.oid) FROM pg_authid a ORDER BY 1",
        "SELECT (SELECT count(*) FROM orders), (SELECT md5(string_agg(name, '' ORDER BY id)) FROM products)",
    ] {
        assert_eq!(ask("demo-db", question), ask(&ready.copy.database, question), "{question}");
    }
    for (original, copy) in &ready.copy.containers {
        for field in ["{{json .Config.Env}}", "{{json .Config.Cmd}}", "{{.Config.Hostname}}", "{{.Image}}"] {
            let of = |name: &str| docker(&["inspect", "-f", field, name]);
            assert_eq!(of(original), of(copy), "{field} of {original}");
        }
        assert_eq!(
            docker(&["inspect", "-f", "{{json .HostConfig.PortBindings}} {{.HostConfig.RestartPolicy.Name}}", copy]),
            "{} no"
        );
        assert_eq!(docker(&["inspect", "-f", "{{index .Config.Labels \"outgrow.rehearsal\"}}", copy]), ready.id);
    }
    let aliases = format!("{{{{json (index .NetworkSettings.Networks \"{}\").Aliases}}}}", ready.copy.network);
    assert!(docker(&["inspect", "-f", &aliases, &ready.copy.database]).contains("\"db\""));
}

/// Runs a statement in the copied database.
pub fn sql(ready: &Ready, statement: &str) {
    ask(&ready.copy.database, statement);
}

fn ask(container: &str, question: &str) -> String {
    docker(&["exec", "-u", "postgres", container, "psql", "-Atd", "shop", "-c", question])
}
