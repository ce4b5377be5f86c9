//! Where the database was and where it will be, as the application's configuration would say it.

/// The move of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where it is now.
    pub old: OldAddress,
    /// Where it will be.
    pub new: NewAddress,
}

/// Every way in which the application may name the old server, and what it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldAddress {
    /// Host names and addresses: container name, network aliases, container address, the box's names.
    pub hosts: Vec<String>,
    /// The port as the application sees it.
    pub port: u16,
    /// The database.
    pub name: String,
    /// The role the application logs in as.
    pub user: String,
}

/// The new server. User and password stay what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAddress {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The database.
    pub name: String,
    /// The TLS mode to ask for (`require`, `verify-full`), in libpq's words; none leaves every mode alone. RDS refuses
    /// clients without TLS from PostgreSQL 15 on (law D2).
    pub sslmode: Option<String>,
}

impl Database {
    /// Whether the host is one of the old server's names; case and the brackets of IPv6 do not matter.
    pub(super) fn is_old_host(&self, host: &str) -> bool {
        let bare = |h: &str| h.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
        !host.is_empty() && self.old.hosts.iter().any(|old| bare(old) == bare(host))
    }

    /// Whether a TLS mode asks for less than the new server wants.
    pub(super) fn is_weaker(&self, mode: &str) -> bool {
        let rank = |mode: &str| {
            let mode: String =
                mode.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            ["disable", "allow", "prefer", "require", "verifyca", "verifyfull"].iter().position(|m| *m == mode)
        };
        match (&self.new.sslmode, rank(mode)) {
            (Some(wanted), Some(has)) => rank(wanted).is_some_and(|wanted| has < wanted),
            (Some(_), None) => ["", "false", "0", "no", "off"].contains(&mode),
            (None, _) => false,
        }
    }
}
