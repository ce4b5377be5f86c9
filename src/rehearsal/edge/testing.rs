//! What the edge's tests share: a state to act on, tiny targets, and a client.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::cdn::{Meta, ObjectBytes, ObjectSource};
use super::{Edge, edge_port};
use crate::rehearsal::clock::Clock;
use crate::rehearsal::metrics::{APPLICATION_ELB, Stat};
use crate::rehearsal::state::{
    Action, Balancer, Distribution, DistributionConfig, HealthCheck, Listener, Shared, Target, TargetGroup,
};

/// An address of the edge's range that no other test uses, in this process or another.
pub fn edge_address() -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x7F40_0000 | (rand::random::<u32>() & 0x003F_FFFF)))
}

pub fn shared() -> Shared {
    Shared::new(Clock::default())
}

/// No objects at all.
pub struct NoObjects;

#[async_trait::async_trait]
impl ObjectSource for NoObjects {
    async fn open(&self, _bucket: &str, _key: &str) -> std::io::Result<Option<(Meta, ObjectBytes)>> {
        Ok(None)
    }
}

/// An edge with its authority in a directory of its own.
pub async fn edge(shared: &Shared, objects: Arc<dyn ObjectSource>) -> (Edge, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let edge = Edge::start(shared.clone(), dir.path(), "127.0.0.1:0".parse().unwrap(), objects).await.unwrap();
    assert_eq!(edge.troubles(), Vec::<String>::new());
    (edge, dir)
}

/// A target that answers every request with its name and what it was told.
pub struct TinyTarget {
    pub address: SocketAddr,
    pub requests: Arc<AtomicUsize>,
    pub connections: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
    held: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl TinyTarget {
    pub async fn start(name: &'static str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let status = Arc::new(AtomicU16::new(200));
        let (requests, connections) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let held = Arc::<Notify>::default();
        let (seen, accepted, answer, waiting) = (requests.clone(), connections.clone(), status.clone(), held.clone());
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = socket.accept().await else { return };
                let _ = stream.set_nodelay(true);
                let (seen, answer, waiting) = (seen.clone(), answer.clone(), waiting.clone());
                accepted.fetch_add(1, Ordering::SeqCst);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (seen, status, waiting) = (seen.clone(), answer.load(Ordering::SeqCst), waiting.clone());
                    async move {
                        if request.uri().path() != "/healthz" {
                            seen.fetch_add(1, Ordering::SeqCst);
                        }
                        if request.uri().path() == "/held" {
                            waiting.notified().await;
                        }
                        Ok::<_, Infallible>(told(name, status, request).await)
                    }
                });
                let serving =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                open.spawn(serving.with_upgrades());
            }
        });
        Self { address, requests, connections, status, held, task }
    }

    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Lets a request for `/held` be answered.
    pub fn let_go(&self) {
        self.held.notify_one();
    }

    pub fn count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Closes its socket and every connection.
    pub fn die(&self) {
        self.task.abort();
    }

    pub fn key(&self) -> (String, u16) {
        (self.address.ip().to_string(), self.address.port())
    }
}

impl Drop for TinyTarget {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn told(name: &'static str, status: u16, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.headers().contains_key("upgrade") {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded.await.unwrap()));
            let _ = tokio::io::copy(&mut read, &mut write).await;
        });
        let response = Response::builder().status(101).header("connection", "upgrade").header("upgrade", "websocket");
        return response.body(Full::default()).unwrap();
    }
    let slow = request.uri().path().starts_with("/slow");
    if slow {
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    let (parts, body) = request.into_parts();
    let length = body.collect().await.map_or(0, |b| b.to_bytes().len());
    let mut response = Response::builder().status(status).header("x-target", name).header("x-length", length);
    if parts.uri.path() == "/login" {
        response = response.header("set-cookie", "session=7; Path=/");
    }
    for (key, value) in &parts.headers {
        response = response.header(format!("x-seen-{key}"), value);
    }
    response.body(Full::from(format!("{name} {}", parts.uri))).unwrap()
}

/// A target group whose health checks are far apart, so that a test sets the states itself.
pub fn group(targets: &[(&TinyTarget, &str)]) -> TargetGroup {
    let target = |state: &str| Target { state: state.into(), reason: String::new(), gone_at: None };
    TargetGroup {
        name: "group".into(),
        protocol: "HTTP".into(),
        port: 80,
        target_type: "ip".into(),
        health_check: HealthCheck {
            protocol: "HTTP".into(),
            port: None,
            path: "/healthz".into(),
            interval: 1,
            timeout: 1,
            healthy: 2,
            unhealthy: 2,
            matcher: "200".into(),
        },
        attributes: BTreeMap::new(),
        targets: targets.iter().map(|(t, state)| (t.key(), target(state))).collect(),
        tags: BTreeMap::new(),
    }
}

