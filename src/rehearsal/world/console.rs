//! Questions to a database of the rehearsal, asked inside its container: they work while the fence is shut, too.

use secrecy::SecretString;
use serde_json::Value;

use super::{Result, WorldError};
use crate::clients::docker::lab::{Command, Lab};

/// The administrator a run makes before it shuts everybody else out.
const FENCE_KEEPER: &str = "outgrow_admin";

/// The same printed form of values whatever the server's settings are; every name with its schema.
const PRINTED: &str = "-c datestyle=ISO,YMD -c intervalstyle=postgres -c timezone=UTC -c extra_float_digits=3 \
    -c bytea_output=hex -c search_path= -c statement_timeout=0 -c default_transaction_read_only=on \
    -c client_min_messages=error -c row_security=off";

/// A way to ask one server.
#[derive(Clone)]
pub struct Console {
    lab: Lab,
    container: String,
    account: Option<String>,
    role: String,
    options: Vec<String>,
    password: SecretString,
}

impl Console {
    /// Asks in `container`, as its account `account` and the database's superuser `role`. The password is needed only
    /// where the server asks for one on its own socket.
    pub fn new(
        lab: &Lab,
        container: &str,
        account: Option<&str>,
        role: &str,
        port: u16,
        password: &SecretString,
    ) -> Self {
        Self {
            lab: lab.clone(),
            container: container.to_owned(),
            account: account.map(str::to_owned),
            role: role.to_owned(),
            options: vec!["-w".into(), "-p".into(), port.to_string()],
            password: password.clone(),
        }
    }

    /// The same by TCP, where the server does not let its superuser in over its socket.
    #[must_use]
    pub fn by_tcp(mut self) -> Self {
        self.options.extend(["-h".to_owned(), "127.0.0.1".to_owned()]);
        self
    }

    /// The same server in another container, on another engine.
    #[must_use]
    pub fn of(mut self, lab: &Lab, container: &str) -> Self {
        (self.lab, self.container) = (lab.clone(), container.to_owned());
        self
    }

    /// A command of the server's tools, with the options that say which server and who asks.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        self.command_as(&self.role, program, arguments)
    }

    fn command_as(&self, role: &str, program: &str, arguments: &[&str]) -> Command {
        use secrecy::ExposeSecret as _;
        let line = [program, "-U", role]
            .into_iter()
            .chain(self.options.iter().map(String::as_str))
            .chain(arguments.iter().copied())
            .map(str::to_owned)
            .collect();
        let env = vec![
            ("PGPASSWORD".to_owned(), self.password.expose_secret().to_owned()),
            ("PGOPTIONS".to_owned(), PRINTED.to_owned()),
        ];
        Command { line, user: self.account.clone(), env }
    }

    /// Asks for one value of JSON; nothing, and SQL's NULL, is [`Value::Null`].
    pub async fn ask(&self, database: &str, sql: &str) -> Result<Value> {
        let answer = self.text(database, sql).await?;
        if answer.trim().is_empty() {
            return Ok(Value::Null);
        }
        let odd = |error| WorldError::Box(format!("the database in {} answers oddly: {error}", self.container));
        serde_json::from_str(answer.trim()).map_err(odd)
    }

    /// Asks for rows, their columns parted by `|`, one a line.
    pub async fn text(&self, database: &str, sql: &str) -> Result<String> {
        let arguments = ["-X", "-A", "-t", "-q", "-d", database, "-c", sql];
        let answer = match self.lab.output(&self.container, &self.command("psql", &arguments)).await {
            // The fence shuts out superusers as well, all but one.
            Err(error) if error.why.contains("not permitted to log in") => {
                self.lab.output(&self.container, &self.command_as(FENCE_KEEPER, "psql", &arguments)).await
            }
            other => other,
        };
        Ok(answer?)
    }
}
