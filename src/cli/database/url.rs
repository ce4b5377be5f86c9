//! A database's URL, and where its password is found.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::args::Pair;
use crate::cli::failure::Failure;
use crate::postgres::{Endpoint, Tls, Transport};
use crate::site::SecretRef;

/// Both databases.
pub fn endpoints(pair: &Pair) -> Result<(Endpoint, Endpoint), Failure> {
    let source = endpoint("source", &pair.source, pair.source_password.as_deref())?;
    let target = endpoint("target", &pair.target, pair.target_password.as_deref())?;
    Ok((source, target))
}

/// One of them. What is wrong is told without the URL, which may hold a password.
fn endpoint(which: &str, url: &str, reference: Option<&str>) -> Result<Endpoint, Failure> {
    let wrong = |why: &str| {
        Failure::bad_input(format!("the {which}'s URL cannot be used: {why}"))
            .hint("write it like postgres://user@host:5432/database?sslmode=require")
    };
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    let rest = rest.ok_or_else(|| wrong("it does not begin with postgres://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').ok_or_else(|| wrong("it names no database"))?;
    // A password may hold an @ as it is; a host cannot.
    let (login, address) = authority.rsplit_once('@').ok_or_else(|| wrong("it names no user"))?;
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, database) = (decoded(user), decoded(database));
    if user.is_empty() || database.is_empty() {
        return Err(wrong(if user.is_empty() { "it names no user" } else { "it names no database" }));
    }
    let (mut host, port) = host_and_port(address).ok_or_else(|| wrong("its port is no number from 1 to 65535"))?;
    let (mut mode, mut authorities) = (None, None);
    for (name, value) in query.split('&').filter(|part| !part.is_empty()).map(|p| p.split_once('=').unwrap_or((p, "")))
    {
        match name {
            "sslmode" => mode = Some(decoded(value)),
            "sslrootcert" => authorities = Some(decoded(value)),
            "host" => host = decoded(value),
            other => return Err(wrong(&format!("{} is not known here", decoded(other)))),
        }
    }
    if host.is_empty() {
        return Err(wrong("it names no host"));
    }
    let tls = tls(mode.as_deref(), authorities.as_deref(), &host).map_err(|why| wrong(&why))?;
    let password = secret(which, password.map(decoded), reference)?;
    Ok(Endpoint { transport: Transport::tcp(host, port), user, password, database, tls })
}

fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => 5432,
    };
    Some((percent_decode_str(host).decode_utf8_lossy().into_owned(), port))
}

fn tls(mode: Option<&str>, authorities: Option<&str>, host: &str) -> Result<Tls, String> {
    let here = host.starts_with('/') || ["localhost", "127.0.0.1", "::1"].contains(&host);
    match (mode, authorities) {
        (Some("disable"), _) => Ok(Tls::Disable),
        (None, None) if here => Ok(Tls::Disable),
        (Some("require") | None, None) => Ok(Tls::Require),
        // As libpq has it: who names the authorities wants them looked at.
        (Some("verify-full" | "verify-ca" | "require") | None, Some(path)) => {
            std::fs::read_to_string(path).map(Tls::VerifyFull).map_err(|error| format!("{path}: {error}"))
        }
        (Some("verify-full"), None) => Err("sslmode=verify-full needs sslrootcert=FILE".to_owned()),
        (Some(other), _) => Err(format!("sslmode={other} is not known here: disable, require or verify-full")),
    }
}

fn secret(which: &str, in_url: Option<String>, reference: Option<&str>) -> Result<SecretString, Failure> {
    let resolved = |reference: &str| {
        let secret = reference.parse::<SecretRef>().and_then(|reference| reference.resolve());
        secret.map_err(|error| {
            Failure::bad_input(format!("the {which}'s password is not to be had")).because(error.to_string())
        })
    };
    match (reference, in_url) {
        (Some(reference), _) => resolved(reference),
        (None, Some(text)) if text.starts_with("env:") || text.starts_with("file:") => resolved(&text),
        (None, Some(text)) => Ok(SecretString::from(text)),
        // An empty one is none: the server may trust us without.
        (None, None) => Ok(SecretString::from(std::env::var("PGPASSWORD").unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_url_says_where_and_who() {
        let read = |url: &str| endpoint("source", url, None).unwrap();
        let plain = read("postgres://shop:p%40ss@w:rd@db.example.com/sh%20op");
        assert_eq!(plain.to_string(), "shop@db.example.com:5432/sh op");
        assert_eq!(plain.password.expose_secret(), "p@ss@w:rd");
        assert!(matches!(plain.tls, Tls::Require));
        let socket = read("postgresql://shop:x@/shop?host=/run/postgresql");
        assert_eq!(socket.to_string(), "shop@/run/postgresql:5432/shop");
        assert!(matches!(socket.tls, Tls::Disable));
        assert_eq!(read("postgres://a:x@[::1]:6000/b?sslmode=require").to_string(), "a@::1:6000/b");
    }

    #[test]
    fn a_mistake_is_told_without_the_password() {
        for (url, why) in [
            ("mysql://a:tiger@b/c", "postgres://"),
            ("postgres://a:tiger@b", "database"),
            ("postgres://a:tiger@b/", "database"),
            ("postgres://b/c", "user"),
            ("postgres://a:tiger@b:99999/c", "port"),
            ("postgres://a:tiger@/c", "host"),
            ("postgres://a:tiger@b/c?sslmode=prefer", "prefer"),
            ("postgres://a:tiger@b/c?sslmode=verify-full", "sslrootcert"),
            ("postgres://a:tiger@b/c?tiger_mode=1", "not known"),
            ("postgres://a:env:NO_SUCH_VARIABLE@b/c", "password"),
        ] {
            let told = endpoint("target", url, None).unwrap_err().render();
            assert!(told.contains(why) && told.contains("target"), "{url}: {told}");
            assert!(!told.contains("tiger@") && !told.contains(":tiger"), "{told}");
        }
    }
}
