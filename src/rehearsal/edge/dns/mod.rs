//! The name server: authoritative for the zones of the state, on UDP and TCP, and for the names of balancers and
//! distributions, so that a visitor needs no other.

mod directory;
mod lookup;
mod rdata;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::DNSClass;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::sync::CancellationToken;

pub use directory::Directory;

/// The largest datagram sent, whatever the client says it takes: what goes unfragmented everywhere.
const DATAGRAM: u16 = 1232;

/// How long a TCP client may be silent.
const IDLE: Duration = Duration::from_secs(10);

/// How often another port is tried when port 0 was asked for and TCP's twin of UDP's port is taken.
const PORTS_TRIED: usize = 16;

/// The name server's sockets and what it knows.
pub struct NameServer {
    directory: Arc<RwLock<Arc<Directory>>>,
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

fn current(directory: &RwLock<Arc<Directory>>) -> Arc<Directory> {
    directory.read().unwrap_or_else(PoisonError::into_inner).clone()
}

async fn serve_udp(socket: UdpSocket, directory: Arc<RwLock<Arc<Directory>>>, stop: CancellationToken) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        // An error is an ICMP answer to an earlier reply: that client is gone, the others are not.
        let Ok((length, from)) = received else { continue };
        if let Some(reply) = reply(&buffer[..length], &current(&directory), true) {
            let _ = socket.send_to(&reply, from).await;
        }
    }
}

async fn serve_tcp(socket: TcpListener, directory: Arc<RwLock<Arc<Directory>>>, stop: CancellationToken) {
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
    loop {
        let length = tokio::time::timeout(IDLE, stream.read_u16()).await??;
        let mut query = vec![0; length.into()];
        tokio::time::timeout(IDLE, stream.read_exact(&mut query)).await??;
        let Some(reply) = reply(&query, &current(directory), false) else { return Ok(()) };
        let Ok(length) = u16::try_from(reply.len()) else { return Ok(()) };
        let mut framed = Vec::with_capacity(reply.len() + 2);
        framed.extend_from_slice(&length.to_be_bytes());
        framed.extend_from_slice(&reply);
        stream.write_all(&framed).await?;
    }
}

/// The reply to a query as it came off the wire; `None` where it deserves none.
fn reply(wire: &[u8], directory: &Directory, udp: bool) -> Option<Vec<u8>> {
    let Ok(query) = Message::from_vec(wire) else {
        // not even a header, or a response: answering could start a loop
        if wire.len() < 12 || wire[2] & 0x80 != 0 {
            return None;
        }
        let id = u16::from_be_bytes([wire[0], wire[1]]);
        return Message::error_msg(id, OpCode::Query, ResponseCode::FormErr).to_vec().ok();
    };
    if query.metadata.message_type == MessageType::Response {
        return None;
    }
    let mut response = Message::response(query.metadata.id, query.metadata.op_code);
    response.metadata = Metadata::response_from_request(&query.metadata);
    response.add_queries(query.queries.iter().cloned());
    if query.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(DATAGRAM);
        response.set_edns(edns);
    }
    fill(&mut response, &query, directory);
    let encoded = response.to_vec().ok()?;
    if udp && encoded.len() > usize::from(query.max_payload().min(DATAGRAM)) {
        let mut short = response.truncate();
        short.metadata.truncation = true;
        return short.to_vec().ok();
    }
    Some(encoded)
}

fn fill(response: &mut Message, query: &Message, directory: &Directory) {
    let code = &mut response.metadata.response_code;
    if query.version() > 0 {
        *code = ResponseCode::BADVERS;
        return;
    }
    if query.metadata.op_code != OpCode::Query {
        *code = ResponseCode::NotImp;
        return;
    }
    let [question] = query.queries.as_slice() else {
        *code = ResponseCode::FormErr;
        return;
    };
    if question.query_class != DNSClass::IN {
        *code = ResponseCode::Refused;
        return;
    }
    let outcome = lookup::lookup(directory, &question.name, &lookup::text(&question.name), question.query_type);
    *code = outcome.code;
    response.metadata.authoritative = outcome.code != ResponseCode::Refused;
    response.answers = outcome.answers;
    response.authorities = outcome.authority;
}
