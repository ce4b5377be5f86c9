//! A base address of an HTTP API: scheme, host, port and path prefix.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `scheme://host[:port][/path]`, without a final slash, a query or a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// `http` or `https`.
    pub scheme: String,
    /// Lower case.
    pub host: String,
    /// Only if it was written.
    pub port: Option<u16>,
    /// Empty, or with a leading slash and without a final one.
    pub path: String,
}

/// The text is no base address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no base address: write it like `https://api.example.com/v1`, without query or final slash")]
pub struct NotABase(String);

impl Base {
    /// Scheme, host and port alone, as a browser spells an origin.
    pub fn origin(&self) -> String {
        match self.port {
            Some(port) => format!("{}://{}:{port}", self.scheme, self.host),
            None => format!("{}://{}", self.scheme, self.host),
        }
    }
}

impl std::str::FromStr for Base {
    type Err = NotABase;

    fn from_str(text: &str) -> Result<Self, NotABase> {
        let wrong = || NotABase(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (authority, None),
        };
        let plain_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let bad = !matches!(scheme, "http" | "https")
            || host.is_empty()
            || !host.chars().all(plain_host)
            || path.ends_with('/')
            || path.contains(['?', '#', ' ']);
        if bad {
            return Err(wrong());
        }
        Ok(Self { scheme: scheme.to_owned(), host: host.to_ascii_lowercase(), port, path: path.to_owned() })
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

impl Serialize for Base {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Base {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Base {
    fn schema_name() -> Cow<'static, str> {
        "Base".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^https?://[^/?#]+(/[^?#]*[^/?#])?$",
            "description": "A base address such as `https://api.example.com/v1`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_reads_back_as_written() {
        for text in ["https://box.shop.test/api", "http://10.0.0.1:8080", "https://api.shop.test/a/b"] {
            assert_eq!(text.parse::<Base>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_base_is_refused() {
        for text in ["box.shop.test", "https:///api", "https://a/b/", "ftp://a", "https://a/?q", "https://a:x/b"] {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }
}
