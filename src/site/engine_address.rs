//! How a Docker engine is reached.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The address of a Docker engine: `unix:///path`, `tcp://host:port?certs=/dir` (TLS with `ca.pem`, `cert.pem` and
/// `key.pem` in that directory) or `ssh://user@host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EngineAddress {
    /// A Unix socket on this machine.
    Unix(String),
    /// TCP with mutual TLS.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port, 2376 by custom.
        port: u16,
        /// Directory with `ca.pem`, `cert.pem`, `key.pem`.
        certs: String,
    },
    /// The system's `ssh`, with its own configuration and keys.
    Ssh {
        /// `user@host`, `host`, with `:port` if given.
        destination: String,
    },
}

/// The text is no engine address.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no engine address: write `unix:///var/run/docker.sock`, `ssh://user@host` or `tcp://host:2376?certs=/directory`"
)]
pub struct NotAnEngine(String);

impl std::str::FromStr for EngineAddress {
    type Err = NotAnEngine;

    fn from_str(text: &str) -> Result<Self, NotAnEngine> {
        let wrong = || NotAnEngine(text.to_owned());
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.to_owned())),
            Some(("ssh", destination)) if !destination.is_empty() && !destination.contains('/') => {
                Ok(Self::Ssh { destination: destination.to_owned() })
            }
            Some(("tcp", rest)) => {
                let (address, certs) = rest.split_once("?certs=").ok_or_else(wrong)?;
                let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
                let port = port.parse().map_err(|_| wrong())?;
                if host.is_empty() || certs.is_empty() {
                    return Err(wrong());
                }
                Ok(Self::Tcp { host: host.to_owned(), port, certs: certs.to_owned() })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{path}"),
            Self::Tcp { host, port, certs } => write!(f, "tcp://{host}:{port}?certs={certs}"),
            Self::Ssh { destination } => write!(f, "ssh://{destination}"),
        }
    }
}

impl Serialize for EngineAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EngineAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for EngineAddress {
    fn schema_name() -> Cow<'static, str> {
        "EngineAddress".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(unix:///|ssh://|tcp://).+",
            "description": "A Docker engine: `unix:///path`, `ssh://user@host`, or `tcp://host:2376?certs=/directory`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_written() {
        for text in ["unix:///var/run/docker.sock", "ssh://admin@box.example:2222", "tcp://10.0.1.9:2376?certs=/etc/o"]
        {
            assert_eq!(text.parse::<EngineAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn plain_tcp_is_refused() {
        assert!("tcp://10.0.1.9:2375".parse::<EngineAddress>().is_err());
    }
}
