//! What the tests of names share: records, and a client that reads answers by another's code.

use std::net::SocketAddr;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tokio::net::UdpSocket;

use crate::rehearsal::state::{Answer, Checkup, RecordSet, Routing, Shared, Zone};

pub fn values(name: &str, kind: &str, values: &[&str]) -> RecordSet {
    let answer = Answer::Values(values.iter().map(|v| (*v).to_owned()).collect());
    let (routing, health_check) = (Routing::Simple, None);
    RecordSet { name: name.into(), kind: kind.into(), ttl: Some(300), answer, routing, health_check }
}

pub fn a(name: &str, address: &str) -> RecordSet {
    values(name, "A", &[address])
}

pub fn alias(name: &str, to: &str, evaluate_health: bool) -> RecordSet {
    let answer = Answer::Alias { name: to.into(), zone: "Z".into(), evaluate_health };
    RecordSet { ttl: None, answer, ..a(name, "") }
}

pub fn weighted(record: RecordSet, id: &str, weight: u8) -> RecordSet {
    RecordSet { routing: Routing::Weighted { id: id.into(), weight }, ..record }
}

pub fn zone(shared: &Shared, records: Vec<RecordSet>) {
    shared.lock().zones.insert("Z1".into(), Zone { name: "shop.test".into(), records, delegated: true });
    shared.changed();
}

/// A health check that asks nobody yet.
pub fn checkup(kind: &str) -> Checkup {
    Checkup { kind: kind.into(), interval: 30, threshold: 3, ..Checkup::default() }
}

/// A query; a kind that has no name is `TYPE` and its number.
pub fn query(name: &str, kind: &str) -> Message {
    let mut name = Name::from_ascii(name).unwrap();
    name.set_fqdn(true);
    let numbered = kind.strip_prefix("TYPE").map(|n| RecordType::from(n.parse::<u16>().unwrap()));
    let mut query = Message::query();
    query.add_query(Query::query(name, numbered.unwrap_or_else(|| kind.parse().unwrap())));
    query.metadata.recursion_desired = true;
    query
}

pub async fn udp(server: SocketAddr, query: &Message) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query.to_vec().unwrap(), server).await.unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).await.unwrap();
    let reply = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(reply.metadata.id, query.metadata.id);
    reply
}

pub async fn ask(server: SocketAddr, name: &str, kind: &str) -> Message {
    udp(server, &query(name, kind)).await
}

pub fn texts(message: &Message) -> Vec<String> {
    message.answers.iter().map(|r| format!("{} {} {}", r.name, r.ttl, r.data)).collect()
}