pub fn forward(groups: &[(&str, u16)], sticky: Option<u32>) -> Action {
    Action::Forward { groups: groups.iter().map(|(arn, w)| ((*arn).to_owned(), *w)).collect(), sticky }
}

/// A balancer `lb` at `address` with one listener `listener`.
pub fn balance(shared: &Shared, address: IpAddr, (protocol, port): (&str, u16), action: Action) {
    let mut state = shared.lock();
    state.balancers.insert(
        "lb".into(),
        Balancer {
            name: "shop".into(),
            dns_name: "shop-1.eu-central-1.elb.amazonaws.com".into(),
            zone: "Z215JYRZR1TBD5".into(),
            address,
            state: "active".into(),
            attributes: BTreeMap::new(),
        },
    );
    state.listeners.insert(
        "listener".into(),
        Listener {
            balancer: "lb".into(),
            protocol: protocol.into(),
            port,
            certificates: Vec::new(),
            default_action: action,
            rules: BTreeMap::new(),
        },
    );
    drop(state);
    shared.changed();
}

/// A distribution of this id that is deployed.
pub fn distributed(id: &str, config: DistributionConfig, address: IpAddr) -> Distribution {
    Distribution {
        id: id.into(),
        reference: id.into(),
        etag: "E0".into(),
        changed: std::time::UNIX_EPOCH,
        deployed_at: std::time::UNIX_EPOCH,
        config,
        before: None,
        shown: String::new(),
        invalidations: Vec::new(),
        address,
    }
}

/// Replaces the default action of `listener`.
pub fn act(shared: &Shared, action: Action) {
    if let Some(listener) = shared.lock().listeners.get_mut("listener") {
        listener.default_action = action;
    }
    shared.changed();
}

/// How often a metric of the balancer `lb`, or of one of its groups, was ever counted.
pub fn counted(shared: &Shared, metric: &str, group: Option<&str>) -> u64 {
    stat(shared, metric, group).samples
}

/// All that was ever measured of a metric of the balancer `lb`, or of one of its groups.
pub fn stat(shared: &Shared, metric: &str, group: Option<&str>) -> Stat {
    let group = group.map(|group| ("TargetGroup".to_owned(), group.to_owned()));
    let dimensions = group.into_iter().chain([("LoadBalancer".to_owned(), "lb".to_owned())]).collect();
    let (from, to) = (std::time::UNIX_EPOCH, shared.clock.now() + Duration::from_mins(1));
    let mut all = Stat::default();
    for (_, stat) in shared.metrics.series(APPLICATION_ELB, metric, &dimensions, from, to) {
        all.merge(&stat);
    }
    all
}

/// Sets attributes of the balancer `lb`.
pub fn balancer_attributes(shared: &Shared, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    shared.lock().balancers.get_mut("lb").unwrap().attributes.extend(attributes);
    shared.changed();
}

/// Sets attributes of a group.
pub fn group_attributes(shared: &Shared, group: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    shared.lock().target_groups.get_mut(group).unwrap().attributes.extend(attributes);
    shared.changed();
}

/// Sets a target's state.
pub fn becomes(shared: &Shared, group: &str, target: &TinyTarget, state: &str, gone_at: Option<SystemTime>) {
    let reason = String::new();
    let target = (target.key(), Target { state: state.into(), reason, gone_at });
    shared.lock().target_groups.get_mut(group).unwrap().targets.extend([target]);
    shared.changed();
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answered {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

/// One kept-alive connection to the edge.
pub struct Client(SendRequest<Full<Bytes>>);

impl Client {
    pub async fn plain(address: IpAddr) -> Self {
        Self::on(TcpStream::connect((address, edge_port(80))).await.unwrap()).await
    }

    pub async fn tls(address: IpAddr, name: &str, ca_pem: &str) -> Self {
        Self::try_tls(address, name, ca_pem).await.unwrap()
    }

    pub async fn try_tls(address: IpAddr, name: &str, ca_pem: &str) -> std::io::Result<Self> {
        use rustls::pki_types::pem::PemObject;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(rustls::pki_types::CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(super::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect((address, edge_port(443))).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from(name.to_owned()).unwrap();
        Ok(Self::on(tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?).await)
    }

    async fn on<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static>(stream: T) -> Self {
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answered, hyper::Error> {
        self.0.ready().await?;
        let (parts, body) = self.0.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answered { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    pub async fn get(&mut self, host: &str, path: &str) -> Answered {
        self.send(Request::get(path).header("host", host).body(Full::default()).unwrap()).await.unwrap()
    }
}
