//! One health check of Route 53: connect, ask, judge, in its words.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::rehearsal::edge::{edge_port, is_edge};
use crate::rehearsal::state::Checkup;

/// How long connecting may take, to the status a check of HTTP waits for, and in all for one of TCP.
const CONNECT: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(2);
const TCP: Duration = Duration::from_secs(10);

/// How far into a body a text is looked for.
const SEARCHED: usize = 5120;

/// Asks once; says how it went, either way.
pub(super) async fn ask(check: &Checkup, ip: IpAddr, tls: &TlsConnector) -> Result<String, String> {
    if !is_ours(ip) {
        return Err(format!("Failure: the rehearsal has no host at {ip}, and asks nobody outside of it"));
    }
    let port = check.port.unwrap_or(if check.kind.starts_with("HTTPS") { 443 } else { 80 });
    let address = SocketAddr::new(ip, if is_edge(ip) { edge_port(port) } else { port });
    let patience = if check.kind == "TCP" { TCP } else { CONNECT };
    let connected = tokio::time::timeout(patience, TcpStream::connect(address)).await;
    let stream = match connected {
        Err(_) => return Err("Failure: Connection timed out".to_owned()),
        Ok(Err(_)) => return Err("Failure: The endpoint refused the connection.".to_owned()),
        Ok(Ok(stream)) => stream,
    };
    if check.kind == "TCP" {
        return Ok("Success: TCP connection established".to_owned());
    }
    let asked = async {
        if !check.kind.starts_with("HTTPS") {
            return get(check, address, port, stream).await;
        }
        let host = check.host.clone().filter(|_| check.sni).and_then(|host| ServerName::try_from(host).ok());
        let name = host.unwrap_or_else(|| ServerName::IpAddress(ip.into()));
        match tls.connect(name, stream).await {
            Ok(stream) => get(check, address, port, stream).await,
            Err(_) => Err("Failure: The endpoint did not complete the TLS handshake.".to_owned()),
        }
    };
    let late =
        || Err("Failure: The health checker could establish a connection but no response was received.".to_owned());
    tokio::time::timeout(ANSWER, asked).await.unwrap_or_else(|_| late())
}

/// Loopback and private addresses are the rehearsal's; everything else is the world's.
fn is_ours(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

async fn get<T>(check: &Checkup, address: SocketAddr, port: u16, stream: T) -> Result<String, String>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let broken = || "Failure: The endpoint closed the connection without a response.".to_owned();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| broken())?;
    let host = check.host.clone().unwrap_or_else(|| address.ip().to_string());
    let host = if matches!(port, 80 | 443) { host } else { format!("{host}:{port}") };
    let request = Request::get(check.path.as_deref().unwrap_or("/"))
        .header(header::HOST, host)
        .header(header::USER_AGENT, "Amazon-Route53-Health-Check-Service")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| broken())?;
    let exchange = async {
        let answered = sender.send_request(request).await.map_err(|_| broken())?;
        let status = answered.status();
        let mut seen = Vec::new();
        if check.search.is_some() {
            let mut body = answered.into_body();
            while let (true, Some(Ok(frame))) = (seen.len() < SEARCHED, body.frame().await) {
                seen.extend(frame.into_data().unwrap_or_default());
            }
        }
        seen.truncate(SEARCHED);
        judge(check, status, &seen)
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        judged = &mut exchange => judged,
        // the connection may end in the very moment it hands the answer over
        _ = connection => exchange.await,
    }
}

fn judge(check: &Checkup, status: http::StatusCode, body: &[u8]) -> Result<String, String> {
    let said = format!("HTTP Status Code {}, {}.", status.as_u16(), status.canonical_reason().unwrap_or("Unknown"));
    if !(status.is_success() || status.is_redirection()) {
        return Err(format!("Failure: {said}"));
    }
    match &check.search {
        Some(text) if !body.windows(text.len().max(1)).any(|part| part == text.as_bytes()) => {
            Err(format!("Failure: {said} The search string was not found in the first {SEARCHED} bytes."))
        }
        _ => Ok(format!("Success: {said}")),
    }
}
