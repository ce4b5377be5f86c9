//! What is told of one request: its metrics, and its line in the access log. A client that goes away before it is
//! answered is told of too (460), for then this is dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::group::Group;
use super::headers;
use super::log::Line;
use super::meter::balancer_dimension;
use super::progress::Progress;
use super::table::Table;
use super::upstream::Upstream;
use crate::rehearsal::edge::body::{Body, BoxError};
use crate::rehearsal::edge::listen::Peer;

/// What a client sees that went away before it was answered: nothing. Source: ALB user guide, "Troubleshoot", HTTP 460.
const CLIENT_GONE: u16 = 460;

/// One request, from its arrival to its answer's head.
pub struct Account {
    table: Arc<Table>,
    minute: u64,
    began: Instant,
    sent: Option<Instant>,
    /// Only where an access log is kept.
    line: Option<Box<Line>>,
    progress: Option<Arc<Progress>>,
    told: bool,
}

impl Account {
    /// A request has come.
    pub fn begin(table: &Arc<Table>, peer: &Peer, parts: &Parts) -> Self {
        let minute = table.meter.minute();
        if peer.first_in(minute) {
            table.meter.active(minute);
        }
        let line = table.log.is_some().then(|| Box::new(line(table, peer, parts)));
        Self { table: table.clone(), minute, began: Instant::now(), sent: None, line, progress: None, told: false }
    }

    /// A rule was chosen, and what it does.
    pub fn ruled(&mut self, priority: u32, action: &'static str) {
        if let Some(line) = &mut self.line {
            (line.priority, line.action) = (priority, action);
        }
    }

    /// A redirect action answers.
    pub fn redirects(&self) {
        self.table.meter.redirected(self.minute);
    }

    /// A fixed-response action answers.
    pub fn is_fixed(&self) {
        self.table.meter.answered_as_fixed(self.minute);
    }

    /// A target was chosen; `headers` are what it is sent.
    pub fn chosen(&mut self, group: &Group, target: &Upstream, headers: &HeaderMap, progress: &Arc<Progress>) {
        self.table.meter.requested(self.minute, group.width());
        group.meter.requested(self.minute, group.width());
        self.sent = Some(Instant::now());
        if let Some(line) = &mut self.line {
            line.target = target.address.to_string();
            line.group.clone_from(&group.arn);
            line.trace = text(headers, &headers::TRACE);
            self.progress = Some(progress.clone());
        }
    }

    /// A connection to the target was made for it.
    pub fn connected(&self) {
        self.table.meter.connected(self.minute);
    }

    /// The target took no connection.
    pub fn not_connected(&self, group: &Group) {
        self.table.meter.not_connected(self.minute);
        group.meter.not_connected(self.minute);
    }

    /// The target has answered: the client gets that.
    pub fn answered(mut self, group: &Group, response: Response<Body>) -> Response<Body> {
        let (status, took) = (response.status().as_u16(), self.waited());
        self.table.meter.answered(self.minute, status, took);
        group.meter.answered(self.minute, status, took);
        if let Some(line) = &mut self.line {
            line.target_status = Some(status);
            line.took = Some((self.began.elapsed().saturating_sub(took), took));
            if status == StatusCode::SWITCHING_PROTOCOLS.as_u16() {
                line.kind = if self.table.https { "wss" } else { "ws" };
            }
        }
        self.tell(response)
    }

    /// The balancer itself has answered.
    pub fn itself(mut self, response: Response<Body>) -> Response<Body> {
        self.table.meter.answered_itself(self.minute, response.status().as_u16());
        if let (Some(line), Some(location)) = (&mut self.line, response.headers().get(header::LOCATION)) {
            line.redirect = String::from_utf8_lossy(location.as_bytes()).into_owned();
        }
        self.tell(response)
    }

    fn waited(&self) -> Duration {
        self.sent.map(|sent| sent.elapsed()).unwrap_or_default()
    }

    fn tell(&mut self, response: Response<Body>) -> Response<Body> {
        self.told = true;
        let Some(mut line) = self.line.take() else { return response };
        line.status = response.status().as_u16();
        line.sent = 17 + size(response.headers());
        let (table, progress) = (self.table.clone(), self.progress.take());
        response.map(|inner| Logged { inner, line, table, progress, head: Instant::now() }.boxed_unsync())
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        self.table.meter.answered_itself(self.minute, CLIENT_GONE);
        if let Some(mut line) = self.line.take() {
            line.status = CLIENT_GONE;
            write(&self.table, &mut line, self.progress.as_deref());
        }
    }
}

/// An answer's body whose end writes the line.
struct Logged {
    inner: Body,
    line: Box<Line>,
    table: Arc<Table>,
    progress: Option<Arc<Progress>>,
    head: Instant,
}

impl HttpBody for Logged {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.line.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        self.line.answering = Some(self.head.elapsed());
        write(&self.table, &mut self.line, self.progress.as_deref());
    }
}

fn write(table: &Table, line: &mut Line, progress: Option<&Progress>) {
    line.time = Some(table.clock.now());
    line.received += progress.map_or(0, Progress::bytes);
    if let Some(log) = &table.log {
        log.line(&line.balancer, line.text());
    }
}

fn line(table: &Table, peer: &Peer, parts: &Parts) -> Line {
    let scheme = if table.https { "https" } else { "http" };
    let host = super::conditions::host(parts).unwrap_or("-");
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let domain = peer.tls.as_ref().and_then(|tls| tls.name.clone()).unwrap_or_default();
    let certificate = table.https.then(|| table.presented.choose(Some(&domain))).flatten();
    Line {
        kind: scheme,
        balancer: balancer_dimension(&table.balancer).to_owned(),
        client: peer.from.to_string(),
        received: size(&parts.headers) + (parts.method.as_str().len() + path.len() + 12) as u64,
        request: format!("{} {scheme}://{host}:{}{path} {:?}", parts.method, table.port, parts.version),
        agent: text(&parts.headers, &header::USER_AGENT),
        tls: peer.tls.as_ref().map(|tls| (tls.cipher.clone(), tls.protocol)),
        domain,
        certificate: certificate.map(|held| held.arn).unwrap_or_default(),
        created: Some(table.clock.now()),
        ..Line::default()
    }
}

/// Bytes of a head's fields on the wire, and of the empty line after them.
fn size(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum::<u64>() + 2
}

fn text(headers: &HeaderMap, name: &http::HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}
