//! `outgrow cloud`: the rehearsal's cloud by itself, for whoever speaks AWS, until Ctrl-C.

use std::fmt::Write as _;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::args::{Cloud, Global};
use super::failure::{Code, Failure, Outcome};
use super::out;
use crate::rehearsal::alone::{Alone, Order, Ready};

/// Serves until a signal ends it. What a program needs goes to standard output once everything listens.
pub async fn cloud(args: &Cloud, global: &Global) -> Outcome {
    let mut signals = Signals::listen()?;
    let order = Order { listen: args.listen, dns: args.dns, dir: args.dir.clone(), region: args.region.clone() };
    let alone = Alone::start(&order).await.map_err(|e| Failure::of(Code::BadInput, "the cloud did not start", &e))?;
    super::log::to(&alone.ready().dir.join("cloud.log"));
    let told = if global.json {
        serde_json::to_string(alone.ready())
            .map_err(|e| Failure::of(Code::BadInput, "what the cloud is cannot be written", &e))
            .and_then(|line| out::data(&line))
    } else {
        out::say(&for_people(alone.ready(), args));
        out::data(&for_a_shell(alone.ready()))
    };
    if told.is_ok() {
        signals.ended().await;
    }
    alone.end().await;
    told.map(|()| ExitCode::SUCCESS)
}

/// Lines a shell can read: `outgrow cloud > cloud.env`, then `. cloud.env`.
fn for_a_shell(ready: &Ready) -> String {
    let mut text = format!("unset {}\n", ready.unset.join(" "));
    let (dns, ca) = (ready.dns.to_string(), ready.ca.display().to_string());
    let own = [("OUTGROW_CLOUD_DNS", dns.as_str()), ("OUTGROW_CLOUD_CA", ca.as_str())];
    for (name, value) in ready.variables.iter().chain(own) {
        let _ = writeln!(text, "export {name}={}", quoted(value));
    }
    text
}

fn for_people(ready: &Ready, args: &Cloud) -> String {
    let kept = if args.dir.is_some() { "S3's objects stay in" } else { "all of it goes when it ends; until then in" };
    format!(
        "every AWS API is served at {}\n\
         names: dig @{} -p {} NAME\n\
         balancers and distributions listen at 127.80.0.0/16, ports 8080 (for 80) and 8443 (for 443); their authority: {}\n\
         {kept} {}\n\
         Ctrl-C ends it",
        ready.endpoint,
        ready.dns.ip(),
        ready.dns.port(),
        ready.ca.display(),
        ready.dir.display(),
    )
}

/// In single quotes where a shell would read more into it.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@[]".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

/// Ctrl-C, an end asked for, and the end of the terminal it was started on.
struct Signals([tokio::signal::unix::Signal; 3]);

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let of = |kind| signal(kind).map_err(|e| Failure::of(Code::BadInput, "the cloud cannot listen to signals", &e));
        Ok(Self([of(SignalKind::interrupt())?, of(SignalKind::terminate())?, of(SignalKind::hangup())?]))
    }

    async fn ended(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        assert_eq!(quoted("http://127.0.0.1:80"), "http://127.0.0.1:80");
        assert_eq!(quoted("/tmp/a b's"), r"'/tmp/a b'\''s'");
    }
}
