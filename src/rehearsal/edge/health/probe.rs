//! One health check: connect, ask, judge the answer, in AWS's words.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What one target is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where.
    pub address: SocketAddr,
    /// Over TLS.
    pub tls: bool,
    /// Path, with a leading slash.
    pub path: String,
    /// How long the whole check may take.
    pub timeout: Duration,
    /// The codes that count as well.
    pub matcher: String,
}

/// Why a check failed: the reason code `DescribeTargetHealth` shows.
/// Source: Elastic Load Balancing API reference, `TargetHealth`.
pub type Reason = &'static str;

/// Asks once.
pub async fn ask(question: &Question, tls: &TlsConnector) -> Result<(), Reason> {
    match tokio::time::timeout(question.timeout, status(question, tls)).await {
        Err(_) => Err("Target.Timeout"),
        Ok(Err(())) => Err("Target.FailedHealthChecks"),
        Ok(Ok(status)) if matched(&question.matcher, status) => Ok(()),
        Ok(Ok(_)) => Err("Target.ResponseCodeMismatch"),
    }
}

async fn status(question: &Question, tls: &TlsConnector) -> Result<u16, ()> {
    let stream = TcpStream::connect(question.address).await.map_err(drop)?;
    if question.tls {
        let name = ServerName::IpAddress(question.address.ip().into());
        get(question, tls.connect(name, stream).await.map_err(drop)?).await
    } else {
        get(question, stream).await
    }
}

async fn get<T: AsyncRead + AsyncWrite + Unpin>(question: &Question, stream: T) -> Result<u16, ()> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(drop)?;
    let request = Request::get(&question.path)
        .header(header::HOST, question.address.to_string())
        .header(header::USER_AGENT, "ELB-HealthChecker/2.0")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(drop)?;
    let mut answered = std::pin::pin!(sender.send_request(request));
    let answered = tokio::select! {
        answered = &mut answered => answered,
        // the connection may end in the very moment it hands the answer over
        _ = connection => answered.await,
    };
    Ok(answered.map_err(drop)?.status().as_u16())
}

/// Whether `status` is among the codes of `matcher`, as AWS writes them: `200`, `200,302`, `200-299`.
pub fn matched(matcher: &str, status: u16) -> bool {
    matcher.split(',').any(|part| {
        let part = part.trim();
        match part.split_once('-') {
            Some((low, high)) => {
                matches!((low.trim().parse::<u16>(), high.trim().parse::<u16>()), (Ok(l), Ok(h)) if (l..=h).contains(&status))
            }
            None => part.parse() == Ok(status),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::matched;

    #[test]
    fn matchers_are_read_as_aws_writes_them() {
        for (matcher, status, expected) in [
            ("200", 200, true),
            ("200", 204, false),
            ("200,302", 302, true),
            ("200-299", 204, true),
            ("200-299, 404", 404, true),
            ("200-299", 300, false),
            ("", 200, false),
        ] {
            assert_eq!(matched(matcher, status), expected, "{matcher} {status}");
        }
    }
}
