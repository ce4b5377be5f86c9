//! The load balancer: one [`Front`] for each listener, a real HTTP/1.1 proxy that routes as an Application Load
//! Balancer does, and counts what one counts. HTTP/2 and gRPC are not there.

mod account;
mod any_cert;
mod conditions;
mod forward;
mod group;
mod headers;
mod log;
mod meter;
mod own;
mod progress;
mod registry;
mod reply;
mod settings;
mod sticky;
mod table;
#[cfg(test)]
mod tests;
mod tunnel;
mod upstream;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

pub use any_cert::connector;
pub use group::address;
pub use log::Log;
pub use meter::{balancer_dimension, group_dimension};
pub use registry::Registry;
pub use table::{Around, Table, build};

use super::body::Body;
use super::listen::{Peer, Serve};
use crate::rehearsal::state::Action;
use account::Account;
use table::Route;

/// What answers a listener's requests. Its table is swapped whole when the state changes: a request in flight keeps the
/// one it began with, so that no change of weights can fail it.
pub struct Front {
    table: RwLock<Arc<Table>>,
}

impl Front {
    /// A front that routes by `table`.
    pub fn new(table: Table) -> Self {
        Self { table: RwLock::new(Arc::new(table)) }
    }

    /// Routes by `table` from the next request on.
    pub fn swap(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    fn table(&self) -> Arc<Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Serve for Front {
    async fn serve(self: Arc<Self>, request: Request<Incoming>, peer: Arc<Peer>) -> Response<Body> {
        let table = self.table();
        let (parts, body) = request.into_parts();
        let mut response = respond(&table, parts, body, &peer).await;
        if peer.age() > table.settings.keep_alive && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn idle(&self) -> Duration {
        self.table().settings.idle
    }

    fn opened(&self) {
        let meter = &self.table().meter;
        meter.connected(meter.minute());
    }

    fn not_opened(&self) {
        let meter = &self.table().meter;
        meter.not_negotiated(meter.minute());
    }
}

async fn respond(table: &Arc<Table>, parts: Parts, body: Incoming, peer: &Peer) -> Response<Body> {
    let mut account = Account::begin(table, peer, &parts);
    if let Some(status) = unacceptable(&parts) {
        return account.itself(own::error(status));
    }
    let (priority, route) = table.route(&parts);
    match route {
        Route::Own(action) => {
            if matches!(action, Action::Redirect { .. }) {
                account.ruled(priority, "redirect");
                account.redirects();
            } else {
                account.ruled(priority, "fixed-response");
                account.is_fixed();
            }
            account.itself(own::respond(action, &parts, table))
        }
        Route::Forward(route) => {
            account.ruled(priority, "forward");
            forward::forward(route, parts, body, peer, table, account).await
        }
    }
}

/// What a balancer answers by itself whatever its rules say. Source: ALB user guide, "Troubleshoot your Application Load
/// Balancers": 400 for HTTP/1.1 without a host, 405 for TRACE, 463 for too long an `X-Forwarded-For`.
fn unacceptable(parts: &Parts) -> Option<StatusCode> {
    if parts.method == Method::TRACE {
        return Some(StatusCode::METHOD_NOT_ALLOWED);
    }
    if headers::too_far(&parts.headers) {
        return StatusCode::from_u16(463).ok();
    }
    let nameless = parts.version == http::Version::HTTP_11 && conditions::host(parts).is_none();
    nameless.then_some(StatusCode::BAD_REQUEST)
}
