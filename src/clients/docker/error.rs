//! What bollard's errors mean for the caller, and what the operator can do.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use bollard::errors::Error;

use super::place::Place;
use crate::clients::{ClientError, Kind};

/// An engine that cannot even be tried: a bad address, or certificates that are not there.
pub(super) fn place(what: &str, error: &io::Error) -> ClientError {
    ClientError::new(Kind::Refused, what, error.to_string())
        .hint("the directory named by `?certs=` holds ca.pem, cert.pem and key.pem, readable by this user")
}

/// A call that failed.
pub(super) fn client(what: &str, error: &Error, place: &Place) -> ClientError {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            let kind = match status_code {
                404 => Kind::NotFound,
                409 => Kind::Conflict,
                401 | 403 => Kind::Denied,
                429 => Kind::Throttled,
                502..=504 => Kind::Unanswered,
                _ => Kind::Refused,
            };
            let answer = ClientError::new(kind, what, message.trim());
            match advice(message) {
                Some(advice) => answer.hint(advice),
                None => answer,
            }
        }
        Error::DockerStreamError { error } => {
            let answer = ClientError::new(Kind::Refused, what, error.trim());
            match advice(error) {
                Some(advice) => answer.hint(advice),
                None => answer,
            }
        }
        Error::RequestTimeoutError => ClientError::new(Kind::Unanswered, what, "no answer in time")
            .hint("the engine may be busy or hung: try `docker version` there"),
        other => unanswered(what, other, place),
    }
}

fn unanswered(what: &str, error: &Error, place: &Place) -> ClientError {
    let why = chain(error);
    let said = place.trouble();
    let why = match &said {
        Some(said) => format!("{why}; ssh says: {said}"),
        None => why,
    };
    let answer = ClientError::new(Kind::Unanswered, what, why);
    match hint(io_kind(error), place, said.as_deref().unwrap_or_default()) {
        Some(hint) => answer.hint(hint),
        None => answer,
    }
}

fn hint(kind: Option<ErrorKind>, place: &Place, said: &str) -> Option<&'static str> {
    const GROUP: &str = "this user may not use the engine's socket: add it to the group `docker` on that host \
                         (sudo usermod -aG docker USER) and log in again";
    match place {
        Place::Unix(_) => match kind? {
            ErrorKind::PermissionDenied => Some(GROUP),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                Some("no engine listens there: start Docker (sudo systemctl start docker), or correct the address")
            }
            _ => None,
        },
        Place::Tls { .. } => match kind? {
            ErrorKind::ConnectionRefused | ErrorKind::TimedOut => Some(
                "dockerd listens by TLS only if told to (--host tcp://…:2376 --tlsverify); the firewall must let us in",
            ),
            ErrorKind::InvalidData => Some(
                "ca.pem must have signed the engine's certificate for this very host name, and the engine's CA our cert.pem",
            ),
            _ => None,
        },
        Place::Ssh(_) if said.contains("Permission denied (") => {
            Some("ssh is used without questions: a key without passphrase, or one in the agent, must be accepted there")
        }
        Place::Ssh(_) if said.contains("Host key verification failed") => {
            Some("the host is not known yet: log in there by hand once, and check its key")
        }
        Place::Ssh(_) if said.contains("Permission denied") => Some(GROUP),
        Place::Ssh(_) if said.contains("administratively prohibited") => {
            Some("its sshd forbids forwarding: allow AllowStreamLocalForwarding and AllowTcpForwarding for this user")
        }
        Place::Ssh(_) => {
            Some("try the same with `ssh` by hand; the engine's socket must be /var/run/docker.sock there")
        }
    }
}

fn advice(message: &str) -> Option<&'static str> {
    if message.contains("no space left on device") {
        Some("the engine's disk is full: free some (docker system df), then go on")
    } else if message.contains("port is already allocated") || message.contains("address already in use") {
        Some("something else listens on that port of the host: stop it, or choose another port in the site file")
    } else if message.contains("bind source path does not exist") {
        Some("the definition mounts a path that this host does not have")
    } else {
        None
    }
}

fn io_kind(error: &Error) -> Option<ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    match error {
        Error::IOError { err } => Some(err.kind()),
        _ => None,
    }
}

/// An error with its causes, each said once.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &Error) -> ClientError {
        client("do it", error, &Place::Unix("/nowhere.sock".into()))
    }

    #[test]
    fn answers_are_told_by_what_the_caller_must_do() {
        let answer = |status_code| Error::DockerResponseServerError { status_code, message: "No such thing\n".into() };
        assert_eq!(told(&answer(404)).kind, Kind::NotFound);
        assert_eq!(told(&answer(404)).why, "No such thing");
        assert_eq!(told(&answer(409)).kind, Kind::Conflict);
        assert_eq!(told(&answer(403)).kind, Kind::Denied);
        assert_eq!(told(&answer(500)).kind, Kind::Refused);
        assert_eq!(told(&answer(503)).kind, Kind::Unanswered);
        assert_eq!(told(&Error::RequestTimeoutError).kind, Kind::Unanswered);
    }

    #[test]
    fn a_socket_that_may_not_be_used_comes_with_the_way_out() {
        let error = told(&Error::IOError { err: ErrorKind::PermissionDenied.into() });
        assert_eq!(error.kind, Kind::Unanswered);
        assert!(error.hint.unwrap().contains("group `docker`"));
        let error = told(&Error::IOError { err: ErrorKind::NotFound.into() });
        assert!(error.hint.unwrap().contains("start Docker"));
    }

    #[test]
    fn a_full_disk_is_named_as_such() {
        let full = Error::DockerStreamError { error: "write /layer.tar: no space left on device".into() };
        assert_eq!(told(&full).kind, Kind::Refused);
        assert!(told(&full).hint.unwrap().contains("disk is full"));
    }
}
