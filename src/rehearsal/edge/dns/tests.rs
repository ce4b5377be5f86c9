//! The name server over its sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Edns, Message, Query, ResponseCode};
use hickory_proto::rr::{RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::rdata;
use crate::rehearsal::edge::testing::{
    NoObjects, TinyTarget, balance, distributed, edge, edge_address, forward, group, shared,
};
use crate::rehearsal::state::{Answer, DistributionConfig, RecordSet, Shared, Zone};

const LB: &str = "shop-1.eu-central-1.elb.amazonaws.com";

fn values(name: &str, kind: &str, values: &[&str]) -> RecordSet {
    let answer = Answer::Values(values.iter().map(|v| (*v).to_owned()).collect());
    RecordSet { name: name.into(), kind: kind.into(), ttl: Some(300), answer, weighted: None, health_check: None }
}

fn alias(name: &str, to: &str, evaluate_health: bool) -> RecordSet {
    let answer = Answer::Alias { name: to.into(), zone: "Z".into(), evaluate_health };
    RecordSet { name: name.into(), kind: "A".into(), ttl: None, answer, weighted: None, health_check: None }
}

fn weighted(record: RecordSet, id: &str, weight: u8) -> RecordSet {
    RecordSet { weighted: Some((id.into(), weight)), ..record }
}

fn zone(shared: &Shared, records: Vec<RecordSet>) {
    shared.lock().zones.insert("Z1".into(), Zone { name: "shop.test".into(), records });
    shared.changed();
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut query = Message::query();
    query.add_query(Query::query(rdata::name(name).unwrap(), kind));
    query
}

async fn udp(server: SocketAddr, query: &Message) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query.to_vec().unwrap(), server).await.unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).await.unwrap();
    let reply = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(reply.metadata.id, query.metadata.id);
    reply
}

async fn ask(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    udp(server, &query(name, kind)).await
}

fn texts(message: &Message) -> Vec<String> {
    message.answers.iter().map(|r| format!("{} {} {}", r.name, r.ttl, r.data)).collect()
}

#[tokio::test]
async fn plain_names_wildcards_and_what_is_not_there() {
    let shared = shared();
    zone(
        &shared,
        vec![
            values("www.shop.test", "A", &["192.0.2.1", "192.0.2.2"]),
            values("a.b.shop.test", "TXT", &["\"x\""]),
            values("shop.test", "MX", &["10 mail.shop.test."]),
            values("\\052.pages.shop.test", "CNAME", &["www.shop.test"]),
            values("loop.shop.test", "CNAME", &["loop.shop.test"]),
        ],
    );
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let server = edge.dns_address();
    let www = ask(server, "WwW.ShoP.test", RecordType::A).await;
    assert!(www.metadata.authoritative);
    assert_eq!(texts(&www), ["WwW.ShoP.test. 300 192.0.2.1", "WwW.ShoP.test. 300 192.0.2.2"]);
    let chain = ask(server, "seoul.pages.shop.test", RecordType::A).await;
    assert_eq!(texts(&chain)[0], "seoul.pages.shop.test. 300 www.shop.test.");
    assert_eq!(chain.answers.len(), 3);
    for (name, kind, code) in [
        ("nobody.shop.test", RecordType::A, ResponseCode::NXDomain),
        ("www.shop.test", RecordType::AAAA, ResponseCode::NoError),
        ("b.shop.test", RecordType::A, ResponseCode::NoError),
        ("x.www.shop.test", RecordType::A, ResponseCode::NXDomain),
    ] {
        let reply = ask(server, name, kind).await;
        assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, 0), "{name}");
        assert!(matches!(reply.authorities[0].data, RData::SOA(_)), "{name} carries the SOA");
    }
    assert_eq!(ask(server, "shop.test", RecordType::NS).await.answers.len(), 1);
    assert_eq!(ask(server, "shop.test", RecordType::SOA).await.answers.len(), 1);
    assert_eq!(ask(server, "shop.test", RecordType::ANY).await.answers.len(), 3);
    assert_eq!(ask(server, "other.test", RecordType::A).await.metadata.response_code, ResponseCode::Refused);
    assert_eq!(ask(server, "myshop.test", RecordType::A).await.metadata.response_code, ResponseCode::Refused);
    assert_eq!(ask(server, "loop.shop.test", RecordType::A).await.metadata.response_code, ResponseCode::ServFail);
}

#[tokio::test]
async fn aliases_answer_the_address_of_the_edge_for_a_minute() {
    let (shared, lb, cdn) = (shared(), edge_address(), edge_address());
    balance(&shared, lb, ("HTTP", 80), forward(&[], None));
    shared
        .lock()
        .distributions
        .insert("d1.cloudfront.net".into(), distributed("E1", DistributionConfig::default(), cdn));
    zone(
        &shared,
        vec![
            alias("api.shop.test", &format!("dualstack.{LB}"), false),
            alias("www.shop.test", "d1.cloudfront.net", false),
            alias("m.shop.test", "plain.shop.test", false),
            values("plain.shop.test", "A", &["192.0.2.9"]),
            values("cname.shop.test", "CNAME", &["d1.cloudfront.net"]),
        ],
    );
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    for (name, answers) in [
        ("api.shop.test", vec![format!("api.shop.test. 60 {lb}")]),
        ("www.shop.test", vec![format!("www.shop.test. 60 {cdn}")]),
        ("m.shop.test", vec!["m.shop.test. 300 192.0.2.9".to_owned()]),
        (LB, vec![format!("{LB}. 60 {lb}")]),
        (
            "cname.shop.test",
            vec!["cname.shop.test. 300 d1.cloudfront.net.".to_owned(), format!("d1.cloudfront.net. 60 {cdn}")],
        ),
    ] {
        assert_eq!(texts(&ask(edge.dns_address(), name, RecordType::A).await), answers, "{name}");
    }
}

