//! The cloud by itself: the AWS APIs at one address, with name server, balancers and CDN on loopback addresses of their
//! own, and an account as AWS hands out a new one. No box, no hosts, no visitors: whoever speaks AWS may come.

mod place;
mod ready;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use place::{Place, PlaceError};
pub use ready::Ready;

use super::clock::Clock;
use super::cloud::{Cloud, Settings};
use super::edge::{Edge, EdgeError};
use super::state::Shared;
use super::world::issuer::Issuer;
use super::world::objects::Origin;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where the APIs are served; port 0 is a free one.
    pub listen: SocketAddr,
    /// Where the name server answers; without, on a free port of the address above.
    pub dns: Option<SocketAddr>,
    /// Where S3's objects and the certificate authority are kept; without, in a directory that goes with the cloud.
    pub dir: Option<PathBuf>,
    /// The region it is.
    pub region: String,
}

/// Why it could not start.
#[derive(Debug, thiserror::Error)]
pub enum AloneError {
    /// Other machines could reach it.
    #[error(
        "{0} can be reached from other machines, and the cloud's key and secret are known to everybody: \
         it listens on loopback only; name an address such as 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or is not this machine's.
    #[error(
        "the cloud could not listen at {address}: {source}; choose another port (0 for a free one) or end what holds it"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The data plane could not start.
    #[error(transparent)]
    Edge(#[from] EdgeError),
}

/// A cloud that is up. Dropped, it stops at once and its temporary directory goes; [`Alone::end`] waits for it.
pub struct Alone {
    cloud: Cloud,
    edge: Edge,
    ready: Ready,
    ending: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    _place: Place,
}

impl Alone {
    /// Brings it up. When this returns, every address listens.
    ///
    /// # Errors
    /// An address that is taken or not loopback, a directory that cannot be used.
    pub async fn start(order: &Order) -> Result<Self, AloneError> {
        let dns = order.dns.unwrap_or_else(|| SocketAddr::new(order.listen.ip(), 0));
        if let Some(open) = [order.listen, dns].into_iter().find(|address| !address.ip().is_loopback()) {
            return Err(AloneError::NotLoopback(open));
        }
        let place = Place::open(order.dir.as_deref())?;
        let cannot = |source| AloneError::Listen { address: order.listen, source };
        let door = TcpListener::bind(order.listen).await.map_err(cannot)?;
        let endpoint = door.local_addr().map_err(cannot)?;

        let shared = Shared::new(Clock::default());
        // Nobody moves this clock forward: what takes AWS minutes takes seconds.
        let settings = Settings {
            region: order.region.clone(),
            deploy_after: Duration::from_secs(15),
            invalidated_after: Duration::from_secs(5),
            ..Settings::default()
        };
        let cloud = Cloud::new(shared.clone(), place.s3(), settings).map_err(|e| PlaceError::File {
            doing: "use",
            path: place.s3(),
            source: e,
        })?;
        cloud.seed_default_network();
        let origin = Arc::new(Origin(cloud.objects()));
        let edge = Edge::start(shared, &place.tls(), dns, origin).await?;
        edge.log_in(place.path().join("access-logs"));
        cloud.set_certificate_issuer(Arc::new(Issuer(edge.authority().clone())));

        let ending = CancellationToken::new();
        let serving = tokio::spawn({
            let (cloud, ending) = (cloud.clone(), ending.clone());
            async move { cloud.serve(door, ending.cancelled_owned()).await }
        });
        let ready = Ready::new(endpoint, edge.dns_address(), &place, &order.region);
        Ok(Self { cloud, edge, ready, ending, serving, _place: place })
    }

    /// Where everything is.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The control plane, to give it a host for database servers, faults, or something to begin with.
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Closes every door and removes what was not to be kept.
    pub async fn end(self) {
        self.ending.cancel();
        // Its listener may have failed, or its task: either way it serves no more.
        let _ = self.serving.await;
        self.edge.stop().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(listen: &str) -> Order {
        Order { listen: listen.parse().unwrap(), dns: None, dir: None, region: "ap-northeast-2".into() }
    }

    async fn refused(order: &Order) -> String {
        match Alone::start(order).await {
            Ok(_) => panic!("{order:?} was taken"),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn it_comes_up_with_a_network_and_leaves_nothing_behind() {
        let alone = Alone::start(&order("127.0.0.1:0")).await.unwrap();
        let dir = alone.ready().dir.clone();
        assert!(alone.ready().ca.exists() && dir.is_dir());
        tokio::net::TcpStream::connect(alone.ready().dns).await.unwrap();
        let zones: std::collections::BTreeSet<_> =
            alone.cloud().shared().lock().subnets.values().map(|s| s.zone.clone()).collect();
        assert_eq!(zones.len(), 4, "{zones:?}");
        alone.end().await;
        assert!(!dir.exists());
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_with_the_reason() {
        for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            assert!(refused(&order(open)).await.contains("loopback only"), "{open}");
        }
        let open = Order { dns: Some("0.0.0.0:53".parse().unwrap()), ..order("127.0.0.1:0") };
        assert!(refused(&open).await.contains("0.0.0.0:53"));
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        assert!(refused(&order(&address.to_string())).await.contains(&format!("could not listen at {address}")));
        let taken = Order { dns: Some(address), ..order("127.0.0.1:0") };
        assert!(refused(&taken).await.contains("name server"));
    }

    #[tokio::test]
    async fn a_directory_is_for_one_cloud_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Order { dir: Some(dir.path().join("cloud")), ..order("127.0.0.1:0") };
        let first = Alone::start(&kept).await.unwrap();
        assert!(refused(&kept).await.contains("another cloud"));
        let ca = std::fs::read(&first.ready().ca).unwrap();
        first.end().await;
        let again = Alone::start(&kept).await.unwrap();
        assert_eq!(ca, std::fs::read(&again.ready().ca).unwrap(), "the authority is the same");
        again.end().await;
        let file = Order { dir: Some("/dev/null/cloud".into()), ..kept };
        assert!(refused(&file).await.contains("/dev/null/cloud"));
    }
}
