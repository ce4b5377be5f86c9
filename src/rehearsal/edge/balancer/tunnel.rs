//! A connection that was upgraded (WebSocket): bytes both ways, until either side ends, nothing moves, or the target's
//! time is over.
//!
//! Source: ALB user guide, "Listeners": `WebSockets` are supported by the upgrade of an HTTP/1.1 connection, and the idle
//! timeout applies to them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::progress::Progress;
use super::upstream::{UnderWay, Upstream};

/// How much is read at a time.
const CHUNK: usize = 16 << 10;

/// The protocol a message upgrades to, if it does.
pub fn protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let asks = asks.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    if asks { headers.get(header::UPGRADE).cloned() } else { None }
}

/// Says again what the hop before said of the upgrade.
pub fn keep(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Whether an answer agrees to upgrade.
pub fn agreed(status: StatusCode) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS
}

/// Carries bytes between a client and a target until one of them has enough.
pub fn open(client: OnUpgrade, target: OnUpgrade, upstream: Arc<Upstream>, idle: Duration, under_way: UnderWay) {
    tokio::spawn(async move {
        let _under_way = under_way;
        let both = async { tokio::try_join!(client, target) };
        let (client, target) = match tokio::time::timeout(idle, both).await {
            Ok(Ok(both)) => both,
            Ok(Err(error)) => return tracing::debug!(%error, "an upgrade was agreed on and did not happen"),
            Err(_) => return,
        };
        let progress = Progress::default();
        tokio::select! {
            carried = carry(client, target, &progress) => {
                if let Err(error) = carried {
                    tracing::debug!(%error, "a tunnel broke");
                }
            }
            () = progress.standstill(idle) => {}
            () = upstream.left().cancelled() => {}
        }
    });
}

async fn carry(client: Upgraded, target: Upgraded, progress: &Progress) -> io::Result<()> {
    let (from_client, to_client) = tokio::io::split(TokioIo::new(client));
    let (from_target, to_target) = tokio::io::split(TokioIo::new(target));
    // Either side's end is the end: nothing but a close could still come.
    tokio::select! {
        ended = pump(from_client, to_target, progress) => ended,
        ended = pump(from_target, to_client, progress) => ended,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    progress: &Progress,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        progress.moved(length);
        to.write_all(&buffer[..length]).await?;
        to.flush().await?;
    }
}