async fn shares(server: SocketAddr, times: usize) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for _ in 0..times {
        let reply = ask(server, "api.shop.test", RecordType::A).await;
        assert_eq!(reply.answers.len(), 1);
        *counted.entry(reply.answers[0].data.to_string()).or_default() += 1;
    }
    counted
}

#[tokio::test]
async fn law_r3_weights_share_out_the_answers() {
    let shared = shared();
    let records = |weights: [u8; 3]| {
        let one = |i: usize| {
            let address = format!("192.0.2.{i}");
            weighted(values("api.shop.test", "A", &[&address]), &address, weights[i])
        };
        (0..3).map(one).collect::<Vec<_>>()
    };
    zone(&shared, records([192, 64, 0]));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let counted = shares(edge.dns_address(), 2000).await;
    // 500 expected, standard deviation 19.4
    assert!((400..=600).contains(&counted["192.0.2.1"]), "{counted:?}");
    assert!(!counted.contains_key("192.0.2.2"), "weight 0 is not served: {counted:?}");
    zone(&shared, records([0, 0, 0]));
    edge.settled().await;
    let counted = shares(edge.dns_address(), 900).await;
    assert!(
        counted.len() == 3 && counted.values().all(|n| (200..=400).contains(n)),
        "all zero is all equal: {counted:?}"
    );
}

#[tokio::test]
async fn law_r4_one_sick_group_makes_the_balancer_sick_and_weight_0_is_no_fence() {
    let (shared, lb, target) = (shared(), edge_address(), TinyTarget::start("t").await);
    target.answer_with(500);
    let set = |evaluate| {
        vec![
            weighted(alias("api.shop.test", LB, evaluate), "new", 255),
            weighted(values("api.shop.test", "A", &["192.0.2.1"]), "old", 0),
        ]
    };
    {
        let mut state = shared.lock();
        state.target_groups.insert("sick".into(), group(&[(&target, "unhealthy")]));
    }
    balance(&shared, lb, ("HTTP", 80), forward(&[("sick", 0)], None));
    zone(&shared, set(true));
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    assert_eq!(shares(edge.dns_address(), 20).await, BTreeMap::from([("192.0.2.1".to_owned(), 20)]));
    zone(&shared, set(false));
    edge.settled().await;
    assert_eq!(shares(edge.dns_address(), 20).await, BTreeMap::from([(lb.to_string(), 20)]));
}

#[tokio::test]
async fn what_does_not_fit_a_datagram_comes_by_tcp() {
    let shared = shared();
    let many: Vec<String> = (0..100).map(|n| format!("192.0.2.{n}")).collect();
    zone(&shared, vec![values("many.shop.test", "A", &many.iter().map(String::as_str).collect::<Vec<_>>())]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let query = query("many.shop.test", RecordType::A);
    let short = udp(edge.dns_address(), &query).await;
    assert!(short.metadata.truncation && short.answers.is_empty());
    let mut stream = TcpStream::connect(edge.dns_address()).await.unwrap();
    for _ in 0..2 {
        let wire = query.to_vec().unwrap();
        stream.write_u16(u16::try_from(wire.len()).unwrap()).await.unwrap();
        stream.write_all(&wire).await.unwrap();
        let mut reply = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(Message::from_vec(&reply).unwrap().answers.len(), 100);
    }
}

#[tokio::test]
async fn edns_is_tolerated_and_nonsense_answered_or_dropped() {
    let shared = shared();
    zone(&shared, vec![values("www.shop.test", "A", &["192.0.2.1"])]);
    let (edge, _dir) = edge(&shared, Arc::new(NoObjects)).await;
    let server = edge.dns_address();
    let mut with_edns = query("www.shop.test", RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(4096);
    with_edns.set_edns(edns.clone());
    let reply = udp(server, &with_edns).await;
    assert!(reply.edns.is_some() && reply.answers.len() == 1);
    edns.set_version(1);
    with_edns.set_edns(edns);
    // BADVERS, which shares its number with BADSIG
    assert_eq!(u16::from(udp(server, &with_edns).await.metadata.response_code), 16);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // too short for a header, an answer, and half a question: only the last is replied to
    let mut answer = reply.to_vec().unwrap();
    answer.truncate(14);
    for wire in [&b"abc"[..], &answer, b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03ww"] {
        socket.send_to(wire, server).await.unwrap();
    }
    let mut buffer = [0; 512];
    let length = socket.recv(&mut buffer).await.unwrap();
    let reply = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!((reply.metadata.id, reply.metadata.response_code), (0x1234, ResponseCode::FormErr));
}
