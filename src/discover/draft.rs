//! Writes guesses down as a site file that a person can read, correct and complete.

use std::fmt::Write as _;

use super::{Guess, Guesses};

/// What the loader refuses until a person fills it in.
pub(super) const BLANK: &str = "???";

/// The site file.
pub fn draft(guesses: &Guesses) -> String {
    let mut file = File::default();
    let zone = guesses.zone.value.clone();
    let blank = || Some(BLANK.to_owned());
    file.comment(0, "A site file, drafted from what runs on the box. Every comment says where a value comes from.");
    file.comment(
        0,
        &format!("Replace each {BLANK}, correct what is wrong, then see `outgrow lint` and `outgrow preflight`."),
    );
    for remark in &guesses.remarks {
        file.comment(0, &format!("Mind: {remark}"));
    }
    file.line(
        0,
        "site",
        zone.as_deref().and_then(|zone| zone.split('.').next()).or(blank().as_deref()),
        "the site's own name",
    );
    file.head(0, "box", "the old host");
    file.line(2, "engine", Some(&quoted(&guesses.engine)), "as you gave it");
    file.guess(2, "address", &guesses.address);
    file.guess(2, "proxy", &guesses.proxy);
    file.head(2, "web", "");
    file.guess(4, "container", &guesses.web);
    file.guess(4, "root", &guesses.root);
    file.head(2, "app", "");
    file.guess(4, "container", &guesses.app);
    file.guess(4, "port", &guesses.port);
    let files = list(&guesses.files);
    file.line(
        4,
        "files",
        Some(&files),
        "configuration files inside the container, beside its environment; add what is missing",
    );
    file.head(2, "database", "");
    file.guess(4, "container", &guesses.database);
    file.guess(4, "name", &guesses.database_name);
    file.head(4, "admin", "a superuser; its password stays out of this file");
    file.guess(6, "user", &guesses.admin);
    file.line(6, "password", Some("env:BOX_DATABASE_PASSWORD"), "or file:/path");
    names(&mut file, guesses);
    file.head(0, "app", "");
    file.head(2, "hosts", "the new hosts");
    file.text("    - name: app-1");
    file.line(6, "engine", None, "its Docker engine, as in ssh://admin@10.0.1.10");
    file.line(6, "address", None, "as the balancer reaches it");
    file.guess(2, "health", &guesses.health);
    file.head(0, "aws", "where to; nothing on the box tells this");
    file.line(2, "region", None, "as in ap-northeast-2");
    file.line(2, "bucket", None, "private, for the pages; made if it is not there");
    file.line(2, "balancer", None, "the Application Load Balancer's name");
    file.line(2, "distribution", Some("new"), "or that of one that is there, as in d111111abcdef8.cloudfront.net");
    file.head(2, "database", "");
    file.line(4, "instance", None, "the RDS instance's identifier");
    file.line(4, "name", guesses.database_name.value.as_deref().map(quoted).as_deref(), "as on the box");
    file.head(4, "master", "");
    file.line(6, "user", None, "the instance's master user");
    file.line(6, "password", Some("env:RDS_MASTER_PASSWORD"), "or file:/path");
    file.0
}

fn names(file: &mut File, guesses: &Guesses) {
    let hosts = |hosts: &[String]| (!hosts.is_empty()).then(|| list(hosts));
    let api = guesses.api.first();
    let base = |host: &str| quoted(&format!("https://{host}{}", guesses.prefix));
    file.head(0, "names", "");
    file.guess(2, "zone", &guesses.zone);
    file.line(2, "pages", Some(&hosts(&guesses.pages).unwrap_or_else(|| format!("[{BLANK}]"))), &guesses.names_why);
    file.line(2, "api", Some(&hosts(&guesses.api).unwrap_or_else(|| format!("[{BLANK}]"))), &guesses.names_why);
    file.head(2, "api-base", "the API's address as the pages spell it");
    file.line(4, "old", None, "today: look for it in the pages' scripts");
    let why = if api.is_some() { "a host of the API, and the path that leads to the app" } else { "afterwards" };
    file.line(4, "new", api.map(|host| base(host)).as_deref(), why);
}

#[derive(Default)]
struct File(String);

impl File {
    fn text(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        self.text(&format!("{:indent$}# {}", "", one_line(text)));
    }

    fn head(&mut self, indent: usize, key: &str, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!("  # {}", one_line(why)) };
        self.text(&format!("{:indent$}{key}:{why}", ""));
    }

    /// A key with its value, or with a blank.
    fn line(&mut self, indent: usize, key: &str, value: Option<&str>, why: &str) {
        let mut line = format!("{:indent$}{key}: {}", "", value.unwrap_or(BLANK));
        let _ = write!(line, "  # {}", one_line(why));
        self.text(&line);
    }

    fn guess(&mut self, indent: usize, key: &str, guess: &Guess) {
        self.line(indent, key, guess.value.as_deref().map(quoted).as_deref(), &guess.why);
    }
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// In quotes, unless it is plainly a word. What stands in a container's definition is not to be trusted as YAML.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let word = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') && text.chars().all(plain);
    // A JSON string is a YAML string.
    let keyword = ["null", "true", "false", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
    if word && !keyword { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// On one line, and unable to steer a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
