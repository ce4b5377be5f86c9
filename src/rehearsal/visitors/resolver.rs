//! A visitor's resolver: asks the rehearsal's name server and keeps answers for their TTL, by the rehearsal's clock.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::rehearsal::clock::Clock;

/// How long one try may take, and how many there are.
const TRY: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

/// A resolver with a cache of its own.
pub struct Resolver {
    server: SocketAddr,
    clock: Clock,
    cache: HashMap<String, (IpAddr, SystemTime)>,
}

impl Resolver {
    /// A resolver that asks `server` and knows nothing yet.
    pub fn new(server: SocketAddr, clock: Clock) -> Self {
        Self { server, clock, cache: HashMap::new() }
    }

    /// The address of `host`, as asked now or within its TTL; else why not, in a word or two.
    pub async fn resolve(&mut self, host: &str) -> Result<IpAddr, String> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        if let Some((address, until)) = self.cache.get(host)
            && self.clock.now() < *until
        {
            return Ok(*address);
        }
        let asked_at = self.clock.now();
        let (address, ttl) = self.ask(host).await?;
        self.cache.insert(host.to_owned(), (address, asked_at + Duration::from_secs(ttl.into())));
        Ok(address)
    }

    async fn ask(&self, host: &str) -> Result<(IpAddr, u32), String> {
        let mut name = Name::from_ascii(host).map_err(|_| "dns: not a name".to_owned())?;
        name.set_fqdn(true);
        let mut query = Message::query();
        query.add_query(Query::query(name, RecordType::A));
        query.metadata.recursion_desired = true;
        let wire = query.to_vec().map_err(|_| "dns: not a name".to_owned())?;
        for _ in 0..TRIES {
            let Ok(Ok(reply)) = tokio::time::timeout(TRY, self.exchange(&wire, query.metadata.id)).await else {
                continue;
            };
            return read(&reply);
        }
        Err("dns: no answer".into())
    }

    async fn exchange(&self, wire: &[u8], id: u16) -> std::io::Result<Message> {
        let local: IpAddr = if self.server.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((local, 0)).await?;
        // connected, so that only the server's own datagrams arrive
        socket.connect(self.server).await?;
        socket.send(wire).await?;
        let mut buffer = [0; 1500];
        let reply = loop {
            let length = socket.recv(&mut buffer).await?;
            match Message::from_vec(&buffer[..length]) {
                Ok(reply) if reply.metadata.id == id => break reply,
                _ => {}
            }
        };
        if !reply.metadata.truncation {
            return Ok(reply);
        }
        let mut stream = TcpStream::connect(self.server).await?;
        let length = u16::try_from(wire.len()).map_err(std::io::Error::other)?;
        stream.write_u16(length).await?;
        stream.write_all(wire).await?;
        let mut whole = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut whole).await?;
        Message::from_vec(&whole).map_err(std::io::Error::other)
    }
}

/// One of the addresses, and the shortest TTL on the way to it.
fn read(reply: &Message) -> Result<(IpAddr, u32), String> {
    match reply.metadata.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Err("dns: no such name".into()),
        other => return Err(format!("dns: {}", other.to_str())),
    }
    let ttl = reply.answers.iter().map(|record| record.ttl).min();
    let addresses: Vec<IpAddr> = reply
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(a) => Some(IpAddr::V4(a.0)),
            _ => None,
        })
        .collect();
    if addresses.is_empty() {
        return Err("dns: no address".into());
    }
    let address = addresses[rand::random_range(0..addresses.len())];
    Ok((address, ttl.unwrap_or(0)))
}
