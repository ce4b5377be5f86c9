//! The CDN: one [`Front`] for each distribution, on HTTP and on HTTPS.
//!
//! A request goes through: the host, the behaviour of its path, the protocol and method it allows, its function, the
//! default root object, the cache, the origin, the page for an error, the headers policy. All edge locations are one
//! here, but while a change is deployed, every second connection meets an edge that has not heard of it (law C6).
//!
//! Left to AWS: compression at the edge, `WebSockets`, OPTIONS in the cache, HTTP/2 and 3.

mod answer;
mod cache;
mod config;
mod content;
mod dates;
mod deliver;
mod freshness;
mod headers;
mod object;
mod origin;
mod pass;
mod policy;
mod range;
mod resolve;
mod servers;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio_rustls::TlsConnector;

pub use config::Config;
pub use object::{Bytes as ObjectBytes, Meta, ObjectSource};

use super::body::{Body, empty};
use super::listen::{Peer, Serve};
use crate::clients::viewer_function::Act;
use crate::rehearsal::clock::Clock;
use answer::{Answer, Source};
use cache::Cache;
use origin::{Ask, own};
use servers::Servers;

/// What all fronts share.
pub struct Common {
    objects: Arc<dyn ObjectSource>,
    servers: Arc<Servers>,
    cache: Cache,
    clock: Clock,
}

impl Common {
    /// Reads buckets from `objects` and speaks TLS to origins by `tls`.
    pub fn new(objects: Arc<dyn ObjectSource>, tls: TlsConnector, clock: Clock) -> Self {
        Self { objects, servers: Arc::new(Servers::new(tls)), cache: Cache::default(), clock }
    }

    /// How an edge calls itself.
    #[allow(clippy::unused_self)] // it is the edges' own name
    fn via(&self, domain: &str) -> String {
        format!("1.1 {domain} (CloudFront)")
    }
}

/// What answers a distribution's requests.
pub struct Front {
    config: RwLock<Arc<Config>>,
    common: Arc<Common>,
    https: bool,
}

impl Front {
    /// A front of the distribution `config`.
    pub fn new(config: Arc<Config>, common: Arc<Common>, https: bool) -> Self {
        Self { config: RwLock::new(config), common, https }
    }

    /// Serves by `config` from the next request on.
    pub fn swap(&self, config: Arc<Config>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// Whether a client may ask for this name over TLS.
    pub fn has_name(&self, name: &str) -> bool {
        self.config().has_name(name)
    }

    fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn respond(&self, config: &Config, parts: &Parts, body: Incoming, from: SocketAddr) -> Response<Body> {
        let now = self.common.clock.now();
        let plan = config.plan(now, from);
        let via = self.common.via(&plan.domain);
        let refused = |status, why: &str| {
            let answer = Answer { fetched: own(status, why), source: Source::Error, stored: None };
            deliver::deliver(parts, answer, &via, now)
        };
        let Some(host) = host(parts).filter(|host| plan.is_for(host)) else {
            let why = "Bad request. We can't connect to the server for this app or website at this time.";
            return refused(StatusCode::FORBIDDEN, why).await;
        };
        if !plan.config.enabled {
            return refused(StatusCode::FORBIDDEN, "The distribution is not enabled.").await;
        }
        let path = parts.uri.path();
        let (behavior, function) = plan.behavior(path);
        match behavior.viewers.as_str() {
            "redirect-to-https" if !self.https => {
                let whole = parts.uri.path_and_query().map_or("/", |p| p.as_str());
                return moved(&format!("https://{host}{whole}"), "Redirect from cloudfront", &via);
            }
            "https-only" if !self.https => return refused(StatusCode::FORBIDDEN, "Bad request.").await,
            _ => {}
        }
        if !behavior.methods.contains(parts.method.as_str()) {
            let why =
                "This distribution is not configured to allow the HTTP request method that was used for this request.";
            return refused(StatusCode::FORBIDDEN, why).await;
        }
        let path = match function.map(|f| f.act(&host, path, parts.uri.query())) {
            Some(Act::Moved(to)) => return moved(&to, "FunctionGeneratedResponse from cloudfront", &via),
            Some(Act::Pass(path)) => path,
            None => path.to_owned(),
        };
        // law C3: the default root object serves `/` only
        let root = &plan.config.default_root;
        let path = if path == "/" && !root.is_empty() { format!("/{root}") } else { path };
        let ask = Ask { plan, behavior, parts, path: &path, from, https: self.https };
        let answer = answer::answer(&self.common, config, &ask, Some(body)).await;
        let mut response = deliver::deliver(parts, answer, &via, now).await;
        headers::apply(&behavior.headers, &parts.method, &parts.headers, response.headers_mut());
        response
    }
}

impl Serve for Front {
    async fn serve(self: Arc<Self>, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Body> {
        let config = self.config();
        let (parts, body) = request.into_parts();
        self.respond(&config, &parts, body, peer.from).await
    }

    fn idle(&self) -> Duration {
        config::IDLE
    }
}

/// The host a request is for, in lower case and without a port.
fn host(parts: &Parts) -> Option<String> {
    let host = match parts.uri.host() {
        Some(host) => host,
        None => parts.headers.get(header::HOST)?.to_str().ok()?,
    };
    Some(host.split_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase())
}

fn moved(location: &str, x_cache: &str, via: &str) -> Response<Body> {
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("CloudFront"));
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    deliver::insert_edge(headers, x_cache, via);
    response
}
