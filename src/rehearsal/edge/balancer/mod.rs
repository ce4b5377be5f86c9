//! The load balancer: one [`Front`] for each listener, a real HTTP/1.1 proxy that routes as an Application Load
//! Balancer does. WebSocket upgrades and target-level stickiness are not there.

mod any_cert;
mod conditions;
mod forward;
mod own;
mod reply;
mod sticky;
mod table;
#[cfg(test)]
mod tests;
mod upstream;
#[cfg(test)]
mod wire_tests;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;

pub use any_cert::connector;
pub use table::{Registry, Table, address, build};

use super::body::Body;
use super::listen::Serve;
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
    async fn serve(self: Arc<Self>, request: Request<Incoming>, from: SocketAddr) -> Response<Body> {
        let table = self.table();
        let (parts, body) = request.into_parts();
        match table.route(&parts) {
            Route::Own(action) => own::respond(action, &parts, &table),
            Route::Forward(route) => forward::forward(route, parts, body, from, &table).await,
        }
    }

    fn idle(&self) -> Duration {
        self.table().idle
    }
}
