//! Which format a configuration file is in, by its name and, where the name says nothing, by its text.

use std::fmt;

use super::{RewriteError, json};

/// The formats that can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `KEY=value` lines as Docker, Compose and the dotenv libraries read them.
    Env,
    /// Java properties.
    Properties,
    /// YAML 1.2, several documents allowed.
    Yaml,
    /// JSON, with comments and trailing commas tolerated.
    Json,
    /// TOML 1.0.
    Toml,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env => ".env",
            Self::Properties => "Java properties",
            Self::Yaml => "YAML",
            Self::Json => "JSON",
            Self::Toml => "TOML",
        })
    }
}

impl Format {
    /// Tells the format from the path's last part, or from the text where the name has no known ending.
    ///
    /// # Errors
    /// [`RewriteError::Unsupported`] naming the file and what it looks like.
    pub fn of(path: &str, text: &str) -> Result<Self, RewriteError> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
        if name == ".env" || name == "env" || name.starts_with(".env.") || extension == "env" {
            return Ok(Self::Env);
        }
        let unsupported = |format: &str| RewriteError::Unsupported { file: path.to_owned(), format: format.to_owned() };
        match extension {
            "properties" => Ok(Self::Properties),
            "yml" | "yaml" => Ok(Self::Yaml),
            "json" | "jsonc" => Ok(Self::Json),
            "toml" => Ok(Self::Toml),
            "ini" | "cfg" => Err(unsupported("INI")),
            "xml" => Err(unsupported("XML")),
            "conf" if looks_like_nginx(text) => Err(unsupported("nginx configuration")),
            "conf" => by_text(text).ok_or_else(|| unsupported("a .conf file")),
            "" | "local" | "production" | "prod" | "default" | "config" => {
                by_text(text).ok_or_else(|| unsupported("plain text"))
            }
            other => Err(unsupported(&format!("a .{other} file"))),
        }
    }
}

fn looks_like_nginx(text: &str) -> bool {
    text.lines().any(|l| l.trim_end().ends_with('{')) && text.lines().any(|l| l.trim_end().ends_with(';'))
}

/// JSON or `KEY=value` lines, both only where the whole text is.
fn by_text(text: &str) -> Option<Format> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.trim_start().starts_with('{') && json::scan(body).is_ok() {
        return Some(Format::Json);
    }
    let mut lines = body.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).peekable();
    lines.peek()?;
    let assigns = |line: &str| {
        let line = line.strip_prefix("export ").unwrap_or(line);
        line.split_once('=').is_some_and(|(key, _)| {
            !key.is_empty()
                && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !key.as_bytes()[0].is_ascii_digit()
        })
    };
    lines.all(assigns).then_some(Format::Env)
}
