//! What `pooler` will put on the box: names and addresses, no password.

use serde::{Deserialize, Serialize};

use crate::clients::hosts::Attachment;
use crate::postgres::pooler::{Mode, Target};
use crate::postgres::port::PoolerOrder;
use crate::step::{Change, Reversal};

/// What `pooler` will put on the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PoolerChange {
    /// The run that does it.
    pub run: String,
    /// The container's name, by which the app will reach it.
    pub container: String,
    /// The image's name.
    pub image: String,
    /// The image's id.
    pub image_id: String,
    /// Where it is reached, under its name.
    pub networks: Vec<Attachment>,
    /// The port it listens on.
    pub port: u16,
    /// The application's roles, which log in through it.
    pub roles: Vec<String>,
    /// When it gives sessions on.
    pub mode: Mode,
    /// Whether the mode was not asked for: an older version makes it `session`.
    pub automatic: bool,
    /// What decided the mode.
    pub why: Vec<String>,
    /// The box's database.
    pub old: Target,
    /// RDS.
    pub new: Target,
}

impl PoolerChange {
    pub(super) fn order(&self) -> PoolerOrder {
        PoolerOrder {
            port: self.port,
            mode: self.mode,
            roles: self.roles.clone(),
            old: self.old.clone(),
            new: self.new.clone(),
        }
    }

    fn mode_line(&self) -> String {
        let why = if self.why.is_empty() {
            "nothing was found in the app that it would break".to_owned()
        } else {
            self.why.join("; ")
        };
        match self.mode {
            Mode::Transaction if self.automatic => format!(
                "  transaction mode, clients notice nothing of the handover: {why}; session mode if its PgBouncer is \
                 older than 1.21"
            ),
            Mode::Transaction => format!("  transaction mode, clients notice nothing of the handover: {why}"),
            Mode::Session => {
                format!("  session mode, each client loses its connection once at the handover: {why}")
            }
        }
    }
}

impl Change for PoolerChange {
    fn lines(&self) -> Vec<String> {
        let networks: Vec<&str> = self.networks.iter().map(|place| place.network.as_str()).collect();
        vec![
            format!(
                "+ container {} of {} on {}, PgBouncer on port {}",
                self.container,
                self.image,
                networks.join(", "),
                self.port
            ),
            format!(
                "  it sends clients to {}:{}, and from the handover on to {}:{}",
                self.old.host, self.old.port, self.new.host, self.new.port
            ),
            format!(
                "  it gets what the old database keeps of the passwords of {}, in a file that it alone reads",
                self.roles.join(", ")
            ),
            self.mode_line(),
        ]
    }

    fn reversal(&self) -> Reversal {
        Reversal::Exact
    }
}
