//! Whether an app answers: in its container, and through the proxy before it; and whether it allows the site's origins.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::START;
use crate::clients::Kind;
use crate::clients::hosts::HostRead;
use crate::clients::web::{Answered, Probe};
use crate::clients::web_http::send_over;
use crate::site::Protocol;
use crate::step::{Fault, Look, StepResult};
use crate::world::Side;

/// How an app is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::steps) enum Health {
    /// It answers 200.
    Up,
    /// It answers 503 and its database lets no application in yet: it is up.
    Closed,
    /// It is not up, and why.
    Down(String),
}

impl Health {
    /// Behind a pooler (`never`) an app's database is never closed: then that is no excuse.
    pub(in crate::steps) fn but_not_closed(self, never: bool) -> Self {
        match self {
            Self::Closed if never => Self::Down("it answers 503: it does not come to its database".to_owned()),
            other => other,
        }
    }
}

/// Asks the app inside its container.
pub(super) async fn health(look: &Look, host: &dyn HostRead, container: &str) -> StepResult<Health> {
    match ask(look, host, container, "GET", &look.site.app.health, &[]).await {
        Ok(answer) => judge(look, &answer).await,
        Err(why) => Ok(Health::Down(why)),
    }
}

/// Whether the app in a container answers at all.
pub(super) async fn is_reachable(look: &Look, host: &dyn HostRead, container: &str) -> bool {
    ask(look, host, container, "GET", &look.site.app.health, &[]).await.is_ok()
}

/// Asks through the proxy at this address, as the balancer will.
pub(in crate::steps) async fn proxied(look: &Look, address: IpAddr) -> StepResult<Health> {
    match look.web.send(&probe(look, address, "GET", &look.site.app.health, &[])).await {
        Ok(answer) => judge(look, &answer).await,
        Err(e) => Ok(Health::Down(e.to_string())),
    }
}

/// A probe of the proxy at this address.
pub(in crate::steps) fn probe(
    look: &Look,
    address: IpAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Probe {
    let listen = &look.site.app.listen;
    let scheme = match listen.protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
    };
    Probe {
        method: method.to_owned(),
        url: format!("{scheme}://{}{path}", api(look)),
        connect_to: Some(SocketAddr::new(address, listen.port)),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

/// Waits until the app in a container is up. There is no event for it, so it is asked again and again.
pub(super) async fn until_up(look: &Look, host: &dyn HostRead, container: &str, pooled: bool) -> StepResult<()> {
    let started = Instant::now();
    loop {
        let why = match health(look, host, container).await?.but_not_closed(pooled) {
            Health::Up | Health::Closed => return Ok(()),
            Health::Down(why) => why,
        };
        let runs = host.container(container).await?.is_some_and(|c| c.running);
        if !runs || started.elapsed() > START {
            let state = if runs { "did not come up within 60 s" } else { "ended by itself" };
            let logs = last_words(host, container).await;
            return Err(Fault::failed(format!("the new app {state}: {why}{logs}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the proxy at this address passes requests on.
pub(super) async fn until_proxied(look: &Look, address: IpAddr, limit: Duration) -> StepResult<()> {
    let started = Instant::now();
    loop {
        match proxied(look, address).await? {
            Health::Up | Health::Closed => return Ok(()),
            Health::Down(why) if started.elapsed() > limit => {
                return Err(Fault::failed(format!("the proxy does not reach the new app: {why}")));
            }
            Health::Down(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Sends the preflight of each page origin to the app (law O1).
pub(super) async fn origins_allowed(look: &Look, host: &dyn HostRead, container: &str) -> StepResult<()> {
    for origin in look.site.page_origins() {
        let asked = ask(look, host, container, "OPTIONS", &api_path(look), &preflight(&origin)).await;
        let answer = asked.map_err(|why| Fault::failed(format!("the preflight of {origin} got no answer: {why}")))?;
        allows(&answer, &origin)?;
    }
    Ok(())
}

/// A path of the API, for preflights.
pub(in crate::steps) fn api_path(look: &Look) -> String {
    format!("{}/", look.site.names.api_base.new.path)
}

/// The headers a browser sends ahead.
pub(in crate::steps) fn preflight(origin: &str) -> [(&str, &str); 3] {
    [("origin", origin), ("access-control-request-method", "POST"), ("access-control-request-headers", "content-type")]
}

/// Whether a preflight's answer lets the origin in.
pub(in crate::steps) fn allows(answer: &Answered, origin: &str) -> StepResult<()> {
    match answer.header("access-control-allow-origin") {
        Some(allowed) if allowed == origin || allowed == "*" => Ok(()),
        found => Err(Fault::failed_with(
            format!(
                "the app does not allow the origin {origin}: its preflight was answered with status {} and {}",
                answer.status,
                found.map_or("no Access-Control-Allow-Origin".to_owned(), |f| format!(
                    "Access-Control-Allow-Origin: {f}"
                ))
            ),
            "add the origin where the app keeps its allow-list, and name that file in `box.app.files`",
        )),
    }
}

/// The last lines of a container's output, for the end of a message.
pub(in crate::steps) async fn last_words(host: &dyn HostRead, container: &str) -> String {
    match host.logs(container, 10).await {
        Ok(text) if !text.trim().is_empty() => format!("; its last lines:\n{}", text.trim_end()),
        _ => String::new(),
    }
}

/// Whether the time to start is over.
pub(in crate::steps) fn late(look: &Look) -> bool {
    look.applied_at.is_some_and(|at| look.clock.now().duration_since(at).unwrap_or_default() > START)
}

async fn judge(look: &Look, answer: &Answered) -> StepResult<Health> {
    Ok(match answer.status {
        200 => Health::Up,
        503 if closed(look).await? => {
            tracing::info!("the app is up; its database is still closed");
            Health::Closed
        }
        status => Health::Down(format!("{} answers {status}", look.site.app.health)),
    })
}

/// Whether the new database lets no application in: before the handover none of its roles can log in.
async fn closed(look: &Look) -> StepResult<bool> {
    match look.databases.facts(Side::New).await {
        Ok(facts) => Ok(facts.app_roles.is_empty()),
        Err(e) if e.kind == Kind::NotFound => Ok(true),
        Err(e) => Err(e.into()),
    }
}

async fn ask(
    look: &Look,
    host: &dyn HostRead,
    container: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Answered, String> {
    let port = look.site.old.app.port;
    let stream = host.dial(container, port).await.map_err(|e| e.to_string())?;
    // As the proxy would say it: an app may insist on its host name, or send plain requests to https.
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    headers.push(("x-forwarded-proto".to_owned(), "https".to_owned()));
    let probe =
        Probe { method: method.to_owned(), url: format!("http://{}{path}", api(look)), connect_to: None, headers };
    send_over(stream, &probe).await.map_err(|e| e.to_string())
}

fn api(look: &Look) -> &str {
    look.site.names.api.first().map_or(look.site.names.api_base.new.host.as_str(), String::as_str)
}
