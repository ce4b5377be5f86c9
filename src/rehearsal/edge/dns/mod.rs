//! The name server: authoritative for the zones of the state, on UDP and TCP, and for the names of balancers and
//! distributions, so that a visitor needs no other.

pub(super) mod checker;
mod message;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

use crate::rehearsal::answering::{Dice, Directory};

/// What the name server answers from; swapped whole.
pub type Book = Arc<RwLock<Arc<Directory>>>;

/// How long a TCP client may be silent.
const IDLE: Duration = Duration::from_secs(10);

/// How often another port is tried when port 0 was asked for and TCP's twin of UDP's port is taken.
const PORTS_TRIED: usize = 16;

/// The name server's sockets and what it knows.
pub struct NameServer {
    directory: Book,
    address: SocketAddr,
}

impl NameServer {
    /// Binds UDP and TCP at the same port of `bind` (0 for any that is free) and serves until `stop`.
    pub async fn start(bind: SocketAddr, stop: CancellationToken) -> io::Result<Self> {
        let (udp, tcp) = bind_both(bind).await?;
        let address = udp.local_addr()?;
        let directory = Arc::new(RwLock::new(Arc::new(Directory::default())));
        tokio::spawn(serve_udp(udp, directory.clone(), stop.clone()));
        tokio::spawn(serve_tcp(tcp, directory.clone(), stop));
        Ok(Self { directory, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it answers from, kept up to date.
    pub fn book(&self) -> Book {
        self.directory.clone()
    }

    /// Answers from `directory` from now on.
    pub fn swap(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }
}

async fn bind_both(bind: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = if bind.port() == 0 { PORTS_TRIED } else { 1 };
    loop {
        let udp = UdpSocket::bind(bind).await?;
        tries -= 1;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}

/// The directory of this moment.
fn current(directory: &RwLock<Arc<Directory>>) -> Arc<Directory> {
    directory.read().unwrap_or_else(PoisonError::into_inner).clone()
}

async fn serve_udp(socket: UdpSocket, directory: Book, stop: CancellationToken) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let (mut dice, mut out) = (Dice::default(), Vec::with_capacity(message::DATAGRAM.into()));
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        // An error is an ICMP answer to an earlier reply: that client is gone, the others are not.
        let Ok((length, from)) = received else { continue };
        if message::reply(&buffer[..length], &current(&directory), &mut dice, true, &mut out) {
            let _ = socket.send_to(&out, from).await;
        }
    }
}

async fn serve_tcp(socket: TcpListener, directory: Book, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (directory, stop) = (directory.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        // a client that hangs up ends its own conversation only
                        _ = converse(stream, &directory) => {}
                    }
                });
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn converse(mut stream: TcpStream, directory: &RwLock<Arc<Directory>>) -> io::Result<()> {
    let (mut dice, mut out) = (Dice::default(), Vec::new());
    loop {
        let length = tokio::time::timeout(IDLE, stream.read_u16()).await??;
        let mut query = vec![0; length.into()];
        tokio::time::timeout(IDLE, stream.read_exact(&mut query)).await??;
        if !message::reply(&query, &current(directory), &mut dice, false, &mut out) {
            return Ok(());
        }
        let length = u16::try_from(out.len()).map_err(io::Error::other)?;
        // in one piece: a length that comes alone costs the client a round trip
        out.splice(0..0, length.to_be_bytes());
        stream.write_all(&out).await?;
    }
}
